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
    -- A window of time is being read up to its end: the end that its first attempt had. NULL: the last window was read whole.
    ADD COLUMN window_until timestamptz CHECK (is_sane(window_until)),
    -- Of the last whole window, that same end: rows stamped shortly before it, or later, may since have become visible.
    ADD COLUMN reread_from timestamptz CHECK (is_sane(reread_from)),
    -- When it is due again; NULL is at once. A stream that fails waits by itself, the others keep their pace.
    ADD COLUMN next_at timestamptz,
    -- The kinds of records it delivers, as far as they have been seen: what a sweep over its ids is compared with.
    ADD COLUMN holds text[] NOT NULL DEFAULT '{}',
    ADD COLUMN calls bigint NOT NULL DEFAULT 0;

ALTER TABLE quarantine
    ADD COLUMN replay_asked_at timestamptz,
    -- The stream is read again from its start for this row: whatever is not refused once more by its end, leaves the quarantine.
    ADD COLUMN replaying boolean NOT NULL DEFAULT false;
CREATE INDEX quarantine_asked ON quarantine (workspace_id, connection_id, stream) WHERE replay_asked_at IS NOT NULL;

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
    due_at timestamptz NOT NULL CHECK (is_sane(due_at)),
    -- Set while the sweep is under way. What was written after this moment is left alone: the sweep saw it as it was before.
    started_at timestamptz CHECK (is_sane(started_at)),
    -- All ids are in: what differs is being fetched.
    listed boolean NOT NULL DEFAULT false,
    error text,
    done_at timestamptz CHECK (is_sane(done_at)),
    -- Of the last sweep over ids, and complete once it is done: rows we lacked, rows that had vanished, rows with another stamp. All healed.
    lacking bigint,
    vanished bigint,
    stale bigint,
    -- So many rows had vanished at once that the connected user has rather lost access: nothing was marked. If the next sweep says so too, it is true.
    withheld bigint,
    PRIMARY KEY (workspace_id, connection_id, stream, kind),
    FOREIGN KEY (workspace_id, connection_id, stream) REFERENCES stream ON DELETE CASCADE
);

-- What a sweep over ids has seen so far; once all is seen, what differs from what we hold; emptied when it is done.
CREATE TABLE sweep_present (
    workspace_id uuid NOT NULL,
    connection_id uuid NOT NULL,
    stream text NOT NULL,
    key text NOT NULL,
    modified_at timestamptz NOT NULL,
    drift text CHECK (drift IN ('lacking', 'vanished', 'stale')),
    PRIMARY KEY (workspace_id, connection_id, stream, key),
    FOREIGN KEY (workspace_id, connection_id, stream) REFERENCES stream ON DELETE CASCADE
);

-- Rows that are there and of which nothing is kept (drafts, open tasks, copies): they are fetched once, not at every sweep.
CREATE TABLE sweep_passed (
    workspace_id uuid NOT NULL,
    connection_id uuid NOT NULL,
    stream text NOT NULL,
    key text NOT NULL,
    modified_at timestamptz NOT NULL,
    passed_at timestamptz NOT NULL CHECK (is_sane(passed_at)),
    PRIMARY KEY (workspace_id, connection_id, stream, key),
    FOREIGN KEY (workspace_id, connection_id, stream) REFERENCES stream ON DELETE CASCADE
);

DO $$
DECLARE t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['token', 'sweep', 'sweep_present', 'sweep_passed'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
        EXECUTE format('CREATE POLICY workspace ON %I TO undertone_app USING (workspace_id = current_workspace()) '
                       'WITH CHECK (workspace_id = current_workspace())', t);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO undertone_app', t);
    END LOOP;
END $$;

-- A parked connection waits, its pulls and its pushes, and goes on by itself. Of one workspace no more than a few pulls are on their way
-- at a time, and workspaces take turns: however much one of them has to read, the others' turn comes.

GRANT DELETE ON stream TO undertone_app;
GRANT SELECT (parked_until) ON connection TO undertone_sweeper;
GRANT CREATE ON SCHEMA public TO undertone_sweeper;
SET ROLE undertone_sweeper;

CREATE OR REPLACE FUNCTION claim_due_pulls(most integer, patience interval) RETURNS TABLE (workspace_id uuid, connection_id uuid)
    LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp
BEGIN ATOMIC
    WITH on_its_way AS (
        SELECT b.workspace_id, count(*) AS pulls FROM connection b WHERE b.queued_at >= clock_timestamp() - patience GROUP BY b.workspace_id),
    waiting AS (
        SELECT d.workspace_id, d.connection_id, d.next_pull_at,
               row_number() OVER (PARTITION BY d.workspace_id ORDER BY d.next_pull_at) + COALESCE(o.pulls, 0) AS place
        FROM connection d LEFT JOIN on_its_way o ON o.workspace_id = d.workspace_id
        WHERE d.status = 'active' AND d.next_pull_at <= clock_timestamp()
          AND (d.parked_until IS NULL OR d.parked_until <= clock_timestamp())
          AND (d.queued_at IS NULL OR d.queued_at < clock_timestamp() - patience)),
    due AS (
        SELECT l.workspace_id, l.connection_id FROM connection l JOIN waiting w ON w.workspace_id = l.workspace_id AND w.connection_id = l.connection_id
        WHERE w.place <= 3 AND (l.queued_at IS NULL OR l.queued_at < clock_timestamp() - patience)
        ORDER BY w.place, w.next_pull_at LIMIT most FOR UPDATE OF l SKIP LOCKED)
    UPDATE connection c SET queued_at = clock_timestamp() FROM due
    WHERE c.workspace_id = due.workspace_id AND c.connection_id = due.connection_id
    RETURNING c.workspace_id, c.connection_id;
END;

CREATE OR REPLACE FUNCTION claim_due_pushes(most integer, patience interval) RETURNS TABLE (workspace_id uuid, connection_id uuid)
    LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp
BEGIN ATOMIC
    WITH due AS (
        SELECT d.workspace_id, d.suggestion_id, d.connection_id FROM outbox d
        WHERE d.run_at <= clock_timestamp()
          AND (d.state = 'ready' OR d.state = 'leased' AND d.lease_until < clock_timestamp())
          AND (d.queued_at IS NULL OR d.queued_at < clock_timestamp() - patience)
          AND EXISTS (SELECT FROM connection c WHERE c.workspace_id = d.workspace_id AND c.connection_id = d.connection_id
                      AND c.status = 'active' AND c.push_approved_at IS NOT NULL
                      AND (c.parked_until IS NULL OR c.parked_until <= clock_timestamp()))
        ORDER BY d.run_at LIMIT most FOR UPDATE SKIP LOCKED),
    marked AS (
        UPDATE outbox o SET queued_at = clock_timestamp() FROM due
        WHERE o.workspace_id = due.workspace_id AND o.suggestion_id = due.suggestion_id AND o.connection_id = due.connection_id
        RETURNING o.workspace_id, o.connection_id)
    SELECT DISTINCT m.workspace_id, m.connection_id FROM marked m;
END;

RESET ROLE;
REVOKE CREATE ON SCHEMA public FROM undertone_sweeper;
