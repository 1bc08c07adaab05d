-- Rules that hold for every table here (tests/service/test_schema.py reads the catalogue and fails if one is broken):
-- each has workspace_id, every key and foreign key starts with it, row-level security is enabled AND forced.
-- Ids are random, so that a key clash can never tell one workspace about another.

CREATE FUNCTION current_workspace() RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE
    -- After SET LOCAL the setting reads '' instead of NULL in later transactions: NULLIF makes that "no workspace, no rows".
    RETURN NULLIF(current_setting('undertone.workspace', true), '')::uuid;

CREATE FUNCTION is_sane(at timestamptz) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN at BETWEEN '1990-01-01Z' AND '2100-01-01Z';

CREATE FUNCTION is_sane(on_day date) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN on_day BETWEEN '1990-01-01' AND '2100-01-01';

-- NaN is greater than every number in Postgres, so one upper bound refuses NaN and infinity together.
CREATE FUNCTION is_sane(number double precision) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN number BETWEEN -1e15 AND 1e15;

CREATE TABLE workspace (
    workspace_id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
    quotes_in_task boolean NOT NULL DEFAULT true,
    last_change bigint NOT NULL DEFAULT 0,
    score_queued_at timestamptz,
    scored_through date,
    suggest_due boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL DEFAULT now()
);

-- A change number handed out under the workspace's row lock: numbers become visible in their own order, because the
-- next writer waits for this one to commit. A sequence would let a late commit slip in behind a reader's bookmark.
CREATE FUNCTION next_change() RETURNS bigint LANGUAGE sql VOLATILE
BEGIN ATOMIC
    UPDATE workspace SET last_change = last_change + 1 WHERE workspace_id = current_workspace() RETURNING last_change;
END;

CREATE TABLE connection (
    workspace_id uuid NOT NULL REFERENCES workspace,
    connection_id uuid NOT NULL DEFAULT gen_random_uuid(),
    connector text NOT NULL,
    name text NOT NULL,
    config jsonb NOT NULL DEFAULT '{}',
    status text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'paused', 'auth_failed', 'misconfigured')),
    status_reason text,
    status_since timestamptz NOT NULL DEFAULT now(),
    push_approved_at timestamptz CHECK (is_sane(push_approved_at)),
    next_pull_at timestamptz NOT NULL DEFAULT now(),
    queued_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (workspace_id, connection_id),
    UNIQUE (workspace_id, name)
);

CREATE TABLE secret (
    workspace_id uuid NOT NULL,
    connection_id uuid NOT NULL,
    name text NOT NULL,
    key_id text NOT NULL,
    ciphertext bytea NOT NULL,
    PRIMARY KEY (workspace_id, connection_id, name),
    FOREIGN KEY (workspace_id, connection_id) REFERENCES connection ON DELETE CASCADE
);

CREATE TABLE stream (
    workspace_id uuid NOT NULL,
    connection_id uuid NOT NULL,
    name text NOT NULL,
    cursor_at timestamptz CHECK (is_sane(cursor_at)),
    cursor_key text NOT NULL DEFAULT '',
    pulled_until timestamptz CHECK (is_sane(pulled_until)),
    succeeded_at timestamptz CHECK (is_sane(succeeded_at)),
    fresh_seconds integer NOT NULL DEFAULT 172800,
    landed bigint NOT NULL DEFAULT 0,
    error text,
    fence bigint NOT NULL DEFAULT 0,
    lease_until timestamptz,
    PRIMARY KEY (workspace_id, connection_id, name),
    FOREIGN KEY (workspace_id, connection_id) REFERENCES connection ON DELETE CASCADE
);

CREATE TABLE quarantine (
    workspace_id uuid NOT NULL,
    connection_id uuid NOT NULL,
    stream text NOT NULL,
    source_key text NOT NULL,
    reason text NOT NULL,
    first_seen_at timestamptz NOT NULL DEFAULT now(),
    last_seen_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (workspace_id, connection_id, stream, source_key, reason),
    FOREIGN KEY (workspace_id, connection_id) REFERENCES connection ON DELETE CASCADE
);

