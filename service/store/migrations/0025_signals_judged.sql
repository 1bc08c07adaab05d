-- What people say of a signal stands beside it in the view, joined as a whole: where nobody asks for it, the planner leaves the join out.

DROP VIEW analytics.precision_by_month, analytics.signals;
DROP FUNCTION analytics.signals_on(date);

CREATE FUNCTION analytics.signals_on(as_of date) RETURNS TABLE (
    signal_id uuid, version integer, account_id uuid, account text, contact_id uuid, kind text, state text, detected_at date, ended_at date,
    confidence double precision, confirmed boolean, numbers jsonb, alternatives text[], evidence_ids uuid[], model_version text,
    recorded_at timestamptz, change_no bigint)
    LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT s.signal_id, s.version, s.account_id, a.name, s.contact_id, s.kind, s.state, s.detected_at, s.ended_at, s.confidence, w.confirmed, s.numbers,
        s.alternatives,
        ARRAY(SELECT e.evidence_id FROM evidence e WHERE e.workspace_id = s.workspace_id AND e.signal_id = s.signal_id AND e.version = s.version
              ORDER BY e.observed_at, e.span_start, e.evidence_id),
        s.model_version, s.recorded_at, s.change_no
    FROM signal s JOIN account a ON a.workspace_id = s.workspace_id AND a.account_id = s.account_id
    LEFT JOIN analytics.verdicts_on(as_of) w ON w.signal_id = s.signal_id
    WHERE analytics.was_known(s.recorded_at, as_of) AND NOT EXISTS
        (SELECT FROM signal n WHERE n.workspace_id = s.workspace_id AND n.signal_id = s.signal_id AND n.version > s.version
         AND analytics.was_known(n.recorded_at, as_of));
END;

CREATE VIEW analytics.signals WITH (security_invoker = true) AS SELECT * FROM analytics.signals_on(NULL);
CREATE VIEW analytics.precision_by_month WITH (security_invoker = true) AS
    SELECT s.kind, date_trunc('month', s.detected_at::timestamp)::date AS month, count(*) AS signals, count(s.confirmed) AS judged,
        count(*) FILTER (WHERE s.confirmed) AS confirmed, count(*) FILTER (WHERE NOT s.confirmed) AS refuted,
        count(*) FILTER (WHERE s.confirmed)::double precision / NULLIF(count(s.confirmed), 0) AS precision
    FROM analytics.signals s WHERE s.state <> 'forming' GROUP BY 1, 2;
GRANT SELECT ON analytics.signals, analytics.precision_by_month TO undertone_app, undertone_analyst;
