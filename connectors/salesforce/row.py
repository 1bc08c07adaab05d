"""One row of a query, read by the names of our records. What cannot be read says why, without saying what it was."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Any

EARLIEST, LATEST = datetime(1990, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
"""Outside of these a date is a typing error, and no table takes it."""
_MOST = 1e15
_ID = re.compile(r"[A-Za-z0-9]{18}")


class UnusableRow(Exception):
    """Why a row cannot become a record; never what it holds."""


class Row:
    """`columns` says which field of the query holds which attribute; what is not among them reads as missing."""

    __slots__ = ("_columns", "_raw")

    def __init__(self, raw: Mapping[str, Any], columns: Mapping[str, str]) -> None:
        self._raw = raw
        self._columns = columns

    @property
    def key(self) -> str:
        value = self._raw.get("Id")
        if not isinstance(value, str) or not _ID.fullmatch(value):
            message = "it has no id of 18 characters"
            raise UnusableRow(message)
        return value

    @property
    def stamp(self) -> datetime:
        at = self.time("modified_at")
        if at is None:
            message = f"{self._columns['modified_at']} is missing"
            raise UnusableRow(message)
        return at

    @property
    def deleted(self) -> bool:
        return self.flag("deleted")

    def text(self, name: str) -> str | None:
        """None for an empty one too, as Salesforce itself does not tell the two apart."""
        try:
            value = self._raw[self._columns[name]]
        except KeyError:
            value = self._value(name)
        if value is None or value == "":
            return None
        return value if isinstance(value, str) else str(value)

    def needed(self, name: str) -> str:
        value = self.text(name)
        if value is None:
            message = f"{self._columns.get(name, name)} is empty"
            raise UnusableRow(message)
        return value

    def flag(self, name: str) -> bool:
        return self._value(name) is True

    def says(self, name: str) -> bool | None:
        """None where the field cannot be read."""
        value = self._value(name)
        return value if isinstance(value, bool) else None

    def number(self, name: str) -> float | None:
        value = self._value(name)
        if value is None or value == "":
            return None
        try:
            number = float(value)
        except (TypeError, ValueError):
            raise self._not_a("number", name) from None
        if not math.isfinite(number) or abs(number) > _MOST:
            raise self._not_a("number", name)
        return number

    def day(self, name: str) -> date | None:
        """A date stays a date, in every time zone."""
        text = self.text(name)
        if text is None:
            return None
        try:
            return _day(text[:10])
        except _Outside:
            message = f"{self._columns[name]} lies before 1990 or after 2100"
            raise UnusableRow(message) from None
        except ValueError:
            raise self._not_a("date", name) from None

    def time(self, name: str) -> datetime | None:
        text = self.text(name)
        if text is None:
            return None
        try:
            return _moment(text)
        except _Outside:
            message = f"{self._columns[name]} lies before 1990 or after 2100"
            raise UnusableRow(message) from None
        except (ValueError, OverflowError):
            raise self._not_a("time", name) from None

    def _not_a(self, kind: str, name: str) -> UnusableRow:
        return UnusableRow(f"{self._columns.get(name, name)} holds something that is no {kind}")

    def _value(self, name: str) -> Any:
        field = self._columns.get(name)
        if field is None:
            return None
        raw = self._raw
        return raw[field] if field in raw else _of_parent(raw, field)


def _of_parent(raw: Any, path: str) -> Any:
    """Relationship.Field, where the parent may be missing."""
    for part in path.split("."):
        raw = raw.get(part) if isinstance(raw, Mapping) else None
    return raw


class _Outside(Exception):
    pass


@lru_cache(maxsize=2_000)
def _moment(text: str) -> datetime:
    """Kept, because one row has the same moment in several fields. Raises _Outside, or ValueError for what is no time with its zone."""
    given = datetime.fromisoformat(text)
    if given.tzinfo is None:
        raise ValueError
    at = given.astimezone(UTC)
    if not EARLIEST <= at <= LATEST:
        raise _Outside
    return at


@lru_cache(maxsize=2_000)
def _day(text: str) -> date:
    day = date.fromisoformat(text)
    if not EARLIEST.date() <= day <= LATEST.date():
        raise _Outside
    return day
