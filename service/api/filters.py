"""What the listings for analysts have in common: days, change numbers, the as-of day, and which fields are wanted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Annotated, Any

from fastapi import Query
from pydantic import BaseModel

from service.errors import BadInput

FIRST, LAST = date(1990, 1, 1), date(2100, 1, 1)
_MOST_CHANGES = 2**63 - 1

Since = Annotated[date | None, Query(ge=FIRST, le=LAST, description="From this day on, itself included.")]
Until = Annotated[date | None, Query(ge=FIRST, le=LAST, description="Up to this day, itself included.")]
AsOf = Annotated[
    date | None, Query(ge=FIRST, le=LAST, description="What was believed at the end of this day (UTC). What is not known as of a day is null, never guessed.")
]
ChangedAfter = Annotated[
    int | None,
    Query(ge=0, le=_MOST_CHANGES, description="Only what has a higher change number, oldest change first: the highest of the last whole reading."),
]
Fields = Annotated[str | None, Query(max_length=1000, description="Names of fields with commas between them; all where it is left out.")]


def sparse(schema: dict[str, Any]) -> None:
    """For a model's `json_schema_extra`: with `fields` any of them may be absent."""
    schema.pop("required", None)


def wanted(fields: str | None, model: type[BaseModel]) -> tuple[str, ...]:
    """In the model's order. Raises BadInput for a name that it does not have."""
    known = tuple(model.model_fields)
    if fields is None:
        return known
    named = {name.strip() for name in fields.split(",")}
    if not named <= set(known):
        message = f"fields names something that is no field here. There are: {', '.join(known)}."
        raise BadInput(message)
    return tuple(name for name in known if name in named)


def only(items: Sequence[Mapping[str, Any]], names: Sequence[str]) -> list[dict[str, Any]]:
    return [{name: item[name] for name in names} for item in items]