CREATE TABLE crm_user (
    workspace_id uuid NOT NULL,
    connection_id uuid NOT NULL,
    key text NOT NULL,
    name text NOT NULL,
    email text,
    active boolean NOT NULL,
    manager_key text,
    modified_at timestamptz CHECK (is_sane(modified_at)),
    deleted boolean NOT NULL DEFAULT false,
    PRIMARY KEY (workspace_id, connection_id, key),
    FOREIGN KEY (workspace_id, connection_id) REFERENCES connection
);

CREATE TABLE account (
    workspace_id uuid NOT NULL,
    account_id uuid NOT NULL DEFAULT gen_random_uuid(),
    connection_id uuid NOT NULL,
    key text NOT NULL,
    name text NOT NULL,
    website text,
    owner_key text,
    region text,
    timezone text,
    seats integer CHECK (seats >= 0),
    arr double precision CHECK (is_sane(arr)),
    currency text,
    modified_at timestamptz CHECK (is_sane(modified_at)),
    deleted boolean NOT NULL DEFAULT false,
    merged_into_key text,
    PRIMARY KEY (workspace_id, account_id),
    UNIQUE (workspace_id, connection_id, key),
    FOREIGN KEY (workspace_id, connection_id) REFERENCES connection
);

CREATE TABLE contact (
    workspace_id uuid NOT NULL,
    contact_id uuid NOT NULL DEFAULT gen_random_uuid(),
    connection_id uuid NOT NULL,
    key text NOT NULL,
    account_id uuid,
    account_key text,
    name text,
    email text,
    title text,
    opted_out boolean NOT NULL DEFAULT false,
    modified_at timestamptz CHECK (is_sane(modified_at)),
    deleted boolean NOT NULL DEFAULT false,
    PRIMARY KEY (workspace_id, contact_id),
    UNIQUE (workspace_id, connection_id, key),
    FOREIGN KEY (workspace_id, connection_id) REFERENCES connection,
    FOREIGN KEY (workspace_id, account_id) REFERENCES account
);
CREATE INDEX contact_by_email ON contact (workspace_id, email);

CREATE TABLE opportunity (
    workspace_id uuid NOT NULL,
    connection_id uuid NOT NULL,
    key text NOT NULL,
    account_id uuid,
    account_key text,
    name text NOT NULL,
    type text,
    stage text,
    amount double precision CHECK (is_sane(amount)),
    close_date date CHECK (is_sane(close_date)),
    is_closed boolean NOT NULL,
    is_won boolean NOT NULL,
    primary_contact_key text,
    modified_at timestamptz CHECK (is_sane(modified_at)),
    deleted boolean NOT NULL DEFAULT false,
    PRIMARY KEY (workspace_id, connection_id, key),
    FOREIGN KEY (workspace_id, connection_id) REFERENCES connection,
    FOREIGN KEY (workspace_id, account_id) REFERENCES account
);
CREATE INDEX opportunity_by_account ON opportunity (workspace_id, account_id);

CREATE TABLE interaction (
    workspace_id uuid NOT NULL,
    interaction_id uuid NOT NULL DEFAULT gen_random_uuid(),
    connection_id uuid NOT NULL,
    key text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('email', 'call', 'meeting', 'chat', 'note')),
    direction text NOT NULL CHECK (direction IN ('in', 'out', 'internal', 'unknown')),
    occurred_at timestamptz NOT NULL CHECK (is_sane(occurred_at)),
    account_id uuid,
    account_key text,
    contact_id uuid,
    contact_key text,
    from_email text,
    to_emails text[] NOT NULL DEFAULT '{}',
    message_id text,
    in_reply_to text,
    automatic boolean NOT NULL DEFAULT false,
    modified_at timestamptz CHECK (is_sane(modified_at)),
    deleted boolean NOT NULL DEFAULT false,
    PRIMARY KEY (workspace_id, interaction_id),
    UNIQUE (workspace_id, connection_id, key),
    FOREIGN KEY (workspace_id, connection_id) REFERENCES connection,
    FOREIGN KEY (workspace_id, account_id) REFERENCES account,
    FOREIGN KEY (workspace_id, contact_id) REFERENCES contact
);
CREATE INDEX interaction_by_account ON interaction (workspace_id, account_id, occurred_at);
CREATE INDEX interaction_by_message_id ON interaction (workspace_id, message_id);
CREATE INDEX interaction_unlinked ON interaction (workspace_id, connection_id) WHERE account_id IS NULL;

