-- Named people who sign in to the console with a password, and their sessions. Who is removed stays on record, and may be added anew.

CREATE TABLE person (
    workspace_id uuid NOT NULL REFERENCES workspace,
    person_id uuid NOT NULL DEFAULT gen_random_uuid(),
    name text NOT NULL,
    role text NOT NULL CHECK (role IN ('am', 'analyst', 'revops', 'admin')),
    -- Argon2id in its own notation, salt and cost included.
    password text NOT NULL CHECK (password LIKE '$argon2id$%'),
    -- Attempts since the last that was right, and until when none is taken.
    attempts integer NOT NULL DEFAULT 0,
    locked_until timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    last_sign_in_at timestamptz,
    removed_at timestamptz,
    PRIMARY KEY (workspace_id, person_id)
);
CREATE UNIQUE INDEX person_by_name ON person (workspace_id, name) WHERE removed_at IS NULL;

CREATE TABLE person_session (
    workspace_id uuid NOT NULL,
    session_id uuid NOT NULL DEFAULT gen_random_uuid(),
    person_id uuid NOT NULL,
    ends_at timestamptz NOT NULL,
    ended_at timestamptz,
    PRIMARY KEY (workspace_id, session_id),
    FOREIGN KEY (workspace_id, person_id) REFERENCES person
);
CREATE INDEX person_session_by_person ON person_session (workspace_id, person_id) WHERE ended_at IS NULL;

DO $$
DECLARE t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['person', 'person_session'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
        EXECUTE format('CREATE POLICY workspace ON %I TO undertone_app USING (workspace_id = current_workspace()) '
                       'WITH CHECK (workspace_id = current_workspace())', t);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE ON %I TO undertone_app', t);
    END LOOP;
END $$;
