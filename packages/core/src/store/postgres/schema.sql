CREATE TABLE attachments (
  tenant text COLLATE "C" NOT NULL,
  session text COLLATE "C" NOT NULL,
  hash text COLLATE "C" NOT NULL,
  seq integer NOT NULL,
  is_file boolean NOT NULL,
  crc bigint NOT NULL,
  bytes bytea STORAGE EXTERNAL NOT NULL,
  PRIMARY KEY (tenant, session, hash),
  CHECK ((tenant <> ''::text))
);
ALTER TABLE attachments ENABLE ROW LEVEL SECURITY;
ALTER TABLE attachments FORCE ROW LEVEL SECURITY;
CREATE POLICY wall ON attachments AS PERMISSIVE FOR ALL TO public USING ((tenant = NULLIF(current_setting('holdfast.tenant'::text, true), ''::text)));

CREATE TABLE bodies (
  tenant text COLLATE "C" STATISTICS 1 NOT NULL,
  session text COLLATE "C" STATISTICS 1 NOT NULL,
  hash bytea STATISTICS 1 NOT NULL,
  body text COLLATE "C" STORAGE EXTERNAL STATISTICS 1 NOT NULL,
  PRIMARY KEY (tenant, session, hash),
  CHECK ((tenant <> ''::text))
);
ALTER TABLE bodies ENABLE ROW LEVEL SECURITY;
ALTER TABLE bodies FORCE ROW LEVEL SECURITY;
CREATE POLICY wall ON bodies AS PERMISSIVE FOR ALL TO public USING ((tenant = NULLIF(current_setting('holdfast.tenant'::text, true), ''::text)));

CREATE TABLE checkpoints (
  tenant text COLLATE "C" NOT NULL,
  thread text COLLATE "C" NOT NULL,
  namespace text COLLATE "C" NOT NULL,
  id text COLLATE "C" NOT NULL,
  session text COLLATE "C" NOT NULL,
  parent text COLLATE "C",
  seq integer NOT NULL,
  written bigint NOT NULL,
  channels text COLLATE "C" NOT NULL,
  PRIMARY KEY (tenant, thread, namespace, id),
  CHECK ((tenant <> ''::text))
);
CREATE INDEX checkpoints_newest ON checkpoints USING btree (tenant, thread, namespace, written);
CREATE INDEX checkpoints_session ON checkpoints USING btree (tenant, session);
ALTER TABLE checkpoints ENABLE ROW LEVEL SECURITY;
ALTER TABLE checkpoints FORCE ROW LEVEL SECURITY;
CREATE POLICY wall ON checkpoints AS PERMISSIVE FOR ALL TO public USING ((tenant = NULLIF(current_setting('holdfast.tenant'::text, true), ''::text)));

CREATE TABLE chunks (
  tenant text COLLATE "C" NOT NULL,
  session text COLLATE "C" NOT NULL,
  draft text COLLATE "C" NOT NULL,
  chunk integer NOT NULL,
  kind text COLLATE "C" NOT NULL,
  text text COLLATE "C" NOT NULL,
  PRIMARY KEY (tenant, session, draft, chunk),
  CHECK ((tenant <> ''::text))
);
ALTER TABLE chunks ENABLE ROW LEVEL SECURITY;
ALTER TABLE chunks FORCE ROW LEVEL SECURITY;
CREATE POLICY wall ON chunks AS PERMISSIVE FOR ALL TO public USING ((tenant = NULLIF(current_setting('holdfast.tenant'::text, true), ''::text)));

