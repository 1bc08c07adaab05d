"""What a change of usage is called: metrics, amounts and days as a person would say them. A cause is never said."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import date

MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
KNOWN = {
    "seats": "seats in use",
    "active_seats": "seats in use",
    "users": "active users",
    "dau": "daily active users",
    "wau": "weekly active users",
    "mau": "monthly active users",
    "usage": "daily use",
}
SHORT = {name: name.upper() for name in ("api", "csv", "pdf", "sso", "url", "sql", "crm", "sdk", "ui", "id", "ai")}
_PLAIN = re.compile(r"[^\W_]+(?: [^\W_]+)*")
_LONGEST = 60
_SCALES = ((1e12, " trillion"), (1e9, " billion"), (1e6, " million"))
_UNITS = (("day", 1.0), ("week", 7.0), ("month", 30.4))
SPOKEN = 3.0
"""Fewer than this a day are said by the week, fewer a week by the month."""
GONE = 0.06
YEAR_NEEDED = 300
"""Days after which a reader could take 3 May for another year's."""
LEVEL = 0.05
"""A relative change of the peers below this is "stayed level"."""


def metric_name(key: str) -> str:
    """ "seats in use" for seats, "report exports" for reportExports or report_exports, 'the count of "v2/x:y+"' for what nobody says aloud."""
    folded = shown(key)
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z][a-z])|[\s_.:/-]+", " ", folded).split()
    plain = " ".join(words)
    if known := KNOWN.get("_".join(words).lower()):
        return known
    if not _PLAIN.fullmatch(plain) or not any(c.isalpha() for c in plain):
        return f'the count of "{folded}"' if folded else "use"
    return " ".join(SHORT.get(w.lower(), w if any(c.isupper() for c in w[1:]) else w.lower()) for w in words)


def shown(text: str) -> str:
    """A name from outside on one line, of bounded length, without control or invisible characters."""
    visible = "".join(c if unicodedata.category(c)[0] not in "CZ" else " " for c in text if unicodedata.category(c) != "Cf")
    folded = " ".join(visible.split()).replace('"', "'")
    return folded if len(folded) <= _LONGEST else folded[: _LONGEST - 1].rstrip() + "…"


def day_month(day: date, said_on: date) -> str:
    """3 May, with the year where a reader could take it for another May."""
    words = f"{day.day} {MONTHS[day.month - 1]}"
    return words if abs((said_on - day).days) <= YEAR_NEEDED else f"{words} {day.year}"


def amount(value: float, more: int = 0) -> str:
    """21, 1.4, 1,200, 3.4 million: two digits that count, from 3 to 100 none behind the point; `more` digits than that."""
    for size, name in _SCALES:
        if value >= 0.995 * size:
            return _trimmed(f"{value / size:,.{(1 if value < 9.95 * size else 0) + more}f}") + name
    if value >= 100:
        digits = 10 ** max(len(str(int(value))) - 2 - more, 0)
        return f"{round(value / digits) * digits:,}"
    return _trimmed(f"{value:.{(0 if value >= SPOKEN else 1) + more}f}")


def _trimmed(digits: str) -> str:
    return digits.rstrip("0").rstrip(".") if "." in digits else digits


def percent(share: float) -> str:
    return f"{amount(round(100 * abs(share)))}%" if abs(share) >= 1 else f"{round(100 * abs(share))}%"


@dataclass(frozen=True, slots=True)
class Spoken:
    """Amounts that belong together, in one unit: the day, or for rare things the week or the month."""

    unit: str
    factor: float
    more: int

    @classmethod
    def of(cls, *values: float) -> Spoken:
        most = max(values)
        unit, factor = next(((u, f) for u, f in _UNITS if most * f >= SPOKEN), _UNITS[-1])
        more = next((k for k in range(4) if len({amount(v * factor, k) for v in values}) == len(set(values))), 4)
        return cls(unit, factor, more)

    def say(self, value: float) -> str:
        return amount(value * self.factor, self.more)

    def about(self, value: float, beside: float) -> str:
        """ "about 21", or "none" and "almost none" where hardly anything is left of the level beside it."""
        if value <= 0:
            return "none"
        if value <= GONE * beside or self.say(value).strip("0.") == "":
            return "almost none"
        return f"about {self.say(value)}"

    def from_to(self, before: float, after: float) -> str:
        """ "from about 21 a day to about 12", "from none to about 12 a day"."""
        start, end = self.about(before, after), self.about(after, before)
        return f"from {start} a {self.unit} to {end}" if start.startswith("about") else f"from {start} to {end} a {self.unit}"


def capitalised(text: str) -> str:
    """Its first letter large, except in words like iOS."""
    return text if text[1:2].isupper() else text[:1].upper() + text[1:]


def subject(metric: str, account: str) -> str:
    return f"{capitalised(metric_name(metric))} at {shown(account) or 'this account'}"


def change_sentence(what: str, before: float, after: float, onset: date, said_on: date, *, gradual: bool, per_week: float | None, peers: str) -> str:
    """`what` is the subject, `per_week` how much more or less each week of a gradual change, `peers` what the others did, or ""."""
    spoken = Spoken.of(before, after)
    verb = ("rose" if after > before else "went down" if gradual else "went") + (" little by little" if gradual else "")
    since = f"since {'about ' if gradual else ''}{day_month(onset, said_on)}"
    pace = f", by about {spoken.say(abs(per_week))} each week" if gradual and per_week and spoken.say(abs(per_week)).strip("0.") else ""
    return f"{what} {verb} {spoken.from_to(before, after)} {since}{pace}{peers}."


def recovery_sentence(what: str, before: float, after: float, now: float, onset: date, said_on: date) -> str:
    """`before` and `after` are those of the change that is over, `now` what the level came back to."""
    spoken = Spoken.of(before, after)
    back = f"{'came' if before > after else 'went'} back to about {spoken.say(now)} a {spoken.unit} by {day_month(said_on, said_on)}"
    return f"{what} {back}, after {spoken.about(after, before)} since {day_month(onset, said_on)} and {spoken.about(before, after)} before."


def peers_clause(change: float, accounts: int, *, region: bool) -> str:
    """What the other accounts did in the same weeks; "" where there are none."""
    if accounts == 0:
        return ""
    who = ("the one other account" if accounts == 1 else f"the other {accounts:,} accounts") + (" in the region" if region else "")
    if abs(change) < LEVEL:
        return f"; {who} stayed level"
    return f"; {who} {'rose' if change > 0 else 'fell'} by about {percent(change)} in the same weeks, which is taken out of these figures"


def people(before: float, after: float) -> str | None:
    """ "about 9 of 21 people a day" of a fall, "about 9 people a day more" of a rise; None below one person."""
    fewer = round(abs(before - after))
    if fewer < 1:
        return None
    noun = "person" if fewer == 1 and after > before else "people"
    return f"about {fewer:,} of {max(round(before), fewer):,} people a day" if after < before else f"about {fewer:,} {noun} a day more"


def unit_sentence(metric: str, account: str, factor: float, day: date) -> str:
    way = f"{amount(factor)} times larger" if factor > 1 else f"{amount(1 / factor)} times smaller"
    who = f"{metric_name(metric)} at {shown(account) or 'this account'}"
    return f"The figures of {who} are about {way} since {day_month(day, day)}: unit changed? They are read as if it had."


def counted_days(days: int) -> str:
    return "1 day" if days == 1 else f"{days:,} days"
