"""Working days of a region, and the local day of an instant."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property, lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import holidays
import numpy as np
from holidays.registry import COUNTRIES

YEARS = range(2010, 2041)
ALIASES = {
    "uk": "GB",
    "england": "GB",
    "great britain": "GB",
    "usa": "US",
    "united states of america": "US",
    "dach": "DE",
    "deutschland": "DE",
    "anz": "AU",
    "north america": "US",
    "na": "US",
    "holland": "NL",
    "españa": "ES",
    "österreich": "AT",
    "schweiz": "CH",
    "brasil": "BR",
}
"""`na` is how CRMs abbreviate North America; Namibia is reached by its name."""


@dataclass(frozen=True)
class Calendar:
    """Weekends and public holidays of one country. `timezone` decides on which day a message was written."""

    country: str | None
    timezone: str

    @cached_property
    def _days(self) -> np.busdaycalendar:
        closed = [] if self.country is None else list(holidays.country_holidays(self.country, years=YEARS))
        return np.busdaycalendar(weekmask=_week(self.country), holidays=closed)

    @cached_property
    def _zone(self) -> ZoneInfo:
        try:
            return ZoneInfo(self.timezone)
        except (ZoneInfoNotFoundError, ValueError):
            return ZoneInfo("UTC")

    def is_open(self, day: date) -> bool:
        return bool(np.is_busday(day, busdaycal=self._days))

    def between(self, start: date, end: date) -> int:
        """Working days after `start` up to and including `end`; 0 when end <= start."""
        if end <= start:
            return 0
        return int(np.busday_count(np.datetime64(start) + 1, np.datetime64(end) + 1, busdaycal=self._days))

    def add(self, day: date, working_days: int) -> date:
        """The day on which that many working days have passed since `day`."""
        found = np.busday_offset(day, working_days, roll="backward", busdaycal=self._days)
        return found.astype(object)  # type: ignore[no-any-return]

    def day_of(self, at: datetime) -> date:
        return at.astimezone(self._zone).date()


def _week(country: str | None) -> str:
    if country is None:
        return "1111100"
    weekend = holidays.country_holidays(country).weekend
    return "".join("0" if day in weekend else "1" for day in range(7))


@lru_cache(maxsize=256)
def calendar_for(region: str | None, timezone: str | None = None) -> Calendar:
    """Country codes and names; an unknown or many-country region ("EMEA") knows weekends only."""
    return Calendar(_country(region), timezone or "UTC")


def _country(region: str | None) -> str | None:
    name = (region or "").strip().lower()
    if name in ALIASES:
        return ALIASES[name]
    code = (region or "").strip().upper().split("-")[0]
    if code in holidays.list_supported_countries():
        return code
    entry = COUNTRIES.get(name.replace(" ", "_"))
    return entry[1] if entry else None
