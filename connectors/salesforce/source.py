"""An org as a source: what can be read of it, each stream by queries or by a job as its size asks for, sweeps, and single rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime

from connectors.base import Cursor, Finding, Page, Stream, StreamSchema, Sweep
from connectors.errors import StreamUnavailable
from connectors.salesforce.bulk import Bulk, NotByBulk, Note
from connectors.salesforce.check import findings
from connectors.salesforce.client import Client
from connectors.salesforce.config import SalesforceConfig
from connectors.salesforce.faults import Refused, error_of
from connectors.salesforce.lookups import Lookups
from connectors.salesforce.mapping import Candidate, candidates, choices, preview
from connectors.salesforce.pages import Pages
from connectors.salesforce.readings import READINGS, Reading, missing_fields, readings, selection
from connectors.salesforce.schema import Schema
from connectors.salesforce.sweeps import Sweeps
from connectors.salesforce.windows import Windows


class SalesforceSource:
    def __init__(self, client: Client, config: SalesforceConfig) -> None:
        self._client = client
        self._config = config
        self._schema = Schema(client)
        pages = Pages(config, Lookups(client, self._schema, config))
        self._windows = Windows(client, self._schema, pages, config)
        self._bulk = Bulk(client, self._schema, pages, config)
        self._sweeps = Sweeps(client, self._schema, pages, config)
        self._by_queries: set[str] = set()

    def check(self, now: datetime) -> Sequence[Finding]:
        return findings(self._client, self._schema, self._config, now)

    def candidates(self) -> Sequence[Candidate]:
        """Fields of the org that may be what the settings ask for."""
        return candidates(self._client, self._schema)

    def choices(self) -> Mapping[str, Sequence[str]]:
        """All fields of the org that a setting could name, by setting."""
        return choices(self._schema)

    def preview(self, now: datetime) -> Sequence[Finding]:
        """What the settings find in the org, counted."""
        return list(preview(self._client, self._schema, self._config, now))

    def discover(self) -> Sequence[StreamSchema]:
        return [self._discovered(reading) for reading in readings(self._config)]

    def _discovered(self, reading: Reading) -> StreamSchema:
        try:
            chosen = selection(reading, self._config, self._schema)
        except StreamUnavailable as error:
            return StreamSchema(stream=reading.name, problem=str(error))
        return StreamSchema(stream=reading.name, fields=tuple(chosen.fields), missing=tuple(missing_fields(reading, self._config, chosen.columns)))

    def streams(self) -> Sequence[Stream]:
        return [reading.stream for reading in readings(self._config)]

    def read(self, stream: str, after: Cursor, until: datetime) -> Iterator[Page]:
        reading = READINGS[stream]
        with _in_words(reading):
            chosen = selection(reading, self._config, self._schema)
            if chosen.missing:
                yield Page(records=(), rejected=chosen.missing)
            yield from self._read(reading, after, until)

    def _read(self, reading: Reading, after: Cursor, until: datetime) -> Iterator[Page]:
        """A job that an earlier run has begun is taken to its end first. Counting first costs one call, and saves it where nothing is new."""
        if Note.read(after.resume) is not None:
            try:
                after = yield from self._bulk.read(reading, after, until)
            except NotByBulk:
                self._by_queries.add(reading.table)
            else:
                if after.at == until:
                    return
        after = replace(after, resume="")
        count = self._windows.count(reading, after, until)
        if count == 0:
            return
        if reading.table not in self._by_queries and (count is None or count > self._config.bulk_from):
            try:
                yield from self._bulk.read(reading, after, until)
            except NotByBulk:
                self._by_queries.add(reading.table)
            else:
                return
        yield from self._windows.read(reading, after, until)

    def sweep(self, stream: str, sweep: Sweep, after: Cursor, until: datetime) -> Iterator[Page]:  # noqa: ARG002 - a row that is newer does no harm
        reading = READINGS[stream]
        with _in_words(reading):
            yield from self._sweeps.sweep(reading, sweep, after)

    def fetch(self, stream: str, keys: Sequence[str]) -> Iterator[Page]:
        reading = READINGS[stream]
        with _in_words(reading):
            yield from self._sweeps.fetch(reading, keys)


@contextmanager
def _in_words(reading: Reading) -> Iterator[None]:
    try:
        yield
    except Refused as refused:
        raise error_of(refused.fault, reading.table) from None
