-- Volumes that a library tracks. Times are milliseconds since 1970, sizes bytes, text that comes from outside BLOBs.

CREATE TABLE volumes (
    id INTEGER PRIMARY KEY,
    uuid TEXT NOT NULL UNIQUE,
    library_id INTEGER NOT NULL REFERENCES libraries (id) ON DELETE CASCADE,
    fingerprint TEXT NOT NULL,
    kind TEXT NOT NULL,
    identity BLOB NOT NULL,             -- what the fingerprint is made of, in words
    marker TEXT NOT NULL,               -- the uuid in its marker file; empty: it could not be marked
    display_name TEXT,
    fs_type TEXT NOT NULL,
    device BLOB NOT NULL,
    mount_point BLOB,                   -- where it was last seen
    tracked_at INTEGER NOT NULL,
    last_seen_at INTEGER NOT NULL,      -- of one online, up to some minutes behind
    is_online INTEGER NOT NULL,         -- at the last look; without a running owner nobody looks
    is_read_only INTEGER NOT NULL,
    quarantine TEXT NOT NULL DEFAULT '',
    needs_decision INTEGER NOT NULL DEFAULT 0,  -- 1: only a human can say which one it is, whatever is mounted
    is_filling INTEGER NOT NULL DEFAULT 0,      -- 1: it was warned of
    total_bytes INTEGER NOT NULL,
    available_bytes INTEGER NOT NULL,
    told_bytes INTEGER NOT NULL,        -- what was available when it was last told of
    read_bps REAL,
    write_bps REAL,
    tested_at INTEGER,                  -- NULL: no speed test yet
    test_method TEXT,
    test_size_bytes INTEGER,
    test_beside TEXT,                   -- what else of ours ran
    UNIQUE (library_id, fingerprint)
) STRICT;

-- How full each was: a row where that changed, which holds until the next one. Thinned with age.
CREATE TABLE volume_history (
    volume_id INTEGER NOT NULL REFERENCES volumes (id) ON DELETE CASCADE,
    at INTEGER NOT NULL,
    used_bytes INTEGER NOT NULL,
    total_bytes INTEGER NOT NULL,
    PRIMARY KEY (volume_id, at)
) STRICT, WITHOUT ROWID;

-- A library that is removed leaves the tree of sizes, too.
CREATE TRIGGER libraries_out_of_tree AFTER DELETE ON libraries BEGIN
    DELETE FROM storage_usage_snapshots WHERE entity_type = 'library' AND entity_id = old.id;
    DELETE FROM storage_history WHERE entity_type = 'library' AND entity_id = old.id;
END;