-- The only table that holds what people wrote. Everything else points here by id and offsets into `body`.
CREATE TABLE message_text (
    workspace_id uuid NOT NULL,
    interaction_id uuid NOT NULL,
    subject text NOT NULL,
    body text NOT NULL,
    truncated boolean NOT NULL DEFAULT false,
    own_starts integer[],
    own_ends integer[],
    quote_strip text CHECK (quote_strip IN ('ok', 'cut', 'failed')),
    PRIMARY KEY (workspace_id, interaction_id),
    FOREIGN KEY (workspace_id, interaction_id) REFERENCES interaction ON DELETE CASCADE
);

CREATE TABLE usage_day (
    workspace_id uuid NOT NULL,
    account_id uuid NOT NULL,
    metric text NOT NULL,
    day date NOT NULL CHECK (is_sane(day)),
    value double precision NOT NULL CHECK (value BETWEEN 0 AND 1e15),
    PRIMARY KEY (workspace_id, account_id, metric, day),
    FOREIGN KEY (workspace_id, account_id) REFERENCES account
);

CREATE TABLE score_due (
    workspace_id uuid NOT NULL,
    account_id uuid NOT NULL,
    since timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (workspace_id, account_id),
    FOREIGN KEY (workspace_id, account_id) REFERENCES account
);

-- From here on: append-only. A later row with the same id supersedes; nothing is updated in place.

CREATE TABLE message_score (
    workspace_id uuid NOT NULL,
    interaction_id uuid NOT NULL,
    model_version text NOT NULL,
    sentiment real NOT NULL CHECK (sentiment BETWEEN -1 AND 1),
    confidence real NOT NULL CHECK (confidence BETWEEN 0 AND 1),
    situations jsonb NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT now(),
    change_no bigint NOT NULL,
    PRIMARY KEY (workspace_id, interaction_id, model_version),
    FOREIGN KEY (workspace_id, interaction_id) REFERENCES interaction ON DELETE CASCADE
);

CREATE TABLE outlook (
    workspace_id uuid NOT NULL,
    outlook_id uuid NOT NULL DEFAULT gen_random_uuid(),
    account_id uuid NOT NULL,
    day date NOT NULL CHECK (is_sane(day)),
    level text NOT NULL CHECK (level IN ('likely', 'open', 'at_risk', 'unknown')),
    score integer NOT NULL,
    drivers jsonb NOT NULL,
    unknown_parts text[] NOT NULL,
    renewal_date date CHECK (is_sane(renewal_date)),
    renewal_amount double precision CHECK (is_sane(renewal_amount)),
    model_version text NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT now(),
    change_no bigint NOT NULL,
    PRIMARY KEY (workspace_id, outlook_id),
    FOREIGN KEY (workspace_id, account_id) REFERENCES account
);
CREATE INDEX outlook_by_account ON outlook (workspace_id, account_id, change_no DESC);

CREATE TABLE signal (
    workspace_id uuid NOT NULL,
    signal_id uuid NOT NULL,
    version integer NOT NULL,
    account_id uuid NOT NULL,
    contact_id uuid,
    kind text NOT NULL,
    key text NOT NULL,
    state text NOT NULL CHECK (state IN ('forming', 'open', 'ended')),
    detected_at date NOT NULL CHECK (is_sane(detected_at)),
    ended_at date CHECK (is_sane(ended_at)),
    confidence double precision NOT NULL CHECK (confidence BETWEEN 0 AND 1),
    numbers jsonb NOT NULL,
    alternatives text[] NOT NULL,
    model_version text NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT now(),
    change_no bigint NOT NULL,
    PRIMARY KEY (workspace_id, signal_id, version),
    UNIQUE (workspace_id, account_id, key, version),
    FOREIGN KEY (workspace_id, account_id) REFERENCES account,
    FOREIGN KEY (workspace_id, contact_id) REFERENCES contact
);
CREATE INDEX signal_by_change ON signal (workspace_id, change_no);

