"""An announced absence: until when the writer is away. Dates of English, German, French, Spanish and Portuguese mail."""

from __future__ import annotations

import re
from datetime import date, timedelta

import numpy as np

GUESS = 10
"""Working days assumed when no date is given."""
LONGEST = 200
"""Days; a date further off is not the end of a holiday."""
_SEEN = 4_000

_AWAY = re.compile(
    r"\b(?:(?:i|we|she|he)(?:'m| am| are| is|'ll be| will be| shall be)(?: currently| now| away and| again)? (?:out of (?:the |my )?office|ooo"
    r"|on (?:annual |parental |maternity |paternity |sick )?(?:leave|vacation|holidays?|pto)"
    r"|away(?! from (?:a|an) )|travell?ing|unavailable|out (?:until|till|from|next|this|for|on|all)|off (?:until|till|from|next|this|for|on|work|sick)"
    r"|at a (?:fair|conference|trade))"
    r"|(?:will|'ll|shall) be back (?:on|in|at|from|by|next)|(?:^|[.,;!] )(?:i'm |i am )?(?:(?:out|off|away) (?:this week|next week|until)"
    r"|back on (?=(?:the )?(?:\d|mon|tue|wed|thu|fri)))|(?:back|return(?:ing)?) (?:in|to) the office (?:on|in|next|from)|(?:my|on) (?:holiday|vacation"
    r"|leave) (?:starts|begins|from|until|till)|out of (?:the )?office (?:until|till|from|next|this|for|on)|on (?:leave|holiday|vacation|pto) (?:until"
    r"|till|from|next|this|for|and)"
    r"|(?:ich|wir) (?:bin|sind|werde|werden) .{0,40}(?:urlaub|abwesend|nicht (?:im (?:büro|haus)|erreichbar)|unterwegs|verreist|außer haus|zurück"
    r"|elternzeit)|im urlaub\b|ab(?:\s|-)dem .{3,20} (?:wieder )?(?:im büro|erreichbar|zurück|da)\b"
    r"|je (?:suis|serai) .{0,30}(?:absente?|en (?:congés?|vacances|déplacement)|de retour|hors du bureau)|en congés? (?:du|jusqu|à partir)|(?:estoy"
    r"|estaré) .{0,30}(?:fuera|de vacaciones|ausente|de viaje|de vuelta|de baja)|(?:me voy|salgo) de vacaciones"
    r"|(?:estou|estarei|vou estar) .{0,30}(?:fora|de férias|ausente|de viagem|de volta|de licença)|(?:vou|entro) de férias)",
    re.IGNORECASE,
)
_UNTIL_KEYS = (
    r"(?:until|till|til|through|thru|to|and back|be back|back(?: in (?:the )?office)?|returning|return|available again|bis(?: einschließlich)?"
    r"|zurück(?: am)?|wieder(?: da| erreichbar| im büro)?|ab(?: dem)?|jusqu'(?:au|à|en)|de retour|retour|hasta|de vuelta|vuelvo|regreso|até"
    r"|de volta|volto|regresso)"
)
_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "january jan januar jänner janvier enero janeiro",
            "february feb februar février fevrier febrero fevereiro",
            "march mar märz maerz mrz mars marzo março",
            "april apr avril abril",
            "may mai mayo maio",
            "june jun juni juin junio junho",
            "july jul juli juillet julio julho",
            "august aug août aout agosto",
            "september sep sept septembre septiembre setembro",
            "october oct oktober okt octobre octubre outubro",
            "november nov novembre noviembre novembro",
            "december dec dezember dez décembre decembre diciembre dezembro",
        ),
        start=1,
    )
    for name in names.split()
}
_WEEKDAYS = {
    name: number
    for number, names in enumerate(
        (
            "monday mon montag lundi lunes segunda-feira segunda",
            "tuesday tue tues dienstag mardi martes terça-feira terça",
            "wednesday wed mittwoch mercredi miércoles quarta-feira quarta",
            "thursday thu thur thurs donnerstag jeudi jueves quinta-feira quinta",
            "friday fri freitag vendredi viernes sexta-feira sexta",
            "saturday sat samstag samedi sábado",
            "sunday sun sonntag dimanche domingo",
        )
    )
    for name in names.split()
}
_MONTH = "|".join(sorted(_MONTHS, key=len, reverse=True))
_WEEKDAY = "|".join(sorted(_WEEKDAYS, key=len, reverse=True))
_FILL = r"[ ,.:]{1,3}(?:(?:on|the|am|dem|den|le|el|al|o|dia|in|at|work|again|office|einschließlich|inclusive|including|and|incl\.?|late|early)[ ,.]{1,2}){0,3}"
_DATE = re.compile(
    rf"\b(?P<key>{_UNTIL_KEYS}){_FILL}(?:(?P<weekday>{_WEEKDAY})\b[ ,.]{{0,3}}(?:(?:the|den|dem|le|el|dia|,)[ ,]{{1,2}})?)?"
    rf"(?:(?P<day>\d{{1,2}})(?:st|nd|rd|th|er|º|ª|\.)?(?: (?:of|de))? ?(?P<month>{_MONTH})\b|(?P<month2>{_MONTH})\.? (?P<day2>\d{{1,2}})(?:st|nd|rd"
    rf"|th)?\b|(?P<iso>\d{{4}}-\d{{2}}-\d{{2}})"
    r"|(?P<d>\d{1,2})(?P<sep>[./])(?P<m>\d{1,2})\b\.?|(?:the )?(?P<dayonly>\d{1,2})(?:st|nd|rd|th|\.)(?![\d:]))?",
    re.IGNORECASE,
)
_NEXT_WEEK = re.compile(
    r"\b(?:(?:all|the whole of|for the rest of|rest of|throughout|for|out|off|away|this|die|diese|cette|esta) (?:this |the )?(?:week|woche|semaine"
    r"|semana)|this week)\b",
    re.IGNORECASE,
)
_NEXT = re.compile(r"\b(?:next week|nächste woche|kommende woche|la semaine prochaine|la próxima semana|próxima semana)\b", re.IGNORECASE)
_INCLUSIVE = ("until", "till", "til", "through", "thru", "to", "bis", "jusqu", "hasta", "até")
_LAST_DAY = re.compile(r"(through|thru|einschließlich|inclusive|including|incl|inclus)", re.IGNORECASE)


