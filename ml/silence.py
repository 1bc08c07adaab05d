"""Silence: a message of ours that asks for an answer, and an account from which nothing is heard for longer than is usual."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from math import floor

from ml.alternatives import BY_KIND
from ml.conversation import Conversation, Dated
from ml.moments import Moment, MomentState
from ml.pace import Longest, Pace

LEAST_DAYS = 10
TIMES_USUAL = 2
LEAST_FORMING = 5
"""Half of what a silence needs: somebody who answers within the hour is not silent after a day."""
LONGEST_ABSENCE = timedelta(days=365)
SURE_OWN, SURE_ACCOUNT, SURE_FORMING = 0.75, 0.6, 0.4
"""By judgement: a contact's own pace says more than that of the whole account."""


@dataclass(frozen=True, slots=True)
class _Absence:
    """Told on `told`; back on `back`."""

    told: date
    back: date


_Absences = Mapping[str | None, Sequence[_Absence]]


@dataclass(frozen=True, slots=True)
class _Wait:
    asked: Dated
    usual: Longest
    forms: date
    opens: date


@dataclass(frozen=True, slots=True)
class _Quiet:
    """What we asked between two signs of life, the first at `position`. `heard` is None while nothing has been heard since."""

    position: int
    asked: Sequence[Dated]
    heard: date | None


def silences(conversation: Conversation) -> list[Moment]:
    pace, absences = Pace(conversation), _absences(conversation)
    return [moment for quiet in _quiets(conversation) for moment in _in_quiet(quiet, conversation, pace, absences)]


def _quiets(conversation: Conversation) -> Iterator[_Quiet]:
    first, asked = 0, list[Dated]()
    for position, dated in enumerate(conversation.dated):
        if dated.message.sign_of_life:
            if asked and (dated.day - asked[0].day).days > LEAST_FORMING:
                yield _Quiet(first, asked, dated.day)
            asked = []
        elif dated.message.ours and dated.message.asks:
            first = first if asked else position
            asked.append(dated)
    if asked:
        yield _Quiet(first, asked, None)


def _absences(conversation: Conversation) -> _Absences:
    """By contact, in the order in which they were told; out-of-office replies tell of them, too."""
    found = defaultdict[str | None, list[_Absence]](list)
    for dated in conversation.dated:
        m = dated.message
        if m.direction == "in" and m.traits is not None and m.traits.absent_until is not None:
            back = min(m.traits.absent_until, dated.day + LONGEST_ABSENCE)
            found[m.contact].append(_Absence(dated.day, back))
    return found


def _in_quiet(quiet: _Quiet, conversation: Conversation, pace: Pace, absences: _Absences) -> Iterator[Moment]:
    """One at a time: the first wait that is too long. An absence told later explains it; only what we asked after that counts again."""
    waits = _waits(quiet, conversation, pace, absences)
    until = quiet.heard or conversation.today
    while waits:
        first = min(waits, key=lambda wait: wait.opens)
        if first.opens > until:
            if quiet.heard is None and first.forms <= until:
                yield _moment(first, "forming", first.forms, conversation)
            return
        explained = _explained(first, absences, until)
        ended = explained or quiet.heard
        yield _moment(first, "ended" if ended else "open", first.opens, conversation, ended)
        waits = [wait for wait in waits if explained is not None and wait.asked.day > explained]


def _waits(quiet: _Quiet, conversation: Conversation, pace: Pace, absences: _Absences) -> list[_Wait]:
    """The pace is that of the day on which we asked, so that it cannot change while we wait."""
    firsts = {(d.message.contact, d.day): d for d in reversed(quiet.asked)}
    usual = {contact: pace.longest(contact, quiet.position) for contact in {contact for contact, _ in firsts}}
    return [_wait(dated, longest, conversation, absences.get(contact, ())) for (contact, _), dated in reversed(firsts.items()) if (longest := usual[contact])]


def _wait(asked: Dated, usual: Longest, conversation: Conversation, absences: Sequence[_Absence]) -> _Wait:
    since, opening = asked.day, max(LEAST_DAYS, floor(TIMES_USUAL * usual.days) + 1)
    for absence in absences:
        if absence.told < conversation.morning_after(since, opening):
            since = max(since, absence.back)
    forming = min(opening, max(LEAST_FORMING, floor(usual.days) + 1))
    return _Wait(asked, usual, forms=conversation.morning_after(since, forming), opens=conversation.morning_after(since, opening))


def _explained(wait: _Wait, absences: _Absences, until: date) -> date | None:
    told = [a.told for a in absences.get(wait.asked.message.contact, ()) if wait.opens <= a.told <= until and a.back > a.told]
    return min(told, default=None)


def _moment(wait: _Wait, state: MomentState, detected_at: date, conversation: Conversation, ended: date | None = None) -> Moment:
    gap = conversation.calendar.between(wait.asked.day, ended or conversation.today)
    sure = SURE_FORMING if state == "forming" else SURE_OWN if wait.usual.own else SURE_ACCOUNT
    return Moment(
        kind="silence",
        state=state,
        detected_at=detected_at,
        contact=wait.asked.message.contact,
        anchor=wait.asked.message.id,
        messages=(wait.asked.message.id,),
        numbers={"gap_days": gap, "usual_days": round(wait.usual.days, 1), "our_message_at": wait.asked.day.isoformat(), "waiting_days": gap},
        confidence=sure,
        alternatives=BY_KIND["silence"],
        ended_at=ended,
    )
