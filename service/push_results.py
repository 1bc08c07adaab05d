"""What came of each row of a push, as the ledger keeps it and as the report counts it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

from connectors.base import Outcome
from connectors.jitter import jitter
from service.push_plan import Step
from service.store.outbox import Item, Result
from service.task import key_of

GIVE_UP_AFTER = timedelta(days=3)
"""Of nothing but failed tries. No outage lasts as long; what does needs a person."""
LONGEST_WAIT = timedelta(minutes=10)
SETTLES_AFTER = timedelta(minutes=10)
"""An unanswered request may still be at work inside a CRM for so long. Where the CRM itself does not refuse a second task, that is waited for."""


@dataclass(slots=True)
class PushReport:
    created: int = 0
    updated: int = 0
    skipped: int = 0
    waiting: int = 0
    failed: int = 0
    messages: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Results:
    workspace_id: UUID
    report: PushReport = field(default_factory=PushReport)

    def of_rest(self, step: Step) -> Result:
        """Of what is not written."""
        if step.then == "wait":
            return self.later(step.item, step.change.reason, wait=LONGEST_WAIT)
        self.report.skipped += 1
        status = "withdrawn" if step.then == "withdraw" else "sent" if step.change.remote_id else None
        return self._result(step.item, status, seen=step.version, remote_id=step.change.remote_id)

    def of_outcome(self, step: Step, outcome: Outcome, *, guarded: bool) -> Result:
        item = step.item
        if outcome.status == "ok":
            self.report.created += outcome.created
            self.report.updated += not outcome.created
            return self._result(item, "sent", version=item.version + 1, seen=step.version, payload_sha256=step.sha256, remote_id=outcome.remote_id)
        if outcome.status == "permanent":
            return self._blocked(item, outcome.message)
        if outcome.status == "retry":
            return self.later(item, outcome.message, status="pending", wait=outcome.wait)
        return self.later(item, outcome.message, status="unknown", wait=SETTLES_AFTER if guarded else outcome.wait)

    def later(self, item: Item, message: str, *, status: str | None = None, wait: timedelta | None = None) -> Result:
        """`status` None: whether a task of it is in the CRM is as uncertain as before."""
        if item.failing_for > GIVE_UP_AFTER:
            return self._blocked(item, f"given up after {item.failing_for.days} days: {message}")
        self.report.waiting += 1
        pause = wait or min(timedelta(seconds=2.0 ** min(item.attempts + 1, 30)), LONGEST_WAIT)
        return self._result(item, status, error=message, retry_in=pause * jitter())

    def _blocked(self, item: Item, message: str) -> Result:
        self.report.failed += 1
        self.report.messages.append(message)
        return self._result(item, "blocked", error=message, dead=True)

    def _result(self, item: Item, status: str | None, **fields: Any) -> Result:
        key = key_of(self.workspace_id, item.suggestion_id)
        return Result(suggestion_id=item.suggestion_id, fence=item.fence, key=key, status=status, **{"version": item.version, **fields})
