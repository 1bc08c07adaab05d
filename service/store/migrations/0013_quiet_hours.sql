-- Hours in which no task of ours appears in the CRM by itself. All three or none.
ALTER TABLE workspace ADD COLUMN quiet_from time, ADD COLUMN quiet_until time, ADD COLUMN quiet_zone text;
ALTER TABLE workspace ADD CHECK (num_nulls(quiet_from, quiet_until, quiet_zone) IN (0, 3) AND quiet_from <> quiet_until);
