-- What a message says, as the reader of messages read it, and what people say of that. Both append-only: a prediction is never
-- overwritten, a correction stands beside it. The names are those of ml/labels.py (tests/service/test_readings.py compares them).

CREATE FUNCTION emotion_names() RETURNS text[] LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN ARRAY['frustration', 'disappointment', 'anger', 'anxiety', 'confusion', 'disengagement', 'neutral', 'satisfaction', 'gratitude', 'enthusiasm'];

CREATE FUNCTION situation_names() RETURNS text[] LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN ARRAY['frustration', 'silence', 'price_objection', 'deadlock', 'cross_functional', 'timing_concern', 'implementation_worry',
                 'past_vendor_disappointment', 'budget_cut', 'usage_drop', 'renewal_decision', 'confusion', 'risk_reliability', 'champion_change',
                 'competitor_evaluation', 'positive_momentum', 'routine_logistics', 'hostile_or_injection'];

CREATE FUNCTION priority_names() RETURNS text[] LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN ARRAY['unknown', 'security', 'achievement', 'recognition'];

CREATE FUNCTION language_names() RETURNS text[] LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN ARRAY['en', 'de', 'fr', 'es', 'pt', 'unknown'];

-- A jsonpath in strict mode answers NULL where the form is wrong, and a CHECK takes NULL for true: is_verdict and is_reading end in COALESCE.

CREATE FUNCTION are_names(list jsonb, known text[]) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN jsonb_typeof(list) = 'array' AND COALESCE((
        SELECT bool_and(COALESCE(jsonb_typeof(item) = 'string' AND item #>> '{}' = ANY (known), false))
        FROM jsonb_array_elements(list) item), true);

CREATE FUNCTION are_found(list jsonb, known text[]) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN jsonb_typeof(list) = 'array' AND COALESCE((
        SELECT bool_and(COALESCE(item->>'name' = ANY (known) AND item->'confidence' @@ 'strict $ >= 0 && $ <= 1', false))
        FROM jsonb_array_elements(list) item), true);

CREATE FUNCTION are_quotes(list jsonb) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN jsonb_typeof(list) = 'array' AND COALESCE((
        SELECT bool_and(COALESCE(item @@ 'strict $.start >= 0 && $.end > $.start' AND jsonb_typeof(item->'why') = 'array', false))
        FROM jsonb_array_elements(list) item), true);

CREATE FUNCTION is_verdict(label text, value jsonb) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN COALESCE(CASE label
        WHEN 'sentiment' THEN value @@ 'strict $ >= -1 && $ <= 1'
        WHEN 'emotions' THEN jsonb_array_length(value) <= 3 AND are_names(value, emotion_names())
        WHEN 'situations' THEN are_names(value, situation_names())
        WHEN 'churn_risk' THEN value = ANY (ARRAY['0', '1', '2', '3']::jsonb[])
        WHEN 'priority' THEN jsonb_typeof(value) = 'string' AND value #>> '{}' = ANY (priority_names())
    END, false);

CREATE FUNCTION is_reading(r jsonb) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN COALESCE(
        r->>'language' = ANY (language_names())
        AND r->'confidence' @@ 'strict $ >= 0 && $ <= 1'
        AND jsonb_typeof(r->'abstained') = 'boolean'
        AND is_verdict('sentiment', r->'sentiment')
        AND are_found(r->'emotions', emotion_names())
        AND are_found(r->'situations', situation_names())
        AND is_verdict('churn_risk', r->'churn_risk')
        AND is_verdict('priority', r->'priority')
        AND are_quotes(r->'quotes'), false);

-- Null for rows that were written before there was a reader. Its quotes are offsets into message_text.body, never words.
ALTER TABLE message_score ADD COLUMN reading jsonb CHECK (reading IS NULL OR is_reading(reading));

CREATE TABLE correction (
    workspace_id uuid NOT NULL,
    correction_id uuid NOT NULL DEFAULT gen_random_uuid(),
    interaction_id uuid NOT NULL,
    model_version text NOT NULL,
    label text NOT NULL CHECK (label IN ('sentiment', 'emotions', 'situations', 'churn_risk', 'priority')),
    -- JSON's null where the reader abstained.
    predicted jsonb NOT NULL CHECK (predicted = 'null' OR is_verdict(label, predicted)),
    corrected jsonb NOT NULL CHECK (is_verdict(label, corrected)),
    source text NOT NULL CHECK (source IN ('api', 'console')),
    recorded_at timestamptz NOT NULL DEFAULT now(),
    change_no bigint NOT NULL,
    PRIMARY KEY (workspace_id, correction_id),
    -- There is no correction without its prediction, which goes with its message.
    FOREIGN KEY (workspace_id, interaction_id, model_version) REFERENCES message_score ON DELETE CASCADE
);
CREATE INDEX correction_by_message ON correction (workspace_id, interaction_id, label, change_no DESC);

CREATE VIEW correction_current WITH (security_invoker = true) AS
    SELECT DISTINCT ON (workspace_id, interaction_id, label) * FROM correction ORDER BY workspace_id, interaction_id, label, change_no DESC;

ALTER TABLE correction ENABLE ROW LEVEL SECURITY;
ALTER TABLE correction FORCE ROW LEVEL SECURITY;
CREATE POLICY workspace ON correction TO undertone_app USING (workspace_id = current_workspace()) WITH CHECK (workspace_id = current_workspace());
GRANT SELECT, INSERT ON correction TO undertone_app;
GRANT SELECT ON correction_current TO undertone_app;
