-- What analysts query: views over what is stored, the same for the API, for files and for SQL. A function ..._on(day) is the view as it stood at the end of
-- that day in UTC, by when each row was recorded; the views are these functions of no day. docs/analysts.md describes each column.

CREATE SCHEMA analytics;

CREATE FUNCTION analytics.was_known(recorded_at timestamptz, as_of date) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN as_of IS NULL OR recorded_at < (as_of + 1)::timestamp AT TIME ZONE 'UTC';

-- As a cell of CSV: what a spreadsheet would take for a formula gets a ' in front.
CREATE FUNCTION analytics.cell(content text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN ascii(content) = ANY ('{61,43,45,64,9,13}'::integer[]) THEN '''' || content ELSE content END;

-- No DISTINCT ON: that would sort every version of the workspace before the first row of a page is known.
CREATE OR REPLACE VIEW signal_current WITH (security_invoker = true) AS
    SELECT * FROM signal s WHERE NOT EXISTS
        (SELECT FROM signal n WHERE n.workspace_id = s.workspace_id AND n.signal_id = s.signal_id AND n.version > s.version);
CREATE OR REPLACE VIEW suggestion_current WITH (security_invoker = true) AS
    SELECT * FROM suggestion s WHERE NOT EXISTS
        (SELECT FROM suggestion n WHERE n.workspace_id = s.workspace_id AND n.suggestion_id = s.suggestion_id AND n.version > s.version);

-- From a correction to the signals that rest on its message, and from a signal to the suggestions that it leads.
CREATE INDEX evidence_by_message ON evidence (workspace_id, interaction_id) WHERE interaction_id IS NOT NULL;
CREATE INDEX suggestion_by_lead ON suggestion (workspace_id, (signal_ids[1]));

CREATE FUNCTION analytics.signals_on(as_of date) RETURNS TABLE (
    signal_id uuid, version integer, account_id uuid, account text, contact_id uuid, kind text, state text, detected_at date, ended_at date,
    confidence double precision, numbers jsonb, alternatives text[], evidence_ids uuid[], model_version text, recorded_at timestamptz, change_no bigint)
    LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT s.signal_id, s.version, s.account_id, a.name, s.contact_id, s.kind, s.state, s.detected_at, s.ended_at, s.confidence, s.numbers, s.alternatives,
        ARRAY(SELECT e.evidence_id FROM evidence e WHERE e.workspace_id = s.workspace_id AND e.signal_id = s.signal_id AND e.version = s.version
              ORDER BY e.observed_at, e.span_start, e.evidence_id),
        s.model_version, s.recorded_at, s.change_no
    FROM signal s JOIN account a ON a.workspace_id = s.workspace_id AND a.account_id = s.account_id
    WHERE analytics.was_known(s.recorded_at, as_of) AND NOT EXISTS
        (SELECT FROM signal n WHERE n.workspace_id = s.workspace_id AND n.signal_id = s.signal_id AND n.version > s.version
         AND analytics.was_known(n.recorded_at, as_of));
END;

CREATE FUNCTION analytics.suggestions_on(as_of date) RETURNS TABLE (
    suggestion_id uuid, version integer, account_id uuid, account text, contact_id uuid, kind text, signal_ids uuid[], state text, close_reason text,
    handling text, no_draft_reason text, priority text, due date, opened_at date, verdict text, task_status text,
    playbook_version text, recorded_at timestamptz, change_no bigint)
    LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT s.suggestion_id, s.version, s.account_id, a.name, s.contact_id, s.lead_kind, s.signal_ids, s.state, s.close_reason, s.handling,
        s.no_draft_reason, s.priority, s.due, s.opened_at,
        (SELECT f.verdict FROM feedback f WHERE f.workspace_id = s.workspace_id AND f.suggestion_id = s.suggestion_id
         AND analytics.was_known(f.recorded_at, as_of) ORDER BY f.change_no DESC LIMIT 1),
        CASE WHEN as_of IS NULL THEN (SELECT p.status FROM push_ledger p WHERE p.workspace_id = s.workspace_id AND p.suggestion_id = s.suggestion_id
                                      ORDER BY p.sent_at DESC NULLS LAST LIMIT 1) END,
        s.playbook_version, s.recorded_at, s.change_no
    FROM suggestion s JOIN account a ON a.workspace_id = s.workspace_id AND a.account_id = s.account_id
    WHERE analytics.was_known(s.recorded_at, as_of) AND NOT EXISTS
        (SELECT FROM suggestion n WHERE n.workspace_id = s.workspace_id AND n.suggestion_id = s.suggestion_id AND n.version > s.version
         AND analytics.was_known(n.recorded_at, as_of));
END;

-- Words of people, and the versions by which suggestions ended. Both are kept for good, so that each row can be read as of any day.
CREATE FUNCTION analytics.outcomes_on(as_of date) RETURNS TABLE (
    outcome_id uuid, suggestion_id uuid, account_id uuid, account text, kind text, type text, outcome text, source text, day date,
    recorded_at timestamptz, change_no bigint)
    LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT f.feedback_id, f.suggestion_id, s.account_id, a.name, s.lead_kind, 'feedback', f.verdict, f.source,
        (f.recorded_at AT TIME ZONE 'UTC')::date, f.recorded_at, f.change_no
    FROM feedback f
    CROSS JOIN LATERAL (SELECT k.workspace_id, k.account_id, k.lead_kind FROM suggestion k WHERE k.workspace_id = f.workspace_id
        AND k.suggestion_id = f.suggestion_id AND k.change_no < f.change_no ORDER BY k.version DESC LIMIT 1) s
    JOIN account a ON a.workspace_id = s.workspace_id AND a.account_id = s.account_id
    WHERE analytics.was_known(f.recorded_at, as_of)
    UNION ALL
    SELECT md5(s.suggestion_id::text || ' ' || s.version)::uuid, s.suggestion_id, s.account_id, a.name, s.lead_kind, 'closed', s.close_reason,
        CASE WHEN s.close_reason IN ('task_closed', 'task_deleted', 'account_gone') THEN 'crm' ELSE 'undertone' END,
        (s.recorded_at AT TIME ZONE 'UTC')::date, s.recorded_at, s.change_no
    FROM suggestion s JOIN account a ON a.workspace_id = s.workspace_id AND a.account_id = s.account_id
    WHERE s.state = 'closed' AND analytics.was_known(s.recorded_at, as_of) AND NOT EXISTS
        (SELECT FROM suggestion b WHERE b.workspace_id = s.workspace_id AND b.suggestion_id = s.suggestion_id AND b.version = s.version - 1
         AND b.state = 'closed');
END;

CREATE FUNCTION analytics.scores_on(as_of date) RETURNS TABLE (
    score_id uuid, account_id uuid, account text, day date, level text, score integer, drivers jsonb, unknown_parts text[], renewal_date date,
    renewal_amount double precision, model_version text, recorded_at timestamptz, change_no bigint)
    LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT o.outlook_id, o.account_id, a.name, o.day, o.level, o.score, o.drivers, o.unknown_parts, o.renewal_date, o.renewal_amount, o.model_version,
        o.recorded_at, o.change_no
    FROM outlook o JOIN account a ON a.workspace_id = o.workspace_id AND a.account_id = o.account_id
    WHERE analytics.was_known(o.recorded_at, as_of) AND NOT EXISTS
        (SELECT FROM outlook n WHERE n.workspace_id = o.workspace_id AND n.account_id = o.account_id AND n.day = o.day AND n.change_no > o.change_no
         AND analytics.was_known(n.recorded_at, as_of));
END;

-- What people said of a signal: by the last word on the suggestions that it leads, or by correcting which situations a message of it is about.
CREATE FUNCTION analytics.verdicts_on(as_of date) RETURNS TABLE (signal_id uuid, confirmed boolean, said text, recorded_at timestamptz, change_no bigint)
    LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT DISTINCT ON (w.signal_id) w.signal_id, w.confirmed, w.said, w.recorded_at, w.change_no FROM (
        SELECT s.signal_ids[1] AS signal_id, f.verdict <> 'wrong_reading' AS confirmed, 'suggestion' AS said, f.recorded_at, f.change_no
        FROM feedback f JOIN suggestion s ON s.workspace_id = f.workspace_id AND s.suggestion_id = f.suggestion_id AND s.change_no < f.change_no
        WHERE f.verdict <> 'not_now' AND analytics.was_known(f.recorded_at, as_of)
            AND NOT EXISTS (SELECT FROM suggestion m WHERE m.workspace_id = s.workspace_id AND m.suggestion_id = s.suggestion_id
                            AND m.version > s.version AND m.change_no < f.change_no)
            AND NOT EXISTS (SELECT FROM feedback n WHERE n.workspace_id = f.workspace_id AND n.suggestion_id = f.suggestion_id
                            AND n.change_no > f.change_no AND analytics.was_known(n.recorded_at, as_of))
        UNION ALL
        SELECT g.signal_id, c.corrected ? g.kind, 'correction', c.recorded_at, c.change_no
        FROM correction c JOIN evidence e ON e.workspace_id = c.workspace_id AND e.interaction_id = c.interaction_id AND e.type = 'buyer_message'
        JOIN signal g ON g.workspace_id = e.workspace_id AND g.signal_id = e.signal_id AND g.version = e.version
        WHERE c.label = 'situations' AND g.kind = ANY (situation_names()) AND analytics.was_known(c.recorded_at, as_of)
            AND NOT EXISTS (SELECT FROM correction n WHERE n.workspace_id = c.workspace_id AND n.interaction_id = c.interaction_id
                            AND n.label = c.label AND n.change_no > c.change_no AND analytics.was_known(n.recorded_at, as_of))) w
    ORDER BY w.signal_id, w.change_no DESC;
END;

CREATE FUNCTION analytics.corrections_on(as_of date) RETURNS TABLE (
    correction_id uuid, interaction_id uuid, account_id uuid, label text, predicted jsonb, corrected jsonb, confidence double precision, source text,
    model_version text, recorded_at timestamptz, change_no bigint)
    LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT c.correction_id, c.interaction_id, i.account_id, c.label, c.predicted, c.corrected, m.confidence::double precision, c.source, c.model_version,
        c.recorded_at, c.change_no
    FROM correction c JOIN interaction i ON i.workspace_id = c.workspace_id AND i.interaction_id = c.interaction_id
    JOIN message_score m ON m.workspace_id = c.workspace_id AND m.interaction_id = c.interaction_id AND m.model_version = c.model_version
    WHERE analytics.was_known(c.recorded_at, as_of) AND NOT EXISTS
        (SELECT FROM correction n WHERE n.workspace_id = c.workspace_id AND n.interaction_id = c.interaction_id AND n.label = c.label
         AND n.change_no > c.change_no AND analytics.was_known(n.recorded_at, as_of));
END;

CREATE FUNCTION analytics.readings_on(as_of date) RETURNS TABLE (
    interaction_id uuid, account_id uuid, contact_id uuid, day date, sentiment double precision, confidence double precision, abstained boolean,
    situations text[], churn_risk integer, model_version text, recorded_at timestamptz, change_no bigint)
    LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT m.interaction_id, i.account_id, i.contact_id, (i.occurred_at AT TIME ZONE 'UTC')::date,
        CASE WHEN NOT (m.reading->>'abstained')::boolean THEN (m.reading->>'sentiment')::double precision END, (m.reading->>'confidence')::double precision,
        (m.reading->>'abstained')::boolean, ARRAY(SELECT f->>'name' FROM jsonb_array_elements(m.reading->'situations') f),
        (m.reading->>'churn_risk')::integer, m.model_version, m.recorded_at, m.change_no
    FROM message_score m JOIN interaction i ON i.workspace_id = m.workspace_id AND i.interaction_id = m.interaction_id
    WHERE m.reading IS NOT NULL AND i.account_id IS NOT NULL AND NOT i.deleted AND analytics.was_known(m.recorded_at, as_of) AND NOT EXISTS
        (SELECT FROM message_score n WHERE n.workspace_id = m.workspace_id AND n.interaction_id = m.interaction_id AND n.reading IS NOT NULL
         AND n.change_no > m.change_no AND analytics.was_known(n.recorded_at, as_of));
END;

CREATE VIEW analytics.signals WITH (security_invoker = true) AS SELECT * FROM analytics.signals_on(NULL);
CREATE VIEW analytics.suggestions WITH (security_invoker = true) AS SELECT * FROM analytics.suggestions_on(NULL);
CREATE VIEW analytics.outcomes WITH (security_invoker = true) AS SELECT * FROM analytics.outcomes_on(NULL);
CREATE VIEW analytics.scores WITH (security_invoker = true) AS SELECT * FROM analytics.scores_on(NULL);
CREATE VIEW analytics.verdicts WITH (security_invoker = true) AS SELECT * FROM analytics.verdicts_on(NULL);
CREATE VIEW analytics.corrections WITH (security_invoker = true) AS SELECT * FROM analytics.corrections_on(NULL);
CREATE VIEW analytics.readings WITH (security_invoker = true) AS SELECT * FROM analytics.readings_on(NULL);

CREATE VIEW analytics.usage_days WITH (security_invoker = true) AS
    SELECT u.series_no, s.account_id, a.name AS account, s.metric, u.day, u.value
    FROM usage_day u JOIN usage_series s ON s.workspace_id = u.workspace_id AND s.series_no = u.series_no
    JOIN account a ON a.workspace_id = s.workspace_id AND a.account_id = s.account_id;

CREATE VIEW analytics.accounts WITH (security_invoker = true) AS
    SELECT a.account_id, a.name AS account, a.region, a.seats, a.arr, a.currency, o.level, o.score, o.day AS scored_on, o.renewal_date, o.renewal_amount
    FROM account a LEFT JOIN LATERAL (SELECT k.level, k.score, k.day, k.renewal_date, k.renewal_amount FROM outlook k
        WHERE k.workspace_id = a.workspace_id AND k.account_id = a.account_id ORDER BY k.change_no DESC LIMIT 1) o ON true
    WHERE NOT a.deleted AND a.merged_into_key IS NULL;

CREATE VIEW analytics.precision_by_month WITH (security_invoker = true) AS
    SELECT s.kind, date_trunc('month', s.detected_at::timestamp)::date AS month, count(*) AS signals, count(v.confirmed) AS judged,
        count(*) FILTER (WHERE v.confirmed) AS confirmed, count(*) FILTER (WHERE NOT v.confirmed) AS refuted,
        count(*) FILTER (WHERE v.confirmed)::double precision / NULLIF(count(v.confirmed), 0) AS precision
    FROM analytics.signals s LEFT JOIN analytics.verdicts v ON v.signal_id = s.signal_id
    WHERE s.state <> 'forming' GROUP BY 1, 2;

-- One login of Postgres a workspace. It reads by way of the views, which read with its own rights: these columns, and these rows.

CREATE TABLE analyst_login (
    workspace_id uuid NOT NULL REFERENCES workspace,
    login name NOT NULL CHECK (login ~ '^analyst_[0-9a-f]{16}$'),
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (workspace_id)
);
ALTER TABLE analyst_login ENABLE ROW LEVEL SECURITY;
ALTER TABLE analyst_login FORCE ROW LEVEL SECURITY;
CREATE POLICY workspace ON analyst_login TO undertone_app USING (workspace_id = current_workspace()) WITH CHECK (workspace_id = current_workspace());
CREATE POLICY sweep ON analyst_login FOR SELECT TO undertone_sweeper USING (true);
GRANT SELECT, INSERT, DELETE ON analyst_login TO undertone_app;
GRANT SELECT (workspace_id, login) ON analyst_login TO undertone_sweeper;

GRANT CREATE ON SCHEMA public TO undertone_sweeper;
SET ROLE undertone_sweeper;
-- By who signed in: neither SET ROLE nor a setting changes that. A login that stood in two workspaces would see none, as one row is expected.
CREATE FUNCTION analyst_workspace() RETURNS uuid LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
    RETURN (SELECT workspace_id FROM analyst_login WHERE login = session_user);
REVOKE ALL ON FUNCTION analyst_workspace FROM PUBLIC;
GRANT EXECUTE ON FUNCTION analyst_workspace TO undertone_analyst;
RESET ROLE;
REVOKE CREATE ON SCHEMA public FROM undertone_sweeper;

DO $$
DECLARE t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['account', 'signal', 'evidence', 'suggestion', 'feedback', 'outlook', 'push_ledger', 'message_score', 'correction',
                             'interaction', 'usage_series', 'usage_day'] LOOP
        EXECUTE format('CREATE POLICY analyst ON %I FOR SELECT TO undertone_analyst USING (workspace_id = (SELECT analyst_workspace()))', t);
    END LOOP;
    -- The workspace is looked up once a statement, by the SELECT, and not once a row.
    FOREACH t IN ARRAY ARRAY['signal', 'evidence', 'suggestion', 'feedback', 'outlook', 'push_ledger', 'message_score', 'correction'] LOOP
        EXECUTE format('ALTER POLICY workspace ON %I USING (workspace_id = (SELECT current_workspace())) '
                       'WITH CHECK (workspace_id = (SELECT current_workspace()))', t);
    END LOOP;
END $$;

-- No words: neither what buyers wrote, nor the notes of people, nor drafts, nor names and addresses of contacts
-- (which is why why_now of a suggestion is left out).
GRANT SELECT (workspace_id, account_id, name, region, seats, arr, currency, deleted, merged_into_key) ON account TO undertone_analyst;
GRANT SELECT ON signal, evidence, outlook, message_score, correction, usage_series, usage_day TO undertone_analyst;
GRANT SELECT (workspace_id, suggestion_id, version, account_id, contact_id, lead_kind, signal_ids, state, close_reason, handling,
              no_draft_reason, priority, due, opened_at, playbook_version, recorded_at, change_no) ON suggestion TO undertone_analyst;
GRANT SELECT (workspace_id, feedback_id, suggestion_id, verdict, source, recorded_at, change_no) ON feedback TO undertone_analyst;
GRANT SELECT (workspace_id, suggestion_id, status, sent_at) ON push_ledger TO undertone_analyst;
GRANT SELECT (workspace_id, interaction_id, account_id, contact_id, occurred_at, deleted) ON interaction TO undertone_analyst;
GRANT USAGE ON SCHEMA analytics TO undertone_app, undertone_analyst;
GRANT SELECT ON ALL TABLES IN SCHEMA analytics TO undertone_app, undertone_analyst;

-- Whoever may connect may by default make temporary tables and large objects. Of these logins none writes anything.
DO $$
DECLARE f regprocedure;
BEGIN
    EXECUTE format('REVOKE TEMPORARY ON DATABASE %I FROM PUBLIC', current_database());
    EXECUTE format('GRANT TEMPORARY ON DATABASE %I TO undertone_app', current_database());
    IF (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN
        FOR f IN SELECT oid FROM pg_proc WHERE pronamespace = 'pg_catalog'::regnamespace AND (proname LIKE 'lo\_%' OR proname IN ('lowrite', 'loread')) LOOP
            EXECUTE format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC', f);
        END LOOP;
    END IF;
END $$;
