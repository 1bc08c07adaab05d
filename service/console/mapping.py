"""Which fields of the other side hold what of ours: choose, see what would be read, save. And exactly which tasks would be written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from connectors.base import Change
from connectors.errors import ConnectorError
from service import field_mapping, push
from service.config import now, real_time
from service.connect import known
from service.console.forms import Configurer
from service.console.pages import page
from service.console.session import Session
from service.console.setup_actions import Sent, ask
from service.console.sign_in import Visitor
from service.errors import BadInput, Conflict
from service.field_mapping import Field
from service.guides import guide_of
from service.store.connections import Connection
from service.store.pool import transaction

router = APIRouter(prefix="/console")

_UNREADY = (BadInput, Conflict, ConnectorError, ValueError)
"""The other side cannot be asked: by its own answer, or since the settings are not complete (a pydantic error)."""


@router.get("/connections/{connection_id}/fields")
def fields_page(request: Request, session: Visitor, connection_id: UUID) -> Response:
    connection = _known(session, connection_id)
    try:
        fields = field_mapping.current(session.workspace_id, connection)
    except _UNREADY as error:
        return _fields(request, connection, problem=_said(error))
    return _fields(request, connection, fields)


@router.post("/connections/{connection_id}/fields/preview")
def preview_fields(request: Request, session: Configurer, sent: Sent, connection_id: UUID) -> Response:
    connection = _known(session, connection_id)
    try:
        seen = field_mapping.preview(session.workspace_id, connection, guide_of(connection.connector), _given(connection, sent), now())
    except _UNREADY as error:
        return _fields(request, connection, _as_sent(connection, sent), 400, problem=_said(error))
    return _fields(request, connection, seen.fields, findings=seen.findings, previewed=True)


@router.post("/connections/{connection_id}/fields")
def save_fields(request: Request, session: Configurer, sent: Sent, connection_id: UUID) -> Response:
    connection = _known(session, connection_id)
    try:
        field_mapping.save(session.workspace_id, connection, guide_of(connection.connector), _given(connection, sent), session.who(real_time()))
    except BadInput as error:
        return _fields(request, connection, _as_sent(connection, sent), 400, problem=str(error))
    ask(session, "check", connection_id, connection.name)
    return RedirectResponse(f"/console/connections/{connection_id}", status_code=303)


@router.get("/connections/{connection_id}/tasks")
def tasks_page(request: Request, session: Visitor, connection_id: UUID) -> Response:
    """Reads of the CRM what stands there; writes nothing."""
    connection = _known(session, connection_id)
    changes: Sequence[Change] = ()
    problem = None
    try:
        changes = push.preview(session.workspace_id, connection_id)
    except _UNREADY as error:
        problem = _said(error)
    count = Counter(c.action for c in changes)
    return page(request, "connection_tasks.html", 200, connection=connection, changes=changes, count=count, problem=problem)


def _fields(request: Request, connection: Connection, fields: Sequence[Field] = (), status: int = 200, **more: Any) -> Response:
    shown = {"problem": None, "findings": (), "previewed": False, **more}
    return page(request, "connection_fields.html", status, connection=connection, fields=fields, **shown)


def _given(connection: Connection, sent: Mapping[str, str]) -> dict[str, str]:
    """The settings that name fields and were sent with another name than is stored."""
    named = {name: value.strip() for name, value in sent.items() if name.endswith("_field") and name in connection.config}
    return {name: value for name, value in named.items() if value != (connection.config.get(name) or "")}


def _as_sent(connection: Connection, sent: Mapping[str, str]) -> list[Field]:
    """What somebody typed is not lost over a mistake."""
    config = {**connection.config, **_given(connection, sent)}
    return [Field(setting=s, name=name, source=config.get(s) or "", examples=()) for s, name in field_mapping.names().items() if s in config]


def _said(error: Exception) -> str:
    """A sentence for whoever sees it; what is wrong with incomplete settings stands at the check."""
    known_error = isinstance(error, (BadInput, Conflict, ConnectorError))
    return str(error) if known_error else "The settings of this connection are not complete, so that it cannot be asked. Fill them in first."


def _known(session: Session, connection_id: UUID) -> Connection:
    with transaction(session.workspace_id) as db:
        return known(db, connection_id)
