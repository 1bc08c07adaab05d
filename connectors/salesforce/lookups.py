"""What a page of rows needs from other objects, fetched for the whole page at once."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from connectors.errors import StreamUnavailable
from connectors.salesforce import soql
from connectors.salesforce.client import MOST_ROWS, Client
from connectors.salesforce.config import SalesforceConfig
from connectors.salesforce.faults import Refused
from connectors.salesforce.interactions import Ours, ours
from connectors.salesforce.schema import Schema

_WITH_ACCOUNT = {"006": "Opportunity", "500": "Case", "800": "Contract"}
"""By id prefix, what an email may hang on besides an account."""
_REMEMBERED = 20_000
"""Accounts of such parents that are kept for the pages that follow: some megabytes."""
_BODIES = 200


class Lookups:
    def __init__(self, client: Client, schema: Schema, config: SalesforceConfig) -> None:
        self._client = client
        self._schema = schema
        self._config = config
        self._ours: Ours | None = None
        self._accounts: dict[str, str | None] = {}

    def ours(self) -> Ours:
        """Read once a run."""
        if self._ours is None:
            where = "IsActive = true" + (" AND UserType = 'Standard'" if self._schema.table("User").column("UserType") else "")
            rows = self._client.rows(soql.select(["Email"], "User", where))
            self._ours = ours([str(r["Email"]) for r in rows if r.get("Email")], self._config.our_domains)
        return self._ours

    def accounts_of(self, keys: Iterable[Any]) -> dict[str, str]:
        """The accounts of opportunities and cases. What cannot be seen is left out; then an email is placed by its addresses."""
        wanted = dict.fromkeys(k for k in keys if isinstance(k, str))
        new = [k for k in wanted if k not in self._accounts]
        if len(self._accounts) + len(new) > _REMEMBERED:
            self._accounts, new = {}, list(wanted)
        for prefix, table in _WITH_ACCOUNT.items():
            asked = [k for k in new if k.startswith(prefix)]
            self._accounts |= {**dict.fromkeys(asked), **self._values(table, "AccountId", asked)}
        return {k: account for k in wanted if (account := self._accounts.get(k))}

    def html_of(self, keys: Iterable[str]) -> dict[str, str]:
        """Read only for mail that has no plain text: it is by far the largest field."""
        return self._values("EmailMessage", "HtmlBody", keys, most_rows=_BODIES)

    def primary_contacts(self, opportunities: Iterable[str]) -> dict[str, str] | None:
        """By opportunity; None where roles cannot be seen."""
        try:
            self._schema.table("OpportunityContactRole")
        except StreamUnavailable:
            return None
        found: dict[str, str] = {}
        for listed in soql.lists(opportunities):
            query = soql.select(["OpportunityId", "ContactId"], "OpportunityContactRole", f"IsPrimary = true AND OpportunityId IN {listed}")
            found |= {r["OpportunityId"]: r["ContactId"] for r in self._client.rows(query) if r.get("ContactId")}
        return found

    def _values(self, table: str, field: str, keys: Iterable[str], most_rows: int = MOST_ROWS) -> dict[str, str]:
        found: dict[str, str] = {}
        try:
            for listed in soql.lists(keys):
                query = soql.select(["Id", field], table, f"Id IN {listed}")
                for answer in self._client.pages(query, deleted=True, most_rows=most_rows):
                    found |= {r["Id"]: r[field] for r in answer.rows if r.get(field)}
        except Refused as refused:
            if refused.fault.code not in ("INVALID_TYPE", "INVALID_FIELD"):
                raise
        return found
