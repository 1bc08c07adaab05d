"""What a push would do with each of a batch: the same decisions for the preview and for the push itself. Pure."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import Literal

from connectors.base import Change
from connectors.records import TaskState
from service.store.outbox import Item
from service.task import Prepared

Then = Literal["write", "done", "withdraw", "wait"]

MAY_BE_THERE = frozenset({"sending", "unknown", "sent", "blocked"})
"""Of the ledger: a task may have been made, so what does not end in a write is not forgotten."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """`then` write: send the change. done: nothing needs writing. withdraw: no task may be made any more. wait: try again later.

    `sha256`: of the texts that would stand there after it; `standing`: of those that stand there now, where they are ours.
    """

    item: Item
    change: Change
    then: Then
    version: int | None
    sha256: bytes = b""
    standing: bytes | None = None


def settled(item: Item, key: str, prepared: Prepared) -> Step | None:
    """Of a suggestion for which nothing can be written, whatever stands in the CRM."""
    if prepared.task is not None and not (prepared.ended and item.status not in MAY_BE_THERE):
        return None
    reason = prepared.reason or "the suggestion has ended"
    change = Change(key=key, action="skip", reason=reason, remote_id=item.remote_id)
    then: Then = "wait" if prepared.later and not prepared.ended else "done" if item.status == "sent" else "withdraw"
    return Step(item=item, change=change, then=then, version=prepared.version)


def unchanged(item: Item, planned: Change, prepared: Prepared) -> Step | None:
    """Written like this before, with an answer: there is nothing to look up."""
    if item.status != "sent" or item.payload_sha256 is None or payload(planned) != bytes(item.payload_sha256):
        return None
    change = Change(key=planned.key, action="skip", reason="it was written like this before", remote_id=item.remote_id)
    return Step(item=item, change=change, then="done", version=prepared.version)


def step(item: Item, planned: Change, prepared: Prepared, shown: TaskState | None, we: str | None) -> Step:
    """Of the connector's plan. `shown`: the task as it stands in the CRM, `we`: the CRM's user that we write as, where known."""
    made = Step(item=item, change=planned, then="write", version=prepared.version, sha256=payload(planned))
    if planned.action == "create":
        return _of_create(made, prepared)
    if planned.action == "skip" or shown is None:
        return replace(made, then="done")
    standing = digest(shown.subject, shown.description)
    if _is_a_persons(item, standing, shown, we):
        return _skipped(made, "a person has edited this task")
    if standing == made.sha256:
        return _skipped(made, "it stands there already")
    return replace(made, standing=standing)


def payload(change: Change) -> bytes:
    """Of the texts alone: they are all that an update writes."""
    return digest(change.fields.get("Subject"), change.fields.get("Description"))


def digest(*texts: object) -> bytes:
    """CRMs trim texts and change their line ends."""
    plain = "\x1f".join("\n".join(str(text or "").split()) for text in texts)
    return hashlib.sha256(plain.encode("utf-8", "replace")).digest()


def _of_create(made: Step, prepared: Prepared) -> Step:
    item = made.item
    if item.status == "sent" or item.remote_id is not None:
        return _skipped(made, "a person deleted it for good, or it is no longer shown to us; it is not made again")
    if prepared.ended:
        return replace(_skipped(made, "the suggestion has ended"), then="withdraw")
    return made


def _skipped(made: Step, reason: str) -> Step:
    change = Change(key=made.change.key, action="skip", reason=reason, remote_id=made.change.remote_id or made.item.remote_id)
    return replace(made, change=change, then="done")


def _is_a_persons(item: Item, standing: bytes, shown: TaskState, we: str | None) -> bool:
    """What a person wrote into a task of ours is theirs from then on. Where the ledger knows nothing of the texts, only what we changed last is ours."""
    ours = {bytes(h) for h in (item.payload_sha256, item.sending_sha256) if h is not None}
    if ours:
        return standing not in ours
    return we is None or shown.edited_by_key != we
