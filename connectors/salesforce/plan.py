"""What would be written for a task, given what stands in the org. Pure."""

from __future__ import annotations

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

_MAY_BE_LEFT_OUT = ("ActivityDate", "Priority", "WhoId")
_PRIORITIES = {"high": "High", "normal": "Normal"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Planner:
    table: Table
    key: KeyField
    inactive: Collection[str] = field(default_factory=frozenset)
    """Users who cannot own a task."""
    fallback_owner: str | None = None

    def change(self, task: Task, found: TaskState | None) -> Change:
        if found is None:
            return Change(key=task.key, action="create", fields=self._all_fields(task))
        if found.deleted or found.is_closed:
            reason = "a person deleted it" if found.deleted else "it is closed"
            return Change(key=task.key, action="skip", reason=f"{reason}; it stays as it is", remote_id=found.remote_id)
        texts = self._texts(task)
        if _same(texts[SUBJECT], found.subject) and _same(texts[DESCRIPTION], found.description):
            return Change(key=task.key, action="skip", reason="it stands there already", remote_id=found.remote_id)
        return Change(key=task.key, action="update", remote_id=found.remote_id, fields=texts)

    def _all_fields(self, task: Task) -> dict[str, object]:
        wanted: dict[str, object] = {
            **self._texts(task),
            "WhatId": task.account_key,
            "WhoId": task.contact_key,
            "OwnerId": self._owner(task),
            "ActivityDate": task.due.isoformat(),
            "Priority": self._priority(task),
            **({self.key.name: task.key} if self.key.name else {}),
        }
        return {name: value for name, value in wanted.items() if value is not None and self._may_write(name)}

    def _may_write(self, name: str) -> bool:
        column = self.table.column(name)
        return name not in _MAY_BE_LEFT_OUT or (column is not None and column.createable)

    def _texts(self, task: Task) -> dict[str, object]:
        line = f"\n\n{KEY_LINE}{task.key}" if self.key.way == "described" else ""
        room = self._length(DESCRIPTION, 32_000) - len(line)
        return {SUBJECT: _cut(task.subject, self._length(SUBJECT, 255)), DESCRIPTION: _cut(task.description, room) + line}

    def _length(self, name: str, usual: int) -> int:
        column = self.table.column(name)
        return column.length if column and column.length else usual

    def _owner(self, task: Task) -> str | None:
        """If nobody is left, the first all the same: the org's refusal then shows that the account needs an owner."""
        active = (o for o in task.owner_keys if o not in self.inactive)
        return next(active, None) or self.fallback_owner or next(iter(task.owner_keys), None)

    def _priority(self, task: Task) -> str | None:
        """The org's own default where it does not know our word."""
        column, word = self.table.column("Priority"), _PRIORITIES[task.priority]
        return word if column and word in column.values else None


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"


def _same(ours: object, theirs: str | None) -> bool:
    return _normal(str(ours)) == _normal(theirs or "")


def _normal(text: str) -> str:
    """Salesforce trims texts and has its own line ends."""
    return "\n".join(line.rstrip() for line in text.splitlines()).strip()
