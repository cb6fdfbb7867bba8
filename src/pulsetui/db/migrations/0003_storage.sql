-- What takes how much storage. Times are milliseconds since 1970 unless they end in _ns, sizes bytes, paths BLOBs.

-- The bytes in `folders` are an entity's identity on disk, also where its folder's name is no text, so its last part is
-- not kept a second time as text.
DROP INDEX entities_by_folder;
ALTER TABLE entities DROP COLUMN folder;
CREATE UNIQUE INDEX entities_by_folders ON entities (library_id, folders);
CREATE INDEX entities_below ON entities (parent_id, name);
ALTER TABLE entities ADD COLUMN archived INTEGER NOT NULL DEFAULT 0 CHECK (archived IN (0, 1));  -- 1: its work is over

-- By last extension, in lower case and without the dot; what isn't named is 'other'. Settings add to it.
CREATE TABLE file_type_categories (
    extension TEXT PRIMARY KEY,
    category TEXT NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO file_type_categories (extension, category) VALUES
    ('mp4', 'video'), ('mov', 'video'), ('webm', 'video'), ('avi', 'video'), ('mkv', 'video'), ('m4v', 'video'),
    ('png', 'image'), ('jpg', 'image'), ('jpeg', 'image'), ('webp', 'image'),
    ('bmp', 'image'), ('avif', 'image'), ('gif', 'image'),
    ('tmp', 'intermediate'), ('cache', 'intermediate'), ('partial', 'intermediate'),
    ('json', 'metadata'), ('yaml', 'metadata'), ('yml', 'metadata'), ('toml', 'metadata'), ('xml', 'metadata'),
    ('safetensors', 'model'), ('ckpt', 'model'), ('pt', 'model'), ('bin', 'model'),
    ('onnx', 'model'), ('gguf', 'model'),
    ('wav', 'audio'), ('mp3', 'audio'), ('m4a', 'audio'), ('flac', 'audio'),
    ('opus', 'audio'), ('ogg', 'audio'), ('aac', 'audio'),
    ('srt', 'text'), ('vtt', 'text'), ('txt', 'text'), ('zst', 'text'), ('jsonl', 'text');

-- The folders that pulsetui owns or watches. They come from settings; the row keeps the id and what was found there.
CREATE TABLE roots (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    path BLOB NOT NULL,
    volume TEXT,                        -- id of the file system that it lies on, NULL until it was there
    volume_path BLOB,                   -- where it lies below that file system's mount point
    error TEXT NOT NULL DEFAULT '',     -- why the newest refresh could not read it
    error_since INTEGER,
    read_at INTEGER                     -- when it was last read as a whole; its figures are of then
) STRICT;

-- One row a folder: the sums of its own files, and how to tell that it changed. Written when it changed.
CREATE TABLE storage_folders (
    root_id INTEGER NOT NULL REFERENCES roots (id) ON DELETE CASCADE,
    path BLOB NOT NULL,                 -- below the root, joined by '/'; empty is the root's own folder
    entity_type TEXT NOT NULL,          -- the node that its own files count for
    entity_id INTEGER NOT NULL,
    device INTEGER NOT NULL,            -- device and inode as signed 64 bits
    inode INTEGER NOT NULL,
    mtime_ns INTEGER NOT NULL,
    ctime_ns INTEGER NOT NULL,
    allocated_bytes INTEGER NOT NULL,   -- of the folder itself
    counts TEXT NOT NULL,               -- JSON: [[category, files, apparent bytes, allocated bytes], …]
    links TEXT NOT NULL,                -- JSON: its files with several names
    newest_ns INTEGER NOT NULL,
    error TEXT NOT NULL,
    verified_at INTEGER NOT NULL,       -- when it was last listed
    PRIMARY KEY (root_id, path)
) STRICT, WITHOUT ROWID;
CREATE INDEX storage_folders_by_node ON storage_folders (entity_type, entity_id);

-- The newest size of each node, with all that is below it. Written when it changed.
CREATE TABLE storage_usage_snapshots (
    entity_type TEXT NOT NULL,          -- a level of the catalog, or library, unassigned, system, part
    entity_id INTEGER NOT NULL,
    parent_type TEXT,                   -- NULL: a library
    parent_id INTEGER,
    name TEXT,                          -- NULL: that of the entity or library
    root_id INTEGER,                    -- where its first folder is, NULL without one
    path BLOB,
    total_bytes INTEGER NOT NULL DEFAULT 0,
    allocated_bytes INTEGER NOT NULL DEFAULT 0,
    file_count INTEGER NOT NULL DEFAULT 0,
    video_bytes INTEGER NOT NULL DEFAULT 0, video_allocated_bytes INTEGER NOT NULL DEFAULT 0,
        video_files INTEGER NOT NULL DEFAULT 0,
    image_bytes INTEGER NOT NULL DEFAULT 0, image_allocated_bytes INTEGER NOT NULL DEFAULT 0,
        image_files INTEGER NOT NULL DEFAULT 0,
    intermediate_bytes INTEGER NOT NULL DEFAULT 0, intermediate_allocated_bytes INTEGER NOT NULL DEFAULT 0,
        intermediate_files INTEGER NOT NULL DEFAULT 0,
    metadata_bytes INTEGER NOT NULL DEFAULT 0, metadata_allocated_bytes INTEGER NOT NULL DEFAULT 0,
        metadata_files INTEGER NOT NULL DEFAULT 0,
    model_bytes INTEGER NOT NULL DEFAULT 0, model_allocated_bytes INTEGER NOT NULL DEFAULT 0,
        model_files INTEGER NOT NULL DEFAULT 0,
    audio_bytes INTEGER NOT NULL DEFAULT 0, audio_allocated_bytes INTEGER NOT NULL DEFAULT 0,
        audio_files INTEGER NOT NULL DEFAULT 0,
    text_bytes INTEGER NOT NULL DEFAULT 0, text_allocated_bytes INTEGER NOT NULL DEFAULT 0,
        text_files INTEGER NOT NULL DEFAULT 0,
    other_bytes INTEGER NOT NULL DEFAULT 0, other_allocated_bytes INTEGER NOT NULL DEFAULT 0,
        other_files INTEGER NOT NULL DEFAULT 0,
    own TEXT NOT NULL DEFAULT '[]',     -- JSON: what of it lies in no child: [[category, files, apparent, allocated], …]
    reclaimable_bytes INTEGER NOT NULL DEFAULT 0,  -- allocated in trash, part of no other figure
    candidate_bytes INTEGER NOT NULL DEFAULT 0,
    newest_at INTEGER,                  -- when its newest file was written
    verified_at INTEGER,                -- when the folder in it was listed that waits the longest
    error TEXT NOT NULL DEFAULT '',
    taken_at INTEGER NOT NULL,          -- when a refresh last changed this row
    PRIMARY KEY (entity_type, entity_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX storage_usage_snapshots_below ON storage_usage_snapshots (parent_type, parent_id, allocated_bytes);

-- There is one library at the start.
INSERT OR IGNORE INTO libraries (uuid, name, created_at) VALUES (
    lower(hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-4' || substr(hex(randomblob(2)), 2) || '-8'
        || substr(hex(randomblob(2)), 2) || '-' || hex(randomblob(6))),
    'main', CAST(strftime('%s', 'now') AS INTEGER) * 1000
);

-- Libraries and entities are in the tree from their first moment, with zeros until a refresh.
INSERT INTO storage_usage_snapshots (entity_type, entity_id, taken_at) SELECT 'library', id, created_at FROM libraries;
INSERT INTO storage_usage_snapshots (entity_type, entity_id, parent_type, parent_id, taken_at)
    SELECT e.level, e.id, coalesce(p.level, 'library'), coalesce(p.id, e.library_id), e.created_at
    FROM entities e LEFT JOIN entities p ON p.id = e.parent_id;
CREATE TRIGGER libraries_in_tree AFTER INSERT ON libraries BEGIN
    INSERT OR IGNORE INTO storage_usage_snapshots (entity_type, entity_id, taken_at)
        VALUES ('library', new.id, new.created_at);
END;
CREATE TRIGGER entities_in_tree AFTER INSERT ON entities BEGIN
    INSERT OR IGNORE INTO storage_usage_snapshots (entity_type, entity_id, parent_type, parent_id, taken_at)
        SELECT new.level, new.id, coalesce(p.level, 'library'), coalesce(p.id, new.library_id), new.created_at
        FROM (SELECT 1) LEFT JOIN entities p ON p.id = new.parent_id;
END;

-- How large each node was: a row where that changed, which holds until the next one. Thinned with age.
CREATE TABLE storage_history (
    entity_type TEXT NOT NULL,
    entity_id INTEGER NOT NULL,
    at INTEGER NOT NULL,
    total_bytes INTEGER NOT NULL,
    allocated_bytes INTEGER NOT NULL,
    file_count INTEGER NOT NULL,
    PRIMARY KEY (entity_type, entity_id, at)
) STRICT, WITHOUT ROWID;
CREATE INDEX storage_history_at ON storage_history (at);

CREATE TABLE storage_refreshes (
    at INTEGER PRIMARY KEY,             -- the time that its sizes are of
    cause TEXT NOT NULL,                -- schedule, order, moved, watch
    complete INTEGER NOT NULL,          -- 1: each folder was listed
    levels TEXT NOT NULL,               -- JSON: entities by level
    folders INTEGER NOT NULL,
    reused_folders INTEGER NOT NULL,
    file_count INTEGER NOT NULL,
    total_bytes INTEGER NOT NULL,
    allocated_bytes INTEGER NOT NULL,
    errors INTEGER NOT NULL,
    seconds REAL NOT NULL
) STRICT;

CREATE TABLE storage_state (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    walked_at INTEGER,                  -- when each folder was last listed in one go
    rules TEXT NOT NULL DEFAULT '',     -- digest of what decides how a file counts: another one needs a whole walk
    thinned_at INTEGER,
    failed_at INTEGER,                  -- of the newest refresh, if it failed
    failure TEXT NOT NULL DEFAULT ''
) STRICT;
INSERT INTO storage_state (id) VALUES (1);

-- What happened at a time of the past that is shown.
CREATE INDEX events_by_time ON events (at);
