-- The journal of a project: what happened, and what may be reused. Made in one transaction; user_version is the format.
-- Written by one connection only (store/db.h). Every move of a run, task or attempt also lands in `event`, by trigger, in the
-- same transaction; a move that is not legal aborts it.

CREATE TABLE run(
  id INTEGER PRIMARY KEY,
  uuid TEXT NOT NULL UNIQUE,
  state TEXT NOT NULL CHECK(state IN ('CREATED','RUNNING','SUCCEEDED','FAILED','CANCELLED','INTERRUPTED')),
  began_ms INTEGER NOT NULL,
  ended_ms INTEGER,
  cause TEXT NOT NULL DEFAULT 'manual',          -- manual, schedule, ...
  dag_path TEXT NOT NULL,
  dag_name TEXT NOT NULL DEFAULT '',
  dag_digest BLOB,                               -- object that holds the text of dag.yaml
  params TEXT NOT NULL DEFAULT '{}',             -- JSON: dotted name -> value
  changed TEXT NOT NULL DEFAULT '',              -- the -p options, one a line
  commit_id TEXT NOT NULL DEFAULT '',
  branch TEXT NOT NULL DEFAULT '',
  dirty INTEGER NOT NULL DEFAULT 0,              -- number of files that differ from the commit
  patch_digest BLOB,                             -- object that holds the difference
  source_note TEXT NOT NULL DEFAULT '',          -- why there is no commit
  host TEXT NOT NULL DEFAULT '',
  boot_id TEXT NOT NULL DEFAULT '',
  pid INTEGER NOT NULL DEFAULT 0,
  version TEXT NOT NULL DEFAULT '',
  ran INTEGER NOT NULL DEFAULT 0,
  reused INTEGER NOT NULL DEFAULT 0,
  failed INTEGER NOT NULL DEFAULT 0,
  reuse_digest BLOB REFERENCES reuse(digest),    -- tasks that were reused as planned
  note TEXT NOT NULL DEFAULT '',                 -- what somebody wrote about it
  pinned_ms INTEGER,                             -- since when gc keeps all it needs; NULL: it does not
  removed_ms INTEGER                             -- since when no list shows it and gc owes it nothing; NULL: it is shown
);

-- Asked for at each start: runs that a crash left open; by `status`: the newest of each state.
CREATE INDEX run_state ON run(state);

