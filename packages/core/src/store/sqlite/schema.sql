CREATE TABLE attachments (
  session INTEGER NOT NULL,
  hash TEXT NOT NULL,
  seq INTEGER NOT NULL,
  is_file INTEGER NOT NULL,
  crc INTEGER NOT NULL,
  bytes BLOB NOT NULL, row_crc INTEGER,
  UNIQUE (session, hash)
) STRICT;

CREATE TABLE bodies (
  session INTEGER NOT NULL,
  hash BLOB NOT NULL,
  body TEXT NOT NULL,
  UNIQUE (session, hash)
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
  channels TEXT NOT NULL, crc INTEGER,
  UNIQUE (tenant, thread, namespace, id)
) STRICT;

CREATE INDEX checkpoints_newest ON checkpoints (tenant, thread, namespace);

CREATE INDEX checkpoints_session ON checkpoints (session);

CREATE TABLE chunks (
  draft INTEGER NOT NULL,
  chunk INTEGER NOT NULL,
  kind TEXT NOT NULL,
  text TEXT NOT NULL, crc INTEGER, session INTEGER,
  UNIQUE (draft, chunk)
) STRICT;

CREATE TABLE drafts (
  draft INTEGER PRIMARY KEY,
  session INTEGER NOT NULL,
  id TEXT NOT NULL,
  run TEXT NOT NULL,
  epoch INTEGER NOT NULL,
  last INTEGER NOT NULL, crc INTEGER,
  UNIQUE (session, id)
) STRICT;

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

CREATE INDEX events_aside ON events (session, aside) WHERE aside IS NOT NULL;

CREATE UNIQUE INDEX events_seq ON events (session, seq);

CREATE TABLE garbage (
  session INTEGER PRIMARY KEY
) STRICT;

CREATE TABLE keys (
  session INTEGER NOT NULL,
  key TEXT NOT NULL,
  hash TEXT NOT NULL,
  first INTEGER NOT NULL,
  last INTEGER NOT NULL,
  expires INTEGER NOT NULL, crc INTEGER,
  PRIMARY KEY (session, key)
) STRICT, WITHOUT ROWID;

CREATE INDEX keys_expires ON keys (expires);

CREATE TABLE parts (
  session INTEGER NOT NULL,
  part TEXT NOT NULL,
  seq INTEGER NOT NULL,
  crc INTEGER,
  body TEXT,
  UNIQUE (session, part, seq)
) STRICT;

CREATE TABLE records (
  tenant INTEGER NOT NULL,
  kind TEXT NOT NULL,
  id TEXT NOT NULL,
  version INTEGER NOT NULL,
  key TEXT,
  body TEXT NOT NULL, crc INTEGER,
  UNIQUE (tenant, kind, id)
) STRICT;

CREATE INDEX records_key ON records (tenant, kind, key, id) WHERE key IS NOT NULL;

CREATE TABLE refs (
  session INTEGER NOT NULL,
  kind TEXT NOT NULL,
  id TEXT NOT NULL,
  seq INTEGER NOT NULL, crc INTEGER,
  PRIMARY KEY (session, kind, id, seq)
) STRICT, WITHOUT ROWID;

CREATE VIRTUAL TABLE search USING fts5 (
  words, content = '', contentless_delete = 1, detail = none, tokenize = "ascii tokenchars ':'"
);

CREATE TABLE segments (
  session INTEGER NOT NULL,
  position INTEGER NOT NULL,
  source INTEGER NOT NULL,
  first INTEGER NOT NULL,
  last INTEGER NOT NULL, crc INTEGER,
  PRIMARY KEY (session, position)
) STRICT, WITHOUT ROWID;

CREATE INDEX segments_source ON segments (source, session);

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
, seq_check INTEGER, lease_crc INTEGER, columns_crc INTEGER, crc INTEGER) STRICT;

CREATE INDEX sessions_agent ON sessions (tenant, agent, activity, id);

CREATE INDEX sessions_all ON sessions (tenant, activity, id);

CREATE INDEX sessions_conversation ON sessions (tenant, conversation, created, id);

CREATE INDEX sessions_due_expiry ON sessions (tenant, expires, id) WHERE expires IS NOT NULL;

CREATE INDEX sessions_due_lease ON sessions (tenant, lease_expires, id) WHERE lease_expires IS NOT NULL;

CREATE INDEX sessions_due_question ON sessions (tenant, question_expires, id) WHERE question_expires IS NOT NULL;

CREATE UNIQUE INDEX sessions_id ON sessions (tenant, id);

CREATE INDEX sessions_owner ON sessions (tenant, owner, activity, id) WHERE owner IS NOT NULL;

CREATE INDEX sessions_question ON sessions (tenant, question_asked, id) WHERE question_asked IS NOT NULL;

CREATE INDEX sessions_root ON sessions (tenant, root, created, id);

CREATE INDEX sessions_thread ON sessions (tenant, thread, created, id);

CREATE TABLE tenants (
  tenant INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE CHECK (id <> ''),
  crc INTEGER) STRICT;

CREATE TABLE tombstones (
  tenant INTEGER NOT NULL,
  id TEXT NOT NULL, crc INTEGER,
  PRIMARY KEY (tenant, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE upkeep (
  only INTEGER PRIMARY KEY CHECK (only = 1),
  watermark INTEGER NOT NULL,
  stale_words INTEGER NOT NULL,
  erasures INTEGER NOT NULL,
  scrubbed INTEGER NOT NULL
, crc INTEGER) STRICT;

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
, price_book TEXT, figures INTEGER, crc INTEGER, cached_write_hour_tokens INTEGER) STRICT;

CREATE INDEX usage_at ON usage (tenant, at, session_id, seq);

CREATE INDEX usage_root ON usage (tenant, root, at, session_id, seq);

CREATE INDEX usage_session ON usage (tenant, session_id, seq);

CREATE TABLE waypoints (
  session INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  crc INTEGER NOT NULL,
  head TEXT NOT NULL,
  UNIQUE (session, seq)
) STRICT;
