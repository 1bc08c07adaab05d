from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse

from service.api.access import Reader
from service.api.filters import AsOf, ChangedAfter, InName, Since, Until
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


AFormat = Annotated[Format, Query(alias="format", description="parquet where the server has the extra of this name.")]
_DOCUMENTED = (
    """Every row of the view of this name (docs/analysts.md), in no order. In CSV a text that a spreadsheet would take for a formula has a ' in front."""
)


def _exporting(what: What) -> Callable[..., StreamingResponse]:
    def export(
        caller: Reader,
        form: AFormat = "csv",
        account_id: UUID | None = None,
        account: InName = None,
        since: Since = None,
        until: Until = None,
        changed_after: ChangedAfter = None,
        as_of: AsOf = None,
    ) -> StreamingResponse:
        filters = {"account_id": account_id, "account": account, "since": since, "until": until, "changed_after": changed_after, "as_of": as_of}
        return download(caller.workspace_id, what, form, filters)

    return export


def _exporting_the_present(what: What) -> Callable[..., StreamingResponse]:
    """The document does not name what its view cannot tell, and whoever asks for it is told why."""

    def export(
        caller: Reader,
        form: AFormat = "csv",
        account_id: UUID | None = None,
        account: InName = None,
        since: Since = None,
        until: Until = None,
        changed_after: Annotated[int | None, Query(include_in_schema=False)] = None,
        as_of: Annotated[date | None, Query(include_in_schema=False)] = None,
    ) -> StreamingResponse:
        filters = {"account_id": account_id, "account": account, "since": since, "until": until, "changed_after": changed_after, "as_of": as_of}
        return download(caller.workspace_id, what, form, filters)

    return export


for _what, _source in exports.SOURCES.items():
    _made = _exporting(_what) if _source.has_changes else _exporting_the_present(_what)
    router.get(f"/{_what}", name=f"export_{_what}", description=_DOCUMENTED, response_class=StreamingResponse, responses=_WHOLE)(_made)
