-- An account for which no suggestion could be written is told like one that could not be scored.
ALTER TABLE unscored DROP CONSTRAINT unscored_what_check;
ALTER TABLE unscored ADD CONSTRAINT unscored_what_check CHECK (what IN ('message', 'account', 'suggestion'));
