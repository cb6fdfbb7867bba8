-- The catalog, the queue, the budget. Times are milliseconds since 1970, sizes bytes, paths BLOBs (names needn't be UTF-8).

CREATE TABLE libraries (
    id INTEGER PRIMARY KEY,
    uuid TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL UNIQUE,
    created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE entities (
    id INTEGER PRIMARY KEY,
    uuid TEXT NOT NULL UNIQUE,
    library_id INTEGER NOT NULL REFERENCES libraries (id),
    parent_id INTEGER REFERENCES entities (id),
    level TEXT NOT NULL,
    name TEXT NOT NULL,
    folder TEXT NOT NULL,      -- one path component, unique under its parent; renaming the entity doesn't change it
    path TEXT NOT NULL,        -- the names from the root, joined by '/'
    folders BLOB NOT NULL,     -- the folder names from the root, joined by '/'
    created_at INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX entities_by_folder ON entities (library_id, coalesce(parent_id, 0), folder);
CREATE UNIQUE INDEX entities_by_path ON entities (library_id, path);

CREATE TABLE jobs (
    id INTEGER PRIMARY KEY,
    uuid TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL CHECK (kind IN ('episode')),
    title TEXT NOT NULL,
    source_url TEXT NOT NULL,
    source_host TEXT NOT NULL,
    entity_id INTEGER REFERENCES entities (id),
    priority INTEGER NOT NULL,
    rank INTEGER NOT NULL,             -- submitted_at less an hour for each step of priority: the claim order, with ageing
    stage TEXT NOT NULL,
    stage_since INTEGER NOT NULL,
    ready INTEGER NOT NULL DEFAULT 1,  -- 0 while it waits for next_attempt_at
    next_attempt_at INTEGER,
    attempts INTEGER NOT NULL DEFAULT 0,
    lease_token TEXT,
    lease_owner TEXT,
    lease_until INTEGER,
    heartbeat_at INTEGER,
    worker TEXT,
    submitted_by TEXT NOT NULL,
    submitted_through TEXT NOT NULL,
    submitted_at INTEGER NOT NULL,
    progress_done REAL,
    progress_total REAL,
    declared_bytes INTEGER,
    unfit_since INTEGER,               -- since when it was passed over because its declared size didn't fit
    etag TEXT,
    last_modified TEXT,
    sha256 TEXT,
    video_path BLOB,
    video_size_bytes INTEGER,
    video_allocated_bytes INTEGER,
    video_device INTEGER,
    video_inode INTEGER,
    video_mtime_ns INTEGER,
    video_delete_pending INTEGER NOT NULL DEFAULT 0,
    video_deleted INTEGER NOT NULL DEFAULT 0,
    audio_path BLOB,
    audio_size_bytes INTEGER,
    audio_allocated_bytes INTEGER,
    audio_device INTEGER,
    audio_inode INTEGER,
    audio_mtime_ns INTEGER,
    audio_delete_pending INTEGER NOT NULL DEFAULT 0,
    audio_deleted INTEGER NOT NULL DEFAULT 0,
    transcript_path BLOB,
    transcript_size_bytes INTEGER,
    transcript_sha256 TEXT,
    receipt TEXT,                      -- the verdict of the acceptance check, JSON
    duration_s REAL,
    transcribe_seconds REAL,
    error_class TEXT,
    error TEXT
) STRICT;
CREATE INDEX jobs_ready ON jobs (stage, rank) WHERE ready = 1 AND stage IN ('queued', 'downloaded');
CREATE INDEX jobs_backing_off ON jobs (next_attempt_at) WHERE ready = 0;
CREATE INDEX jobs_by_stage ON jobs (stage, id);
CREATE INDEX jobs_to_delete ON jobs (id) WHERE video_delete_pending = 1 OR audio_delete_pending = 1;
CREATE INDEX jobs_by_entity ON jobs (entity_id, id);
CREATE INDEX jobs_by_source ON jobs (source_host, id) WHERE video_size_bytes IS NOT NULL;
-- The order of the job table: running, then waiting by rank, then ended, the newest first. The stage is there to filter by
-- without a look at the rows; an index that begins with it would be taken for `jobs_ended`.
CREATE INDEX jobs_shown ON jobs (
    (CASE stage WHEN 'downloading' THEN 0 WHEN 'transcribing' THEN 0 WHEN 'downloaded' THEN 1 WHEN 'queued' THEN 2 ELSE 3 END),
    (CASE stage WHEN 'downloaded' THEN rank WHEN 'queued' THEN rank ELSE -stage_since END),
    stage
);
-- Its other orders.
CREATE INDEX jobs_by_title ON jobs (title COLLATE NOCASE);
CREATE INDEX jobs_by_size ON jobs (video_size_bytes);
CREATE INDEX jobs_by_attempts ON jobs (attempts);
CREATE INDEX jobs_by_url ON jobs (source_url);
CREATE INDEX jobs_ended ON jobs (stage_since) WHERE stage IN ('transcribed', 'held', 'dead', 'cancelled');

-- Kept by triggers, so that counting ten million jobs costs nothing.
CREATE TABLE stage_counts (
    stage TEXT PRIMARY KEY,
    jobs INTEGER NOT NULL
) STRICT;
CREATE TRIGGER jobs_counted_in AFTER INSERT ON jobs BEGIN
    INSERT INTO stage_counts (stage, jobs) VALUES (new.stage, 1)
        ON CONFLICT (stage) DO UPDATE SET jobs = jobs + 1;
END;
CREATE TRIGGER jobs_counted_over AFTER UPDATE OF stage ON jobs WHEN old.stage <> new.stage BEGIN
    UPDATE stage_counts SET jobs = jobs - 1 WHERE stage = old.stage;
    INSERT INTO stage_counts (stage, jobs) VALUES (new.stage, 1)
        ON CONFLICT (stage) DO UPDATE SET jobs = jobs + 1;
END;
CREATE TRIGGER jobs_counted_out AFTER DELETE ON jobs BEGIN
    UPDATE stage_counts SET jobs = jobs - 1 WHERE stage = old.stage;
END;

CREATE TABLE reservations (
    job_id INTEGER PRIMARY KEY REFERENCES jobs (id) ON DELETE CASCADE,
    video_bytes INTEGER NOT NULL,
    audio_bytes INTEGER NOT NULL,
    transcript_bytes INTEGER NOT NULL
) STRICT;

CREATE TABLE gate (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    is_open INTEGER NOT NULL,
    cause TEXT NOT NULL,
    reason TEXT NOT NULL,
    since INTEGER NOT NULL,
    operator_paused INTEGER NOT NULL DEFAULT 0,
    peak_committed_bytes INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE pauses (
    id INTEGER PRIMARY KEY,
    closed_at INTEGER NOT NULL,
    opened_at INTEGER,
    cause TEXT NOT NULL,
    committed_bytes INTEGER
) STRICT;
CREATE INDEX pauses_running ON pauses (id) WHERE opened_at IS NULL;

CREATE TABLE recovery (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    at INTEGER NOT NULL,
    report TEXT NOT NULL
) STRICT;
