-- Who changed what of the set-up, and when: connections, policy, people, keys. Only ever added to.

CREATE TABLE audit_log (
    workspace_id uuid NOT NULL REFERENCES workspace,
    audit_id uuid NOT NULL DEFAULT gen_random_uuid(),
    happened_at timestamptz NOT NULL,
    -- A person's name, the beginning of a key, or 'command line'.
    changed_by text NOT NULL,
    -- What was done, as a verb and a noun: 'pause connection'.
    action text NOT NULL,
    -- Of what: its name.
    subject text NOT NULL,
    -- What it was and what it is, without secrets and without a buyer's words.
    before jsonb,
    after jsonb,
    PRIMARY KEY (workspace_id, audit_id)
);
CREATE INDEX audit_log_by_time ON audit_log (workspace_id, happened_at DESC, audit_id);
ALTER TABLE audit_log ENABLE ROW LEVEL SECURITY;
ALTER TABLE audit_log FORCE ROW LEVEL SECURITY;
CREATE POLICY workspace ON audit_log TO undertone_app USING (workspace_id = current_workspace()) WITH CHECK (workspace_id = current_workspace());
GRANT SELECT, INSERT ON audit_log TO undertone_app;
