from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from fastapi import APIRouter
from fastapi.responses import Response
from pydantic import BaseModel

from service import trouble, unscored
from service.api.access import Reader
from service.api.pages import answer
from service.api.problems import documented
from service.config import now
from service.store import conditions
from service.store import unscored as stored_unscored
from service.store.conditions import Conditions, SweepRow
from service.store.connections import Connection
from service.store.pool import transaction
from service.store.streams import StreamState
from service.trouble import Trouble

router = APIRouter(prefix="/v1/connections", tags=["connections"], responses=documented(401, 403, 503))


class TroubleOut(BaseModel):
    """`level`: `act` needs a person, `wait` goes on by itself, `note` is worth a look."""

    kind: str
    level: str
    sentence: str
    streams: list[str]
    since: str | None
    until: str | None


class SweepOut(BaseModel):
    """`lacking`, `vanished`, `stale`: rows that the last finished comparison found to differ, and mended.
    `withheld`: so many had vanished at once that none was marked as deleted."""

    kind: str
    done_at: str | None
    lacking: int | None
    vanished: int | None
    stale: int | None
    withheld: int | None
    error: str | None


class StreamOut(BaseModel):
    """`standing`: ok, or the kind of its gravest trouble. `missing`: fields that cannot be read. `unfinished`: still on its way through."""

    name: str
    standing: str
    landed: int
    calls: int
    succeeded_at: str | None
    pulled_until: str | None
    unfinished: bool
    missing: list[str]
    error: str | None
    error_since: str | None
    sweeps: list[SweepOut]


class ConnectionOut(BaseModel):
    """Never its secrets. `standing`: ok, or the kind of its gravest trouble."""

    id: UUID
    connector: str
    name: str
    status: str
    status_reason: str | None
    status_since: str
    standing: str
    troubles: list[TroubleOut]
    parked_until: str | None
    push_approved_at: str | None
    quarantined: int
    streams: list[StreamOut]


class ScoringOut(BaseModel):
    """What could not be read or scored, or waits for it; `level` as of a connection's troubles."""

    level: str
    sentence: str


class Connections(BaseModel):
    items: list[ConnectionOut]
    scoring: list[ScoringOut]


@router.get("", response_model=Connections)
def list_connections(caller: Reader) -> Response:
    with transaction(caller.workspace_id) as db:
        seen = conditions.read(db)
        scoring = unscored.troubles(stored_unscored.read(db))
    found = trouble.troubles(seen, now())
    items = [_connection(c, seen, [t for t in found if t.connection_id == c.connection_id]) for c in seen.connections]
    return answer({"items": items, "scoring": [{"level": t.level, "sentence": t.sentence} for t in scoring]})


def _connection(c: Connection, seen: Conditions, found: list[Trouble]) -> dict[str, Any]:
    return {
        "id": c.connection_id,
        "connector": c.connector,
        "name": c.name,
        "status": c.status,
        "status_reason": c.status_reason,
        "status_since": c.status_since,
        "standing": trouble.standing(found),
        "troubles": [_trouble(t) for t in found],
        "parked_until": c.parked_until,
        "push_approved_at": c.push_approved_at,
        "quarantined": seen.quarantined.get(c.connection_id, 0),
        "streams": [_stream(s, found, seen.sweeps) for s in seen.streams if s.connection_id == c.connection_id],
    }


def _trouble(t: Trouble) -> dict[str, Any]:
    return {"kind": t.kind, "level": t.level, "sentence": t.sentence, "streams": t.streams, "since": t.since, "until": t.until}


def _stream(s: StreamState, found: list[Trouble], swept: Sequence[SweepRow]) -> dict[str, Any]:
    return {
        "name": s.name,
        "standing": trouble.standing(t for t in found if s.name in t.streams),
        "landed": s.landed,
        "calls": s.calls,
        "succeeded_at": s.succeeded_at,
        "pulled_until": s.pulled_until,
        "unfinished": s.unfinished,
        "missing": s.missing,
        "error": s.error,
        "error_since": s.error_since,
        "sweeps": [_sweep(w) for w in swept if (w.connection_id, w.stream) == (s.connection_id, s.name)],
    }


def _sweep(w: SweepRow) -> dict[str, Any]:
    drift = {"lacking": w.lacking, "vanished": w.vanished, "stale": w.stale, "withheld": w.withheld}
    return {"kind": w.kind, "done_at": w.done_at, **drift, "error": w.error}
