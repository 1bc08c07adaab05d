-- Lists of accounts go by name, a page at a time.

CREATE INDEX account_by_name ON account (workspace_id, name, account_id) WHERE NOT deleted AND merged_into_key IS NULL;
