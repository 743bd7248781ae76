/**
 * The schema, one numbered text per version. A published text is never edited: a file that was made by it is out
 * there. Each ends by setting `user_version`, so that version and schema change in one transaction.
 *
 * `session` is a number that is never used again, not even after a deletion; `event` is the order of writing over all
 * sessions. Columns that are long come last, for SQLite reads a row from its start.
 */
export interface Migration {
  version: number
  sql: string
}

export const migrations: readonly Migration[] = [
  {
    version: 1,
    sql: `
CREATE TABLE tenants (
  tenant INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE CHECK (id <> ''),
  has_sessions INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE sessions (
  session INTEGER PRIMARY KEY AUTOINCREMENT,
  tenant INTEGER NOT NULL,
  id TEXT NOT NULL,
  base INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  erased INTEGER NOT NULL DEFAULT 0,
  epoch INTEGER NOT NULL,
  lease_owner TEXT,
  lease_expires INTEGER,
  agent TEXT NOT NULL,
  owner TEXT,
  conversation TEXT NOT NULL,
  thread TEXT NOT NULL,
  root TEXT NOT NULL,
  created INTEGER NOT NULL,
  activity INTEGER NOT NULL,
  question_asked INTEGER,
  question_expires INTEGER,
  expires INTEGER,
  head_crc INTEGER NOT NULL,
  head TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX sessions_id ON sessions (tenant, id);
CREATE INDEX sessions_all ON sessions (tenant, activity, id);
CREATE INDEX sessions_owner ON sessions (tenant, owner, activity, id) WHERE owner IS NOT NULL;
CREATE INDEX sessions_agent ON sessions (tenant, agent, activity, id);
CREATE INDEX sessions_conversation ON sessions (tenant, conversation, created, id);
CREATE INDEX sessions_thread ON sessions (tenant, thread, created, id);
CREATE INDEX sessions_root ON sessions (tenant, root, created, id);
CREATE INDEX sessions_question ON sessions (tenant, question_asked, id) WHERE question_asked IS NOT NULL;
CREATE INDEX sessions_due_expiry ON sessions (tenant, expires, id) WHERE expires IS NOT NULL;
CREATE INDEX sessions_due_question ON sessions (tenant, question_expires, id) WHERE question_expires IS NOT NULL;
CREATE INDEX sessions_due_lease ON sessions (tenant, lease_expires, id) WHERE lease_expires IS NOT NULL;

CREATE TABLE events (
  event INTEGER PRIMARY KEY,
  session INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  v INTEGER NOT NULL,
  crc INTEGER NOT NULL,
  type TEXT NOT NULL,
  at TEXT NOT NULL,
  commit_id TEXT NOT NULL,
  aside BLOB,
  body TEXT
) STRICT;
CREATE UNIQUE INDEX events_seq ON events (session, seq);
CREATE INDEX events_aside ON events (session, aside) WHERE aside IS NOT NULL;

CREATE TABLE bodies (
  session INTEGER NOT NULL,
  hash BLOB NOT NULL,
  body TEXT NOT NULL,
  UNIQUE (session, hash)
) STRICT;

CREATE TABLE segments (
  session INTEGER NOT NULL,
  position INTEGER NOT NULL,
  source INTEGER NOT NULL,
  first INTEGER NOT NULL,
  last INTEGER NOT NULL,
  PRIMARY KEY (session, position)
) STRICT, WITHOUT ROWID;
CREATE INDEX segments_source ON segments (source, session);

CREATE TABLE parts (
  session INTEGER NOT NULL,
  part TEXT NOT NULL,
  seq INTEGER NOT NULL,
  crc INTEGER,
  body TEXT,
  UNIQUE (session, part, seq)
) STRICT;

CREATE TABLE waypoints (
  session INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  crc INTEGER NOT NULL,
  head TEXT NOT NULL,
  UNIQUE (session, seq)
) STRICT;

CREATE TABLE refs (
  session INTEGER NOT NULL,
  kind TEXT NOT NULL,
  id TEXT NOT NULL,
  seq INTEGER NOT NULL,
  PRIMARY KEY (session, kind, id, seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE keys (
  session INTEGER NOT NULL,
  key TEXT NOT NULL,
  hash TEXT NOT NULL,
  first INTEGER NOT NULL,
  last INTEGER NOT NULL,
  expires INTEGER NOT NULL,
  PRIMARY KEY (session, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX keys_expires ON keys (expires);

CREATE TABLE attachments (
  session INTEGER NOT NULL,
  hash TEXT NOT NULL,
  seq INTEGER NOT NULL,
  is_file INTEGER NOT NULL,
  crc INTEGER NOT NULL,
  bytes BLOB NOT NULL,
  UNIQUE (session, hash)
) STRICT;

CREATE TABLE drafts (
  draft INTEGER PRIMARY KEY,
  session INTEGER NOT NULL,
  id TEXT NOT NULL,
  run TEXT NOT NULL,
  epoch INTEGER NOT NULL,
  last INTEGER NOT NULL,
  UNIQUE (session, id)
) STRICT;

CREATE TABLE chunks (
  draft INTEGER NOT NULL,
  chunk INTEGER NOT NULL,
  kind TEXT NOT NULL,
  text TEXT NOT NULL,
  UNIQUE (draft, chunk)
) STRICT;

CREATE TABLE checkpoints (
  checkpoint INTEGER PRIMARY KEY,
  tenant INTEGER NOT NULL,
  session INTEGER NOT NULL,
  thread TEXT NOT NULL,
  namespace TEXT NOT NULL,
  id TEXT NOT NULL,
  parent TEXT,
  seq INTEGER NOT NULL,
  channels TEXT NOT NULL,
  UNIQUE (tenant, thread, namespace, id)
) STRICT;
CREATE INDEX checkpoints_newest ON checkpoints (tenant, thread, namespace);
CREATE INDEX checkpoints_session ON checkpoints (session);

CREATE TABLE records (
  tenant INTEGER NOT NULL,
  kind TEXT NOT NULL,
  id TEXT NOT NULL,
  version INTEGER NOT NULL,
  key TEXT,
  body TEXT NOT NULL,
  UNIQUE (tenant, kind, id)
) STRICT;
CREATE INDEX records_key ON records (tenant, kind, key, id) WHERE key IS NOT NULL;

CREATE TABLE usage (
  tenant INTEGER NOT NULL,
  session_id TEXT NOT NULL,
  seq INTEGER NOT NULL,
  attempt TEXT NOT NULL,
  at TEXT NOT NULL,
  run TEXT,
  root TEXT NOT NULL,
  owner TEXT,
  agent TEXT NOT NULL,
  provider TEXT,
  model TEXT,
  purpose TEXT NOT NULL,
  status TEXT NOT NULL,
  prompt_tokens INTEGER NOT NULL,
  completion_tokens INTEGER NOT NULL,
  reasoning_tokens INTEGER NOT NULL,
  cached_read_tokens INTEGER NOT NULL,
  cached_write_tokens INTEGER NOT NULL,
  cost_microcents INTEGER,
  cost_source TEXT NOT NULL,
  estimated INTEGER NOT NULL
) STRICT;
CREATE INDEX usage_session ON usage (tenant, session_id, seq);
CREATE INDEX usage_root ON usage (tenant, root);

CREATE TABLE tombstones (
  tenant INTEGER NOT NULL,
  id TEXT NOT NULL,
  PRIMARY KEY (tenant, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE garbage (
  session INTEGER PRIMARY KEY
) STRICT;

CREATE TABLE upkeep (
  only INTEGER PRIMARY KEY CHECK (only = 1),
  watermark INTEGER NOT NULL,
  stale_words INTEGER NOT NULL,
  erasures INTEGER NOT NULL,
  scrubbed INTEGER NOT NULL
) STRICT;
INSERT INTO upkeep (only, watermark, stale_words, erasures, scrubbed) VALUES (1, 0, 0, 0, 0);

CREATE VIRTUAL TABLE search USING fts5 (
  words, content = '', contentless_delete = 1, detail = none, tokenize = "ascii tokenchars ':'"
);

PRAGMA application_id = 1212957766;
PRAGMA user_version = 1;
`,
  },
  {
    version: 2,
    sql: `
ALTER TABLE usage ADD COLUMN price_book TEXT;
CREATE INDEX usage_at ON usage (tenant, at, session_id, seq);
DROP INDEX usage_root;
CREATE INDEX usage_root ON usage (tenant, root, at, session_id, seq);

PRAGMA user_version = 2;
`,
  },
  {
    version: 3,
    sql: `
ALTER TABLE tenants ADD COLUMN crc INTEGER;
ALTER TABLE sessions ADD COLUMN seq_check INTEGER;
ALTER TABLE sessions ADD COLUMN lease_crc INTEGER;
ALTER TABLE sessions ADD COLUMN columns_crc INTEGER;
ALTER TABLE sessions ADD COLUMN crc INTEGER;
ALTER TABLE segments ADD COLUMN crc INTEGER;
ALTER TABLE refs ADD COLUMN crc INTEGER;
ALTER TABLE keys ADD COLUMN crc INTEGER;
ALTER TABLE drafts ADD COLUMN crc INTEGER;
ALTER TABLE chunks ADD COLUMN crc INTEGER;
ALTER TABLE chunks ADD COLUMN session INTEGER;
ALTER TABLE attachments ADD COLUMN row_crc INTEGER;
ALTER TABLE upkeep ADD COLUMN crc INTEGER;
ALTER TABLE tenants DROP COLUMN has_sessions;
ALTER TABLE checkpoints ADD COLUMN crc INTEGER;
ALTER TABLE records ADD COLUMN crc INTEGER;
ALTER TABLE tombstones ADD COLUMN crc INTEGER;
ALTER TABLE usage ADD COLUMN figures INTEGER;
ALTER TABLE usage ADD COLUMN crc INTEGER;

PRAGMA user_version = 3;
`,
  },
  {
    version: 4,
    // Rows that were there before they had a checksum say so; the ledger's goes over the owner too from here on.
    sql: `
UPDATE tenants SET crc = -1 WHERE crc IS NULL;
UPDATE sessions SET seq_check = -1 WHERE seq_check IS NULL;
UPDATE sessions SET lease_crc = -1 WHERE lease_crc IS NULL;
UPDATE sessions SET columns_crc = -1 WHERE columns_crc IS NULL;
UPDATE sessions SET crc = -1 WHERE crc IS NULL;
UPDATE segments SET crc = -1 WHERE crc IS NULL;
UPDATE refs SET crc = -1 WHERE crc IS NULL;
UPDATE keys SET crc = -1 WHERE crc IS NULL;
UPDATE drafts SET crc = -1 WHERE crc IS NULL;
UPDATE chunks SET crc = -1 WHERE crc IS NULL;
UPDATE attachments SET row_crc = -1 WHERE row_crc IS NULL;
UPDATE upkeep SET crc = -1 WHERE crc IS NULL;
UPDATE checkpoints SET crc = -1 WHERE crc IS NULL;
UPDATE records SET crc = -1 WHERE crc IS NULL;
UPDATE tombstones SET crc = -1 WHERE crc IS NULL;
UPDATE parts SET crc = -1 WHERE crc IS NULL;
UPDATE usage SET crc = -1 WHERE crc IS NULL OR owner IS NOT NULL;
UPDATE usage SET figures = (
  prompt_tokens * 3 + completion_tokens * 5 + reasoning_tokens * 7 + cached_read_tokens * 11
    + cached_write_tokens * 13 + coalesce(cost_microcents, -1) * 17 + estimated * 19
) % 9007199254740881 WHERE figures IS NULL;

PRAGMA user_version = 4;
`,
  },
  {
    version: 5,
    sql: `
ALTER TABLE usage ADD COLUMN cached_write_hour_tokens INTEGER;

PRAGMA user_version = 5;
`,
  },
]