CREATE TABLE drafts (
  tenant text COLLATE "C" NOT NULL,
  session text COLLATE "C" NOT NULL,
  draft text COLLATE "C" NOT NULL,
  run text COLLATE "C" NOT NULL,
  epoch integer NOT NULL,
  last integer NOT NULL,
  PRIMARY KEY (tenant, session, draft),
  CHECK ((tenant <> ''::text))
) WITH (fillfactor=50);
ALTER TABLE drafts ENABLE ROW LEVEL SECURITY;
ALTER TABLE drafts FORCE ROW LEVEL SECURITY;
CREATE POLICY wall ON drafts AS PERMISSIVE FOR ALL TO public USING ((tenant = NULLIF(current_setting('holdfast.tenant'::text, true), ''::text)));

CREATE TABLE events (
  tenant text COLLATE "C" STATISTICS 1 NOT NULL,
  session text COLLATE "C" STATISTICS 1 NOT NULL,
  seq integer STATISTICS 1 NOT NULL,
  v integer STATISTICS 1 NOT NULL,
  crc bigint STATISTICS 1 NOT NULL,
  bytes integer STATISTICS 1 NOT NULL,
  type text COLLATE "C" STATISTICS 1 NOT NULL,
  at text COLLATE "C" STATISTICS 1 NOT NULL,
  commit_id text COLLATE "C" STATISTICS 1 NOT NULL,
  aside bytea STATISTICS 1,
  body text COLLATE "C" STATISTICS 1,
  PRIMARY KEY (tenant, session, seq),
  CHECK ((tenant <> ''::text))
) WITH (toast_tuple_target=8160);
CREATE INDEX events_aside ON events USING btree (tenant, session, aside) WHERE (aside IS NOT NULL);
ALTER TABLE events ENABLE ROW LEVEL SECURITY;
ALTER TABLE events FORCE ROW LEVEL SECURITY;
CREATE POLICY wall ON events AS PERMISSIVE FOR ALL TO public USING ((tenant = NULLIF(current_setting('holdfast.tenant'::text, true), ''::text)));

CREATE TABLE garbage (
  tenant text COLLATE "C" NOT NULL,
  session text COLLATE "C" NOT NULL,
  PRIMARY KEY (tenant, session),
  CHECK ((tenant <> ''::text))
);
ALTER TABLE garbage ENABLE ROW LEVEL SECURITY;
ALTER TABLE garbage FORCE ROW LEVEL SECURITY;
CREATE POLICY wall ON garbage AS PERMISSIVE FOR ALL TO public USING ((tenant = NULLIF(current_setting('holdfast.tenant'::text, true), ''::text)));

CREATE TABLE keys (
  tenant text COLLATE "C" NOT NULL,
  session text COLLATE "C" NOT NULL,
  key text COLLATE "C" NOT NULL,
  hash text COLLATE "C" NOT NULL,
  first integer NOT NULL,
  last integer NOT NULL,
  expires bigint NOT NULL,
  PRIMARY KEY (tenant, session, key),
  CHECK ((tenant <> ''::text))
);
CREATE INDEX keys_expires ON keys USING btree (tenant, expires);
ALTER TABLE keys ENABLE ROW LEVEL SECURITY;
ALTER TABLE keys FORCE ROW LEVEL SECURITY;
CREATE POLICY wall ON keys AS PERMISSIVE FOR ALL TO public USING ((tenant = NULLIF(current_setting('holdfast.tenant'::text, true), ''::text)));

