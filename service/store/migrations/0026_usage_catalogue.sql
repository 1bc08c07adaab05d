-- The account and the metric of every series in a few columns of bytes, so that whoever closes a day need not read half a million rows for them.
-- What stands here is only ever made anew: any change of usage_series empties it.

CREATE TABLE usage_catalogue (
    workspace_id uuid PRIMARY KEY REFERENCES workspace,
    accounts bytea NOT NULL,
    account bytea NOT NULL,
    metrics text[] NOT NULL,
    metric bytea NOT NULL
);
ALTER TABLE usage_catalogue ENABLE ROW LEVEL SECURITY;
ALTER TABLE usage_catalogue FORCE ROW LEVEL SECURITY;
CREATE POLICY workspace ON usage_catalogue TO undertone_app USING (workspace_id = current_workspace()) WITH CHECK (workspace_id = current_workspace());
GRANT SELECT, INSERT, DELETE ON usage_catalogue TO undertone_app;

CREATE FUNCTION forget_usage_catalogue() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM usage_catalogue WHERE workspace_id IN (SELECT workspace_id FROM changed);
    RETURN NULL;
END $$;
CREATE TRIGGER usage_series_added AFTER INSERT ON usage_series REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION forget_usage_catalogue();
CREATE TRIGGER usage_series_moved AFTER UPDATE ON usage_series REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION forget_usage_catalogue();
CREATE TRIGGER usage_series_removed AFTER DELETE ON usage_series REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION forget_usage_catalogue();
