-- What could not be read or scored: everything else goes on without it, and somebody is told.

CREATE TABLE unscored (
    workspace_id uuid NOT NULL REFERENCES workspace,
    what text NOT NULL CHECK (what IN ('message', 'account')),
    id uuid NOT NULL,
    -- The type of what went wrong: its message may quote somebody's words.
    error text NOT NULL,
    -- By which reader it was tried. It is tried again by another one, on another day, and when somebody asks.
    reader text NOT NULL,
    since timestamptz NOT NULL DEFAULT now() CHECK (is_sane(since)),
    tried_on date NOT NULL CHECK (is_sane(tried_on)),
    PRIMARY KEY (workspace_id, what, id)
);
ALTER TABLE unscored ENABLE ROW LEVEL SECURITY;
ALTER TABLE unscored FORCE ROW LEVEL SECURITY;
CREATE POLICY workspace ON unscored TO undertone_app USING (workspace_id = (SELECT current_workspace()))
    WITH CHECK (workspace_id = (SELECT current_workspace()));
GRANT SELECT, INSERT, UPDATE, DELETE ON unscored TO undertone_app;

-- Messages whose own words could not be told apart: few, and asked for on every page of an account.
CREATE INDEX message_text_given_up ON message_text (workspace_id, interaction_id) WHERE quote_strip = 'failed';