CREATE TABLE evidence (
    workspace_id uuid NOT NULL,
    evidence_id uuid NOT NULL,
    signal_id uuid NOT NULL,
    version integer NOT NULL,
    type text NOT NULL CHECK (type IN ('buyer_message', 'our_message', 'usage', 'contract', 'crm_note')),
    source text NOT NULL,
    observed_at timestamptz NOT NULL CHECK (is_sane(observed_at)),
    contact_id uuid,
    interaction_id uuid,
    span_start integer,
    span_end integer CHECK (span_end >= span_start),
    numbers jsonb NOT NULL DEFAULT '{}',
    PRIMARY KEY (workspace_id, evidence_id),
    FOREIGN KEY (workspace_id, signal_id, version) REFERENCES signal,
    FOREIGN KEY (workspace_id, contact_id) REFERENCES contact,
    FOREIGN KEY (workspace_id, interaction_id) REFERENCES interaction ON DELETE CASCADE
);
CREATE INDEX evidence_by_signal ON evidence (workspace_id, signal_id, version);

CREATE TABLE suggestion (
    workspace_id uuid NOT NULL,
    suggestion_id uuid NOT NULL,
    version integer NOT NULL,
    account_id uuid NOT NULL,
    contact_id uuid,
    owner_key text,
    lead_kind text NOT NULL,
    signal_ids uuid[] NOT NULL,
    state text NOT NULL CHECK (state IN ('open', 'closed')),
    close_reason text CHECK (close_reason IN ('task_closed', 'task_deleted', 'contradicted', 'expired')),
    handling text NOT NULL,
    why_now text NOT NULL,
    plan text[] NOT NULL,
    -- Quotes inside a draft are references into message_text, never the words.
    draft jsonb,
    no_draft_reason text,
    alternatives text[] NOT NULL,
    due date NOT NULL CHECK (is_sane(due)),
    priority text NOT NULL CHECK (priority IN ('high', 'normal')),
    opened_at date NOT NULL CHECK (is_sane(opened_at)),
    evidence_at date NOT NULL CHECK (is_sane(evidence_at)),
    playbook_version text NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT now(),
    change_no bigint NOT NULL,
    PRIMARY KEY (workspace_id, suggestion_id, version),
    FOREIGN KEY (workspace_id, account_id) REFERENCES account,
    FOREIGN KEY (workspace_id, contact_id) REFERENCES contact
);
CREATE INDEX suggestion_by_change ON suggestion (workspace_id, change_no);
CREATE INDEX suggestion_by_account ON suggestion (workspace_id, account_id);

CREATE TABLE feedback (
    workspace_id uuid NOT NULL,
    feedback_id uuid NOT NULL DEFAULT gen_random_uuid(),
    suggestion_id uuid NOT NULL,
    verdict text NOT NULL CHECK (verdict IN ('used', 'edited', 'not_now', 'wrong_reading')),
    source text NOT NULL CHECK (source IN ('crm', 'api', 'console')),
    note text,
    recorded_at timestamptz NOT NULL DEFAULT now(),
    change_no bigint NOT NULL,
    PRIMARY KEY (workspace_id, feedback_id)
);
CREATE INDEX feedback_by_suggestion ON feedback (workspace_id, suggestion_id);

-- Work to do and what came of it. These rows do change.

-- The claim that makes "at most one open suggestion per account" a key instead of a hope.
CREATE TABLE suggestion_open (
    workspace_id uuid NOT NULL,
    account_id uuid NOT NULL,
    suggestion_id uuid NOT NULL,
    PRIMARY KEY (workspace_id, account_id),
    UNIQUE (workspace_id, suggestion_id),
    FOREIGN KEY (workspace_id, account_id) REFERENCES account
);

CREATE TABLE outbox (
    workspace_id uuid NOT NULL,
    suggestion_id uuid NOT NULL,
    connection_id uuid NOT NULL,
    state text NOT NULL DEFAULT 'ready' CHECK (state IN ('ready', 'leased', 'done', 'dead')),
    run_at timestamptz NOT NULL DEFAULT now(),
    attempts integer NOT NULL DEFAULT 0,
    fence bigint NOT NULL DEFAULT 0,
    lease_until timestamptz,
    queued_at timestamptz,
    error text,
    PRIMARY KEY (workspace_id, suggestion_id, connection_id),
    FOREIGN KEY (workspace_id, connection_id) REFERENCES connection
);
CREATE INDEX outbox_due ON outbox (run_at) WHERE state IN ('ready', 'leased');

