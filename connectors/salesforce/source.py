"""Reads an org, stream by stream: a window of time in the order of its stamps, picked up where it stood when the org lets go."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from connectors.base import Cursor, Finding, Page, Stream, StreamSchema
from connectors.errors import Retriable, StreamUnavailable
from connectors.records import Record, Rejected
from connectors.salesforce import interactions, records, soql
from connectors.salesforce.check import findings
from connectors.salesforce.client import Answer, Client
from connectors.salesforce.config import SalesforceConfig
from connectors.salesforce.faults import Fault, Refused, error_of
from connectors.salesforce.interactions import Surroundings
from connectors.salesforce.lookups import Lookups
from connectors.salesforce.readings import READINGS, Reading, Selection, missing_fields, selection
from connectors.salesforce.row import Row, UnusableRow
from connectors.salesforce.schema import Schema

FIRST = datetime(1999, 1, 1, tzinfo=UTC)
"""Salesforce keeps nothing older."""
NARROWEST = timedelta(minutes=1)
_PARKED = timedelta(hours=1)

Recorder = Callable[[Row], list[Record]]


class SalesforceSource:
    def __init__(self, client: Client, config: SalesforceConfig) -> None:
        self._client = client
        self._config = config
        self._schema = Schema(client)
        self._lookups = Lookups(client, self._schema, config)

    def check(self, now: datetime) -> Sequence[Finding]:
        return findings(self._client, self._schema, self._config, now)

    def discover(self) -> Sequence[StreamSchema]:
        return [self._discovered(reading) for reading in READINGS.values()]

    def _discovered(self, reading: Reading) -> StreamSchema:
        try:
            chosen = selection(reading, self._config, self._schema)
        except StreamUnavailable as error:
            return StreamSchema(stream=reading.name, problem=str(error))
        return StreamSchema(stream=reading.name, fields=tuple(chosen.fields), missing=tuple(missing_fields(reading, self._config, chosen.columns)))

    def streams(self) -> Sequence[Stream]:
        return [reading.stream for reading in READINGS.values()]

    def read(self, stream: str, after: Cursor, until: datetime) -> Iterator[Page]:
        reading = READINGS[stream]
        try:
            chosen = selection(reading, self._config, self._schema)
            if chosen.missing:
                yield Page(records=(), rejected=chosen.missing)
            yield from self._pages(reading, after, until)
        except Refused as refused:
            raise error_of(refused.fault, reading.table) from None

    def _pages(self, reading: Reading, after: Cursor, until: datetime) -> Iterator[Page]:
        """Begins again at the last page's cursor where a query dies, with half the window where it takes too long."""
        at, end, moved = after, until, True
        while True:
            try:
                for page in self._window(reading, at, end):
                    at, moved = page.cursor or at, True
                    yield page
            except Refused as refused:
                end = self._end_after(refused.fault, reading, at, end, moved=moved)
                moved = False
                continue
            if end >= until:
                return
            at, end = Cursor(at=end), until

    def _end_after(self, fault: Fault, reading: Reading, at: Cursor, end: datetime, *, moved: bool) -> datetime:
        """The end of the window to try next. Raises what the fault means if there is no next try."""
        if fault.code == "INVALID_QUERY_LOCATOR" and moved:
            return end
        if fault.code == "INVALID_FIELD" and self._schema.refuse(reading.table, fault.fields):
            return end
        start = at.at or FIRST
        if fault.code == "QUERY_TIMEOUT" and end - start > NARROWEST:
            return start + (end - start) / 2
        raise error_of(fault, reading.table)

    def _window(self, reading: Reading, after: Cursor, until: datetime) -> Iterator[Page]:
        chosen = selection(reading, self._config, self._schema)
        query = soql.select(chosen.fields, reading.table, soql.window(after, until), soql.ORDER)
        received = 0
        self._mind_the_limit()
        for answer in self._client.pages(query, deleted=reading.deletes, most_rows=reading.most_rows):
            received += len(answer.rows)
            page = self._page(reading, chosen, answer)
            if answer.following is None and received != answer.total:
                yield replace(page, cursor=None)
                message = f"{reading.table}: Salesforce announced {answer.total} rows and sent {received}. The rest is read again next time."
                raise Retriable(message)
            yield page
            if answer.following:
                self._mind_the_limit()

    def _page(self, reading: Reading, chosen: Selection, answer: Answer) -> Page:
        record, unread = self._recorder(reading, chosen, answer.rows)
        made: list[Record] = []
        rejected: list[Rejected] = []
        cursor = None
        for number, raw in enumerate(answer.rows, 1):
            row = Row(raw, chosen.columns)
            try:
                cursor = Cursor(at=row.stamp, key=row.key)
                made += record(row)
            except UnusableRow as problem:
                rejected.append(Rejected(source_key=str(raw.get("Id") or f"row {number} of a page"), reason=f"{reading.table}: {problem}"))
        return Page(records=made, rejected=rejected, cursor=cursor, unread=unread)

    def _recorder(self, reading: Reading, chosen: Selection, rows: Sequence[Mapping[str, Any]]) -> tuple[Recorder, frozenset[str]]:
        """How to make records of these rows, and which attributes stay unknown. Fetches what the page needs from other objects."""
        config, unread = self._config, chosen.unread
        if reading.name == "opportunities":
            primary = self._lookups.primary_contacts([str(r.get("Id")) for r in rows])
            roles = primary or {}
            return lambda row: records.opportunity(row, config, roles), unread | ({"primary_contact_key"} if primary is None else set())
        if reading.name == "accounts":
            known = {name for name, holds in (("region", "country" in chosen.columns), ("currency", config.currency is not None)) if holds}
            return lambda row: records.account(row, config), unread - known
        if reading.name == "emails":
            around = self._around(chosen, rows)
            return lambda row: interactions.email(row, around), unread
        return _PLAIN[reading.name], unread

    def _around(self, chosen: Selection, rows: Sequence[Mapping[str, Any]]) -> Surroundings:
        read = [Row(raw, chosen.columns) for raw in rows]
        hanging = [row.text(name) for row in read for name in ("related_key", "parent_key")]
        bare = [str(raw["Id"]) for raw, row in zip(rows, read, strict=True) if raw.get("Id") and not row.text("body")]
        return Surroundings(ours=self._lookups.ours(), accounts=self._lookups.accounts_of(hanging), html=self._lookups.html_of(bare))

    def _mind_the_limit(self) -> None:
        """Other systems of the customer live on the same daily requests."""
        usage = self._client.usage
        if usage and usage[0] >= usage[1] * self._config.api_share:
            message = (
                f"{usage[0]} of the org's {usage[1]} API requests of today are used; reading waits so that other systems keep theirs. "
                f"It goes on by itself where it stood. api_share on the connection sets the bound, now {self._config.api_share:.0%}."
            )
            raise Retriable(message, wait=_PARKED)


_PLAIN: Mapping[str, Recorder] = {
    "users": records.user,
    "contacts": records.contact,
    "tasks": interactions.task,
    "events": interactions.event,
}
