-- The console lists signals by the day on which they were noticed.
CREATE INDEX signal_by_day ON signal (workspace_id, detected_at, signal_id);
