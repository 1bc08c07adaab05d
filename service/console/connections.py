"""How every connection stands, and what to do where something is the matter: where the strip on each page leads to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse

from service import jobs, trouble, unscored
from service.config import now
from service.console.forms import Configurer
from service.console.pages import page
from service.console.sign_in import Visitor
from service.notices import takes_tasks
from service.store import conditions, notices
from service.store import unscored as stored_unscored
from service.store.conditions import SweepRow
from service.store.connections import Connection
from service.store.notices import Notice
from service.store.pool import Db, transaction
from service.store.streams import StreamState
from service.trouble import Trouble

router = APIRouter(prefix="/console")


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamView:
    row: StreamState
    standing: str
    swept: SweepRow | None
    """The last comparison of all ids."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionView:
    row: Connection
    standing: str
    troubles: Sequence[Trouble]
    streams: Sequence[StreamView]
    takes_tasks: bool
    told: Notice | None
    """The notice to its owner, while it is not over."""


@router.get("/connections")
def connections_page(request: Request, session: Visitor) -> HTMLResponse:
    with transaction(session.workspace_id) as db:
        found = read(db, now())
        scoring = unscored.troubles(stored_unscored.read(db))
    return page(request, "connections.html", found=found, scoring=scoring)


@router.post("/scoring/again")
def score_again(session: Configurer) -> RedirectResponse:
    """What could not be read or scored is due once more, now."""
    with transaction(session.workspace_id) as db:
        stored_unscored.again(db)
    jobs.ring(jobs.SCORE, workspace_id=session.workspace_id)
    return RedirectResponse("/console/connections#scoring", status_code=303)


def read(db: Db, at: datetime) -> list[ConnectionView]:
    seen = conditions.read(db)
    found = trouble.troubles(seen, at)
    swept = {(s.connection_id, s.stream): s for s in seen.sweeps if s.kind == "ids"}
    told = {n.connection_id: n for n in notices.standing(db)}
    return [
        ConnectionView(
            row=c,
            standing=trouble.standing(t for t in found if t.connection_id == c.connection_id),
            troubles=[t for t in found if t.connection_id == c.connection_id],
            streams=[
                StreamView(
                    row=s,
                    standing=trouble.standing(t for t in found if t.connection_id == c.connection_id and s.name in t.streams),
                    swept=swept.get((c.connection_id, s.name)),
                )
                for s in seen.streams
                if s.connection_id == c.connection_id
            ],
            takes_tasks=takes_tasks(c.connector),
            told=told.get(c.connection_id),
        )
        for c in seen.connections
    ]
