"""Suggest: what is open and fresh becomes at most one suggestion an account, written together with its outbox row."""

from __future__ import annotations

import logging
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import partial
from typing import Literal
from uuid import UUID, uuid4

from ml.calendar import calendar_for
from service import decide, policy, quiet, trouble
from service.audit import earlier_drafts, keep
from service.case import acting_owner, addressee, case_of
from service.earlier import Earlier
from service.playbook import compose
from service.policy import Policy
from service.restraint import ASKED, is_settled, restraint
from service.signals import Composition, Recipient, Signal, SignalKind
from service.store import accounts, conditions, connections, outbox, readings, signals, suggestions, unscored, workspaces
from service.store.accounts import ContactRow, Profile
from service.store.pool import Db, transaction
from service.store.suggestions import Suggestion, SuggestionRow
from service.task import WRITTEN_SINCE
from service.timeline import STOP
from service.unscored import alone

log = logging.getLogger("undertone.suggest")

PLAYBOOK = "playbook-2"
HIGH_PRESSING = 0.7
DUE_IN = {"high": 1, "normal": 3}
"""Working days until the task is due."""


@dataclass(slots=True)
class SuggestReport:
    """`failed`: accounts for which none could be written; the log says where."""

    opened: int = 0
    updated: int = 0
    closed: int = 0
    failed: int = 0


@dataclass(frozen=True, slots=True)
class Known:
    """What one run of this step reads once, for all accounts."""

    profiles: Mapping[UUID, Profile]
    contacts: Mapping[UUID, Sequence[ContactRow]]
    open_signals: Mapping[UUID, Sequence[Signal]]
    open_suggestions: Mapping[UUID, SuggestionRow]
    ledger: Mapping[UUID, outbox.LedgerRow]
    closed_evidence: Mapping[UUID, date]
    earlier: Earlier
    anger: Mapping[UUID, float]
    """Of the messages that open signals rest on."""
    policy: Policy
    not_before: datetime | None
    """When quiet hours are over; None outside of them."""

    def is_in(self, account_id: UUID) -> bool:
        """Whether the account is there, and the workspace has not left it out."""
        profile = self.profiles.get(account_id)
        return profile is not None and self.policy.accounts.holds(profile.key, profile.owner_key, profile.arr)


def suggest(workspace_id: UUID, now: datetime) -> SuggestReport:
    """One transaction: closes what is over, updates what has new evidence, opens what is most pressing."""
    report, today = SuggestReport(), now.date()
    with transaction(workspace_id) as db:
        workspaces.suggest_due(db, due=False)
        known = _read(db, now)
        kept = _close_finished(db, known, today, report)
        kept += _reopen(db, known, Counter(s.owner_key for s in kept), today, report)
        failed: dict[UUID, str | None] = {}
        for suggestion in kept:
            failed[suggestion.account_id] = alone(db, partial(_update, db, known, suggestion, today, report), suggestion.account_id, workspace_id)
        taken = Counter(s.owner_key for s in kept)
        doubtful = trouble.doubtful(trouble.unread(connections.all_connections(db), conditions.streams(db), now))
        busy = {*known.open_suggestions, *(s.account_id for s in kept)}
        candidates = [_certain(_standing(known, a), doubtful) for a in known.open_signals if a not in busy and known.is_in(a)]
        for standing in decide.choose(candidates, taken, today, known.policy.most_open):
            failed[standing.account_id] = alone(db, partial(_open, db, known, standing, today, report), standing.account_id, workspace_id)
        report.failed = unscored.replace(db, "suggestion", {account_id: error for account_id, error in failed.items() if error}, PLAYBOOK, today)
    log.info("suggested", extra={"workspace": workspace_id, "new": report.opened, "updated": report.updated, "failed": report.failed})
    return report


def _read(db: Db, now: datetime) -> Known:
    today, decided = now.date(), policy.current(db)
    open_rows = signals.current(db, states=("open",))
    by_account: dict[UUID, list[Signal]] = defaultdict(list)
    for row in open_rows:
        by_account[row.signal.account_id].append(row.signal)
    opened = {s.account_id: s for s in suggestions.open_suggestions(db)}
    concerned = sorted({*by_account, *opened}, key=str)
    contacts: dict[UUID, list[ContactRow]] = defaultdict(list)
    for contact in accounts.contacts(db, concerned):
        contacts[contact.account_id].append(contact)
    return Known(
        profiles={p.account_id: p for p in accounts.profiles(db, concerned)},
        contacts=contacts,
        open_signals={a: [s for s in found if not (s.kind == STOP and is_settled(s, contacts[a]))] for a, found in by_account.items()},
        open_suggestions=opened,
        ledger={row.suggestion_id: row for row in outbox.ledger(db, [s.suggestion_id for s in opened.values()])},
        closed_evidence=suggestions.last_closed(db),
        earlier=earlier_drafts(db, today, workspaces.last_change(db)),
        policy=decided,
        not_before=quiet.over_at(now, decided.quiet_hours),
        anger=readings.anger(db, sorted({e.interaction_id for r in open_rows for e in r.signal.evidence if e.interaction_id})),
    )


