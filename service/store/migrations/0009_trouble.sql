-- What a connection's owner is told by a task in the CRM: one row, and one task, for each time that a connection comes to need somebody.

CREATE TABLE notice (
    workspace_id uuid NOT NULL,
    notice_id uuid NOT NULL DEFAULT gen_random_uuid(),
    -- What is in trouble, how, since when.
    connection_id uuid NOT NULL,
    kind text NOT NULL,
    since timestamptz NOT NULL CHECK (is_sane(since)),
    sentence text NOT NULL,
    opened_at timestamptz NOT NULL CHECK (is_sane(opened_at)),
    over_at timestamptz CHECK (is_sane(over_at)),
    key text NOT NULL CHECK (key ~ '^[a-z0-9-]{1,40}$'),
    -- The connection by which the task is written. It may change as long as no task can have been made.
    target_id uuid,
    status text NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'sending', 'unknown', 'sent', 'blocked', 'withdrawn')),
    remote_id text,
    error text,
    fence bigint NOT NULL DEFAULT 0,
    run_at timestamptz NOT NULL DEFAULT now(),
    lease_until timestamptz,
    PRIMARY KEY (workspace_id, notice_id),
    UNIQUE (workspace_id, key),
    FOREIGN KEY (workspace_id, connection_id) REFERENCES connection ON DELETE CASCADE,
    FOREIGN KEY (workspace_id, target_id) REFERENCES connection
);
-- The claim that makes "one task for each trouble" a key instead of a hope.
CREATE UNIQUE INDEX notice_open ON notice (workspace_id, connection_id) WHERE over_at IS NULL;

ALTER TABLE notice ENABLE ROW LEVEL SECURITY;
ALTER TABLE notice FORCE ROW LEVEL SECURITY;
CREATE POLICY workspace ON notice TO undertone_app USING (workspace_id = current_workspace()) WITH CHECK (workspace_id = current_workspace());
GRANT SELECT, INSERT, UPDATE ON notice TO undertone_app;

-- Every page of the console counts these.
CREATE INDEX outbox_dead ON outbox (workspace_id, connection_id) WHERE state = 'dead';
CREATE INDEX push_ledger_blocked ON push_ledger (workspace_id, connection_id) WHERE status = 'blocked';
