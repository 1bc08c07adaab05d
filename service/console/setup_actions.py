"""What somebody who configures does to a connection, one form for each. Nothing is read or written within a request: workers do that."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import RedirectResponse, Response

from connectors import registry
from connectors.base import Sweep
from connectors.errors import ConnectorError
from service import long_jobs, push, quarantine, standing, sweeps
from service.config import now, real_time
from service.connect import UNTIL_ASKED, connect, known
from service.console import setup
from service.console.config_form import changed, secrets_of
from service.console.forms import Configurer, mind_scope
from service.console.session import Session
from service.errors import BadInput, Conflict
from service.guides import guide_of
from service.notices import takes_tasks
from service.store import connections, streams
from service.store.connections import Connection
from service.store.pool import transaction

router = APIRouter(prefix="/console")

Line = Annotated[str, Form(max_length=300)]
Key = Annotated[str, Form(max_length=1000)]


async def sent_fields(request: Request) -> dict[str, str]:
    """Of a form whose fields depend on the connector."""
    return {name: value for name, value in (await request.form()).items() if isinstance(value, str)}


Sent = Annotated[Mapping[str, str], Depends(sent_fields)]


@router.post("/connections/new")
def make(request: Request, session: Configurer, sent: Sent, connector: Line, name: Line = "") -> Response:
    how, called = guide_of(connector), name.strip() or connector
    config = changed(connector, how, {}, sent) if connector in registry.names() else {}
    try:
        _mind_name(session.workspace_id, called)
        made = connect(session.workspace_id, connector, called, config, secrets_of(how, sent), by=_who(session), pull_in=UNTIL_ASKED)
    except BadInput as error:
        return setup.new(request, connector if connector in registry.names() else "", 400, str(error), called, config)
    ask(session, "check", made, called)
    return _back(made)


@router.post("/connections/{connection_id}/settings")
def change(request: Request, session: Configurer, sent: Sent, connection_id: UUID) -> Response:
    """What was typed is taken, what was not stays. A new secret ends what a refusal has stopped."""
    found = _known(session, connection_id)
    how = guide_of(found.connector)
    config = how.merged(found.config, changed(found.connector, how, found.config, sent))
    try:
        with transaction(session.workspace_id) as db:
            was_read = any(s.connection_id == connection_id and s.landed for s in streams.states(db))
        pull_in = None if was_read else UNTIL_ASKED
        connect(session.workspace_id, found.connector, found.name, config, secrets_of(how, sent), by=_who(session), pull_in=pull_in)
    except BadInput as error:
        return setup.show(request, session, connection_id, 400, str(error))
    ask(session, "check", connection_id, found.name)
    return _back(connection_id)


@router.post("/connections/{connection_id}/check")
def check(session: Configurer, connection_id: UUID) -> Response:
    ask(session, "check", connection_id, _known(session, connection_id).name)
    return _back(connection_id)


@router.post("/connections/{connection_id}/read")
def read(session: Configurer, connection_id: UUID) -> Response:
    found = _known(session, connection_id)
    job_id = long_jobs.ask(session.workspace_id, "first_read", {"connections": [str(connection_id)]}, _who(session), found.name)
    return RedirectResponse(f"/console/jobs/{job_id}", status_code=303)


@router.post("/connections/{connection_id}/dry-run")
def dry_run(session: Configurer, connection_id: UUID) -> Response:
    ask(session, "dry_run", connection_id, _known(session, connection_id).name)
    return _back(connection_id)


@router.post("/connections/{connection_id}/approve")
def approve(request: Request, session: Configurer, connection_id: UUID) -> Response:
    """From now on tasks are written: besides configuring, that takes the scope of pushing."""
    mind_scope(request, "push")
    found = _known(session, connection_id)
    if not takes_tasks(found.connector):
        return setup.show(request, session, connection_id, 409, f"{found.name} only delivers; tasks cannot be written to it.")
    push.approve(session.workspace_id, connection_id, now(), _who(session))
    return _back(connection_id)


@router.post("/connections/{connection_id}/retry")
def retry(request: Request, session: Configurer, connection_id: UUID) -> Response:
    mind_scope(request, "push")
    push.retry(session.workspace_id, _known(session, connection_id).connection_id, _who(session))
    return _back(connection_id)


@router.post("/connections/{connection_id}/pause")
def pause(request: Request, session: Configurer, connection_id: UUID, reason: Line = "") -> Response:
    try:
        standing.pause(session.workspace_id, connection_id, reason.strip(), _who(session))
    except Conflict as error:
        return setup.show(request, session, connection_id, 409, str(error))
    return _back(connection_id)


@router.post("/connections/{connection_id}/resume")
def resume(request: Request, session: Configurer, connection_id: UUID) -> Response:
    try:
        standing.resume(session.workspace_id, connection_id, _who(session))
    except Conflict as error:
        return setup.show(request, session, connection_id, 409, str(error))
    return _back(connection_id)


@router.post("/connections/{connection_id}/owner")
def owner(request: Request, session: Configurer, connection_id: UUID, email: Line) -> Response:
    found = _known(session, connection_id)
    try:
        standing.set_owner(session.workspace_id, found, email, now(), _who(session))
    except (BadInput, Conflict, ConnectorError, ValueError) as error:
        return setup.show(request, session, connection_id, 400, str(error) if not isinstance(error, ValueError) else _INCOMPLETE)
    return _back(connection_id)


@router.post("/connections/{connection_id}/replay")
def replay(request: Request, session: Configurer, connection_id: UUID, stream: Line = "", row: Key = "") -> Response:
    _known(session, connection_id)
    if not quarantine.replay(session.workspace_id, connection_id, stream or None, row or None, _who(session)):
        return setup.show(request, session, connection_id, 409, "No such row is in quarantine any more.")
    return _back(connection_id, "#quarantine")


@router.post("/connections/{connection_id}/compare")
def compare(request: Request, session: Configurer, connection_id: UUID, stream: Line = "", kind: Literal["ids", "formulas", ""] = "ids") -> Response:
    found = _known(session, connection_id)
    wanted: Sweep | None = kind or None
    if not sweeps.ask(session.workspace_id, connection_id, now(), stream or None, wanted, _who(session)):
        said = f"{found.name} has nothing to be compared with. There is, once a CRM has been read to its end."
        return setup.show(request, session, connection_id, 409, said)
    return _back(connection_id, "#streams")


_INCOMPLETE = "The settings of this connection are not complete. Fill them in first."


def _known(session: Session, connection_id: UUID) -> Connection:
    with transaction(session.workspace_id) as db:
        return known(db, connection_id)


def _mind_name(workspace_id: UUID, name: str) -> None:
    """A form for a new connection must not set up another one anew."""
    with transaction(workspace_id) as db:
        taken = connections.by_name(db, name)
    if taken is not None:
        raise BadInput("A connection of this name is there already. Give this one another name, or change the settings of that one.")


def ask(session: Session, kind: str, connection_id: UUID, name: str) -> UUID:
    return long_jobs.ask(session.workspace_id, kind, {"connection": str(connection_id)}, _who(session), name)


def _who(session: Session) -> str:
    return session.who(real_time())


def _back(connection_id: UUID, place: str = "") -> Response:
    return RedirectResponse(f"/console/connections/{connection_id}{place}", status_code=303)
