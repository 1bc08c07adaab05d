from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse

from service.api.access import Reader
from service.api.filters import AsOf, ChangedAfter, Since, Until
from service.api.problems import documented
from service.downloads import CHANGE, download
from service.store import exports
from service.store.exports import Format, What

router = APIRouter(prefix="/v1/export", tags=["export"], responses=documented(401, 403, 422, 503))

_FILE: dict[str, Any] = {"schema": {"type": "string"}}
_CONTENT = {exports.media_type(form).partition(";")[0]: _FILE for form in exports.FORMATS}
_WHOLE: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "All rows, as they are written. An answer that ends without its last chunk is not whole.",
        "content": _CONTENT,
        "headers": {CHANGE: {"description": "`changed_after` of the next increment; not for usage.", "schema": {"type": "integer"}}},
    }
}


def _exporting(what: What) -> Callable[..., StreamingResponse]:
    def export(
        caller: Reader,
        form: Annotated[Format, Query(alias="format", description="parquet where the server has the extra of this name.")] = "csv",
        since: Since = None,
        until: Until = None,
        changed_after: ChangedAfter = None,
        as_of: AsOf = None,
    ) -> StreamingResponse:
        """Every row of the view of this name (docs/analysts.md), in no order. In CSV a text that a spreadsheet would take for a formula has a ' in front."""
        filters = {"since": since, "until": until, "changed_after": changed_after, "as_of": as_of}
        return download(caller.workspace_id, what, form, filters)

    return export


for _what in exports.SOURCES:
    router.get(f"/{_what}", name=f"export_{_what}", response_class=StreamingResponse, responses=_WHOLE)(_exporting(_what))
