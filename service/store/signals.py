"""Signals with their evidence, and outlooks: append-only. A version is written only when something in it has changed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime
from typing import Any
from uuid import UUID, uuid4

from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from service.signals import Evidence, Signal
from service.store import bulk
from service.store.pool import Db


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalRow:
    """A signal as stored: what it says, which model said it, when it was written, and its place in the order of changes."""

    signal: Signal
    version: int
    account_name: str
    model_version: str
    recorded_at: datetime
    change_no: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OutlookRow:
    """`drivers` are {name, points, reason}; their points add up to `score`."""

    account_id: UUID
    day: date
    level: str
    score: int
    drivers: list[dict[str, Any]]
    unknown_parts: list[str]
    renewal_date: date | None
    renewal_amount: float | None


_SIGNAL_COLUMNS = {
    **{"signal_id": "uuid", "version": "integer", "account_id": "uuid", "contact_id": "uuid", "kind": "text", "key": "text", "state": "text"},
    **{"detected_at": "date", "ended_at": "date", "confidence": "float8", "numbers": "jsonb", "alternatives": "text[]", "model_version": "text"},
}
_EVIDENCE_COLUMNS = {
    **{"evidence_id": "uuid", "signal_id": "uuid", "version": "integer", "type": "text", "source": "text", "observed_at": "timestamptz"},
    **{"contact_id": "uuid", "interaction_id": "uuid", "span_start": "integer", "span_end": "integer", "numbers": "jsonb"},
}
_SIGNAL = (
    "SELECT s.signal_id, s.version, s.account_id, s.contact_id, s.kind, s.key, s.state, s.detected_at, s.ended_at, s.confidence, s.numbers,"
    " s.alternatives, s.model_version, s.recorded_at, s.change_no, a.name AS account_name FROM signal_current s"
    " JOIN account a USING (workspace_id, account_id)"
)


def current(db: Db, account_ids: Sequence[UUID] | None = None, *, states: Sequence[str] = ("forming", "open", "ended")) -> list[SignalRow]:
    return _read(
        db,
        f"{_SIGNAL} WHERE (%(accounts)s::uuid[] IS NULL OR s.account_id = ANY(%(accounts)s)) AND s.state = ANY(%(states)s) ORDER BY s.detected_at, s.key",
        {"accounts": list(account_ids) if account_ids is not None else None, "states": list(states)},
    )


def by_ids(db: Db, signal_ids: Sequence[UUID]) -> dict[UUID, Signal]:
    rows = _read(db, f"{_SIGNAL} WHERE s.signal_id = ANY(%(ids)s)", {"ids": list(signal_ids)})
    return {r.signal.id: r.signal for r in rows}


def append(db: Db, signals: Sequence[Signal], model_version: str, change_no: int) -> list[UUID]:
    """Writes those that are new or differ from their current version (same account and key). Returns the ids written."""
    known = {(r.signal.account_id, r.signal.key): r for r in current(db, list({s.account_id for s in signals}))}
    written = [(s, known.get((s.account_id, s.key))) for s in signals]
    rows = [(row.signal.id if row else s.id, row.version + 1 if row else 1, s) for s, row in written if row is None or _content(row.signal) != _content(s)]
    bulk.append(
        db,
        "signal",
        _SIGNAL_COLUMNS,
        (
            [
                *(signal_id, version, s.account_id, s.contact_id, s.kind, s.key, s.state, s.detected_at, s.ended_at, s.confidence),
                *(Jsonb(dict(s.numbers)), list(s.alternatives), model_version),
            ]
            for signal_id, version, s in rows
        ),
        change_no,
    )
    _append_evidence(db, ((signal_id, version, e) for signal_id, version, s in rows for e in s.evidence))
    return [signal_id for signal_id, _, _ in rows]


def append_outlooks(db: Db, rows: Sequence[OutlookRow], model_version: str, change_no: int) -> None:
    """An outlook that says the same as the account's last one is not repeated."""
    with db.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO outlook (workspace_id, account_id, day, level, score, drivers, unknown_parts, renewal_date, renewal_amount, model_version,"
            " change_no) SELECT current_workspace(), %(account_id)s, %(day)s, %(level)s, %(score)s, %(drivers)s, %(unknown_parts)s, %(renewal_date)s,"
            " %(renewal_amount)s, %(version)s, %(no)s WHERE NOT EXISTS (SELECT FROM (SELECT * FROM outlook k WHERE k.account_id = %(account_id)s"
            "   ORDER BY k.change_no DESC LIMIT 1) o WHERE (o.level, o.score, o.drivers, o.unknown_parts, o.renewal_date, o.renewal_amount)"
            "   IS NOT DISTINCT FROM (%(level)s, %(score)s, %(drivers)s, %(unknown_parts)s::text[], %(renewal_date)s::date, %(renewal_amount)s::float8))",
            [{**asdict(row), "drivers": Jsonb(row.drivers), "version": model_version, "no": change_no} for row in rows],
        )


