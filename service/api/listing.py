"""A listing whose items are rows of one of the analysts' views, as they stand there but for their own id."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fastapi.responses import Response
from pydantic import BaseModel

from service.api.filters import only, wanted
from service.api.pages import decode_change, encode, page
from service.keys import Caller
from service.store import analytics
from service.store.analytics import Direction, Source
from service.store.pool import transaction


def direction(filters: Mapping[str, object]) -> Direction:
    """Who reads what is new wants the oldest change first; who looks, the latest."""
    return "newest" if filters.get("changed_after") is None else "oldest"


def columns_of(source: Source, names: Sequence[str]) -> list[str]:
    """The columns behind these fields; `id` is the second of the source's order."""
    own = {"id": source.order[1]}
    return [c for c in (own.get(name, name) for name in names) if c in source.columns]


def listed(
    caller: Caller, source: Source, model: type[BaseModel], filters: Mapping[str, object], *, fields: str | None, cursor: str | None, limit: int
) -> Response:
    names = wanted(fields, model)
    with transaction(caller.workspace_id) as db:
        rows = analytics.page(db, source, filters, columns=columns_of(source, names), after=decode_change(cursor), most=limit, direction=direction(filters))
    items = [{**row, "id": row[source.order[1]]} for row in rows]
    return page(only(items, names), limit, change_cursor(source, rows))


def change_cursor(source: Source, rows: Sequence[Mapping[str, Any]]) -> str | None:
    return encode(rows[-1]["change_no"], rows[-1][source.order[1]]) if rows else None