def _close_finished(db: Db, known: Known, today: date, report: SuggestReport) -> list[SuggestionRow]:
    kept = []
    for suggestion in known.open_suggestions.values():
        row = known.ledger.get(suggestion.suggestion_id)
        reason = _why_close(suggestion, row, known, today)
        if reason is None:
            kept.append(suggestion)
            continue
        closed = replace(suggestion.bare, version=suggestion.version + 1, state="closed", close_reason=reason)
        suggestions.append(db, closed, workspaces.next_change(db))
        suggestions.free_account(db, suggestion.account_id)
        if row and reason in ("contradicted", "expired", "out_of_scope"):
            outbox.add(db, [suggestion.suggestion_id], row.connection_id, known.not_before)
        report.closed += 1
    return kept


def _reopen(db: Db, known: Known, taken: Counter[str | None], today: date, report: SuggestReport) -> list[SuggestionRow]:
    """An account that has come back, is at home in another one now, or is left out no more, has its suggestion again: the same one, and so the same task.
    One that was left out waits until its owner has room, as others came in between."""
    back = []
    rows = [s for s in suggestions.withdrawn(db) if known.is_in(s.account_id)]
    ledger = {row.suggestion_id: row for row in outbox.ledger(db, [s.suggestion_id for s in rows])}
    for suggestion in rows:
        row = ledger.get(suggestion.suggestion_id)
        is_full = suggestion.close_reason == "out_of_scope" and taken[suggestion.owner_key] >= known.policy.most_open
        if is_full or _why_close(suggestion, row, known, today) or not suggestions.claim_account(db, suggestion.account_id, suggestion.suggestion_id):
            continue
        taken[suggestion.owner_key] += 1
        version = suggestion.version + 1
        suggestions.append(db, replace(suggestion.bare, version=version, state="open", close_reason=None), workspaces.next_change(db))
        outbox.add(db, [suggestion.suggestion_id], known.profiles[suggestion.account_id].connection_id, known.not_before)
        back.append(replace(suggestion, version=version, state="open", close_reason=None))
        report.opened += 1
    return back


def _why_close(suggestion: SuggestionRow, row: outbox.LedgerRow | None, known: Known, today: date) -> decide.CloseReason | None:
    current = decide.OpenOne(
        opened_at=suggestion.opened_at,
        signal_ids=frozenset(suggestion.signal_ids),
        task_closed=bool(row and row.remote_closed),
        task_deleted=bool(row and row.remote_deleted),
        account_gone=suggestion.account_id not in known.profiles,
        out_of_scope=not known.is_in(suggestion.account_id),
    )
    return decide.why_close(current, frozenset(s.id for s in known.open_signals.get(suggestion.account_id, ())), today)


def _update(db: Db, known: Known, suggestion: SuggestionRow, today: date, report: SuggestReport) -> None:
    """New evidence changes the texts, never adds a task. Due date, priority and owner stay: a person may have changed them."""
    profile = known.profiles.get(suggestion.account_id)
    standing = _standing(known, suggestion.account_id) if profile else None
    found = decide.reasons(replace(standing, closed_evidence_at=None), today) if standing else []
    if profile is None or not found:
        return
    composed = _compose(profile, known, found, suggestion.suggestion_id, suggestion.opened_at, today, kept=suggestion)
    new = replace(
        _suggestion(composed, profile, found, suggestion.suggestion_id, suggestion.opened_at, priority=suggestion.priority),
        version=suggestion.version + 1,
        due=suggestion.due,
        owner_key=suggestion.owner_key,
    )
    if replace(new, version=suggestion.version) == suggestion.bare:
        return
    change_no = workspaces.next_change(db)
    suggestions.append(db, new, change_no)
    keep(db, new, composed[0].made, profile, known.earlier, today, change_no, known.policy)
    outbox.add(db, [suggestion.suggestion_id], profile.connection_id, known.not_before)
    report.updated += 1


def _kept(suggestion: SuggestionRow, found: Sequence[Signal], recipient: Recipient | None) -> SuggestionRow | None:
    """None where the draft has to be written anew. Without the draft where they have written since and that has changed nothing we know of."""
    was_held_back = suggestion.draft is None and (suggestion.no_draft_reason or "").startswith(ASKED)
    if not _rests_on(suggestion, found) or was_held_back or not _is_as_they_wish(suggestion, recipient):
        return None
    written_since = suggestion.draft is not None and suggestion.last_draft is not None and suggestion.last_draft.answered
    return replace(suggestion, draft=None, no_draft_reason=WRITTEN_SINCE) if written_since else suggestion


