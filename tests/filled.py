"""A workspace with something of everything that may be shown: people, mail, usage, signals with evidence, outlooks, suggestions."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

import numpy as np

from connectors.records import UsageRows
from service.signals import Signal
from service.store import messages, signals, suggestions, usage, workspaces
from service.store.messages import MessageScore
from service.store.pool import Db, transaction
from service.store.readings import Quote
from service.store.signals import OutlookRow
from service.suggest import suggest
from tests import builders
from tests.builders import NOW

WORDS = "We had to explain the new price to our board twice, and it is hard to defend."


@dataclass(frozen=True, slots=True, kw_only=True)
class Filled:
    workspace_id: UUID
    connection_id: UUID
    account_id: UUID
    interaction_id: UUID
    """Of the one message."""
    contact_id: UUID
    signal_id: UUID
    suggestion_id: UUID
    mark: str
    """Stands in every text of the workspace."""

    @property
    def ids(self) -> tuple[str, ...]:
        return tuple(
            str(i) for i in (self.workspace_id, self.connection_id, self.account_id, self.interaction_id, self.contact_id, self.signal_id, self.suggestion_id)
        )


def fill(workspace_id: UUID, mark: str, words: str = WORDS) -> Filled:
    """One account named `mark`, whose contact wrote `words` and whose usage fell; both are open signals with one suggestion."""
    with transaction(workspace_id) as db:
        connection_id = builders.connection(db, name=f"crm {mark}")
        account_id = builders.account(db, connection_id, key=f"A-{mark[:20]}", name=mark)
        found = _said(db, connection_id, account_id, mark, words)
        usage.land_usage(db, _fall(f"A-{mark[:20]}"))
        signals.append(db, [found, _dropped(account_id)], "test", workspaces.next_change(db))
        signals.append_outlooks(db, [outlook(account_id, mark)], "test", workspaces.next_change(db))
    suggest(workspace_id, NOW)
    with transaction(workspace_id) as db:
        row = suggestions.open_suggestions(db)[0]
        kept = signals.current(db, [account_id])
    signal = next(r.signal for r in kept if r.signal.kind == "price_objection")
    assert signal.evidence[0].interaction_id is not None
    assert signal.contact_id is not None
    return Filled(
        workspace_id=workspace_id,
        connection_id=connection_id,
        account_id=account_id,
        interaction_id=signal.evidence[0].interaction_id,
        contact_id=signal.contact_id,
        signal_id=signal.id,
        suggestion_id=row.suggestion_id,
        mark=mark,
    )


def read_again(whose: Filled, version: str, **fields: object) -> None:
    """The one message, by another version of the reader."""
    with transaction(whose.workspace_id) as db:
        score = MessageScore(interaction_id=whose.interaction_id, sentiment=0.0, confidence=0.9, situations=[], reading=builders.reading(**fields))
        messages.append_scores(db, [score], version, workspaces.next_change(db))


def _said(db: Db, connection_id: UUID, account_id: UUID, mark: str, words: str) -> Signal:
    body = f"Hello,\n\n{words}\n{mark}"
    mail = builders.email(account_key=f"A-{mark[:20]}", contact_key=f"C-A-{mark[:20]}", from_email=None, body=body, subject=mark)
    builders.land_emails(db, connection_id, [mail])
    interaction_id, contact_id = db.execute("SELECT interaction_id, contact_id FROM interaction WHERE key = %s", [mail.key]).fetchone() or (None, None)
    start = body.index(words)
    reading = builders.reading(quotes=(Quote(start=start, end=start + len(words), why=("price_objection",)),))
    score = MessageScore(interaction_id=interaction_id, sentiment=-0.6, confidence=0.9, situations=[], reading=reading)
    messages.append_scores(db, [score], "test", workspaces.next_change(db))
    evidence = (builders.words(interaction_id, start, start + len(words), contact_id),)
    return builders.signal(account_id, contact_id=contact_id, evidence=evidence)


def _dropped(account_id: UUID) -> Signal:
    return builders.signal(
        account_id,
        kind="usage_drop",
        numbers={"metric": "active_users", "before": 41.2, "after": 18.0, "size": 0.56, "onset": "2026-02-16", "shape": "sudden", "metrics": "active_users"},
        alternatives=("busy_season",),
        confidence=0.7,
    )


def _fall(key: str) -> UsageRows:
    days = [NOW.date() - timedelta(days=n) for n in range(120, 0, -1)]
    values = [18.0 if day >= date(2026, 2, 16) else 41.0 for day in days]
    return UsageRows(
        accounts=[key] * len(days),
        metrics=["active_users"] * len(days),
        days=np.array(days, dtype="datetime64[D]"),
        values=np.array(values),
    )


def outlook(account_id: UUID, mark: str) -> OutlookRow:
    """At risk, in a driver's reason the mark."""
    return OutlookRow(
        account_id=account_id,
        day=NOW.date(),
        level="at_risk",
        score=-3,
        drivers=[{"name": "usage", "points": -2, "reason": f"Usage fell. {mark}"}, {"name": "tone", "points": -1, "reason": "The tone turned."}],
        unknown_parts=["seats"],
        renewal_date=date(2026, 5, 1),
        renewal_amount=12000.0,
    )
