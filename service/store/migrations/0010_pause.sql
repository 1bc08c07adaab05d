-- An angry message makes a pause: the task opens with a card, and the API takes no word that the draft was used without a line on what they feel.

-- Decided when the suggestion was written: a later reading of the message makes a later version.
ALTER TABLE suggestion ADD COLUMN pause boolean NOT NULL DEFAULT false;
CREATE OR REPLACE VIEW suggestion_current WITH (security_invoker = true) AS
    SELECT DISTINCT ON (workspace_id, suggestion_id) * FROM suggestion ORDER BY workspace_id, suggestion_id, version DESC;

-- What the account manager thinks that the writer feels; recorded_at says when. Emptied when the writer is erased: it is about them.
ALTER TABLE feedback ADD COLUMN felt text CHECK (length(felt) BETWEEN 1 AND 300);
GRANT UPDATE (felt) ON feedback TO undertone_app;
