-- What brings a journal of format 1 to format 2 (schema.sql). Run in one transaction.
ALTER TABLE run ADD COLUMN note TEXT NOT NULL DEFAULT '';
ALTER TABLE run ADD COLUMN pinned_ms INTEGER;
ALTER TABLE run ADD COLUMN removed_ms INTEGER;
CREATE INDEX run_state ON run(state);
CREATE TABLE tag(
  name TEXT PRIMARY KEY,
  run INTEGER NOT NULL REFERENCES run(id),
  made_ms INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX tag_run ON tag(run);
ALTER TABLE attempt ADD COLUMN accepted INTEGER REFERENCES attempt(id);
ALTER TABLE artifact ADD COLUMN gone TEXT NOT NULL DEFAULT '' CHECK(gone IN ('','evicted','temp','damaged'));
PRAGMA user_version = 2;
