-- Landing and linking at the rate of many rows, and accounts and contacts that were merged into others.

-- The account, or contact, that a merged one is part of now, at the end of its chain. NULL: not merged, or its winner is not known yet.
ALTER TABLE account ADD COLUMN survivor_id uuid;
ALTER TABLE contact ADD COLUMN survivor_id uuid, ADD COLUMN merged_into_key text;
ALTER TABLE account ADD FOREIGN KEY (workspace_id, survivor_id) REFERENCES account;
ALTER TABLE contact ADD FOREIGN KEY (workspace_id, survivor_id) REFERENCES contact;
CREATE INDEX account_merged ON account (workspace_id, connection_id) WHERE merged_into_key IS NOT NULL OR survivor_id IS NOT NULL;
CREATE INDEX contact_merged ON contact (workspace_id, connection_id) WHERE merged_into_key IS NOT NULL OR survivor_id IS NOT NULL;

-- A signal goes with its history into another account and keeps its id; there it may meet versions of one that had the same key.
ALTER TABLE signal DROP CONSTRAINT signal_workspace_id_account_id_key_version_key;
CREATE INDEX signal_by_account ON signal (workspace_id, account_id, key);

-- account_gone: deleted, or merged into one that is not known yet. It opens again when the account comes back.
ALTER TABLE suggestion DROP CONSTRAINT suggestion_close_reason_check;
ALTER TABLE suggestion ADD CHECK (close_reason IN ('task_closed', 'task_deleted', 'contradicted', 'expired', 'account_gone'));

-- What has come in or changed since links were last looked for: an interaction that lacks one, a contact or an account that may be one.
CREATE TABLE link_due (
    workspace_id uuid NOT NULL,
    what text NOT NULL CHECK (what IN ('interaction', 'contact', 'account')),
    id uuid NOT NULL,
    PRIMARY KEY (workspace_id, what, id)
);
ALTER TABLE link_due ENABLE ROW LEVEL SECURITY;
ALTER TABLE link_due FORCE ROW LEVEL SECURITY;
CREATE POLICY workspace ON link_due TO undertone_app USING (workspace_id = (SELECT current_workspace()))
    WITH CHECK (workspace_id = (SELECT current_workspace()));
GRANT SELECT, INSERT, UPDATE, DELETE ON link_due TO undertone_app;

-- As columns, because an index over lower(email) cannot be used under row-level security: lower() might tell of rows it must not see.
ALTER TABLE contact ADD COLUMN address text GENERATED ALWAYS AS (lower(email)) STORED;
ALTER TABLE account ADD COLUMN domain text
    GENERATED ALWAYS AS (regexp_replace(lower(website), '^(https?://)?(www\.)?([^/:]+).*$', '\3')) STORED;
DROP INDEX contact_by_email;
CREATE INDEX contact_by_address ON contact (workspace_id, address) WHERE address IS NOT NULL;
CREATE INDEX account_by_domain ON account (workspace_id, domain) WHERE domain IS NOT NULL AND NOT deleted;

-- Of many rows, only those that a link may still be found for. With the id, lest the planner take this one, whole, for the key.
DROP INDEX interaction_unlinked, interaction_by_message_id;
CREATE INDEX interaction_unlinked ON interaction (workspace_id, interaction_id)
    WHERE (account_id IS NULL OR contact_id IS NULL) AND direction IN ('in', 'out') AND (from_email IS NOT NULL OR to_emails <> '{}');
CREATE INDEX interaction_early ON interaction (workspace_id, connection_id, account_key) WHERE account_id IS NULL AND account_key IS NOT NULL;
CREATE INDEX contact_early ON contact (workspace_id, connection_id, account_key) WHERE account_id IS NULL AND account_key IS NOT NULL;
CREATE INDEX opportunity_early ON opportunity (workspace_id, connection_id, account_key) WHERE account_id IS NULL AND account_key IS NOT NULL;
CREATE INDEX interaction_by_message_id ON interaction (workspace_id, message_id) WHERE message_id IS NOT NULL;

-- No foreign keys from here: to check them row by row took two fifths of the time of landing, and most of it while the tables were new and the
-- check's plan had been made for empty ones. Whoever writes takes the ids from these tables in the same statement, and the app has no right to
-- delete from any of them.
ALTER TABLE interaction
    DROP CONSTRAINT interaction_workspace_id_connection_id_fkey,
    DROP CONSTRAINT interaction_workspace_id_account_id_fkey,
    DROP CONSTRAINT interaction_workspace_id_contact_id_fkey;
ALTER TABLE message_text DROP CONSTRAINT message_text_workspace_id_interaction_id_fkey;

-- The workspace is looked up once a statement, by the SELECT, and not once a row.
DO $$
DECLARE t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['account', 'contact', 'opportunity', 'interaction', 'message_text', 'score_due'] LOOP
        EXECUTE format('ALTER POLICY workspace ON %I USING (workspace_id = (SELECT current_workspace())) '
                       'WITH CHECK (workspace_id = (SELECT current_workspace()))', t);
    END LOOP;
END $$;

-- Everything is looked at once more. Forced row-level security hides a table from its owner as well, unless that is a superuser.
ALTER TABLE link_due NO FORCE ROW LEVEL SECURITY;
ALTER TABLE interaction NO FORCE ROW LEVEL SECURITY;
ALTER TABLE account NO FORCE ROW LEVEL SECURITY;
INSERT INTO link_due SELECT workspace_id, 'interaction', interaction_id FROM interaction
    WHERE (account_id IS NULL OR contact_id IS NULL) AND direction IN ('in', 'out') AND (from_email IS NOT NULL OR to_emails <> '{}');
INSERT INTO link_due SELECT workspace_id, 'account', account_id FROM account;
ALTER TABLE link_due FORCE ROW LEVEL SECURITY;
ALTER TABLE interaction FORCE ROW LEVEL SECURITY;
ALTER TABLE account FORCE ROW LEVEL SECURITY;
