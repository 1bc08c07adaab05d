-- Readers of messages that a workspace taught with its own corrections. At most the latest promoted one is in use; without any it is the shipped one.
-- What was refused or rolled back keeps its figures and no weights: they were learned from mail, and are kept only while they may be used.

CREATE TABLE reader_model (
    workspace_id uuid NOT NULL REFERENCES workspace,
    reader_model_id uuid NOT NULL DEFAULT gen_random_uuid(),
    version text NOT NULL,
    -- The shipped model beside which it was learned: with another one it is not used.
    base text NOT NULL,
    state text NOT NULL CHECK (state IN ('promoted', 'refused', 'rolled_back')),
    -- json, not jsonb: a hash is taken of its numbers as they are written, and jsonb writes some of them anew.
    meta json NOT NULL CHECK (json_typeof(meta) = 'object'),
    weights bytea,
    figures jsonb NOT NULL CHECK (jsonb_typeof(figures) = 'object'),
    recorded_at timestamptz NOT NULL DEFAULT now(),
    -- Of the last change of `state`.
    change_no bigint NOT NULL,
    PRIMARY KEY (workspace_id, reader_model_id),
    CHECK ((state = 'promoted') = (weights IS NOT NULL))
);

ALTER TABLE reader_model ENABLE ROW LEVEL SECURITY;
ALTER TABLE reader_model FORCE ROW LEVEL SECURITY;
CREATE POLICY workspace ON reader_model TO undertone_app USING (workspace_id = current_workspace()) WITH CHECK (workspace_id = current_workspace());
GRANT SELECT, INSERT, UPDATE (state, weights, change_no) ON reader_model TO undertone_app;
