"""Score: messages in batches, usage as one panel, accounts in chunks. A chunk lands whole or stays due."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from ml import dynamics
from ml import outlook as outlooks
from ml.moments import Moment
from ml.usage import FeedState
from service import timeline, trouble, usage
from service.messages import own_texts, read_messages, reader_of
from service.playbook.outlook_words import reason
from service.signals import Signal
from service.store import accounts, conditions, connections, messages, signals, unscored, workspaces
from service.store.accounts import Profile
from service.store.pool import Db, transaction
from service.trouble import Feed
from service.unscored import each_alone, is_outage
from service.usage import Usage

log = logging.getLogger("undertone.score")

CHUNK = 200
RECENT = timedelta(days=180)


@dataclass(frozen=True, slots=True)
class Use:
    """Of one account: whether its usage can be trusted, and how it changed over the last weeks."""

    feed: FeedState
    change: float | None


Progress = Callable[[str, int], None]


@dataclass(slots=True)
class ScoreReport:
    messages: int = 0
    accounts: int = 0
    signals: int = 0
    failed: int = 0
    """Of the accounts, those that could not be scored."""


def score(workspace_id: UUID, now: datetime, progress: Progress = lambda what, done: None) -> ScoreReport:
    """Everything that is due in a workspace, as of `now`. Running it twice writes nothing the second time."""
    report = ScoreReport()
    own_texts(workspace_id)
    reader = reader_of(workspace_id)
    report.messages = read_messages(workspace_id, reader, now.date(), lambda done: progress("messages", done))
    with transaction(workspace_id) as db:
        if workspaces.scored_through(db) != now.date():
            accounts.mark_all_due(db)
        unread = trouble.unread(connections.all_connections(db), conditions.streams(db), now)
    used = usage.advance(workspace_id, now, fresh="usage" not in unread)
    progress("usage", len(used.feeds))
    while done := _score_chunk(workspace_id, used, now, report, version=reader.version, unread=unread):
        report.accounts += done
        progress("accounts", report.accounts)
    with transaction(workspace_id) as db:
        workspaces.mark_scored(db, now.date())
    log.info("scored", extra={"workspace": workspace_id, "rows": report.signals})
    return report


def _score_chunk(workspace_id: UUID, used: Usage, now: datetime, report: ScoreReport, *, version: str, unread: frozenset[Feed]) -> int:
    """A chunk lands whole; where it cannot, each account by itself, and one that still cannot is told and no longer due today.

    `version`: of the reader by which every message has been read before.
    """
    with transaction(workspace_id) as db:
        due = accounts.due(db, CHUNK)

        def scored(account_ids: Sequence[UUID]) -> None:
            with db.transaction():
                written = _score(db, account_ids, used, now, version=version, unread=unread)
            report.signals += written

        failed: dict[UUID, str] = {}
        try:
            if due:
                scored(due)
        except Exception as error:
            if is_outage(error):
                raise
            failed = each_alone(due, lambda account_id: scored([account_id]), "account", workspace_id)
            unscored.record(db, "account", failed, version, now.date())
            report.failed += len(failed)
        unscored.clear(db, "account", [account_id for account_id in due if account_id not in failed])
    return len(due)


def _score(db: Db, due: Sequence[UUID], used: Usage, now: datetime, *, version: str, unread: frozenset[Feed]) -> int:
    """Returns how many signals are new or changed."""
    profiles = accounts.profiles(db, due)
    exchanges = defaultdict(list)
    for exchange in messages.exchanges(db, due, now, version):
        exchanges[exchange.account_id].append(exchange)
    drops, changes = used.of(db, due)
    stories = {p.account_id: timeline.tell(exchanges[p.account_id], p, now, drops.get(p.account_id, ())) for p in profiles}
    asked = [s for p in profiles for s in timeline.stop_requests(exchanges[p.account_id], p, now)]
    found = [*asked, *(s for p in profiles for s in stories[p.account_id].signals if _may_change(s, unread))]
    current = [r for r in signals.current(db, due, states=("forming", "open")) if _may_change(r.signal, unread)]
    gone = _contradicted(current, {(s.account_id, s.key) for s in found}, now)
    feeds = used.feeds_of([p.account_id for p in profiles])
    known = {p.account_id: Use(feed, changes.get(p.account_id)) for p, feed in zip(profiles, feeds, strict=True)}
    rows = [_outlook_row(p, stories[p.account_id], known[p.account_id], now, unread) for p in profiles]
    change = workspaces.next_change(db)
    written = signals.append(db, [*found, *gone], version, change)
    if written:
        workspaces.suggest_due(db, due=True)
    signals.append_outlooks(db, rows, version, change)
    return len(written)


def _may_change(signal: Signal, unread: frozenset[Feed]) -> bool:
    """Nothing is concluded from what did not come by a feed that cannot be read: what stands stays, nothing begins. A reply that was seen counts."""
    return signal.state == "ended" or signal.kind not in trouble.doubtful(unread)


def _contradicted(current: Sequence[signals.SignalRow], found: set[tuple[UUID, str]], now: datetime) -> list[Signal]:
    """What was said and no longer follows from what is known (a late mail, a corrected number, a deleted record) ends."""
    return [signals.ended(row.signal, now.date()) for row in current if (row.signal.account_id, row.signal.key) not in found]


def _outlook_row(profile: Profile, story: timeline.Story, use: Use, now: datetime, unread: frozenset[Feed]) -> signals.OutlookRow:
    today = now.date()
    moments = tuple(_open_moment(m, s, now) for m, s in zip(story.moments, story.signals, strict=True) if m.state == "open")
    reading = outlooks.outlook(
        outlooks.OutlookInputs(
            messages=sum(m.direction == "in" and not m.automatic and m.at >= now - RECENT for m in story.messages),
            tone_recent=_most_telling(story.habits),
            days_since_heard=_days_since_heard(story.messages, now),
            usage_change=use.change,
            usage_feed=use.feed,
            days_to_renewal=(profile.renewal_date - today).days if profile.renewal_date and "renewals" not in unread else None,
            moments=moments,
            mail_fresh="mail" not in unread,
        )
    )
    return signals.OutlookRow(
        account_id=profile.account_id,
        day=today,
        level=reading.level,
        score=reading.score,
        drivers=[{"name": d.name, "points": d.points, "reason": reason(d, moments, profile.renewal_date, today)} for d in reading.drivers],
        unknown_parts=list(reading.unknown),
        renewal_date=profile.renewal_date,
        renewal_amount=profile.renewal_amount,
    )


def _open_moment(moment: Moment, signal: Signal, now: datetime) -> outlooks.OpenMoment:
    return outlooks.OpenMoment(kind=moment.kind, confidence=moment.confidence, days_ago=(now.date() - signal.evidence_at).days)


def _most_telling(habits: Sequence[dynamics.Habit]) -> float | None:
    """The unhappiest person's shift; with nobody unhappy, the happiest one's."""
    shifts = [h.tone_recent for h in habits if h.tone_recent is not None]
    if not shifts:
        return None
    return min(shifts) if min(shifts) < 0 else max(shifts)


def _days_since_heard(story: Sequence[dynamics.Message], now: datetime) -> int | None:
    heard = [m.at for m in story if not m.automatic and (m.direction == "in" or m.kind in ("call", "meeting"))]
    return (now - max(heard)).days if heard else None