-- A name for a run. gc keeps all that a tagged run needs.
CREATE TABLE tag(
  name TEXT PRIMARY KEY,
  run INTEGER NOT NULL REFERENCES run(id),
  made_ms INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX tag_run ON tag(run);

-- Lists of attempts (varint deltas) that a run took over unchanged. Runs with nothing to do share one row.
CREATE TABLE reuse(digest BLOB PRIMARY KEY, attempts BLOB NOT NULL) WITHOUT ROWID;

-- Tasks of a run that were not simply reused as planned.
CREATE TABLE task(
  run INTEGER NOT NULL REFERENCES run(id),
  name TEXT NOT NULL,
  state TEXT NOT NULL CHECK(state IN
    ('PENDING','READY','RUNNING','BACKOFF','SUCCEEDED','REUSED','FAILED','SKIPPED','BLOCKED')),
  reason TEXT NOT NULL DEFAULT '',               -- reason code of the plan
  why TEXT NOT NULL DEFAULT '',                  -- the same for people, with the two values
  attempt INTEGER,                               -- whose outs these are: the success, or the one reused
  not_before_ms INTEGER NOT NULL DEFAULT 0,      -- of the last BACKOFF: when it may be tried again; a crash does not shorten it
  PRIMARY KEY(run, name)
) WITHOUT ROWID;

CREATE TABLE attempt(
  id INTEGER PRIMARY KEY,
  run INTEGER NOT NULL REFERENCES run(id),
  task TEXT NOT NULL,
  number INTEGER NOT NULL CHECK(number >= 1),
  state TEXT NOT NULL CHECK(state IN ('STARTING','RUNNING','SUCCEEDED','FAILED','TIMEOUT','LOST','CANCELLED')),
  key BLOB NOT NULL,
  parts BLOB NOT NULL,                           -- component tree: the preimage of the key
  began_ms INTEGER NOT NULL,
  ended_ms INTEGER,
  exit_code INTEGER,
  signal INTEGER,
  error TEXT NOT NULL DEFAULT '',
  log TEXT NOT NULL DEFAULT '',                  -- file, relative to .flow
  log_from INTEGER NOT NULL DEFAULT 0,
  log_to INTEGER NOT NULL DEFAULT 0,
  folder TEXT NOT NULL DEFAULT '',               -- work folder, relative to .flow
  user_us INTEGER NOT NULL DEFAULT 0,
  system_us INTEGER NOT NULL DEFAULT 0,
  peak_rss_kib INTEGER NOT NULL DEFAULT 0,
  strays INTEGER NOT NULL DEFAULT 0,
  accepted INTEGER REFERENCES attempt(id),       -- nothing ran: the outs of that attempt were declared still right
  UNIQUE(task, run, number)
);
CREATE UNIQUE INDEX attempt_one_success ON attempt(run, task) WHERE state = 'SUCCEEDED';
CREATE INDEX attempt_key ON attempt(key) WHERE state = 'SUCCEEDED';
CREATE INDEX attempt_open ON attempt(run) WHERE state IN ('STARTING','RUNNING');

CREATE TABLE artifact(
  attempt INTEGER NOT NULL REFERENCES attempt(id),
  position INTEGER NOT NULL,
  name TEXT NOT NULL,
  path TEXT NOT NULL,
  digest BLOB NOT NULL,
  size INTEGER NOT NULL,
  mode INTEGER NOT NULL,
  gone TEXT NOT NULL DEFAULT '' CHECK(gone IN ('','evicted','temp','damaged')), -- why its object need not be in the store
  PRIMARY KEY(attempt, position)
) WITHOUT ROWID;
CREATE INDEX artifact_path ON artifact(path, attempt);
CREATE INDEX artifact_digest ON artifact(digest);

-- The last success of each task: what the next plan looks at first. A summary of attempt and artifact.
CREATE TABLE latest(
  task TEXT PRIMARY KEY,
  attempt INTEGER NOT NULL,
  key BLOB NOT NULL,
  outs BLOB NOT NULL,                            -- packed struct made, one an out
  took_ms INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE metric(
  attempt INTEGER NOT NULL REFERENCES attempt(id),
  name TEXT NOT NULL,
  step INTEGER NOT NULL DEFAULT -1,              -- -1: of the attempt as a whole
  value REAL,
  at_ms INTEGER NOT NULL,
  PRIMARY KEY(attempt, name, step)
) WITHOUT ROWID;

-- Stat cache: an entry whose identity still matches has this digest.
CREATE TABLE file(
  path TEXT PRIMARY KEY,
  dev INTEGER NOT NULL, ino INTEGER NOT NULL, size INTEGER NOT NULL,
  mtime_ns INTEGER NOT NULL, ctime_ns INTEGER NOT NULL,
  seen_ns INTEGER NOT NULL,                      -- an mtime or ctime not older than this is not trusted
  digest BLOB NOT NULL
) WITHOUT ROWID;

CREATE TABLE event(
  seq INTEGER PRIMARY KEY,
  at_ms INTEGER NOT NULL,
  run INTEGER NOT NULL,
  task TEXT,
  attempt INTEGER,
  state TEXT NOT NULL
);

-- One row: up to which event the disk is known to hold everything (objects too), and on which boot.
CREATE TABLE durable(id INTEGER PRIMARY KEY CHECK(id = 1), boot_id TEXT NOT NULL, attempt INTEGER NOT NULL);
INSERT INTO durable VALUES(1, '', 0);

CREATE TABLE move(what TEXT NOT NULL, old TEXT NOT NULL, new TEXT NOT NULL, PRIMARY KEY(what, old, new)) WITHOUT ROWID;
INSERT INTO move VALUES
  ('run','CREATED','RUNNING'), ('run','RUNNING','SUCCEEDED'), ('run','RUNNING','FAILED'),
  ('run','RUNNING','CANCELLED'), ('run','RUNNING','INTERRUPTED'), ('run','CREATED','INTERRUPTED'),
  ('task','PENDING','READY'), ('task','PENDING','RUNNING'), ('task','PENDING','REUSED'), ('task','PENDING','SKIPPED'),
  ('task','PENDING','BLOCKED'), ('task','PENDING','FAILED'), ('task','READY','RUNNING'), ('task','READY','REUSED'),
  ('task','READY','SKIPPED'), ('task','READY','BLOCKED'), ('task','READY','PENDING'), ('task','RUNNING','SUCCEEDED'),
  ('task','RUNNING','FAILED'), ('task','RUNNING','BACKOFF'), ('task','RUNNING','PENDING'), ('task','RUNNING','SKIPPED'),
  ('task','BACKOFF','RUNNING'), ('task','BACKOFF','FAILED'), ('task','BACKOFF','PENDING'), ('task','BACKOFF','SKIPPED'),
  ('task','BACKOFF','REUSED'),
  ('attempt','STARTING','RUNNING'), ('attempt','STARTING','SUCCEEDED'), ('attempt','STARTING','FAILED'),
  ('attempt','STARTING','TIMEOUT'), ('attempt','STARTING','LOST'), ('attempt','STARTING','CANCELLED'),
  ('attempt','RUNNING','SUCCEEDED'), ('attempt','RUNNING','FAILED'), ('attempt','RUNNING','TIMEOUT'),
  ('attempt','RUNNING','LOST'), ('attempt','RUNNING','CANCELLED');

CREATE TRIGGER run_move BEFORE UPDATE OF state ON run
WHEN NOT EXISTS(SELECT 1 FROM move WHERE what = 'run' AND old = OLD.state AND new = NEW.state)
BEGIN SELECT RAISE(ABORT, 'a run may not move so'); END;
CREATE TRIGGER task_move BEFORE UPDATE OF state ON task
WHEN NOT EXISTS(SELECT 1 FROM move WHERE what = 'task' AND old = OLD.state AND new = NEW.state)
BEGIN SELECT RAISE(ABORT, 'a task may not move so'); END;
CREATE TRIGGER attempt_move BEFORE UPDATE OF state ON attempt
WHEN NOT EXISTS(SELECT 1 FROM move WHERE what = 'attempt' AND old = OLD.state AND new = NEW.state)
BEGIN SELECT RAISE(ABORT, 'an attempt may not move so'); END;

CREATE TRIGGER run_new AFTER INSERT ON run BEGIN
  INSERT INTO event(at_ms, run, state) VALUES(CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER), NEW.id, NEW.state); END;
CREATE TRIGGER run_event AFTER UPDATE OF state ON run BEGIN
  INSERT INTO event(at_ms, run, state) VALUES(CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER), NEW.id, NEW.state); END;
CREATE TRIGGER task_event AFTER UPDATE OF state ON task BEGIN
  INSERT INTO event(at_ms, run, task, state) VALUES(
    CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER), NEW.run, NEW.name, NEW.state); END;
CREATE TRIGGER attempt_new AFTER INSERT ON attempt BEGIN
  INSERT INTO event(at_ms, run, task, attempt, state) VALUES(
    CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER), NEW.run, NEW.task, NEW.id, NEW.state); END;
CREATE TRIGGER attempt_event AFTER UPDATE OF state ON attempt BEGIN
  INSERT INTO event(at_ms, run, task, attempt, state) VALUES(
    CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER), NEW.run, NEW.task, NEW.id, NEW.state); END;

PRAGMA user_version = 2;