CREATE TABLE listings (
  tenant text COLLATE "C" NOT NULL,
  session text COLLATE "C" NOT NULL,
  agent text COLLATE "C" NOT NULL,
  owner text COLLATE "C",
  conversation text COLLATE "C" NOT NULL,
  thread text COLLATE "C" NOT NULL,
  root text COLLATE "C" NOT NULL,
  created bigint NOT NULL,
  activity bigint NOT NULL,
  question_asked bigint,
  question_expires bigint,
  expires bigint,
  PRIMARY KEY (tenant, session),
  CHECK ((tenant <> ''::text))
) WITH (fillfactor=70, autovacuum_vacuum_scale_factor=0.05);
CREATE INDEX listings_agent ON listings USING btree (tenant, agent, activity, session);
CREATE INDEX listings_all ON listings USING btree (tenant, activity, session);
CREATE INDEX listings_conversation ON listings USING btree (tenant, conversation, created, session);
CREATE INDEX listings_due_expiry ON listings USING btree (tenant, expires, session) WHERE (expires IS NOT NULL);
CREATE INDEX listings_due_question ON listings USING btree (tenant, question_expires, session) WHERE (question_expires IS NOT NULL);
CREATE INDEX listings_owner ON listings USING btree (tenant, owner, activity, session) WHERE (owner IS NOT NULL);
CREATE INDEX listings_question ON listings USING btree (tenant, question_asked, session) WHERE (question_asked IS NOT NULL);
CREATE INDEX listings_root ON listings USING btree (tenant, root, created, session);
CREATE INDEX listings_thread ON listings USING btree (tenant, thread, created, session);
ALTER TABLE listings ENABLE ROW LEVEL SECURITY;
ALTER TABLE listings FORCE ROW LEVEL SECURITY;
CREATE POLICY wall ON listings AS PERMISSIVE FOR ALL TO public USING ((tenant = NULLIF(current_setting('holdfast.tenant'::text, true), ''::text)));

CREATE TABLE parts (
  tenant text COLLATE "C" NOT NULL,
  session text COLLATE "C" NOT NULL,
  part text COLLATE "C" NOT NULL,
  seq integer NOT NULL,
  crc bigint,
  body text COLLATE "C",
  PRIMARY KEY (tenant, session, part, seq),
  CHECK ((tenant <> ''::text))
);
ALTER TABLE parts ENABLE ROW LEVEL SECURITY;
ALTER TABLE parts FORCE ROW LEVEL SECURITY;
CREATE POLICY wall ON parts AS PERMISSIVE FOR ALL TO public USING ((tenant = NULLIF(current_setting('holdfast.tenant'::text, true), ''::text)));

CREATE TABLE records (
  tenant text COLLATE "C" NOT NULL,
  kind text COLLATE "C" NOT NULL,
  id text COLLATE "C" NOT NULL,
  version integer NOT NULL,
  key text COLLATE "C",
  body text COLLATE "C" NOT NULL,
  PRIMARY KEY (tenant, kind, id),
  CHECK ((tenant <> ''::text))
);
CREATE INDEX records_key ON records USING btree (tenant, kind, key, id) WHERE (key IS NOT NULL);
ALTER TABLE records ENABLE ROW LEVEL SECURITY;
ALTER TABLE records FORCE ROW LEVEL SECURITY;
CREATE POLICY wall ON records AS PERMISSIVE FOR ALL TO public USING ((tenant = NULLIF(current_setting('holdfast.tenant'::text, true), ''::text)));

CREATE TABLE refs (
  tenant text COLLATE "C" NOT NULL,
  session text COLLATE "C" NOT NULL,
  kind text COLLATE "C" NOT NULL,
  id text COLLATE "C" NOT NULL,
  seq integer NOT NULL,
  PRIMARY KEY (tenant, session, kind, id, seq),
  CHECK ((tenant <> ''::text))
);
ALTER TABLE refs ENABLE ROW LEVEL SECURITY;
ALTER TABLE refs FORCE ROW LEVEL SECURITY;
CREATE POLICY wall ON refs AS PERMISSIVE FOR ALL TO public USING ((tenant = NULLIF(current_setting('holdfast.tenant'::text, true), ''::text)));

CREATE TABLE schema_version (
  version integer NOT NULL,
  PRIMARY KEY (version)
);
ALTER TABLE schema_version ENABLE ROW LEVEL SECURITY;
CREATE POLICY registry ON schema_version AS PERMISSIVE FOR SELECT TO public USING (true);

