"""What could not be read, scored or given a suggestion, and how that is told: the failing part steps aside, all else goes on, and somebody hears of it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from service import jobs
from service.errors import Unavailable
from service.playbook.wording import day_month_year, listed
from service.store.pool import OUTAGES, Db
from service.store.unscored import Failed, Unscored, What
from service.trouble import Level, moment

log = logging.getLogger("undertone.score")

_MOST_NAMED = 3
_LOGGED: dict[What, str] = {
    "account": "an account could not be scored; the others go on",
    "message": "a message could not be read; the others go on",
    "suggestion": "no suggestion could be written for an account; the others go on",
}
_TRY = (
    'That is tried again every day, and at once by `undertone {by}`. If it stays, look for "{logged}" in the worker\'s log: the line names the place in '
    "the program and holds no word of a customer, so that it can be reported as it is."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoringTrouble:
    """`sentence` holds commands between backticks."""

    level: Level
    headline: str
    sentence: str
    place: str = "scoring"
    """On the page of connections."""
    blinds: bool = False
    """No feed is missing: what is concluded from the others stands."""


def is_outage(error: Exception) -> bool:
    """Says nothing about what was worked on: the database is away, memory or time is at an end."""
    return isinstance(error, (*OUTAGES, Unavailable, MemoryError, jobs.out_of_time()))


def each_alone(ids: Iterable[UUID], work: Callable[[UUID], None], what: What, workspace_id: UUID) -> dict[UUID, str]:
    """After all of them together could not be done: the type of the error of those that fail. An outage is raised, for it says nothing about them."""
    found = {}
    for i in ids:
        try:
            work(i)
        except Exception as error:
            if is_outage(error):
                raise
            log.exception(_LOGGED[what], extra={"workspace": workspace_id, **({"account": i} if what == "account" else {})})
            found[i] = type(error).__name__
    return found


def alone(db: Db, work: Callable[[], None], account_id: UUID, workspace_id: UUID) -> str | None:
    """The type of the error of a piece of a larger transaction: all that it wrote is undone, and the transaction goes on. An outage is raised."""
    try:
        with db.transaction():
            work()
    except Exception as error:
        if is_outage(error):
            raise
        log.exception(_LOGGED["suggestion"], extra={"workspace": workspace_id, "account": account_id})
        return type(error).__name__
    return None


def troubles(seen: Unscored) -> list[ScoringTrouble]:
    return [*_accounts(seen), *_waiting(seen), *_suggestions(seen), *_messages(seen), *_given_up(seen.given_up)]


def of_account(seen: Unscored, account_id: UUID, scored_at: datetime | None, unread: Sequence[datetime]) -> list[str]:
    """What somebody has to know who reads this account's page. `unread`: days of messages that count for nothing."""
    lines = []
    failed = next((f for f in seen.failed if f.what == "account" and f.account_id == account_id), None)
    if failed:
        stands = f"What stands below is as of {day_month_year(scored_at)}" if scored_at else "Nothing has been concluded about it yet"
        lines.append(
            f"This account cannot be scored since {moment(failed.since)}. {stands}: look at the messages themselves before you act on it. "
            "Whoever looks after Undertone finds what to do under Connections."
        )
    without = next((f for f in seen.failed if f.what == "suggestion" and f.account_id == account_id), None)
    if without:
        lines.append(
            f"No suggestion can be written for this account since {moment(without.since)}. What was heard stands below: read it yourself. "
            "Whoever looks after Undertone finds what to do under Connections."
        )
    if unread:
        days = listed(list(dict.fromkeys(day_month_year(at) for at in unread))[:_MOST_NAMED])
        said = "A message" if len(unread) == 1 else f"{len(unread)} messages"
        more = " (the newest)" if len(unread) > _MOST_NAMED else ""
        lines.append(f"{said} of theirs could not be read and count{'s' * (len(unread) == 1)} for nothing here: {days}{more}. Read what was said in your mail.")
    return lines


def _accounts(seen: Unscored) -> Iterator[ScoringTrouble]:
    failed = [f for f in seen.failed if f.what == "account"]
    if failed:
        said, since = _number(len(failed), "account"), moment(min(f.since for f in failed))
        yield ScoringTrouble(
            level="act",
            headline=f"{said} cannot be scored",
            sentence=f"{said} cannot be scored since {since}: {_named(failed)}. {'Its' if len(failed) == 1 else 'Their'} outlook and suggestion stay "
            f"as they were; all other accounts go on. {_TRY.format(by='score', logged='could not be scored')}",
        )


def _messages(seen: Unscored) -> Iterator[ScoringTrouble]:
    failed = [f for f in seen.failed if f.what == "message"]
    if failed:
        number = sum(f.number for f in failed)
        said, since = _number(number, "message"), moment(min(f.since for f in failed))
        yield ScoringTrouble(
            level="act",
            headline=f"{said} cannot be read",
            sentence=f"{said} cannot be read since {since}, of {_named(failed)}. Nothing is concluded from {'it' if number == 1 else 'them'}; all else "
            f"counts. {_TRY.format(by='score', logged='could not be read')}",
        )


def _suggestions(seen: Unscored) -> Iterator[ScoringTrouble]:
    failed = [f for f in seen.failed if f.what == "suggestion"]
    if failed:
        said, since = _number(len(failed), "account"), moment(min(f.since for f in failed))
        pages = "its page" if len(failed) == 1 else "their pages"
        yield ScoringTrouble(
            level="act",
            headline=f"for {said} no suggestion can be written",
            sentence=f"For {said} no suggestion can be written since {since}: {_named(failed)}. What was heard stands on {pages}; all other accounts "
            f"go on. {_TRY.format(by='suggest', logged='no suggestion could be written')}",
        )


def _waiting(seen: Unscored) -> Iterator[ScoringTrouble]:
    if seen.waiting and seen.waiting_since:
        said = f"{_number(seen.waiting, 'account')} {'waits' if seen.waiting == 1 else 'wait'} to be scored since {moment(seen.waiting_since)}"
        yield ScoringTrouble(
            level="act",
            headline=said,
            sentence=f"{said}. What has come in since is not judged yet. See that a worker runs (`undertone serve`), or score now with `undertone score`; "
            "if they still wait, the worker's log says why.",
        )


def _given_up(number: int) -> Iterator[ScoringTrouble]:
    if number:
        said = _number(number, "message")
        yield ScoringTrouble(
            level="note",
            headline=f"{said} could not be told apart",
            sentence=f"In {said} the writer's own words could not be told from quotes and signatures in time; {'it counts' if number == 1 else 'they count'} "
            "for nothing, and the pages of the accounts say of which day. Nothing is to be done; somebody may read them in the mail.",
        )


def _number(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'s' * (number != 1)}"


def _named(failed: Sequence[Failed]) -> str:
    names = [f.account for f in failed]
    return listed(names) if len(names) <= _MOST_NAMED else f"{', '.join(names[:_MOST_NAMED])} and {len(names) - _MOST_NAMED} more"