def _is_as_they_wish(suggestion: SuggestionRow, recipient: Recipient | None) -> bool:
    wish, last = recipient.preference if recipient else None, suggestion.last_draft if suggestion.draft else None
    return not (wish and last) or (wish.channel or last.channel, wish.language or last.lang) == (last.channel, last.lang)


def _rests_on(suggestion: SuggestionRow, found: Sequence[Signal]) -> bool:
    """The draft stays as long as its evidence does: somebody may be reading it."""
    today = ([s.id for s in found], _evidence_at(found), PLAYBOOK)
    return (list(suggestion.signal_ids), suggestion.evidence_at, suggestion.playbook_version) == today


def _evidence_at(found: Sequence[Signal]) -> date:
    return max(s.evidence_at for s in found)


def _open(db: Db, known: Known, standing: decide.Standing, today: date, report: SuggestReport) -> None:
    profile = known.profiles[standing.account_id]
    found = decide.reasons(standing, today)
    suggestion_id = uuid4()
    composed = _compose(profile, known, found, suggestion_id, today, today)
    if composed[0].handling == "log_only" or not suggestions.claim_account(db, standing.account_id, suggestion_id):
        return
    priority: Literal["high", "normal"] = "high" if decide.pressing(standing, found[0], today) >= HIGH_PRESSING else "normal"
    new = _suggestion(composed, profile, found, suggestion_id, today, priority=priority)
    change_no = workspaces.next_change(db)
    suggestions.append(db, new, change_no)
    keep(db, new, composed[0].made, profile, known.earlier, today, change_no, known.policy)
    if new.draft:
        known.earlier.add(new, change_no)
    outbox.add(db, [suggestion_id], profile.connection_id, known.not_before)
    report.opened += 1


def _compose(
    profile: Profile, known: Known, found: Sequence[Signal], suggestion_id: UUID, opened_at: date, today: date, kept: SuggestionRow | None = None
) -> tuple[Composition, Recipient | None]:
    contacts = known.contacts.get(profile.account_id, ())
    anger = max((known.anger.get(e.interaction_id, 0.0) for e in found[0].evidence if e.interaction_id), default=0.0)
    case = case_of(profile, contacts, found, seed=f"{suggestion_id}", today=opened_at, anger=anger)
    too_soon = known.earlier.too_soon(case.recipient.contact_id if case.recipient else None, suggestion_id, opened_at)
    asked = [s for s in known.open_signals.get(profile.account_id, ()) if s.kind == STOP]
    held = restraint(addressee(profile, contacts, found[0]), today, asked)
    draft_of = _kept(kept, found, case.recipient) if kept else None
    windows = known.earlier.windows(profile.account_id, acting_owner(profile))
    return compose(case, windows, kept=draft_of, withheld=too_soon, restraint=held), case.recipient


def _suggestion(
    composed: tuple[Composition, Recipient | None],
    profile: Profile,
    found: Sequence[Signal],
    suggestion_id: UUID,
    opened_at: date,
    *,
    priority: Literal["high", "normal"],
) -> Suggestion:
    composition, recipient = composed
    return Suggestion(
        suggestion_id=suggestion_id,
        version=1,
        account_id=profile.account_id,
        contact_id=recipient.contact_id if recipient else None,
        owner_key=acting_owner(profile),
        lead_kind=found[0].kind,
        signal_ids=[s.id for s in found],
        state="open",
        close_reason=None,
        handling=composition.handling,
        why_now=composition.why_now,
        plan=list(composition.plan),
        draft=composition.draft,
        no_draft_reason=composition.no_draft_reason,
        alternatives=list(composition.alternatives),
        due=max(calendar_for(None).add(opened_at, DUE_IN[priority]), _not_before(recipient) or opened_at),
        priority=priority,
        opened_at=opened_at,
        evidence_at=_evidence_at(found),
        playbook_version=PLAYBOOK,
        pause=composition.pause,
    )


def _not_before(recipient: Recipient | None) -> date | None:
    return recipient.preference.no_contact_until if recipient and recipient.preference else None


def _standing(known: Known, account_id: UUID) -> decide.Standing:
    profile = known.profiles[account_id]
    return decide.Standing(
        account_id=account_id,
        owner_key=acting_owner(profile),
        renewal_date=profile.renewal_date,
        arr=profile.arr,
        signals=known.open_signals.get(account_id, ()),
        closed_evidence_at=known.closed_evidence.get(account_id),
    )


def _certain(standing: decide.Standing, doubtful: frozenset[SignalKind]) -> decide.Standing:
    """Without what rests on a feed that cannot be read at present."""
    return replace(standing, signals=[s for s in standing.signals if s.kind not in doubtful])
