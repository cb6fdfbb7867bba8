-- On which file system each folder of media was when pulsetui last ran, so that a start knows a disk that isn't mounted.
CREATE TABLE grounds (
    path BLOB PRIMARY KEY,
    file_system TEXT NOT NULL           -- by what stays the same across mounts, such as uuid:3f2a…
) STRICT, WITHOUT ROWID;
