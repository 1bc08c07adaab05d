"""Pages of a listing: newest first, an opaque cursor that names the last row seen, JSON without a second pass over each value."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, TypeVar
from uuid import UUID

import orjson
from fastapi import Query
from fastapi.responses import Response
from pydantic import BeforeValidator, Field, StringConstraints

from service.errors import BadInput
from service.json_lines import LONGEST_ID

Limit = Annotated[int, Query(ge=1, le=200, description="How many rows at the most.")]
After = Annotated[str | None, Query(alias="cursor", max_length=8000, description="`next` of the page before.")]


def _whole(value: Any) -> Any:
    return int(value) if isinstance(value, float) and value.is_integer() else value


WHOLE = BeforeValidator(_whole)
"""JSON has one kind of number, in which 5.0 is the whole number 5."""
GivenId = Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_ID)] | Annotated[int, Field(ge=-(10**18), le=10**18), WHOLE]
"""Of whoever asks, and given back with the answer."""

T = TypeVar("T")
_CHANGE = re.compile(r"[0-9]{1,18}")
"""A change number that fits a bigint."""


def encode(*parts: object) -> str:
    return base64.urlsafe_b64encode("|".join(str(p) for p in parts).encode()).decode().rstrip("=")


def decode(cursor: str | None) -> tuple[str, UUID] | None:
    """(first sort key, id). Raises BadInput for anything that encode() did not make."""
    if cursor is None:
        return None
    try:
        first, _, last = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode().rpartition("|")
        found = first, UUID(last)
    except ValueError:
        raise not_ours() from None
    if encode(*found) != cursor or "\x00" in first:
        raise not_ours()
    return found


def decode_as(cursor: str | None, place: Callable[[str, UUID], T]) -> T | None:
    """`place`: the last row seen from (first sort key, id); its ValueError is a cursor that is not ours. Raises BadInput as decode() does."""
    found = decode(cursor)
    if found is None:
        return None
    try:
        return place(*found)
    except ValueError:
        raise not_ours() from None


def decode_change(cursor: str | None) -> tuple[int, UUID] | None:
    """(change number, id). Raises BadInput as decode() does."""
    found = decode(cursor)
    if found is None:
        return None
    if not _CHANGE.fullmatch(found[0]):
        raise not_ours()
    return int(found[0]), found[1]


def encode_time(at: datetime, row_id: UUID) -> str:
    return encode(at.astimezone(UTC).isoformat(), row_id)


def decode_time(cursor: str | None) -> tuple[datetime, UUID] | None:
    """(time, id). Raises BadInput as decode() does."""
    found = decode(cursor)
    if found is None:
        return None
    try:
        at = datetime.fromisoformat(found[0])
    except ValueError:
        raise not_ours() from None
    if at.utcoffset() != timedelta(0) or at.isoformat() != found[0]:
        raise not_ours()
    return at, found[1]


def answer(value: Any) -> Response:
    return Response(orjson.dumps(value, option=orjson.OPT_UTC_Z), media_type="application/json")


def page(items: Sequence[dict[str, Any]], limit: int, next_cursor: str | None) -> Response:
    return answer({"items": items, "next": next_cursor if len(items) == limit else None})


def not_ours() -> BadInput:
    return BadInput("This cursor is not one of ours. Leave it out to start from the first page.")