def absent_until(text: str, written_on: date) -> date | None:
    """The first day back. None when no absence is announced or it was over when the text was written."""
    seen = " ".join(text[:_SEEN].replace("’", "'").split())
    away = _AWAY.search(seen)
    if away is None:
        return None
    near = seen[max(0, away.start() - 60) : away.end() + 160]
    found = [day for match in _DATE.finditer(near) if (day := _resolved(match, written_on)) is not None]
    if found:
        return max(found)
    if _NEXT.search(near):
        return _monday_after(written_on, weeks=2)
    if _NEXT_WEEK.search(near):
        return _monday_after(written_on, weeks=1)
    return np.busday_offset(written_on, GUESS, roll="forward").astype(object)  # type: ignore[no-any-return]


def _resolved(match: re.Match[str], written_on: date) -> date | None:
    part = match.groupdict()
    day = _calendar_day(part, written_on)
    if day is None:
        if not part["weekday"]:
            return None
        ahead = (_WEEKDAYS[part["weekday"].lower()] - written_on.weekday()) % 7 or 7
        day = written_on + timedelta(days=ahead)
    if _LAST_DAY.search(match[0]):
        day += timedelta(days=1)
    return day if 0 < (day - written_on).days <= LONGEST else None


def _calendar_day(part: dict[str, str | None], written_on: date) -> date | None:
    if part["iso"]:
        return _date(*map(int, part["iso"].split("-")))
    if part["dayonly"]:
        month = written_on.month + (int(part["dayonly"]) <= written_on.day)
        return _date(written_on.year + (month > 12), (month - 1) % 12 + 1, int(part["dayonly"]))
    number, month_name = part["day"] or part["day2"], part["month"] or part["month2"]
    if number and month_name:
        return _next(_MONTHS[month_name.lower().rstrip(".")], int(number), written_on)
    if part["d"] and part["m"]:
        return _numeric(int(part["d"]), int(part["m"]), written_on, day_first=part["sep"] == ".")
    return None


def _numeric(first: int, second: int, written_on: date, *, day_first: bool) -> date | None:
    """ "12/5" is read as the nearer of both readings, since nothing else tells them apart."""
    readings = [_next(second, first, written_on)]
    if not day_first:
        readings.append(_next(first, second, written_on))
    return min((day for day in readings if day is not None), default=None)


def _next(month: int, number: int, written_on: date) -> date | None:
    this_year = _date(written_on.year, month, number)
    if this_year is not None and this_year >= written_on - timedelta(days=LONGEST // 2):
        return this_year
    return _date(written_on.year + 1, month, number)


def _date(year: int, month: int, number: int) -> date | None:
    try:
        return date(year, month, number)
    except ValueError:
        return None


def _monday_after(day: date, weeks: int) -> date:
    return day + timedelta(days=7 * weeks - day.weekday())
