-- Work that a person asked for and waits for: made as a row, done by a worker, watched by whoever asked.

CREATE TABLE job (
    workspace_id uuid NOT NULL REFERENCES workspace,
    job_id uuid NOT NULL DEFAULT gen_random_uuid(),
    -- Names the function that does it, and what that function is given.
    kind text NOT NULL,
    about jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(about) = 'object' AND length(about::text) <= 2000),
    state text NOT NULL DEFAULT 'queued' CHECK (state IN ('queued', 'running', 'done', 'failed')),
    -- How far it is, in units of its own; no total while nobody can know it.
    done bigint NOT NULL DEFAULT 0 CHECK (done >= 0),
    total bigint CHECK (total >= 0),
    -- What it is doing, or how it ended, in a sentence without a buyer's words.
    said text NOT NULL DEFAULT '',
    result jsonb,
    made_by text NOT NULL,
    made_at timestamptz NOT NULL DEFAULT now(),
    started_at timestamptz,
    ended_at timestamptz,
    queued_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    -- A worker that is alive prolongs it every few seconds. `fence` keeps out one that comes back after another has taken over.
    lease_until timestamptz,
    fence bigint NOT NULL DEFAULT 0,
    -- Taken up so many times without coming to an end or to a place from which it goes on.
    tries integer NOT NULL DEFAULT 0,
    PRIMARY KEY (workspace_id, job_id),
    CHECK ((ended_at IS NOT NULL) = (state IN ('done', 'failed')))
);
-- Who asks for the same while it waits or runs gets the one that is there.
CREATE UNIQUE INDEX job_under_way ON job (workspace_id, kind, about) WHERE state IN ('queued', 'running');
CREATE INDEX job_newest ON job (workspace_id, made_at DESC);

ALTER TABLE job ENABLE ROW LEVEL SECURITY;
ALTER TABLE job FORCE ROW LEVEL SECURITY;
CREATE POLICY workspace ON job TO undertone_app USING (workspace_id = current_workspace()) WITH CHECK (workspace_id = current_workspace());
GRANT SELECT, INSERT, UPDATE ON job TO undertone_app;

GRANT SELECT (workspace_id, job_id, state, queued_at, lease_until), UPDATE (queued_at) ON job TO undertone_sweeper;
CREATE POLICY sweep ON job TO undertone_sweeper USING (true);
GRANT CREATE ON SCHEMA public TO undertone_sweeper;
SET ROLE undertone_sweeper;

CREATE FUNCTION claim_due_jobs(most integer, patience interval) RETURNS TABLE (workspace_id uuid, job_id uuid)
    LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp
BEGIN ATOMIC
    UPDATE job j SET queued_at = clock_timestamp()
    FROM (SELECT d.workspace_id, d.job_id FROM job d
          WHERE (d.state = 'queued' OR d.state = 'running' AND d.lease_until < clock_timestamp()) AND d.queued_at < clock_timestamp() - patience
          ORDER BY d.queued_at LIMIT most FOR UPDATE SKIP LOCKED) due
    WHERE j.workspace_id = due.workspace_id AND j.job_id = due.job_id
    RETURNING j.workspace_id, j.job_id;
END;
REVOKE ALL ON FUNCTION claim_due_jobs FROM PUBLIC;
GRANT EXECUTE ON FUNCTION claim_due_jobs TO undertone_app;
RESET ROLE;
REVOKE CREATE ON SCHEMA public FROM undertone_sweeper;
