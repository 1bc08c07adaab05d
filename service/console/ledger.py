"""What an account's page shows of its ledger: what waits to be taken up, and, folded away, what perhaps was and what was."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from ml.taking_up import Basis
from service import ledger
from service.ledger import Line, Settled
from service.playbook.describe import MOMENT
from service.playbook.wording import capitalised, counted, day_month_year, listed
from service.store.accounts import ContactRow
from service.store.pool import Db
from service.unscored import is_outage

log = logging.getLogger("undertone.console")

MOST = 12
"""Of each sort: those of which one heard last."""
FAIRLY_SURE = 0.6
"""As playbook.how_sure has it: below it something was perhaps taken up, and perhaps not."""
_HOW: dict[Basis, str] = {
    "words": "{taken} in {message}",
    "other_words": "perhaps {taken} in {message}, in other words",
    "call": "perhaps {taken} in {message}, of which there are no notes",
    "thanks": "they thanked for the reply on {day}",
    "own_words": "over by their own word of {day}",
}
_TAKEN = {"acknowledged": "taken up", "answered": "answered"}
_OURS = {"email": "our email", "chat": "our chat", "call": "a call", "meeting": "a meeting"}


@dataclass(frozen=True, slots=True, kw_only=True)
class LineView:
    words: str
    who: str
    said_on: date
    about: str
    again: str | None
    """Days, as a list of words."""
    fate: Sequence[str]
    """How it was settled, how long it waits: parts of one line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Some lines of one sort, and how many more there are."""

    lines: Sequence[LineView]
    more: int

    @property
    def total(self) -> int:
        return len(self.lines) + self.more


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerView:
    """`waiting` by the day on which it was first said, the others the newest first."""

    waiting: Part
    perhaps: Part
    settled: Part
    failed: bool = False
    """What was read of some message cannot be put together: the rest of the page does not go down with it."""


def read(db: Db, account_id: UUID, at: datetime, contacts: Sequence[ContactRow]) -> LedgerView:
    try:
        newest_first = sorted(ledger.read(db, account_id, at, contacts=contacts) or [], key=_last_heard, reverse=True)
    except Exception as error:
        if is_outage(error):
            raise
        log.exception("a ledger could not be put together", extra={"account": account_id})
        return LedgerView(waiting=_part([]), perhaps=_part([]), settled=_part([]), failed=True)
    waiting = [line for line in newest_first if line.is_open]
    settled = [line for line in newest_first if not line.is_open]
    return LedgerView(
        waiting=Part(lines=[_view(line) for line in sorted(waiting[:MOST], key=lambda line: line.said.at)], more=len(waiting[MOST:])),
        perhaps=_part([line for line in settled if line.settled[-1].how.certainty < FAIRLY_SURE]),
        settled=_part([line for line in settled if line.settled[-1].how.certainty >= FAIRLY_SURE]),
    )


def _part(lines: Sequence[Line]) -> Part:
    return Part(lines=[_view(line) for line in lines[:MOST]], more=len(lines[MOST:]))


def _last_heard(line: Line) -> tuple[datetime, datetime]:
    return max(words.at for words in (line.said, *line.again)), line.said.at


def _view(line: Line) -> LineView:
    e = line.entry
    before = [f"{_settled(s)}, and voiced again" if line.is_open else _settled(s) for s in line.settled]
    return LineView(
        words=line.said.text.strip(),
        who=line.contact or "the customer",
        said_on=line.said.day,
        about=capitalised(", ".join([*(["question"] if e.kind == "question" else []), *([MOMENT[e.situation]] if e.situation else [])])),
        again=listed(list(dict.fromkeys(day_month_year(words.day) for words in line.again))) or None,
        fate=[*before, *([_waiting(e.waiting)] if line.is_open else [])],
    )


def _waiting(days: int) -> str:
    return f"waiting {counted(days, 'working day')}" if days else "not yet a working day ago"


def _settled(s: Settled) -> str:
    how = _HOW[s.how.basis].format(taken=_TAKEN.get(s.how.state), message=f"{_OURS[s.source]} of {day_month_year(s.how.day)}", day=day_month_year(s.how.day))
    return f"{how}; {_delay(s.how.working_days)}" if s.how.basis == "words" else how


def _delay(days: int) -> str:
    return f"we took {counted(days, 'working day')}" if days else "on the same working day"
