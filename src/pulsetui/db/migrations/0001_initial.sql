-- Who ran pulsetui on this data directory; the newest row is the current or last owner. Times are ms since 1970.
CREATE TABLE owner (
  id            INTEGER PRIMARY KEY,
  instance      TEXT    NOT NULL UNIQUE,
  pid           INTEGER NOT NULL,
  boot_id       TEXT    NOT NULL,
  process_start INTEGER NOT NULL,  -- clock ticks since boot: with pid and boot_id, names one process for ever
  user_name     TEXT    NOT NULL,
  host          TEXT    NOT NULL,
  version       TEXT    NOT NULL,
  front_end     TEXT    NOT NULL,
  started_at    INTEGER NOT NULL,
  heartbeat_at  INTEGER NOT NULL,
  ended_at      INTEGER            -- NULL: it runs, or it ended uncleanly
) STRICT;

-- What happened. AUTOINCREMENT: a follower remembers the last id that it saw, so a trimmed id must never come back.
CREATE TABLE events (
  id       INTEGER PRIMARY KEY AUTOINCREMENT,
  at       INTEGER NOT NULL,
  kind     TEXT    NOT NULL,
  category TEXT    NOT NULL,
  severity TEXT    NOT NULL CHECK (severity IN ('debug', 'info', 'warning', 'error', 'critical')),
  keep     INTEGER NOT NULL CHECK (keep IN (0, 1)),  -- 1: never trimmed
  entity   TEXT,
  job_id   INTEGER,
  text     TEXT    NOT NULL,
  data     TEXT    NOT NULL CHECK (json_valid(data))
) STRICT;
CREATE INDEX events_by_category ON events (category, id);
CREATE INDEX events_by_job ON events (job_id, id) WHERE job_id IS NOT NULL;
CREATE INDEX events_to_trim ON events (severity, at) WHERE keep = 0;

-- Orders by uuid, so that one that is sent twice runs once.
CREATE TABLE commands (
  uuid        TEXT    PRIMARY KEY,
  verb        TEXT    NOT NULL,
  arguments   TEXT    NOT NULL CHECK (json_valid(arguments)),
  uid         INTEGER NOT NULL,
  through     TEXT    NOT NULL,
  received_at INTEGER NOT NULL,
  expires_at  INTEGER NOT NULL,
  finished_at INTEGER,                                  -- NULL: it runs, or its owner died in the middle
  outcome     TEXT    CHECK (outcome IS NULL OR json_valid(outcome)),      -- one of the two when finished
  error       TEXT    CHECK (error IS NULL OR json_valid(error))
) STRICT, WITHOUT ROWID;
CREATE INDEX commands_finished ON commands (finished_at);

-- Every order that was given, also refused ones. Never trimmed.
CREATE TABLE audit (
  id          INTEGER PRIMARY KEY AUTOINCREMENT,
  at          INTEGER NOT NULL,
  user_name   TEXT    NOT NULL,
  uid         INTEGER NOT NULL,
  through     TEXT    NOT NULL,
  verb        TEXT    NOT NULL,
  uuid        TEXT    NOT NULL,
  arguments   TEXT    NOT NULL CHECK (json_valid(arguments)),
  outcome     TEXT    CHECK (outcome IS NULL OR json_valid(outcome)),
  error       TEXT    CHECK (error IS NULL OR json_valid(error)),
  duration_ms INTEGER                                   -- NULL: it runs, or its owner died in the middle
) STRICT;
