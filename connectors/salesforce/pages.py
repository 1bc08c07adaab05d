"""Rows of an answer as a page of records, whichever way they came."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from connectors.base import Cursor, Page
from connectors.records import Record, Rejected
from connectors.salesforce import interactions, records, renewals
from connectors.salesforce.config import SalesforceConfig
from connectors.salesforce.interactions import Surroundings
from connectors.salesforce.lookups import Lookups
from connectors.salesforce.readings import Reading, Selection
from connectors.salesforce.row import Row, UnusableRow

Rows = Sequence[Mapping[str, Any]]
Recorder = Callable[[Row], list[Record]]


class Pages:
    def __init__(self, config: SalesforceConfig, lookups: Lookups) -> None:
        self._config = config
        self._lookups = lookups

    def page(self, reading: Reading, chosen: Selection, rows: Rows) -> Page:
        """Its cursor is that of the last row, for rows in the order of their stamps. Fetches what the rows need from other objects."""
        record, unread = self._recorder(reading, chosen, rows)
        made: list[Record] = []
        rejected: list[Rejected] = []
        cursor = None
        for number, raw in enumerate(rows, 1):
            row = Row(raw, chosen.columns)
            try:
                cursor = Cursor(at=row.stamp, key=row.key)
                made += record(row)
            except UnusableRow as problem:
                rejected.append(Rejected(source_key=str(raw.get("Id") or f"row {number} of a page"), reason=f"{reading.table}: {problem}"))
        return Page(records=made, rejected=rejected, cursor=cursor, unread=unread)

    def _recorder(self, reading: Reading, chosen: Selection, rows: Rows) -> tuple[Recorder, frozenset[str]]:
        """How to make records of these rows, and which attributes stay unknown."""
        config, unread = self._config, chosen.unread
        if reading.name == "opportunities":
            primary = self._lookups.primary_contacts([str(r.get("Id")) for r in rows])
            roles = primary or {}
            return lambda row: records.opportunity(row, config, roles), unread | ({"primary_contact_key"} if primary is None else set())
        if reading.name == "accounts":
            return lambda row: records.account(row, config), _unread_of_accounts(chosen, config)
        if reading.name == "emails":
            around = self._around(chosen, rows)
            return lambda row: interactions.email(row, around), unread
        return _PLAIN[reading.name], unread

    def _around(self, chosen: Selection, rows: Rows) -> Surroundings:
        read = [Row(raw, chosen.columns) for raw in rows]
        hanging = [row.text(name) for row in read for name in ("related_key", "parent_key")]
        bare = [str(raw["Id"]) for raw, row in zip(rows, read, strict=True) if raw.get("Id") and not row.text("body")]
        return Surroundings(ours=self._lookups.ours(), accounts=self._lookups.accounts_of(hanging), html=self._lookups.html_of(bare))


def _unread_of_accounts(chosen: Selection, config: SalesforceConfig) -> frozenset[str]:
    """Of accounts and of the renewals that are made of them."""
    known = {name for name, holds in (("region", "country" in chosen.columns), ("currency", config.currency is not None)) if holds}
    follows = {theirs for ours, theirs in (("renewal_date", "close_date"), ("arr", "amount")) if ours in chosen.unread}
    return (chosen.unread - known) | follows


_PLAIN: Mapping[str, Recorder] = {
    "users": records.user,
    "contacts": records.contact,
    "contracts": renewals.contract,
    "tasks": interactions.task,
    "events": interactions.event,
}
