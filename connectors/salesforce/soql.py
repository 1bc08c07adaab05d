"""SOQL as text: literals, windows of time, and lists of values that fit into one URL."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from urllib.parse import quote

from simple_salesforce.format import quote_soql_value

from connectors.base import Cursor

_URL_ROOM = 8_000
"""Bytes of one URL for a list of values. Salesforce takes 16,384 for address and headers together; the rest is for the field list."""

STAMP = "SystemModstamp"
ORDER = f"ORDER BY {STAMP}, Id"


_ID = re.compile(r"[A-Za-z0-9]{18}")
_CHECK = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"


def is_id(text: str) -> bool:
    """A record id of 18 characters, the last three of which are right: a query with a wrong one in a list is refused as a whole.

    Each of the three tells which of five characters are capitals.
    """
    if not _ID.fullmatch(text):
        return False
    capitals = (sum(1 << place for place, char in enumerate(text[begin : begin + 5]) if char.isupper()) for begin in (0, 5, 10))
    return text[15:] == "".join(_CHECK[number] for number in capitals)


def literal(value: str) -> str:
    return str(quote_soql_value(value))


def moment(at: datetime) -> str:
    """Keeps the fraction of a second, which simple-salesforce drops."""
    return at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


def window(after: Cursor, until: datetime) -> str:
    """Rows from (stamp, id) on, the cursor's own row included, to `until`. Rows of one stamp are told apart by id, so a burst loses none."""
    parts = [f"{STAMP} <= {moment(until)}"]
    if after.at is not None:
        parts.insert(0, f"{STAMP} >= {moment(after.at)}")
        if after.key:
            parts.append(f"({STAMP} > {moment(after.at)} OR Id >= {literal(after.key)})")
    return " AND ".join(parts)


def select(fields: Iterable[str], table: str, where: str, order: str = "") -> str:
    return f"SELECT {', '.join(fields)} FROM {table} WHERE {where} {order}".rstrip()


def lists(values: Iterable[str], room: int = _URL_ROOM) -> Iterator[str]:
    """The distinct values as ('a','b',...) in as many lists as needed for each to fit."""
    held: list[str] = []
    used = 0
    for value in dict.fromkeys(values):
        size = len(quote(literal(value), safe="")) + len("%2C")
        if held and used + size > room:
            yield _list(held)
            held, used = [], 0
        held.append(value)
        used += size
    if held:
        yield _list(held)


def _list(values: Sequence[str]) -> str:
    return f"({','.join(map(literal, values))})"
