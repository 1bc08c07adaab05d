"""Jobs that somebody waits for: the page of one, and its changes as they happen."""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from collections.abc import AsyncIterator
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import HTMLResponse, StreamingResponse
from starlette.types import Receive, Scope, Send

from service import long_jobs
from service.config import real_time
from service.console.pages import page
from service.console.session import Session
from service.console.sign_in import Visitor
from service.errors import TooMany, Unavailable, no_such
from service.store.long_jobs import Job

router = APIRouter(prefix="/console")

LOOKED_AT_EVERY = 0.5
HEARTBEAT = 10.0
"""Seconds of silence after which a proxy is shown that the stream lives, and the session is looked at again."""
LONGEST = 900.0
"""Seconds; the browser then opens another by itself."""
MOST_STREAMS = 6
"""Of one session, in this process."""


@router.get("/jobs/{job_id}")
def job_page(request: Request, session: Visitor, job_id: UUID) -> HTMLResponse:
    return page(request, "job.html", job=known(session, job_id))


@router.get("/jobs/{job_id}/events")
async def job_events(request: Request, session: Visitor, job_id: UUID) -> StreamingResponse:
    """No thread and no database connection is held between two looks. Raises TooMany."""
    job = await run_in_threadpool(known, session, job_id)
    return _Watched(session, _events(request, session, job))


def known(session: Session, job_id: UUID) -> Job:
    """Raises NotFound."""
    job = long_jobs.find(session.workspace_id, job_id)
    if job is None:
        raise no_such("job")
    return job


_listening: Counter[Session] = Counter()


class _Watched(StreamingResponse):
    """Counted from before its first byte to its last, however it ends. Raises TooMany while it has not begun."""

    def __init__(self, session: Session, events: AsyncIterator[str]) -> None:
        super().__init__(events, media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})
        self._session = session

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if _listening[self._session] >= MOST_STREAMS:
            message = "This session watches too many jobs at once. Close a page, and load this one again."
            raise TooMany(message, retry_after=5)
        _listening[self._session] += 1
        try:
            await super().__call__(scope, receive, send)
        finally:
            _listening[self._session] -= 1
            if not _listening[self._session]:
                del _listening[self._session]


async def _events(request: Request, session: Session, job: Job) -> AsyncIterator[str]:
    ends, spoken = time.monotonic() + LONGEST, time.monotonic()
    shown = told(job)
    yield _event(shown)
    while not job.is_over and time.monotonic() < ends:
        await asyncio.sleep(LOOKED_AT_EVERY)
        if time.monotonic() - spoken > HEARTBEAT:
            if await request.is_disconnected() or not await run_in_threadpool(_may_still_look, session):
                return
            spoken = time.monotonic()
            yield ": still here\n\n"
        try:
            job = await run_in_threadpool(known, session, job.job_id)
        except Unavailable:
            continue
        if told(job) != shown:
            shown, spoken = told(job), time.monotonic()
            yield _event(shown)


def told(job: Job) -> dict[str, object]:
    return {"state": job.state, "done": job.done, "total": job.total, "said": job.said}


def _event(shown: dict[str, object]) -> str:
    return f"data: {json.dumps(shown)}\n\n"


def _may_still_look(session: Session) -> bool:
    return "read" in session.scopes(real_time())