CREATE TABLE search (
  tenant text COLLATE "C" STATISTICS 1 NOT NULL,
  session text COLLATE "C" STATISTICS 1 NOT NULL,
  seq integer STATISTICS 1 NOT NULL,
  portion integer STATISTICS 1 NOT NULL,
  at text COLLATE "C" STATISTICS 1 NOT NULL,
  words tsvector STATISTICS 1 NOT NULL,
  PRIMARY KEY (tenant, session, seq, portion),
  CHECK ((tenant <> ''::text))
);
CREATE INDEX search_words ON search USING gin (words);
ALTER TABLE search ENABLE ROW LEVEL SECURITY;
ALTER TABLE search FORCE ROW LEVEL SECURITY;
CREATE POLICY added ON search AS PERMISSIVE FOR INSERT TO public WITH CHECK ((tenant = NULLIF(current_setting('holdfast.tenant'::text, true), ''::text)));
CREATE POLICY dropped ON search AS PERMISSIVE FOR DELETE TO public USING ((tenant = NULLIF(current_setting('holdfast.tenant'::text, true), ''::text)));
CREATE POLICY found ON search AS PERMISSIVE FOR SELECT TO public USING (((tenant = NULLIF(current_setting('holdfast.tenant'::text, true), ''::text)) AND (words @@ (NULLIF(current_setting('holdfast.words'::text, true), ''::text))::tsquery)));

CREATE TABLE segments (
  tenant text COLLATE "C" NOT NULL,
  session text COLLATE "C" NOT NULL,
  position integer NOT NULL,
  source text COLLATE "C" NOT NULL,
  first integer NOT NULL,
  last integer NOT NULL,
  PRIMARY KEY (tenant, session, "position"),
  CHECK ((tenant <> ''::text))
);
CREATE INDEX segments_source ON segments USING btree (tenant, source, session);
ALTER TABLE segments ENABLE ROW LEVEL SECURITY;
ALTER TABLE segments FORCE ROW LEVEL SECURITY;
CREATE POLICY wall ON segments AS PERMISSIVE FOR ALL TO public USING ((tenant = NULLIF(current_setting('holdfast.tenant'::text, true), ''::text)));

CREATE TABLE sessions (
  tenant text COLLATE "C" NOT NULL,
  session text COLLATE "C" NOT NULL,
  base integer NOT NULL,
  seq integer NOT NULL,
  erased integer DEFAULT 0 NOT NULL,
  epoch integer DEFAULT 0 NOT NULL,
  indexed integer NOT NULL,
  unindexed boolean DEFAULT true NOT NULL,
  lease_expires bigint,
  lease_owner text,
  head_crc bigint NOT NULL,
  head text STORAGE MAIN NOT NULL,
  ahead boolean DEFAULT false NOT NULL,
  activity bigint,
  PRIMARY KEY (tenant, session),
  CHECK ((tenant <> ''::text))
) WITH (toast_tuple_target=8160, autovacuum_vacuum_scale_factor=0.05, fillfactor=35);
CREATE INDEX sessions_ahead ON sessions USING btree (tenant, session) WHERE ahead;
CREATE INDEX sessions_due_lease ON sessions USING btree (tenant, lease_expires, session) WHERE (lease_expires IS NOT NULL);
CREATE INDEX sessions_unindexed ON sessions USING btree (tenant, session) WHERE unindexed;
ALTER TABLE sessions ENABLE ROW LEVEL SECURITY;
ALTER TABLE sessions FORCE ROW LEVEL SECURITY;
CREATE POLICY wall ON sessions AS PERMISSIVE FOR ALL TO public USING ((tenant = NULLIF(current_setting('holdfast.tenant'::text, true), ''::text)));

CREATE TABLE stale_words (
  tenant text COLLATE "C" NOT NULL,
  session text COLLATE "C" NOT NULL,
  seq integer NOT NULL,
  PRIMARY KEY (tenant, session, seq),
  CHECK ((tenant <> ''::text))
);
ALTER TABLE stale_words ENABLE ROW LEVEL SECURITY;
ALTER TABLE stale_words FORCE ROW LEVEL SECURITY;
CREATE POLICY wall ON stale_words AS PERMISSIVE FOR ALL TO public USING ((tenant = NULLIF(current_setting('holdfast.tenant'::text, true), ''::text)));

