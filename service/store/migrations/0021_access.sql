-- People come in by a password or by an OIDC provider, and set up either by a link that they are invited with.

ALTER TABLE person
    ALTER COLUMN password DROP NOT NULL,
    ADD COLUMN sign_in text NOT NULL DEFAULT 'password' CHECK (sign_in IN ('password', 'oidc')),
    -- Who they are to the provider. A subject is given once and never to somebody else, which is not true of an address.
    ADD COLUMN oidc_issuer text CHECK (length(oidc_issuer) BETWEEN 1 AND 2000),
    ADD COLUMN oidc_subject text CHECK (length(oidc_subject) BETWEEN 1 AND 255),
    -- The link that is good now: using it, or making another, ends it.
    ADD COLUMN invitation_id uuid,
    ADD COLUMN invitation_ends_at timestamptz,
    ADD CHECK (sign_in = 'password' OR password IS NULL),
    ADD CHECK (sign_in = 'oidc' OR oidc_subject IS NULL),
    ADD CHECK ((oidc_issuer IS NULL) = (oidc_subject IS NULL)),
    ADD CHECK ((invitation_id IS NULL) = (invitation_ends_at IS NULL));
CREATE UNIQUE INDEX person_by_subject ON person (workspace_id, oidc_issuer, oidc_subject) WHERE removed_at IS NULL AND oidc_subject IS NOT NULL;
CREATE INDEX person_in_any_workspace ON person (oidc_subject, oidc_issuer) WHERE removed_at IS NULL AND oidc_subject IS NOT NULL;

-- Whoever comes from the provider names no workspace.
GRANT SELECT (workspace_id, oidc_issuer, oidc_subject, removed_at) ON person TO undertone_sweeper;
CREATE POLICY sweep ON person FOR SELECT TO undertone_sweeper USING (true);
GRANT CREATE ON SCHEMA public TO undertone_sweeper;
SET ROLE undertone_sweeper;
CREATE FUNCTION find_workspaces_of_subject(issuer text, subject text) RETURNS TABLE (workspace_id uuid, name text)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
BEGIN ATOMIC
    SELECT w.workspace_id, w.name FROM person p JOIN workspace w USING (workspace_id)
    WHERE p.oidc_subject = subject AND p.oidc_issuer = issuer AND p.removed_at IS NULL ORDER BY w.name;
END;
REVOKE ALL ON FUNCTION find_workspaces_of_subject FROM PUBLIC;
GRANT EXECUTE ON FUNCTION find_workspaces_of_subject TO undertone_app;
RESET ROLE;
REVOKE CREATE ON SCHEMA public FROM undertone_sweeper;
