"""The first steps of somebody with files and no CRM at hand: one form, one press, and the most pressing suggestion at the end."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Annotated, BinaryIO

from fastapi import APIRouter, Depends, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import RedirectResponse, Response
from starlette.datastructures import FormData, UploadFile

from service import uploads
from service.config import now, real_time
from service.console.forms import mind_origin, mind_scope, mind_token
from service.console.pages import page
from service.console.session import Session
from service.console.sign_in import Visitor
from service.errors import BadInput
from service.store import connections
from service.store.pool import transaction
from service.uploads import Upload

router = APIRouter(prefix="/console")

MOST_FILES = 2_000


@router.get("/start")
def start_page(request: Request, session: Visitor) -> Response:
    return _page(request, session)


async def given(request: Request, session: Visitor) -> AsyncIterator[FormData]:
    """The form, its files on disk and not in memory; who may send it is known before a byte of it is read."""
    mind_origin(request)
    mind_scope(request, "configure")
    async with request.form(max_files=MOST_FILES, max_fields=20) as form:
        mind_token(session, str(form.get("token", "")))
        if any("\x00" in value for value in form.values() if isinstance(value, str)):
            raise BadInput("A field holds a NUL character, which no text of ours can have.")
        yield form


@router.post("/start")
async def start(request: Request, session: Visitor, form: Annotated[FormData, Depends(given)]) -> Response:
    upload = Upload(
        accounts=_first(_files(form, "accounts")),
        contacts=_first(_files(form, "contacts")),
        mail=_files(form, "mail"),
        usage=_first(_files(form, "usage")),
        our_domains=str(form.get("our_domains", ""))[:500],
    )
    return await run_in_threadpool(_received, request, session, upload)


def _received(request: Request, session: Session, upload: Upload) -> Response:
    try:
        job_id = uploads.receive(session.workspace_id, upload, session.who(real_time()), now())
    except BadInput as error:
        return _page(request, session, 400, problem=str(error))
    return RedirectResponse(f"/console/jobs/{job_id}", status_code=303)


def _files(form: FormData, name: str) -> Sequence[BinaryIO]:
    """Those that were chosen: a browser sends an empty one, without a name, for a field that was left alone."""
    return [f.file for f in form.getlist(name) if isinstance(f, UploadFile) and f.filename]


def _first(files: Sequence[BinaryIO]) -> BinaryIO | None:
    return files[0] if files else None


def _page(request: Request, session: Session, status: int = 200, problem: str | None = None) -> Response:
    with transaction(session.workspace_id) as db:
        known = {c.connector: c for c in connections.all_connections(db) if c.name == uploads.NAMES.get(c.connector)}
    return page(request, "start.html", status, problem=problem, known=known, most=uploads.MOST_BYTES)
