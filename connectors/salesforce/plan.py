"""What would be written for a task, given what stands in the org. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, field

from connectors.base import Change, Task
from connectors.records import TaskState
from connectors.salesforce.interactions import KEY_LINE
from connectors.salesforce.keys import KeyField
from connectors.salesforce.schema import Table

SUBJECT, DESCRIPTION = "Subject", "Description"
TEXTS = (SUBJECT, DESCRIPTION)
"""All that an update may write: a person may have changed everything else."""
NO_OWNER = "the owner is inactive and so is everyone after them; reassign the account, or set fallback_owner on the connection"

_MAY_BE_LEFT_OUT = ("ActivityDate", "Priority", "WhoId")
_PRIORITIES = {"high": "High", "normal": "Normal"}
_CONTACT = re.compile(r"003[A-Za-z0-9]{12}(?:[A-Za-z0-9]{3})?")


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskChange(Change):
    """`heirs`: who gets the task, in this order, should its owner turn out to be inactive. `aimed`: it points at what it was led to already."""

    heirs: tuple[str, ...] = ()
    aimed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Planner:
    table: Table
    key: KeyField
    inactive: Collection[str] = field(default_factory=frozenset)
    """Users who cannot own a task."""
    fallback_owner: str | None = None
    """A user or a queue."""

    def change(self, task: Task, found: TaskState | None) -> Change:
        if found is None:
            return self._create(task)
        if found.deleted or found.is_closed:
            reason = "a person deleted it" if found.deleted else "it is closed"
            return Change(key=task.key, action="skip", reason=f"{reason}; it stays as it is", remote_id=found.remote_id)
        texts = self._texts(task)
        if _same(texts[SUBJECT], found.subject) and _same(texts[DESCRIPTION], found.description):
            return Change(key=task.key, action="skip", reason="it stands there already", remote_id=found.remote_id)
        return Change(key=task.key, action="update", remote_id=found.remote_id, fields=texts)

    def _create(self, task: Task) -> Change:
        owner, *heirs = self._owners(task) or (None,)
        wanted: dict[str, object] = {
            **self._texts(task),
            "WhatId": task.account_key,
            "WhoId": task.contact_key if _CONTACT.fullmatch(task.contact_key or "") else None,
            "OwnerId": owner,
            "ActivityDate": task.due.isoformat(),
            "Priority": self._priority(task),
            **({self.key.name: task.key} if self.key.name else {}),
        }
        fields = {name: value for name, value in wanted.items() if value is not None and self._may_write(name)}
        reason = NO_OWNER if owner is None and task.owner_keys else ""
        return TaskChange(key=task.key, action="create", fields=fields, heirs=tuple(h for h in heirs if h), reason=reason)

    def _may_write(self, name: str) -> bool:
        column = self.table.column(name)
        return name not in _MAY_BE_LEFT_OUT or (column is not None and column.createable)

    def _texts(self, task: Task) -> dict[str, object]:
        line = f"\n\n{KEY_LINE}{task.key}" if self.key.way == "described" else ""
        room = self._length(DESCRIPTION, 32_000) - len(line)
        return {SUBJECT: cut(task.subject, self._length(SUBJECT, 255)), DESCRIPTION: cut(task.description, room) + line}

    def _length(self, name: str, usual: int) -> int:
        column = self.table.column(name)
        return column.length if column and column.length else usual

    def _owners(self, task: Task) -> tuple[str, ...]:
        """Who can own it, best first."""
        candidates = (*task.owner_keys, *([self.fallback_owner] if self.fallback_owner else []))
        return tuple(dict.fromkeys(o for o in candidates if o not in self.inactive))

    def _priority(self, task: Task) -> str | None:
        """The org's own default where it does not know our word."""
        column, word = self.table.column("Priority"), _PRIORITIES[task.priority]
        return word if column and word in column.values else None


def cut(text: str, most: int) -> str:
    """To `most` characters as Salesforce counts them: in units of UTF-16, of which an emoji takes two."""
    if len(text) * 2 <= most:
        return text
    units = text.encode("utf-16-le", "replace")
    if len(units) <= most * 2:
        return text
    return units[: (most - 1) * 2].decode("utf-16-le", "ignore").rstrip() + "…"


def _same(ours: object, theirs: str | None) -> bool:
    return _normal(str(ours)) == _normal(theirs or "")


def _normal(text: str) -> str:
    """Salesforce trims texts and has its own line ends."""
    return "\n".join(line.rstrip() for line in text.splitlines()).strip()