def newest_model(db: Db, account_id: UUID) -> str | None:
    """The version that read one of the account's messages last; None where none has been read."""
    row = db.execute(
        "SELECT s.model_version FROM message_score s JOIN interaction i USING (workspace_id, interaction_id) WHERE i.account_id = %s"
        " ORDER BY s.change_no DESC LIMIT 1",
        [account_id],
    ).fetchone()
    return row[0] if row else None


def ended(signal: Signal, on: date) -> Signal:
    return replace(signal, state="ended", ended_at=on)


def _read(db: Db, query: str, parameters: dict[str, object]) -> list[SignalRow]:
    with db.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute(query, parameters).fetchall()
    evidence = evidence_of(db, [(r["signal_id"], r["version"]) for r in rows])
    return [_row(r, evidence.get(r["signal_id"], ())) for r in rows]


def _row(r: dict[str, Any], evidence: tuple[Evidence, ...]) -> SignalRow:
    signal = Signal(
        id=r["signal_id"],
        evidence=evidence,
        alternatives=tuple(r["alternatives"]),
        **{name: r[name] for name in ("account_id", "contact_id", "kind", "key", "state", "detected_at", "ended_at", "confidence", "numbers")},
    )
    return SignalRow(signal=signal, **{name: r[name] for name in ("version", "account_name", "model_version", "recorded_at", "change_no")})


def evidence_by_ids(db: Db, evidence_ids: Sequence[UUID]) -> dict[UUID, Evidence]:
    """With the words, where they have not been erased."""
    rows = db.execute(f"{_EVIDENCE} FROM evidence e {_WORDS} WHERE e.evidence_id = ANY(%s)", [list(evidence_ids)])
    return {r[1]: _evidence(r) for r in rows}


def evidence_of(db: Db, versions: Sequence[tuple[UUID, int]]) -> dict[UUID, tuple[Evidence, ...]]:
    """With the words, where they have not been erased."""
    rows = db.execute(
        f"{_EVIDENCE} FROM unnest(%b::uuid[], %b::int[]) AS v(signal_id, version) JOIN evidence e USING (signal_id, version)"
        f" {_WORDS} ORDER BY e.observed_at, e.span_start, e.evidence_id",
        [[v[0] for v in versions], [v[1] for v in versions]],
    )
    found: dict[UUID, list[Evidence]] = {}
    for r in rows:
        found.setdefault(r[0], []).append(_evidence(r))
    return {signal_id: tuple(items) for signal_id, items in found.items()}


_EVIDENCE = (
    "SELECT e.signal_id, e.evidence_id, e.type, e.source, e.observed_at, e.contact_id, e.interaction_id, e.span_start, e.span_end, e.numbers,"
    " substring(t.body FROM e.span_start + 1 FOR e.span_end - e.span_start)"
)
_WORDS = "LEFT JOIN message_text t ON t.workspace_id = e.workspace_id AND t.interaction_id = e.interaction_id AND e.span_end IS NOT NULL"


def _evidence(r: Sequence[Any]) -> Evidence:
    return Evidence(
        **{"id": r[1], "type": r[2], "source": r[3], "observed_at": r[4], "contact_id": r[5], "interaction_id": r[6]},
        **{"start": r[7], "end": r[8], "numbers": r[9], "text": r[10]},
    )


def _append_evidence(db: Db, rows: Iterable[tuple[UUID, int, Evidence]]) -> None:
    bulk.append(
        db,
        "evidence",
        _EVIDENCE_COLUMNS,
        (
            [
                *(uuid4(), signal_id, version, e.type, e.source, e.observed_at, e.contact_id, e.interaction_id, e.start, e.end),
                Jsonb(dict(e.numbers)),
            ]
            for signal_id, version, e in rows
        ),
    )


def _content(s: Signal) -> tuple[object, ...]:
    """What makes two versions differ: not ids, not the words themselves."""
    evidence = tuple(sorted((e.type, e.observed_at, str(e.interaction_id), e.start or 0, e.end or 0, tuple(sorted(e.numbers.items()))) for e in s.evidence))
    return (s.contact_id, s.kind, s.state, s.detected_at, s.ended_at, round(s.confidence, 6), tuple(sorted(s.numbers.items())), s.alternatives, evidence)
