-- What a push keeps so that ten thousand tasks cost few calls, none is made twice, and no person's words are written over.

ALTER TABLE outbox
    -- The CRM had no task of this key then. Looked up for many rows in one call, believed for a short time, and only of a row never taken before.
    ADD COLUMN absent_at timestamptz CHECK (is_sane(absent_at)),
    -- Of the first of the failed tries since something last went well.
    ADD COLUMN failing_since timestamptz CHECK (is_sane(failing_since));

ALTER TABLE push_ledger
    -- The texts of the write that was begun last, whether or not its answer came: what stands in the CRM is theirs or those of payload_sha256,
    -- or else a person's.
    ADD COLUMN sending_sha256 bytea,
    ADD COLUMN remote_modified_at timestamptz CHECK (is_sane(remote_modified_at));

-- The CRM's own user that we write as: an edit by anybody else is a person's.
ALTER TABLE connection ADD COLUMN acts_as text;

-- A connection's next rows in their order, whatever waits in other workspaces.
CREATE INDEX outbox_next ON outbox (workspace_id, connection_id, run_at, suggestion_id) WHERE state IN ('ready', 'leased');
