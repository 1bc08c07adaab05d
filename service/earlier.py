"""Drafts of a workspace that a new one must not sound like. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from uuid import UUID

from service.drafting.windows import ACCOUNT, MANAGER, TEAM, Window
from service.playbook.drafting import compared
from service.signals import Segment

MOST_OF_TEAM = 1_000
MONTHS = 12


class Earlier:
    """By account, by account manager, and all together."""

    def __init__(self, drafts: Iterable[tuple[UUID, str | None, Sequence[Segment]]]) -> None:
        self._accounts: dict[UUID, Window] = {}
        self._managers: dict[str, Window] = {}
        self._team = Window(*TEAM)
        for account_id, owner_key, draft in drafts:
            self.add(account_id, owner_key, draft)

    def add(self, account_id: UUID, owner_key: str | None, draft: Sequence[Segment]) -> None:
        text = compared(draft)
        self._team.add(text)
        self._accounts.setdefault(account_id, Window(*ACCOUNT)).add(text)
        if owner_key:
            self._managers.setdefault(owner_key, Window(*MANAGER)).add(text)

    def windows(self, account_id: UUID, owner_key: str | None) -> tuple[Window, ...]:
        found = (self._accounts.get(account_id), self._managers.get(owner_key or ""), self._team)
        return tuple(window for window in found if window)
