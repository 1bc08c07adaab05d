-- When a key was used last, known with the key: noting it takes a transaction of its own, which a call needs once a minute only.
GRANT SELECT (last_used_at) ON api_key TO undertone_sweeper;
DROP FUNCTION find_api_key(text);

GRANT CREATE ON SCHEMA public TO undertone_sweeper;
SET ROLE undertone_sweeper;
CREATE FUNCTION find_api_key(wanted text)
    RETURNS TABLE (workspace_id uuid, api_key_id uuid, sha256 bytea, scopes text[], expires_at timestamptz, revoked_at timestamptz, last_used_at timestamptz)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
BEGIN ATOMIC
    SELECT k.workspace_id, k.api_key_id, k.sha256, k.scopes, k.expires_at, k.revoked_at, k.last_used_at FROM api_key k WHERE k.prefix = wanted;
END;
REVOKE ALL ON FUNCTION find_api_key FROM PUBLIC;
GRANT EXECUTE ON FUNCTION find_api_key TO undertone_app;
RESET ROLE;
REVOKE CREATE ON SCHEMA public FROM undertone_sweeper;
