-- What the runner of every connector keeps: one token for all workers, the day's budget, where a stream stands within something
-- longer, sweeps for what no cursor sees, rows to read again, and who made the last change to a task of ours.

ALTER TABLE connection
    ADD COLUMN parked_until timestamptz CHECK (is_sane(parked_until)),
    ADD COLUMN parked_reason text,
    -- The CRM user who is told, by a task, that this connection needs somebody.
    ADD COLUMN owner_key text;

ALTER TABLE stream
    ADD COLUMN cursor_resume text NOT NULL DEFAULT '' CHECK (length(cursor_resume) <= 1000),
    ADD COLUMN error_since timestamptz CHECK (is_sane(error_since)),
    ADD COLUMN missing text[] NOT NULL DEFAULT '{}',
    -- Read so far and stopped at the end of its turn: the next run goes on at once.
    ADD COLUMN unfinished boolean NOT NULL DEFAULT false,
    ADD COLUMN calls bigint NOT NULL DEFAULT 0;

ALTER TABLE quarantine ADD COLUMN replay_asked_at timestamptz;

ALTER TABLE push_ledger
    ADD COLUMN remote_owner_key text,
    ADD COLUMN remote_edited_by_key text;

-- The row is also the lock: whoever asks for a new token holds it meanwhile. `refused`: these secrets were refused, ask no more.
CREATE TABLE token (
    workspace_id uuid NOT NULL,
    connection_id uuid NOT NULL,
    key_id text,
    ciphertext bytea,
    host text,
    renewed_at timestamptz,
    renewals bigint NOT NULL DEFAULT 0,
    refused text,
    PRIMARY KEY (workspace_id, connection_id),
    FOREIGN KEY (workspace_id, connection_id) REFERENCES connection ON DELETE CASCADE
);

CREATE TABLE sweep (
    workspace_id uuid NOT NULL,
    connection_id uuid NOT NULL,
    stream text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('ids', 'formulas')),
    cursor_at timestamptz CHECK (is_sane(cursor_at)),
    cursor_key text NOT NULL DEFAULT '',
    cursor_resume text NOT NULL DEFAULT '' CHECK (length(cursor_resume) <= 1000),
    -- What was written after this moment is left alone: the sweep saw it as it was before.
    started_at timestamptz CHECK (is_sane(started_at)),
    done_at timestamptz CHECK (is_sane(done_at)),
    -- Of the last finished sweep over ids: rows we lacked, rows that had vanished, rows with another stamp.
    lacking bigint,
    vanished bigint,
    stale bigint,
    PRIMARY KEY (workspace_id, connection_id, stream, kind),
    FOREIGN KEY (workspace_id, connection_id, stream) REFERENCES stream ON DELETE CASCADE
);

-- What a sweep over ids has seen so far; emptied when it is done.
CREATE TABLE sweep_present (
    workspace_id uuid NOT NULL,
    connection_id uuid NOT NULL,
    stream text NOT NULL,
    key text NOT NULL,
    modified_at timestamptz NOT NULL,
    PRIMARY KEY (workspace_id, connection_id, stream, key),
    FOREIGN KEY (workspace_id, connection_id, stream) REFERENCES stream ON DELETE CASCADE
);

DO $$
DECLARE t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['token', 'sweep', 'sweep_present'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
        EXECUTE format('CREATE POLICY workspace ON %I TO undertone_app USING (workspace_id = current_workspace()) '
                       'WITH CHECK (workspace_id = current_workspace())', t);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO undertone_app', t);
    END LOOP;
END $$;