CREATE TABLE push_ledger (
    workspace_id uuid NOT NULL,
    suggestion_id uuid NOT NULL,
    connection_id uuid NOT NULL,
    key text NOT NULL CHECK (key ~ '^[a-z0-9-]{1,40}$'),
    status text NOT NULL CHECK (status IN ('pending', 'sending', 'unknown', 'sent', 'blocked', 'withdrawn')),
    version integer NOT NULL DEFAULT 0,
    payload_sha256 bytea,
    remote_id text,
    remote_status text,
    remote_closed boolean NOT NULL DEFAULT false,
    remote_deleted boolean NOT NULL DEFAULT false,
    fence bigint NOT NULL DEFAULT 0,
    sent_at timestamptz,
    seen_at timestamptz,
    error text,
    PRIMARY KEY (workspace_id, suggestion_id, connection_id),
    UNIQUE (workspace_id, key),
    FOREIGN KEY (workspace_id, suggestion_id, connection_id) REFERENCES outbox
);

CREATE TABLE api_key (
    workspace_id uuid NOT NULL REFERENCES workspace,
    api_key_id uuid NOT NULL DEFAULT gen_random_uuid(),
    name text NOT NULL,
    prefix text NOT NULL,
    sha256 bytea NOT NULL,
    scopes text[] NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz,
    last_used_at timestamptz,
    revoked_at timestamptz,
    PRIMARY KEY (workspace_id, api_key_id)
);
CREATE INDEX api_key_by_prefix ON api_key (prefix);

-- Views read with the rights of whoever asks: a plain view would read with its owner's and show every workspace.

CREATE VIEW signal_current WITH (security_invoker = true) AS
    SELECT DISTINCT ON (workspace_id, signal_id) * FROM signal ORDER BY workspace_id, signal_id, version DESC;

CREATE VIEW suggestion_current WITH (security_invoker = true) AS
    SELECT DISTINCT ON (workspace_id, suggestion_id) * FROM suggestion ORDER BY workspace_id, suggestion_id, version DESC;

CREATE VIEW outlook_current WITH (security_invoker = true) AS
    SELECT DISTINCT ON (workspace_id, account_id) * FROM outlook ORDER BY workspace_id, account_id, change_no DESC;

DO $$
DECLARE t text;
BEGIN
    FOR t IN SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND relname <> 'migration' LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
        EXECUTE format('CREATE POLICY workspace ON %I TO undertone_app USING (workspace_id = current_workspace()) '
                       'WITH CHECK (workspace_id = current_workspace())', t);
        EXECUTE format('GRANT SELECT, INSERT ON %I TO undertone_app', t);
    END LOOP;
    FOREACH t IN ARRAY ARRAY['workspace', 'connection', 'secret', 'stream', 'quarantine', 'crm_user', 'account', 'contact', 'opportunity',
                             'interaction', 'message_text', 'usage_day', 'suggestion_open', 'outbox', 'push_ledger', 'api_key'] LOOP
        EXECUTE format('GRANT UPDATE ON %I TO undertone_app', t);
    END LOOP;
    FOREACH t IN ARRAY ARRAY['secret', 'quarantine', 'score_due', 'suggestion_open', 'message_text'] LOOP
        EXECUTE format('GRANT DELETE ON %I TO undertone_app', t);
    END LOOP;
END $$;
GRANT UPDATE (since) ON score_due TO undertone_app;
GRANT SELECT ON signal_current, suggestion_current, outlook_current TO undertone_app;

-- What must be known before a workspace is known: which key belongs to whom, and whose work is due. These functions run as
-- a role that cannot log in, sees these few columns only, and hands out ids and nothing else.

GRANT SELECT (workspace_id, name) ON workspace TO undertone_sweeper;
GRANT UPDATE (score_queued_at), SELECT (score_queued_at, scored_through, suggest_due) ON workspace TO undertone_sweeper;
GRANT SELECT (workspace_id, account_id) ON score_due TO undertone_sweeper;
GRANT SELECT (workspace_id, connection_id, status, push_approved_at, next_pull_at, queued_at), UPDATE (queued_at) ON connection TO undertone_sweeper;
GRANT SELECT (workspace_id, suggestion_id, connection_id, state, run_at, lease_until, queued_at), UPDATE (queued_at) ON outbox TO undertone_sweeper;
GRANT SELECT (workspace_id, api_key_id, prefix, sha256, scopes, expires_at, revoked_at) ON api_key TO undertone_sweeper;
CREATE POLICY sweep ON workspace TO undertone_sweeper USING (true);
CREATE POLICY sweep ON score_due FOR SELECT TO undertone_sweeper USING (true);
CREATE POLICY sweep ON connection TO undertone_sweeper USING (true);
CREATE POLICY sweep ON outbox TO undertone_sweeper USING (true);
CREATE POLICY sweep ON api_key FOR SELECT TO undertone_sweeper USING (true);