CREATE TABLE tenants (
  tenant text COLLATE "C" NOT NULL,
  PRIMARY KEY (tenant),
  CHECK ((tenant <> ''::text))
);
ALTER TABLE tenants ENABLE ROW LEVEL SECURITY;
ALTER TABLE tenants FORCE ROW LEVEL SECURITY;
CREATE POLICY registry ON tenants AS PERMISSIVE FOR SELECT TO public USING (true);
CREATE POLICY wall ON tenants AS PERMISSIVE FOR INSERT TO public WITH CHECK ((tenant = NULLIF(current_setting('holdfast.tenant'::text, true), ''::text)));

CREATE TABLE tombstones (
  tenant text COLLATE "C" NOT NULL,
  session text COLLATE "C" NOT NULL,
  PRIMARY KEY (tenant, session),
  CHECK ((tenant <> ''::text))
);
ALTER TABLE tombstones ENABLE ROW LEVEL SECURITY;
ALTER TABLE tombstones FORCE ROW LEVEL SECURITY;
CREATE POLICY wall ON tombstones AS PERMISSIVE FOR ALL TO public USING ((tenant = NULLIF(current_setting('holdfast.tenant'::text, true), ''::text)));

CREATE TABLE usage (
  tenant text COLLATE "C" NOT NULL,
  session text COLLATE "C" NOT NULL,
  seq integer NOT NULL,
  position integer NOT NULL,
  attempt text COLLATE "C" NOT NULL,
  at text COLLATE "C" NOT NULL,
  run text COLLATE "C",
  root text COLLATE "C" NOT NULL,
  owner text COLLATE "C",
  agent text COLLATE "C" NOT NULL,
  provider text COLLATE "C",
  model text COLLATE "C",
  purpose text COLLATE "C" NOT NULL,
  status text COLLATE "C" NOT NULL,
  prompt_tokens bigint NOT NULL,
  completion_tokens bigint NOT NULL,
  reasoning_tokens bigint NOT NULL,
  cached_read_tokens bigint NOT NULL,
  cached_write_tokens bigint NOT NULL,
  cost_microcents bigint,
  cost_source text COLLATE "C" NOT NULL,
  price_book text COLLATE "C",
  estimated boolean NOT NULL,
  cached_write_hour_tokens bigint,
  CHECK ((tenant <> ''::text))
);
CREATE INDEX usage_at ON usage USING btree (tenant, at, session, seq);
CREATE INDEX usage_root ON usage USING btree (tenant, root, at, session, seq);
CREATE INDEX usage_session ON usage USING btree (tenant, session, seq);
ALTER TABLE usage ENABLE ROW LEVEL SECURITY;
ALTER TABLE usage FORCE ROW LEVEL SECURITY;
CREATE POLICY wall ON usage AS PERMISSIVE FOR ALL TO public USING ((tenant = NULLIF(current_setting('holdfast.tenant'::text, true), ''::text)));

CREATE TABLE waypoints (
  tenant text COLLATE "C" NOT NULL,
  session text COLLATE "C" NOT NULL,
  seq integer NOT NULL,
  crc bigint NOT NULL,
  head text COLLATE "C" NOT NULL,
  PRIMARY KEY (tenant, session, seq),
  CHECK ((tenant <> ''::text))
);
ALTER TABLE waypoints ENABLE ROW LEVEL SECURITY;
ALTER TABLE waypoints FORCE ROW LEVEL SECURITY;
CREATE POLICY wall ON waypoints AS PERMISSIVE FOR ALL TO public USING ((tenant = NULLIF(current_setting('holdfast.tenant'::text, true), ''::text)));
