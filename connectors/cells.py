"""What a cell of a table says: a day, a time, a time zone or a number, in the ways that people and spreadsheets write them."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_DAY = re.compile(r"(?P<year>\d{4})[-/.](?P<month>\d\d?)[-/.](?P<day>\d\d?)(?:[T ]\d\d?:\d\d.{0,30})?", re.ASCII)
_DAY_FIRST = re.compile(r"(?P<day>\d\d?)\.(?P<month>\d\d?)\.(?P<year>\d{4})(?: \d\d?:\d\d.{0,30})?", re.ASCII)
_COMPACT = re.compile(r"(?P<year>\d{4})(?P<month>\d\d)(?P<day>\d\d)", re.ASCII)

_CURRENCY = r"(?:[A-Z]{3}|R\$|kr|[$€£¥])?"
_NUMBER = re.compile(rf"{_CURRENCY}[\s\u00a0]*(-?\d[\d.,'’\u00a0\u202f ]*?)[\s\u00a0]*{_CURRENCY}", re.ASCII)
_SPACES = re.compile("['’\u00a0\u202f ]")
_GROUPS = re.compile(r"-?[1-9]\d{0,2}([.,])(?:\d{2,3}\1)*\d{3}", re.ASCII)


def day_of(text: str) -> date | None:
    """2026-03-31, 2026/3/31, 20260331 or 31.03.2026, with or without a time of day, which is left out. Never 3/4/2026: nobody could say which is the month."""
    for pattern in (_DAY, _DAY_FIRST, _COMPACT):
        if found := pattern.fullmatch(text):
            try:
                return date(int(found["year"]), int(found["month"]), int(found["day"]))
            except ValueError:
                return None
    return None


def instant_of(text: str) -> datetime | None:
    """ISO 8601 with Z or an offset (2026-03-31T14:00:00+02:00), or with UTC behind it; in UTC. None without one: nobody could say when that was."""
    try:
        at = datetime.fromisoformat(f"{text[:-4]}Z" if text.endswith(" UTC") else text)
        return at.astimezone(UTC) if at.tzinfo else None
    except (ValueError, OverflowError):
        return None


def zone_of(text: str) -> ZoneInfo | None:
    """Europe/Berlin; None for anything that is no such name."""
    try:
        return ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # OSError: a folder of zones, or a name too long for a file
        return None


def number_of(text: str, decimals: str = "") -> float | None:
    """12500, 12,500.00, 12.500,00 € and 1e3 alike; None for anything else. May be infinite or NaN.

    `decimals`: the marks that part off decimals where a number could be read both ways. 1,234 is 1.234 with a comma among them, else 1234.
    """
    found = _NUMBER.fullmatch(text)
    if found is None:
        return _float(text)
    digits = _SPACES.sub("", found[1])
    point = _decimal_mark(digits, decimals)
    group = "," if point == "." else "."
    whole, _, fraction = digits.partition(point)
    if group in fraction or point in fraction or (group in whole and not _GROUPS.fullmatch(whole)):
        return None
    return _float(f"{whole.replace(group, '')}.{fraction}")


def _decimal_mark(digits: str, decimals: str) -> str:
    comma, dot = digits.rfind(","), digits.rfind(".")
    if comma >= 0 and dot >= 0:
        return "," if comma > dot else "."
    mark, other = (",", ".") if comma >= 0 else (".", ",")
    if digits.count(mark) > 1:
        return other
    return other if mark not in decimals and _GROUPS.fullmatch(digits) else mark


def _float(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
