"""Reads a window of time by queries, in the order of its stamps, picked up where it stood when the org lets go."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from connectors.base import Cursor, Page
from connectors.errors import Retriable
from connectors.salesforce import soql
from connectors.salesforce.client import Client
from connectors.salesforce.config import SalesforceConfig
from connectors.salesforce.faults import Fault, Refused, TooBig, error_of
from connectors.salesforce.pages import Pages
from connectors.salesforce.readings import Reading, selection
from connectors.salesforce.schema import Schema

FIRST = datetime(1999, 1, 1, tzinfo=UTC)
"""Salesforce keeps nothing older."""
NARROWEST = timedelta(minutes=1)
_FEWER_ROWS = (100, 10, 2)
"""Asked for at once where answers are too big to be held: Salesforce itself makes no page smaller than 200. Each answer begins with the last
row of the one before, so one row alone would not move on."""


class Windows:
    def __init__(self, client: Client, schema: Schema, pages: Pages, config: SalesforceConfig) -> None:
        self._client = client
        self._schema = schema
        self._pages = pages
        self._config = config

    def count(self, reading: Reading, after: Cursor, until: datetime) -> int | None:
        """None where the org takes too long even to count."""
        try:
            return self._client.count(f"SELECT COUNT() FROM {reading.table} WHERE {soql.window(after, until)}", deleted=reading.deletes)
        except Refused as refused:
            if refused.fault.code == "QUERY_TIMEOUT":
                return None
            raise

    def read(self, reading: Reading, after: Cursor, until: datetime) -> Iterator[Page]:
        """Begins again at the last page's cursor where a query dies, with half the window where it takes too long, with fewer rows where
        they are too big."""
        at, end, moved = after, until, True
        fewer = iter(_FEWER_ROWS)
        most = None
        while True:
            try:
                for page in self._window(reading, at, end, most):
                    at, moved = page.cursor or at, True
                    yield page
            except TooBig:
                most = next(fewer, None)
                if most is None:
                    raise
                continue
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

    def _window(self, reading: Reading, after: Cursor, until: datetime, most: int | None) -> Iterator[Page]:
        """In one query, or in one for every `most` rows."""
        at, received = after, most
        while received == most:
            begun, received = at, 0
            for page, rows in self._query(reading, begun, until, most):
                at, received = page.cursor or at, received + rows
                yield page
            if most is None:
                return
            if received == most and at == begun:
                message = f"{reading.table}: rows without a usable stamp keep the reading from going on."
                raise Retriable(message)

    def _query(self, reading: Reading, after: Cursor, until: datetime, most: int | None) -> Iterator[tuple[Page, int]]:
        chosen = selection(reading, self._config, self._schema)
        order = soql.ORDER if most is None else f"{soql.ORDER} LIMIT {most}"
        query = soql.select(chosen.fields, reading.table, soql.window(after, until), order)
        received = 0
        for answer in self._client.pages(query, deleted=reading.deletes, most_rows=reading.most_rows):
            received += len(answer.rows)
            page = self._pages.page(reading, chosen, answer.rows)
            if answer.following is None and received != answer.total:
                yield replace(page, cursor=None), len(answer.rows)
                message = f"{reading.table}: Salesforce announced {answer.total} rows and sent {received}. The rest is read again next time."
                raise Retriable(message)
            yield page, len(answer.rows)
