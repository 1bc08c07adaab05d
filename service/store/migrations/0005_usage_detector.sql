-- What the usage detector carries from one day to the next. A day is closed once: from then on its factors stay what they were.

-- False alarms that a workspace accepts per account and year.
ALTER TABLE workspace ADD COLUMN usage_budget double precision NOT NULL DEFAULT 0.15 CHECK (usage_budget BETWEEN 0.01 AND 5);

-- One row a workspace. Arrays are little-endian numbers as numpy keeps them.
CREATE TABLE usage_tracker (
    workspace_id uuid NOT NULL REFERENCES workspace,
    -- Of the rows of a state, and of the weights that say how rare a fall is: with others both are learned anew.
    layout integer NOT NULL,
    version text NOT NULL,
    -- Cells in their order; more may follow, none goes.
    regions text[] NOT NULL,
    metrics text[] NOT NULL,
    usual bytea NOT NULL,
    season bytea NOT NULL,
    -- What quiet weeks taught: how many of them exceeded each score of the table, in how many series-years.
    quiet_counts double precision[] NOT NULL,
    quiet_years double precision NOT NULL,
    PRIMARY KEY (workspace_id),
    CHECK (cardinality(regions) = cardinality(metrics))
);

CREATE TABLE usage_closed (
    workspace_id uuid NOT NULL REFERENCES workspace,
    day date NOT NULL CHECK (is_sane(day)),
    factor bytea NOT NULL,
    week bytea NOT NULL,
    reported bytea NOT NULL,
    shut bytea NOT NULL,
    PRIMARY KEY (workspace_id, day)
);

-- 4096 series together, as of the end of `day`: the newest, and one of every fourth week to start from when an older value comes late.
CREATE TABLE usage_state (
    workspace_id uuid NOT NULL REFERENCES workspace,
    chunk integer NOT NULL CHECK (chunk >= 0),
    day date NOT NULL CHECK (is_sane(day)),
    state bytea NOT NULL,
    PRIMARY KEY (workspace_id, chunk, day)
);
-- Noise does not get smaller by compressing it.
ALTER TABLE usage_state ALTER COLUMN state SET STORAGE EXTERNAL;

CREATE TABLE usage_alert (
    workspace_id uuid NOT NULL,
    series_no integer NOT NULL,
    alerted_on date NOT NULL CHECK (is_sane(alerted_on)),
    kind text NOT NULL CHECK (kind IN ('seat_loss', 'shift', 'slow_fade', 'feature_abandon', 'stopped', 'growth')),
    onset date NOT NULL CHECK (is_sane(onset)),
    before double precision NOT NULL,
    after double precision NOT NULL,
    size double precision NOT NULL,
    score double precision NOT NULL,
    peers double precision NOT NULL,
    recovered_on date CHECK (is_sane(recovered_on)),
    PRIMARY KEY (workspace_id, series_no, alerted_on, kind),
    FOREIGN KEY (workspace_id, series_no) REFERENCES usage_series
);

-- Falls that are not rare enough yet, under the day on which each was first seen.
CREATE TABLE usage_forming (LIKE usage_alert INCLUDING DEFAULTS INCLUDING CONSTRAINTS, PRIMARY KEY (workspace_id, series_no),
                            FOREIGN KEY (workspace_id, series_no) REFERENCES usage_series);

DO $$
DECLARE t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['usage_tracker', 'usage_closed', 'usage_state', 'usage_alert', 'usage_forming'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
        EXECUTE format('CREATE POLICY workspace ON %I TO undertone_app USING (workspace_id = current_workspace()) '
                       'WITH CHECK (workspace_id = current_workspace())', t);
        EXECUTE format('GRANT SELECT, INSERT ON %I TO undertone_app', t);
    END LOOP;
END $$;
GRANT UPDATE, DELETE ON usage_tracker, usage_state TO undertone_app;
GRANT DELETE ON usage_forming TO undertone_app;
GRANT UPDATE (recovered_on) ON usage_alert TO undertone_app;
