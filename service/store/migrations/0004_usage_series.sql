-- Usage by number. A series is one metric of one account; its values are rows of 32 bytes under its number instead of a uuid and a name.
-- docs/decisions/0010-usage-storage.md says what was measured.

-- Up to and including this day usage counts as told; what comes later for such a day is late. NULL: no day is closed.
ALTER TABLE workspace ADD COLUMN usage_closed_through date CHECK (is_sane(usage_closed_through));

-- Forced row-level security hides a table from its owner as well, unless that is a superuser: nothing would be carried over, without an error.
ALTER TABLE usage_day NO FORCE ROW LEVEL SECURITY;
ALTER TABLE usage_day RENAME TO usage_by_name;
ALTER TABLE usage_by_name RENAME CONSTRAINT usage_day_pkey TO usage_by_name_pkey;
ALTER TABLE usage_by_name DROP CONSTRAINT usage_day_day_check, DROP CONSTRAINT usage_day_value_check;

-- Numbers count 0, 1, 2, ... in each workspace: 4096 that follow each other are read and kept together. A number is never given to another series.
CREATE TABLE usage_series (
    workspace_id uuid NOT NULL,
    series_no integer NOT NULL CHECK (series_no >= 0),
    account_id uuid NOT NULL,
    metric text NOT NULL,
    PRIMARY KEY (workspace_id, series_no),
    UNIQUE (workspace_id, account_id, metric),
    FOREIGN KEY (workspace_id, account_id) REFERENCES account
);

-- No foreign key: to check it row by row took two thirds of the time of landing. Whoever writes takes the numbers from usage_series in the same
-- transaction; that table has a foreign key, and the app has no right to delete from it.
-- Vacuumed after fewer new rows than others, as reading a series from the index alone, and a day by usage_day_by_day, rest on it.
CREATE TABLE usage_day (
    workspace_id uuid NOT NULL,
    series_no integer NOT NULL,
    day date NOT NULL CHECK (is_sane(day)),
    value double precision NOT NULL CHECK (value BETWEEN 0 AND 1e15)
) WITH (autovacuum_vacuum_insert_scale_factor = 0.05);

INSERT INTO usage_series (workspace_id, series_no, account_id, metric)
    SELECT workspace_id, row_number() OVER (PARTITION BY workspace_id ORDER BY account_id, metric) - 1, account_id, metric
    FROM (SELECT DISTINCT workspace_id, account_id, metric FROM usage_by_name) n;
INSERT INTO usage_day (workspace_id, series_no, day, value)
    SELECT n.workspace_id, s.series_no, n.day, n.value FROM usage_by_name n JOIN usage_series s USING (workspace_id, account_id, metric)
    ORDER BY n.day, n.workspace_id, s.series_no;
DROP TABLE usage_by_name;

ALTER TABLE usage_day ADD PRIMARY KEY (workspace_id, series_no, day) INCLUDE (value);
-- Days land one after the other, so each lies in few places: a hundred kilobytes of index instead of another gigabyte.
CREATE INDEX usage_day_by_day ON usage_day USING brin (day) WITH (autosummarize = on);

-- What was told by the hour, of which usage_day holds the sums over the account's own days. Parts can be told again, in any pieces, and the sum stays right.
CREATE TABLE usage_hour (
    workspace_id uuid NOT NULL,
    series_no integer NOT NULL,
    -- Quarters of an hour since 1970 in UTC: the days of every time zone begin with one, which is not so of whole hours.
    quarter_hour integer NOT NULL CHECK (quarter_hour BETWEEN 701280 AND 4558176),
    -- A day has about 100 of them, and their sum must fit usage_day.
    value double precision NOT NULL CHECK (value BETWEEN 0 AND 1e12),
    PRIMARY KEY (workspace_id, series_no, quarter_hour) INCLUDE (value)
);

-- Series with a value that came or changed after its day was closed, and the first such day.
CREATE TABLE usage_late (
    workspace_id uuid NOT NULL,
    series_no integer NOT NULL,
    since date NOT NULL CHECK (is_sane(since)),
    PRIMARY KEY (workspace_id, series_no)
);

-- The workspace is looked up once a statement, by the SELECT, and not once a row.
DO $$
DECLARE t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['usage_series', 'usage_day', 'usage_hour', 'usage_late'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
        EXECUTE format('CREATE POLICY workspace ON %I TO undertone_app USING (workspace_id = (SELECT current_workspace())) '
                       'WITH CHECK (workspace_id = (SELECT current_workspace()))', t);
        EXECUTE format('GRANT SELECT, INSERT ON %I TO undertone_app', t);
    END LOOP;
END $$;
GRANT UPDATE (account_id) ON usage_series TO undertone_app;
GRANT UPDATE (value) ON usage_day, usage_hour TO undertone_app;
GRANT UPDATE (since), DELETE ON usage_late TO undertone_app;

-- One day of all series. The planner takes a day to be scattered over the table, as days long ago may be, and would walk through the whole
-- key; for a day that landed lately usage_day_by_day is twenty times as quick, and for the others no slower. The settings hold in here alone.
CREATE FUNCTION usage_on(wanted date) RETURNS TABLE (series_no integer, value double precision) LANGUAGE sql STABLE
    SET cpu_index_tuple_cost = 1000 SET enable_seqscan = off
BEGIN ATOMIC
    SELECT u.series_no, u.value FROM usage_day u WHERE u.day = wanted;
END;
