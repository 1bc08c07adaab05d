-- What a contact has asked for, as a person recorded it: append-only, the last word of each contact counts. An opt-out outlives the erasure of their words.

CREATE TABLE contact_preference (
    workspace_id uuid NOT NULL,
    preference_id uuid NOT NULL DEFAULT gen_random_uuid(),
    contact_id uuid NOT NULL,
    channel text CHECK (channel IN ('email', 'chat', 'call', 'meeting')),
    language text CHECK (language ~ '^[a-z]{2}$'),
    no_contact_until date CHECK (is_sane(no_contact_until)),
    opted_out boolean NOT NULL,
    -- Where they said so, if somebody named it. Goes with its message.
    evidence_id uuid,
    source text NOT NULL CHECK (source IN ('api', 'cli')),
    -- By the product's clock: what they wrote before has been answered by it.
    stated_at timestamptz NOT NULL CHECK (is_sane(stated_at)),
    recorded_at timestamptz NOT NULL DEFAULT now(),
    change_no bigint NOT NULL,
    PRIMARY KEY (workspace_id, preference_id),
    FOREIGN KEY (workspace_id, contact_id) REFERENCES contact,
    FOREIGN KEY (workspace_id, evidence_id) REFERENCES evidence ON DELETE SET NULL (evidence_id)
);
CREATE INDEX contact_preference_by_contact ON contact_preference (workspace_id, contact_id, change_no DESC);

ALTER TABLE contact_preference ENABLE ROW LEVEL SECURITY;
ALTER TABLE contact_preference FORCE ROW LEVEL SECURITY;
CREATE POLICY workspace ON contact_preference TO undertone_app USING (workspace_id = current_workspace()) WITH CHECK (workspace_id = current_workspace());
GRANT SELECT, INSERT ON contact_preference TO undertone_app;
