"""What the listings for analysts have in common: days, change numbers, the as-of day, and which fields are wanted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Annotated, Any

from fastapi import Query
from pydantic import BaseModel

from service.errors import BadInput

FIRST, LAST = date(1990, 1, 1), date(2099, 12, 31)
YEARS: dict[str, Any] = {"pattern": r"^(199[0-9]|20[0-9][0-9])-"}
"""FIRST to LAST, as the document can say it: JSON Schema has no bounds for days."""
_MOST_CHANGES = 2**63 - 1

_Day = Annotated[date | None, Query(ge=FIRST, le=LAST, json_schema_extra=YEARS)]
Since = Annotated[_Day, Query(description="From this day on, itself included.")]
Until = Annotated[_Day, Query(description="Up to this day, itself included.")]
AsOf = Annotated[_Day, Query(description="What was believed at the end of this day (UTC). What is not known as of a day is null, never guessed.")]
InName = Annotated[str | None, Query(max_length=200, pattern=r"^[^\x00]*$", description="Only accounts in whose name this stands, in whatever case.")]
ChangedAfter = Annotated[
    int | None,
    Query(ge=0, le=_MOST_CHANGES, description="Only what has a higher change number, oldest change first: the highest of the last whole reading."),
]


def fields_of(model: type[BaseModel]) -> Any:
    """A parameter's `Query`. The pattern is for the document alone; wanted() refuses in better words."""
    name = f"({'|'.join(model.model_fields)})"
    documented = {"pattern": f"^ *{name} *(, *{name} *)*$"}
    return Query(max_length=1000, description="Names of fields with commas between them; all where it is left out.", json_schema_extra=documented)


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