GRANT CREATE ON SCHEMA public TO undertone_sweeper;
SET ROLE undertone_sweeper;

CREATE FUNCTION find_workspace(wanted text) RETURNS uuid LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
    RETURN (SELECT workspace_id FROM workspace WHERE name = wanted);

CREATE FUNCTION find_api_key(wanted text)
    RETURNS TABLE (workspace_id uuid, api_key_id uuid, sha256 bytea, scopes text[], expires_at timestamptz, revoked_at timestamptz)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
BEGIN ATOMIC
    SELECT k.workspace_id, k.api_key_id, k.sha256, k.scopes, k.expires_at, k.revoked_at FROM api_key k WHERE k.prefix = wanted;
END;

-- Marks what it returns as queued, so that sweepers side by side and a slow worker never pile up the same work:
-- a row is handed out again only after `patience`.
CREATE FUNCTION claim_due_pulls(most integer, patience interval) RETURNS TABLE (workspace_id uuid, connection_id uuid)
    LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp
BEGIN ATOMIC
    UPDATE connection c SET queued_at = clock_timestamp()
    FROM (SELECT d.workspace_id, d.connection_id FROM connection d
          WHERE d.status = 'active' AND d.next_pull_at <= clock_timestamp()
            AND (d.queued_at IS NULL OR d.queued_at < clock_timestamp() - patience)
          ORDER BY d.next_pull_at LIMIT most FOR UPDATE SKIP LOCKED) due
    WHERE c.workspace_id = due.workspace_id AND c.connection_id = due.connection_id
    RETURNING c.workspace_id, c.connection_id;
END;

-- A new day makes every account due: silence is a signal that no record announces.
CREATE FUNCTION claim_due_scores(today date, most integer, patience interval) RETURNS TABLE (workspace_id uuid)
    LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp
BEGIN ATOMIC
    UPDATE workspace w SET score_queued_at = clock_timestamp()
    FROM (SELECT v.workspace_id FROM workspace v
          WHERE (v.score_queued_at IS NULL OR v.score_queued_at < clock_timestamp() - patience)
            AND (v.suggest_due OR v.scored_through < today OR EXISTS (SELECT FROM score_due s WHERE s.workspace_id = v.workspace_id))
          LIMIT most FOR UPDATE SKIP LOCKED) due
    WHERE w.workspace_id = due.workspace_id
    RETURNING w.workspace_id;
END;

CREATE FUNCTION claim_due_pushes(most integer, patience interval) RETURNS TABLE (workspace_id uuid, connection_id uuid)
    LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp
BEGIN ATOMIC
    WITH due AS (
        SELECT d.workspace_id, d.suggestion_id, d.connection_id FROM outbox d
        WHERE d.run_at <= clock_timestamp()
          AND (d.state = 'ready' OR d.state = 'leased' AND d.lease_until < clock_timestamp())
          AND (d.queued_at IS NULL OR d.queued_at < clock_timestamp() - patience)
          AND EXISTS (SELECT FROM connection c WHERE c.workspace_id = d.workspace_id AND c.connection_id = d.connection_id
                      AND c.status = 'active' AND c.push_approved_at IS NOT NULL)
        ORDER BY d.run_at LIMIT most FOR UPDATE SKIP LOCKED),
    marked AS (
        UPDATE outbox o SET queued_at = clock_timestamp() FROM due
        WHERE o.workspace_id = due.workspace_id AND o.suggestion_id = due.suggestion_id AND o.connection_id = due.connection_id
        RETURNING o.workspace_id, o.connection_id)
    SELECT DISTINCT m.workspace_id, m.connection_id FROM marked m;
END;

REVOKE ALL ON FUNCTION find_workspace, find_api_key, claim_due_pulls, claim_due_scores, claim_due_pushes FROM PUBLIC;
GRANT EXECUTE ON FUNCTION find_workspace, find_api_key, claim_due_pulls, claim_due_scores, claim_due_pushes TO undertone_app;
RESET ROLE;
REVOKE CREATE ON SCHEMA public FROM undertone_sweeper;
