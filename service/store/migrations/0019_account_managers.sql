-- What account managers say in one step, when they want to hear of it again, and who they are in the CRM.

-- Until when whoever says not_now does not want to see the suggestion in their day; it is there again on that day.
ALTER TABLE feedback ADD COLUMN snoozed_until date CHECK (snoozed_until BETWEEN '2000-01-01' AND '2200-01-01'), ADD CHECK (snoozed_until IS NULL OR verdict = 'not_now');
-- link: by the signed link in the task's text, from whoever may read the task.
ALTER TABLE feedback DROP CONSTRAINT feedback_source_check;
ALTER TABLE feedback ADD CONSTRAINT feedback_source_check CHECK (source IN ('crm', 'api', 'console', 'link'));

-- By which a person is found among the users of the CRM; in lower case.
ALTER TABLE person ADD COLUMN email text CHECK (email = lower(email) AND length(email) BETWEEN 3 AND 320 AND email LIKE '%_@_%');
CREATE UNIQUE INDEX person_by_email ON person (workspace_id, email) WHERE removed_at IS NULL AND email IS NOT NULL;
