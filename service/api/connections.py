from __future__ import annotations

from typing import Any
from uuid import UUID

from fastapi import APIRouter
from fastapi.responses import Response
from pydantic import BaseModel

from service.api.access import Reader
from service.api.pages import answer
from service.api.problems import documented
from service.store import connections
from service.store.connections import StreamState
from service.store.pool import transaction

router = APIRouter(prefix="/v1/connections", tags=["connections"], responses=documented(401, 403, 503))


class StreamOut(BaseModel):
    name: str
    landed: int
    succeeded_at: str | None
    pulled_until: str | None
    error: str | None


class ConnectionOut(BaseModel):
    """Never its secrets."""

    id: UUID
    connector: str
    name: str
    status: str
    status_reason: str | None
    push_approved_at: str | None
    quarantined: int
    streams: list[StreamOut]


class Connections(BaseModel):
    items: list[ConnectionOut]


@router.get("", response_model=Connections)
def list_connections(caller: Reader) -> Response:
    with transaction(caller.workspace_id) as db:
        rows = connections.all_connections(db)
        states = connections.streams(db)
        quarantined = connections.quarantine_counts(db)
    return answer(
        {
            "items": [
                {
                    "id": c.connection_id,
                    "connector": c.connector,
                    "name": c.name,
                    "status": c.status,
                    "status_reason": c.status_reason,
                    "push_approved_at": c.push_approved_at,
                    "quarantined": quarantined.get(c.connection_id, 0),
                    "streams": [_stream(s) for s in states if s.connection_id == c.connection_id],
                }
                for c in rows
            ]
        }
    )


def _stream(s: StreamState) -> dict[str, Any]:
    return {"name": s.name, "landed": s.landed, "succeeded_at": s.succeeded_at, "pulled_until": s.pulled_until, "error": s.error}
