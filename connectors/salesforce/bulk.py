"""Reads a large window by a job of the Bulk API 2.0: made, waited for, and its results taken page by page.

The rows of a job have no order, so the cursor moves when all of them have come, to the window's end; until then it names the job and the page.
"""

from __future__ import annotations

import json
import re
from collections.abc import Generator, Iterable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, Self

from requests import Response
from requests.exceptions import RequestException

from connectors.base import Cursor, Page
from connectors.errors import Retriable
from connectors.salesforce import soql
from connectors.salesforce.bulk_rows import BulkRows, Damaged
from connectors.salesforce.client import Client
from connectors.salesforce.config import SalesforceConfig
from connectors.salesforce.faults import Refused, error_of
from connectors.salesforce.pages import Pages
from connectors.salesforce.readings import Reading, Selection, selection
from connectors.salesforce.schema import Schema

OLDEST_VERSION = 47
"""Of the API, that has query jobs."""
MOST_JOBS = 3
"""In one run, where the org loses or fails them."""
_MOST_TRIES = 3
"""Of one set of results, without a new row."""
_SETS_OF = 10
"""Pages in one set of results, which is one request."""
_MOST_CHARACTERS = 8_000_000
"""Of the rows of one page."""
_POLL_SECONDS = (1.0, 2.0, 3.0, 5.0, 8.0, 12.0, 20.0, 30.0)
_MOST_POLLS = 3_000
"""A day. Salesforce itself gives a job up before."""
_LATER = timedelta(minutes=2)
_AHEAD = timedelta(minutes=1)
_LONGEST_NOTE = 1_000
_CODE = re.compile(r"\b[A-Z][A-Z_]{4,60}\b")
_JOB = re.compile(r"[A-Za-z0-9]{15,18}")
_OF_ALL_CALLS = frozenset({"API_DISABLED_FOR_ORG", "API_CURRENTLY_DISABLED", "UNSUPPORTED_API_VERSION"})
_NOT_BY_BULK = frozenset({"FUNCTIONALITY_NOT_ENABLED", "FEATURENOTENABLED", "FEATURE_NOT_ENABLED", "INVALIDENTITY", "INVALID_TYPE_FOR_OPERATION"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """Where a job stands, kept in a cursor. `rows` of earlier sets have landed, and `skip` of the set at `locator`."""

    job: str
    version: str
    upto: datetime
    locator: str = ""
    rows: int = 0
    skip: int = 0
    polls: int = 0

    @classmethod
    def read(cls, text: str) -> Self | None:
        """None for one that this version did not write."""
        try:
            held = json.loads(text)
            return cls(**{**held, "upto": datetime.fromisoformat(held["upto"])})
        except (ValueError, TypeError, KeyError):
            return None

    def __str__(self) -> str:
        held = {name: getattr(self, name) for name in ("job", "version", "locator", "rows", "skip", "polls")}
        return json.dumps({**held, "upto": self.upto.isoformat()}, separators=(",", ":"))


class NotByBulk(Exception):
    """The org does not read this object by jobs."""


class _JobLost(Exception):
    """Forgotten, failed or given up by the org: the window is read by another job."""


class Bulk:
    def __init__(self, client: Client, schema: Schema, pages: Pages, config: SalesforceConfig) -> None:
        self._client = client
        self._schema = schema
        self._pages = pages
        self._config = config

    def read(self, reading: Reading, after: Cursor, until: datetime) -> Generator[Page, None, Cursor]:
        """Goes on with the job that `after` names, else makes one. Returns the cursor behind the window. Raises NotByBulk."""
        note = Note.read(after.resume)
        for _ in range(MOST_JOBS):
            try:
                if note is None:
                    note = self._made(reading, after, until)
                    yield _standing(after, note)
                return (yield from self._results(reading, after, note))
            except _JobLost as lost:
                reason, note = str(lost), None
        yield Page(records=(), cursor=replace(after, resume=""))
        message = f"{reading.table}: {MOST_JOBS} Bulk API jobs came to nothing. {reason} It is tried again later, from the same point on."
        raise Retriable(message, wait=_LATER)

    def _made(self, reading: Reading, after: Cursor, until: datetime) -> Note:
        """A job whose answer was lost does no harm: Salesforce drops it after a week."""
        if self._config.version < OLDEST_VERSION:
            raise NotByBulk
        while True:
            chosen = selection(reading, self._config, self._schema)
            query = soql.select(chosen.fields, reading.table, soql.window(after, until))
            try:
                made = self._client.post("jobs/query", {"operation": "queryAll" if reading.deletes else "query", "query": query})
            except Refused as refused:
                if refused.fault.code == "INVALID_FIELD" and self._schema.refuse(reading.table, refused.fault.fields):
                    continue
                if refused.fault.rule.then == "retry":
                    raise error_of(refused.fault, reading.table) from None
                raise NotByBulk from None
            return Note(job=_named(made), version=self._config.api_version, upto=self._bound(until))

    def _bound(self, until: datetime) -> datetime:
        """A machine whose clock is ahead must not take the org's future for read; what is late by less is read again with the overlap."""
        said = self._client.said_at
        return until if said is None else min(until, said + _AHEAD)

    def _results(self, reading: Reading, after: Cursor, note: Note) -> Generator[Page, None, Cursor]:
        note, processed = yield from self._waited(after, note)
        yield from self._taken(reading, after, note, processed)
        # The last page has landed. If this is not answered, Salesforce drops the job after a week.
        with suppress(Refused, Retriable):
            self._client.delete(f"jobs/query/{note.job}", version=note.version)
        return Cursor(at=note.upto)

    def _waited(self, after: Cursor, note: Note) -> Generator[Page, None, tuple[Note, int | None]]:
        """How many rows the job says that it has."""
        while note.polls < _MOST_POLLS:
            job = self._job(note)
            state = job.get("state")
            if state == "JobComplete":
                processed = job.get("numberRecordsProcessed")
                return note, processed if isinstance(processed, int) else None
            if state in ("Failed", "Aborted"):
                raise _failure(state, job.get("errorMessage"))
            yield _standing(after, note)
            self._client.pause(_POLL_SECONDS[min(note.polls, len(_POLL_SECONDS) - 1)])
            note = replace(note, polls=note.polls + 1)
        message = "The job did not end within a day."
        raise _JobLost(message)

    def _job(self, note: Note) -> dict[str, Any]:
        try:
            job = self._client.get(f"jobs/query/{note.job}", version=note.version)
        except Refused as refused:
            raise _lost(refused) from None
        return job if isinstance(job, dict) else {}

    def _taken(self, reading: Reading, after: Cursor, note: Note, processed: int | None) -> Iterator[Page]:
        """Set by set; one that is cut is asked for again from the same locator."""
        place: Note | None = note
        tries = 0
        while place is not None:
            try:
                for page, place in self._set(reading, after, place, processed):  # noqa: B007, B020 - where the next page begins
                    tries = 0
                    yield page
            except (RequestException, Damaged) as error:
                tries += 1
                if tries < _MOST_TRIES:
                    continue
                if isinstance(error, Damaged):
                    yield Page(records=(), cursor=replace(after, resume=""))
                reason = str(error) if isinstance(error, Damaged) else type(error).__name__
                message = f"{reading.table}: the result of a Bulk API job cannot be read to its end ({reason}). It is tried again later."
                raise Retriable(message, wait=_LATER) from None

    def _set(self, reading: Reading, after: Cursor, note: Note, processed: int | None) -> Iterator[tuple[Page, Note | None]]:
        """Its pages, each with the place behind it: within the set, at the next one, or None at the end."""
        with closing(self._download(reading, note)) as answer:
            chosen, rows = self._rows(reading, answer.iter_content(None))
            for batch, last in _with_last(_batches(islice(rows, note.skip, None), reading.most_rows)):
                page = self._pages.page(reading, chosen, batch)
                note = replace(note, skip=note.skip + len(batch))
                if not last:
                    yield replace(page, cursor=_at(after, note)), note
            _compare(answer.headers.get("Sforce-NumberOfRecords"), note.skip)
            locator = answer.headers.get("Sforce-Locator", "null")
        note = replace(note, locator=locator, rows=note.rows + note.skip, skip=0)
        if locator not in ("", "null"):
            yield replace(page, cursor=_at(after, note)), note
            return
        if processed in (None, note.rows):
            yield replace(page, cursor=Cursor(at=note.upto)), None
            return
        yield replace(page, cursor=replace(after, resume="")), None
        message = f"{reading.table}: a Bulk API job announced {processed} rows and gave {note.rows}. All of them are read again next time."
        raise Retriable(message, wait=_LATER)

    def _download(self, reading: Reading, note: Note) -> Response:
        parameters = {"maxRecords": str(reading.most_rows * _SETS_OF), **({"locator": note.locator} if note.locator else {})}
        try:
            return self._client.download(f"jobs/query/{note.job}/results", parameters, version=note.version)
        except Refused as refused:
            raise _lost(refused) from None

    def _rows(self, reading: Reading, pieces: Iterable[bytes]) -> tuple[Selection, BulkRows]:
        """What the job's fields mean today: it was made before this run looked at the object."""
        chosen = selection(reading, self._config, self._schema)
        table = self._schema.table(reading.table)
        flags = {c.name for c in table.columns.values() if c.type == "boolean"}
        rows = BulkRows(pieces, chosen.fields, flags)
        return chosen.among(rows.fields), rows


def _batches(rows: Iterable[dict[str, Any]], most_rows: int) -> Iterator[list[dict[str, Any]]]:
    batch: list[dict[str, Any]] = []
    room = _MOST_CHARACTERS
    for row in rows:
        batch.append(row)
        room -= sum(len(value) for value in row.values() if isinstance(value, str))
        if len(batch) >= most_rows or room <= 0:
            yield batch
            batch, room = [], _MOST_CHARACTERS
    if batch:
        yield batch


def _with_last(batches: Iterator[list[dict[str, Any]]]) -> Iterator[tuple[list[dict[str, Any]], bool]]:
    """Each with whether it is the last; at least one, be it empty."""
    held = next(batches, [])
    for batch in batches:
        yield held, False
        held = batch
    yield held, True


def _compare(announced: str | None, count: int) -> None:
    if announced is not None and announced.isdecimal() and int(announced) != count:
        message = f"{announced} rows are announced and {count} came"
        raise Damaged(message)


def _standing(after: Cursor, note: Note) -> Page:
    """Nothing new; a run may end here and another go on."""
    return Page(records=(), cursor=_at(after, note))


def _at(after: Cursor, note: Note) -> Cursor | None:
    """None where the org's own mark is too long to be kept: then the last one that was short enough stands."""
    text = str(note)
    return Cursor(at=after.at, key=after.key, resume=text) if len(text) <= _LONGEST_NOTE else None


def _named(made: object) -> str:
    job = made.get("id") if isinstance(made, dict) else None
    if not isinstance(job, str) or not _JOB.fullmatch(job):
        message = "Salesforce answered the request for a Bulk API job without its id."
        raise Retriable(message, wait=_LATER)
    return job


def _lost(refused: Refused) -> Exception:
    """A job that the org does not know, or will not show: another one may fare better. What concerns all calls is said as it is."""
    fault = refused.fault
    if fault.code in _OF_ALL_CALLS or (fault.rule.then == "retry" and fault.code != "INVALID_QUERY_LOCATOR"):
        return error_of(fault, "Bulk API")
    return _JobLost(f"Salesforce does not know the job any more ({fault.code}).")


def _failure(state: str, said: object) -> Exception:
    codes = _CODE.findall(str(said or "")[:2_000])
    if any(code in _NOT_BY_BULK for code in codes):
        return NotByBulk()
    return _JobLost(f"Salesforce says that the job is {state.lower()} ({codes[0] if codes else 'without a reason'}).")
