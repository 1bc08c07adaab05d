"""Replay: mail, usage and account files up to a day, read as if they had come in day by day. One row per signal, without a CRM.

Every detector dates what it finds by the day on which it could first be known and looks at nothing later, so one pass over
the whole past says the same as a run on every morning of it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from ml.alternatives import sentences_for
from service.case import case_of
from service.connect import connect
from service.playbook import compose, describe
from service.pull import pull
from service.score import score
from service.signals import Composition, Evidence, Signal
from service.store import accounts, messages, quarantine, signals
from service.store.accounts import ContactRow, Profile
from service.store.pool import transaction
from service.task import draft_text, quoted_messages


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One signal with what the playbook makes of it on the day it was first raised."""

    account: str
    kind: str
    line: str
    """What was noticed, without a word of theirs."""
    detected_at: date
    confidence: float
    quotes: Sequence[Mapping[str, str | None]]
    numbers: Mapping[str, float | int | str]
    alternatives: Sequence[str]
    handling: str
    draft: str | None
    evidence: Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Landed:
    """How the files came in: rows per stream, and what stayed out and why."""

    rows: Mapping[str, int]
    problems: Sequence[str]
    quarantined: Sequence[quarantine.Quarantined]


def land(workspace_id: UUID, sources: Mapping[str, Mapping[str, Any]], now: datetime, progress: Callable[[str, int], None]) -> Landed:
    """`sources`: connector name -> its settings; accounts first, so that mail and usage find theirs."""
    reports = []
    for connector, config in sources.items():
        connection_id = connect(workspace_id, connector, connector, config, {})
        reports.append(pull(workspace_id, connection_id, now, progress))
    with transaction(workspace_id) as db:
        quarantined = quarantine.newest(db, 1000)
    rows = Counter({f"{r.connection} / {s.name}": s.landed for r in reports for s in r.streams})
    return Landed(rows=rows, problems=[f"{r.connection}: {e}" for r in reports for e in r.errors], quarantined=quarantined)


def replay(workspace_id: UUID, now: datetime, progress: Callable[[str, int], None]) -> list[Row]:
    """By account, then by day. Caps per account and owner are not applied: every signal that was ever raised is here."""
    score(workspace_id, now, progress)
    with transaction(workspace_id) as db:
        found = [r.signal for r in signals.current(db, states=("open", "ended"))]
        profiles = {p.account_id: p for p in accounts.profiles(db)}
        contacts = accounts.contacts(db, list(profiles))
        message_ids = messages.message_ids(db, [e.interaction_id for s in found for e in s.evidence if e.interaction_id])
    people = {a: [c for c in contacts if c.account_id == a] for a in profiles}
    rows = []
    for signal in sorted(found, key=lambda s: (profiles[s.account_id].name, s.detected_at, s.kind, s.key)):
        composition = _composed(signal, profiles[signal.account_id], people[signal.account_id])
        with transaction(workspace_id) as db:
            bodies = messages.bodies(db, quoted_messages(composition.draft))
        rows.append(_row(signal, profiles[signal.account_id].name, composition, bodies, message_ids))
    return rows


def _composed(signal: Signal, profile: Profile, contacts: Sequence[ContactRow]) -> Composition:
    # Not the signal's random id: the same files give the same drafts.
    seed = f"{profile.name}|{signal.kind}|{signal.detected_at}"
    return compose(case_of(profile, contacts, [signal], seed=seed, today=signal.detected_at))


def _row(signal: Signal, account: str, composition: Composition, bodies: dict[UUID, str], message_ids: Mapping[UUID, str]) -> Row:
    return Row(
        account=account,
        kind=signal.kind,
        line=describe(signal),
        detected_at=signal.detected_at,
        confidence=signal.confidence,
        quotes=[{"text": e.text.strip(), "message_id": _message_id(e, message_ids)} for e in signal.evidence if e.type == "buyer_message" and e.text],
        numbers=signal.numbers,
        alternatives=sentences_for(signal.alternatives),
        handling=composition.handling,
        draft=draft_text(composition.draft, bodies, composition.made),
        evidence=[_evidence(e, message_ids) for e in signal.evidence],
    )


def _evidence(e: Evidence, message_ids: Mapping[UUID, str]) -> dict[str, Any]:
    return {
        "type": e.type,
        "source": e.source,
        "observed_at": e.observed_at,
        "message_id": _message_id(e, message_ids),
        "start": e.start,
        "end": e.end,
        "numbers": dict(e.numbers),
    }


def _message_id(e: Evidence, message_ids: Mapping[UUID, str]) -> str | None:
    return message_ids.get(e.interaction_id) if e.interaction_id else None
