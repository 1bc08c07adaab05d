"""When an account gets a suggestion, when it keeps it, when it ends. Pure: everything known comes in, a decision comes out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal
from uuid import UUID

from ml.labels import SITUATIONS
from service.signals import Signal, SignalKind

FRESH = timedelta(days=30)
"""Evidence older than this opens nothing, and a suggestion older than this ends."""
RENEWAL_NEAR = timedelta(days=90)

URGENCY: Mapping[SignalKind, float] = {
    "renewal_decision": 1.0,
    "hostile_or_injection": 0.95,
    "stop_request": 0.95,
    "competitor_evaluation": 0.9,
    "tone_turn": 0.85,
    "budget_cut": 0.85,
    "silence": 0.8,
    "usage_drop": 0.8,
    "deadlock": 0.8,
    "price_objection": 0.75,
    "frustration": 0.75,
    "risk_reliability": 0.75,
    "unanswered_question": 0.7,
    "past_vendor_disappointment": 0.6,
    "champion_change": 0.6,
    "cross_functional": 0.6,
    "timing_concern": 0.5,
    "implementation_worry": 0.5,
    "confusion": 0.45,
}
"""How soon a kind wants an answer, by judgement, in 0..1. Kinds that are not here never open a suggestion."""

LEAST_PRESSING = 0.3
LEAST_SURE = 0.6
"""What somebody is taken to have said must be this sure before it opens a suggestion; shown it is anyway."""
SAID: frozenset[SignalKind] = frozenset(SITUATIONS) - {"silence", "usage_drop"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """An account as the decision sees it. `signals` are its open ones; `closed_evidence_at` is the newest evidence of its last closed suggestion."""

    account_id: UUID
    owner_key: str | None
    renewal_date: date | None
    arr: float | None
    signals: Sequence[Signal]
    closed_evidence_at: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenOne:
    """The account's open suggestion: when it was opened, on which signals, and what became of its task."""

    opened_at: date
    signal_ids: frozenset[UUID]
    task_closed: bool
    task_deleted: bool
    account_gone: bool = False
    out_of_scope: bool = False


CloseReason = Literal["task_closed", "task_deleted", "contradicted", "expired", "account_gone", "out_of_scope"]


def pressing(standing: Standing, signal: Signal, today: date) -> float:
    """0 and up: urgency of the kind, how sure we are, and whether a renewal is near."""
    near = standing.renewal_date is not None and timedelta(0) <= standing.renewal_date - today <= RENEWAL_NEAR
    return URGENCY.get(signal.kind, 0.0) * signal.confidence * (1.25 if near else 1.0)


def reasons(standing: Standing, today: date) -> list[Signal]:
    """The signals that may carry a suggestion today, the most pressing first."""
    fresh = [
        s
        for s in standing.signals
        if s.kind in URGENCY
        and (s.kind not in SAID or s.confidence >= LEAST_SURE)
        and s.evidence_at >= today - FRESH
        and (standing.closed_evidence_at is None or s.evidence_at > standing.closed_evidence_at)
        and pressing(standing, s, today) >= LEAST_PRESSING
    ]
    return sorted(fresh, key=lambda s: (-pressing(standing, s, today), s.detected_at, s.key))


def why_close(current: OpenOne, still_open: frozenset[UUID], today: date) -> CloseReason | None:
    """`still_open`: ids of the account's signals that nothing has contradicted or ended."""
    ends: Sequence[tuple[bool, CloseReason]] = (
        (current.task_deleted, "task_deleted"),
        (current.task_closed, "task_closed"),
        (current.account_gone, "account_gone"),
        (current.out_of_scope, "out_of_scope"),
        (not current.signal_ids & still_open, "contradicted"),
        (today - current.opened_at > FRESH, "expired"),
    )
    return next((reason for holds, reason in ends if holds), None)


def choose(candidates: Sequence[Standing], open_per_owner: Mapping[str | None, int], today: date, most_open: int) -> list[Standing]:
    """Which accounts get a new suggestion: the most pressing first, larger accounts before smaller ones, no owner with more than `most_open`."""
    ranked = sorted(
        ((reasons(c, today), c) for c in candidates),
        key=lambda pair: (-pressing(pair[1], pair[0][0], today) if pair[0] else 0.0, -(pair[1].arr or 0.0), str(pair[1].account_id)),
    )
    taken = dict(open_per_owner)
    chosen = []
    for found, standing in ranked:
        if found and taken.get(standing.owner_key, 0) < most_open:
            taken[standing.owner_key] = taken.get(standing.owner_key, 0) + 1
            chosen.append(standing)
    return chosen
