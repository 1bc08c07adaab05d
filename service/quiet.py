"""Quiet hours: when no task appears in the CRM by itself. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo, available_timezones

from service.errors import BadInput

_FORM = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d) (\S{1,64})")


@dataclass(frozen=True, slots=True, kw_only=True)
class QuietHours:
    """From `start` until `end` by the clocks of `zone`; past midnight where `end` is the earlier of them."""

    start: time
    end: time
    zone: str


def parse(text: str) -> QuietHours | None:
    """ "18:00-08:00 Europe/Berlin"; None for "off". Raises BadInput."""
    if text == "off":
        return None
    form = _FORM.fullmatch(text)
    if form is None or form[5] not in available_timezones() or form.group(1, 2) == form.group(3, 4):
        message = 'Quiet hours are written like "18:00-08:00 Europe/Berlin"; "off" ends them.'
        raise BadInput(message)
    start, end = time(int(form[1]), int(form[2])), time(int(form[3]), int(form[4]))
    return QuietHours(start=start, end=end, zone=form[5])


def over_at(at: datetime, quiet: QuietHours | None) -> datetime | None:
    """When the quiet hours that hold this moment are over; None outside of them."""
    if quiet is None:
        return None
    local = at.astimezone(ZoneInfo(quiet.zone))
    is_quiet = quiet.start <= local.time() < quiet.end if quiet.start < quiet.end else not quiet.end <= local.time() < quiet.start
    if not is_quiet:
        return None
    # By the clock on the wall: on the night of a change of clocks they are an hour shorter or longer.
    day = local.date() if local.time() < quiet.end else local.date() + timedelta(days=1)
    return datetime.combine(day, quiet.end, ZoneInfo(quiet.zone))
