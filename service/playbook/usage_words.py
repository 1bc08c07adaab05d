"""A usage drop in words: which metric, from what to what, since when."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

from service.playbook import numbers
from service.playbook.wording import day_month, number, percent
from service.signals import Signal

_KNOWN = {
    "seats": "seats in use",
    "active_seats": "seats in use",
    "users": "active users",
    "dau": "active users",
    "api_calls": "API calls",
    "usage": "daily use",
}
_PLAIN = re.compile(r"[a-z][a-z0-9 ]{1,38}[a-z0-9]")


@dataclass(frozen=True, slots=True)
class Drop:
    """`change` is "from about 41 to 18 a day", `window` is "since 3 May"; None where the evidence is silent."""

    metric: str
    change: str
    window: str
    size: str | None


def metric_name(key: str | None) -> str:
    """ "seats in use" for seats, "report exports" for report_exports, "daily use" for a name nobody would say aloud."""
    plain = re.sub(r"[\s_.:/-]+", " ", (key or "").strip().lower()).strip()
    known = _KNOWN.get(plain.replace(" ", "_"))
    return known or (plain if _PLAIN.fullmatch(plain) else "daily use")


def read_drop(signal: Signal, today: date) -> Drop | None:
    """None when metric, level or onset is missing: then there is no fact to state."""
    before, after, onset = numbers.amount(signal, "before"), numbers.amount(signal, "after"), numbers.day(signal, "onset")
    if before is None or after is None or onset is None or _scaled(after, before) == _scaled(before, before) or after > before:
        return None
    metric = metric_name(numbers.word(signal, "metric"))
    size = numbers.amount(signal, "size")
    fading = numbers.word(signal, "shape") == "fade"
    since = day_month(onset, today)
    return Drop(
        metric=metric,
        change=change(before, after),
        window=f"over the weeks since {since}" if fading else f"since {since}",
        size=percent(size) if size is not None and 0 < size <= 1 else None,
    )


def change(before: float, after: float) -> str:
    unit = "week" if before < 3 else "day"
    if _scaled(after, before) == "0":
        return f"from about {_scaled(before, before)} a {unit} to {'almost none' if after else 'none'}"
    return f"from about {_scaled(before, before)} to {_scaled(after, before)} a {unit}"


def _scaled(value: float, before: float) -> str:
    """Below three a day a week reads better: 0.4 a day is about 3 a week."""
    return number(round(value * 7)) if before < 3 else number(value)
