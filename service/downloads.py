"""Whole views as an answer over HTTP, a block at a time, for whoever may read the workspace."""

from __future__ import annotations

from collections.abc import AsyncIterator, Generator
from itertools import chain
from uuid import UUID

from anyio import CancelScope
from fastapi.concurrency import iterate_in_threadpool, run_in_threadpool
from fastapi.responses import StreamingResponse

from service.store import exports, parquet
from service.store.analytics import Filters
from service.store.exports import Format, What

CHANGE = "Undertone-Change"
"""Header: `changed_after` of the next increment."""


def download(workspace_id: UUID, what: What, form: Format, filters: Filters) -> StreamingResponse:
    """Raises BadInput for what the view cannot tell, Unavailable where too many are under way."""
    if form == "parquet":
        parquet.check()
    last_change = exports.through(workspace_id, what, filters)
    parts = exports.stream(workspace_id, what, form, filters, last_change)
    headers = {"Content-Disposition": f'attachment; filename="{what}.{form}"', **({CHANGE: str(last_change)} if last_change is not None else {})}
    # What cannot begin is still refused in words: the first block is there before the answer starts.
    first = next(parts, b"")
    return StreamingResponse(_sent(first, parts), headers=headers, media_type=exports.media_type(form))


async def _sent(first: bytes, parts: Generator[bytes]) -> AsyncIterator[bytes]:
    """However it ends, the connection goes back to its pool at once."""
    try:
        async for part in iterate_in_threadpool(chain([first], parts)):
            yield part
    finally:
        with CancelScope(shield=True):
            await run_in_threadpool(parts.close)
