"""What no cursor sees: which rows are there, and values that the org computes without touching the row. And single rows, by their keys."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from connectors.base import Cursor, Page, Present, Sweep
from connectors.records import Opportunity, Rejected
from connectors.salesforce import soql
from connectors.salesforce.client import MOST_ROWS, Answer, Client
from connectors.salesforce.config import SalesforceConfig
from connectors.salesforce.pages import Pages
from connectors.salesforce.readings import READINGS, Fields, Reading, Selection, selection
from connectors.salesforce.renewals import CONTRACT_PREFIX, ON_ACCOUNT
from connectors.salesforce.row import Row, UnusableRow
from connectors.salesforce.schema import Schema

_KEYS_ROOM = 5_500
"""Bytes of a list of keys in one address: some 200."""


class Sweeps:
    def __init__(self, client: Client, schema: Schema, pages: Pages, config: SalesforceConfig) -> None:
        self._client = client
        self._schema = schema
        self._pages = pages
        self._config = config

    def sweep(self, reading: Reading, sweep: Sweep, after: Cursor) -> Iterator[Page]:
        return self._formulas(reading, after) if sweep == "formulas" else self._ids(reading, after)

    def fetch(self, reading: Reading, keys: Sequence[str]) -> Iterator[Page]:
        """Keys that are no ids (a row without one was set aside under its place) give nothing."""
        if reading.name == "opportunities":
            yield from self._renewals([k.removesuffix(ON_ACCOUNT) for k in keys if k.endswith(ON_ACCOUNT)])
            yield from self._fetched(READINGS["contracts"], [k for k in keys if k.startswith(CONTRACT_PREFIX)])
            keys = [k for k in keys if not k.startswith(CONTRACT_PREFIX)]
        yield from self._fetched(reading, keys)

    def _fetched(self, reading: Reading, keys: Sequence[str]) -> Iterator[Page]:
        wanted = [k for k in keys if soql.is_id(k)]
        for listed in soql.lists(wanted, _KEYS_ROOM):
            chosen = selection(reading, self._config, self._schema)
            query = soql.select(chosen.fields, reading.table, f"Id IN {listed}")
            for answer in self._client.pages(query, deleted=reading.deletes, most_rows=reading.most_rows):
                yield replace(self._pages.page(reading, chosen, answer.rows), cursor=None)

    def _renewals(self, accounts: Sequence[str]) -> Iterator[Page]:
        for page in self._fetched(READINGS["accounts"], accounts):
            yield replace(page, records=[r for r in page.records if isinstance(r, Opportunity)])

    def _ids(self, reading: Reading, after: Cursor) -> Iterator[Page]:
        parts = self._parts(reading)
        begun = next((place for place, (part, _) in enumerate(parts) if part.table == after.resume), 0)
        for place, (part, suffix) in enumerate(parts[begun:]):
            yield from self._present(part, suffix, after.key if place == 0 else "")

    def _parts(self, reading: Reading) -> list[tuple[Reading, str]]:
        """Of opportunities, also what stands for a renewal elsewhere: it lies in the same place. With what the keys end in."""
        if reading.name != "opportunities":
            return [(reading, "")]
        elsewhere = (("account", READINGS["accounts"], ON_ACCOUNT), ("contract", READINGS["contracts"], ""))
        return [(reading, ""), *((part, suffix) for source, part, suffix in elsewhere if source in self._config.renewal_source)]

    def _present(self, part: Reading, suffix: str, key: str) -> Iterator[Page]:
        chosen = selection(part, self._config, self._schema)
        kept = part.kept(self._filterable(part, chosen))
        for answer in self._live(part, ["Id", chosen.columns["modified_at"]], kept, key):
            present: list[Present] = []
            rejected: list[Rejected] = []
            for raw in answer.rows:
                row = Row(raw, chosen.columns)
                try:
                    present.append(Present(key=f"{row.key}{suffix}", modified_at=row.stamp))
                except UnusableRow as problem:
                    rejected.append(Rejected(source_key=str(raw.get("Id") or "a row of a sweep"), reason=f"{part.table}: {problem}"))
            yield Page(records=(), rejected=rejected, present=present, cursor=_behind(answer, part))

    def _formulas(self, reading: Reading, after: Cursor) -> Iterator[Page]:
        """Nothing where no field that is read is computed."""
        chosen = selection(reading, self._config, self._schema)
        table = self._schema.table(reading.table)
        if not any(column.calculated for f in chosen.columns.values() if (column := table.column(f))):
            return
        for answer in self._live(reading, chosen.fields, "", after.key):
            yield replace(self._pages.page(reading, chosen, answer.rows), cursor=_behind(answer, reading))

    def _live(self, reading: Reading, fields: Sequence[str], kept: str, key: str) -> Iterator[Answer]:
        """In the order of ids, from behind `key`. Of what is not deleted: a plain query would leave out archived tasks and events as well."""
        conditions = ["IsDeleted = false", kept, f"Id > {soql.literal(key)}" if key else ""]
        query = soql.select(fields, reading.table, " AND ".join(c for c in conditions if c), "ORDER BY Id")
        return self._client.pages(query, deleted=True, most_rows=MOST_ROWS if len(fields) == 2 else reading.most_rows)

    def _filterable(self, reading: Reading, chosen: Selection) -> Fields:
        table = self._schema.table(reading.table)
        return {a: f for a, f in chosen.columns.items() if (column := table.column(f)) and column.filterable}


def _behind(answer: Answer, reading: Reading) -> Cursor | None:
    last = next((raw["Id"] for raw in reversed(answer.rows) if isinstance(raw.get("Id"), str)), None)
    return Cursor(key=last, resume=reading.table) if last else None
