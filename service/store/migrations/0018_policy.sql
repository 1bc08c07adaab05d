-- What a workspace has decided, as one document in versions. Only ever added to: undoing writes a further version.

CREATE TABLE policy (
    workspace_id uuid NOT NULL REFERENCES workspace,
    -- Counts 1, 2, 3, ... in each workspace. Before the first one the defaults hold.
    version integer NOT NULL CHECK (version > 0),
    -- Every field of service/policy.py; one that is missing here has its default.
    document jsonb NOT NULL CHECK (jsonb_typeof(document) = 'object'),
    made_at timestamptz NOT NULL,
    -- A person's name, the beginning of a key, or 'command line'.
    made_by text NOT NULL,
    why text NOT NULL,
    -- The version that this one takes back.
    undoes integer,
    PRIMARY KEY (workspace_id, version),
    FOREIGN KEY (workspace_id, undoes) REFERENCES policy (workspace_id, version),
    CHECK (undoes < version)
);

-- What was decided so far stood in columns of the workspace. Forced row-level security would hide them from an owner that is no superuser.
ALTER TABLE workspace NO FORCE ROW LEVEL SECURITY;
INSERT INTO policy (workspace_id, version, document, made_at, made_by, why)
    SELECT workspace_id, 1, decided, now(), 'command line', 'as it stood before there were versions'
    FROM (SELECT workspace_id, jsonb_strip_nulls(jsonb_build_object(
              'usage_budget', NULLIF(usage_budget, 0.15),
              'quotes_in_task', NULLIF(quotes_in_task, true),
              'quiet_hours', to_char(quiet_from, 'HH24:MI') || '-' || to_char(quiet_until, 'HH24:MI') || ' ' || quiet_zone)) AS decided
          FROM workspace) w
    WHERE decided <> '{}';
ALTER TABLE workspace DROP COLUMN usage_budget, DROP COLUMN quotes_in_task, DROP COLUMN quiet_from, DROP COLUMN quiet_until, DROP COLUMN quiet_zone;
ALTER TABLE workspace FORCE ROW LEVEL SECURITY;

ALTER TABLE policy ENABLE ROW LEVEL SECURITY;
ALTER TABLE policy FORCE ROW LEVEL SECURITY;
CREATE POLICY workspace ON policy TO undertone_app USING (workspace_id = current_workspace()) WITH CHECK (workspace_id = current_workspace());
GRANT SELECT, INSERT ON policy TO undertone_app;

-- out_of_scope: the workspace has decided to leave the account out. It opens again when the account is in again.
ALTER TABLE suggestion DROP CONSTRAINT suggestion_close_reason_check;
ALTER TABLE suggestion ADD CHECK (close_reason IN ('task_closed', 'task_deleted', 'contradicted', 'expired', 'account_gone', 'out_of_scope'));
