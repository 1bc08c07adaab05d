"""Records of a page into their tables: COPY to a session's landing table, then one set-based upsert that changes only what differs."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from operator import attrgetter
from typing import Any
from uuid import UUID, uuid4

import psycopg

from connectors.characters import clean
from connectors.records import Interaction, Rejected
from service.store.bulk import copy_to_landing
from service.store.pool import Db
from service.store.shapes import DROP_WORDS, SHAPES, Shape, upsert, words_of_the_rest

_REFUSALS = (psycopg.DataError, psycopg.IntegrityError, OverflowError)


def land_page(db: Db, connection_id: UUID, record_type: type, records: Sequence[Any], unread: Collection[str], rejected: list[Rejected]) -> int:
    """As `land`, without what another connection has landed; a row that its table refuses is added to `rejected`, and the others land."""
    if record_type is Interaction:
        records = drop_seen_elsewhere(db, connection_id, records)
    try:
        with db.transaction():
            return land(db, connection_id, record_type, records, unread)
    except _REFUSALS as error:
        if len(records) == 1:
            rejected.append(Rejected(source_key=clean(records[0].key)[:200], reason=_reason(record_type, error)))
            return 0
    half = len(records) // 2
    return sum(land_page(db, connection_id, record_type, part, unread, rejected) for part in (records[:half], records[half:]))


def land(db: Db, connection_id: UUID, record_type: type, records: Sequence[Any], unread: Collection[str] = ()) -> int:
    """Upserts by the source's key; an older version never overwrites a newer one. Interactions land with their words, and what changes makes
    its account due. Returns how many rows are new or changed.

    `unread`: columns that the source could not read; what is stored in them stays.
    """
    newest = _newest(records)
    if not newest:
        return 0
    shape = SHAPES[record_type]
    copy_to_landing(db, shape.table, {**shape.columns, **shape.words}, _rows(shape, newest), binary=True)
    changed = _count(db, upsert(record_type, frozenset(unread)), connection_id)
    return changed + _land_words(db, connection_id, newest, unread, rest=changed < len(newest)) if shape.words else changed


def drop_seen_elsewhere(db: Db, connection_id: UUID, records: Sequence[Interaction]) -> list[Interaction]:
    """One email that two connections hold is one email: without those whose Message-ID another connection has landed."""
    ids = [r.message_id for r in records if r.message_id]
    if not ids:
        return list(records)
    rows = db.execute("SELECT DISTINCT message_id FROM interaction WHERE message_id = ANY(%s) AND connection_id <> %s", [ids, connection_id])
    seen = {message_id for (message_id,) in rows}
    return [r for r in records if r.message_id not in seen]


def _land_words(db: Db, connection_id: UUID, records: Sequence[Interaction], unread: Collection[str], *, rest: bool) -> int:
    """What the upsert has left to do, which is rare: words of rows that stand as they stood, and words that are no more."""
    if not all(r.subject or r.body for r in records):
        db.execute(DROP_WORDS, {"connection_id": connection_id, "all_read": "subject" not in unread and "body" not in unread})
    return _count(db, words_of_the_rest(frozenset(unread)), connection_id) if rest else 0


def _count(db: Db, query: bytes, connection_id: UUID) -> int:
    row = db.execute(query, {"connection_id": connection_id, "page": uuid4().hex[:24]}).fetchone()
    assert row is not None
    return int(row[0])


def _newest(records: Sequence[Any]) -> Sequence[Any]:
    """One version of each key, in the order of the keys, so that two runners of one stream wait for each other and never in a circle."""
    newest: dict[str, Any] = {}
    for record in records:
        held = newest.setdefault(record.key, record)
        if held is not record and (held.modified_at is None or record.modified_at is None or held.modified_at <= record.modified_at):
            newest[record.key] = record
    return sorted(newest.values(), key=attrgetter("key"))


def _rows(shape: Shape, records: Sequence[Any]) -> Sequence[Sequence[object]]:
    rows: list[Sequence[object]] = list(map(attrgetter(*shape.columns, *shape.words), records))
    lists = [place for place, kind in enumerate(shape.columns.values()) if kind == "text[]"]
    text = "".join([value for row in rows for value in row if value.__class__ is str])
    if clean(text) == text and not any(row[place] for row in rows for place in lists):
        return rows
    return [[_value(v) for v in row] for row in rows]


def _value(value: object) -> object:
    if isinstance(value, str):
        return clean(value)
    return [clean(v) for v in value] if isinstance(value, tuple) else value


def _reason(record_type: type, error: Exception) -> str:
    """In our own words: the database's would hold the row."""
    diag = error.diag if isinstance(error, psycopg.Error) else None
    what = (diag and (diag.constraint_name or diag.column_name)) or "a number that is too large"
    return f"{SHAPES[record_type].table}: the table takes no such value ({what}). Correct the record in its source; it is read again when it changes."
