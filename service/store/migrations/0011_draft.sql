-- Every draft that was shown, what it was made from and what the critic said of it: append-only, and enough to make it again while its inputs exist.

CREATE TABLE draft (
    workspace_id uuid NOT NULL,
    draft_id uuid NOT NULL DEFAULT gen_random_uuid(),
    suggestion_id uuid NOT NULL,
    -- The first version of the suggestion that shows it.
    version integer NOT NULL,
    made_on date NOT NULL CHECK (is_sane(made_on)),
    -- What it was made from. `pieces` are {id, type} of evidence, whose words stand in message_text alone, or {id, type, text} of what we say ourselves.
    seed text NOT NULL,
    situation text NOT NULL,
    channel text NOT NULL,
    lang text NOT NULL,
    contact_id uuid,
    owner_key text,
    signed boolean NOT NULL,
    pieces jsonb NOT NULL CHECK (jsonb_typeof(pieces) = 'array'),
    inputs_sha256 bytea NOT NULL,
    -- Earlier drafts that it must not repeat: as of a change, and those that the same run had opened before, from their first change on.
    known_through bigint NOT NULL,
    opened_from bigint,
    engine_version text NOT NULL,
    rules_version text NOT NULL,
    checked integer NOT NULL,
    findings jsonb NOT NULL CHECK (jsonb_typeof(findings) = 'array'),
    -- Of the draft as it is shown, words of the buyer included.
    sha256 bytea NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT now(),
    change_no bigint NOT NULL,
    PRIMARY KEY (workspace_id, draft_id),
    UNIQUE (workspace_id, suggestion_id, version),
    FOREIGN KEY (workspace_id, suggestion_id, version) REFERENCES suggestion,
    FOREIGN KEY (workspace_id, contact_id) REFERENCES contact
);

ALTER TABLE draft ENABLE ROW LEVEL SECURITY;
ALTER TABLE draft FORCE ROW LEVEL SECURITY;
CREATE POLICY workspace ON draft TO undertone_app USING (workspace_id = current_workspace()) WITH CHECK (workspace_id = current_workspace());
GRANT SELECT, INSERT ON draft TO undertone_app;
