"""Drafts of a workspace: what a new one must not sound like, and who was written to a short while ago. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Protocol
from uuid import UUID

from ml.calendar import calendar_for
from service.drafting.windows import ACCOUNT, MANAGER, TEAM, Window
from service.playbook.drafting import compared
from service.playbook.wording import day_month
from service.signals import Segment

CAP = 10
"""Business days between two unprompted drafts to one contact."""
MOST_OF_TEAM = 1_000
MONTHS = 12


class Drafted(Protocol):
    """A suggestion with a draft."""

    @property
    def suggestion_id(self) -> UUID: ...
    @property
    def account_id(self) -> UUID: ...
    @property
    def contact_id(self) -> UUID | None: ...
    @property
    def owner_key(self) -> str | None: ...
    @property
    def opened_at(self) -> date: ...
    @property
    def draft(self) -> Sequence[Segment] | None: ...


class Earlier:
    """By account, by account manager, and all together; and the last for each contact."""

    def __init__(self, drafts: Iterable[Drafted], known_through: int = 0) -> None:
        """`known_through`: the change as of which the drafts were read."""
        self.known_through = known_through
        self.opened_from: int | None = None
        """The first change of what the same run has added."""
        self._last: dict[UUID, Drafted] = {}
        self._accounts: dict[UUID, Window] = {}
        self._managers: dict[str, Window] = {}
        self._team = Window(*TEAM)
        for one in drafts:
            self.add(one)

    def add(self, one: Drafted, change_no: int | None = None) -> None:
        """The oldest first. `change_no`: of a suggestion that this run has opened."""
        if self.opened_from is None:
            self.opened_from = change_no
        text = compared(one.draft or ())
        self._team.add(text)
        self._accounts.setdefault(one.account_id, Window(*ACCOUNT)).add(text)
        if one.owner_key:
            self._managers.setdefault(one.owner_key, Window(*MANAGER)).add(text)
        if one.contact_id:
            self._last[one.contact_id] = one

    def too_soon(self, contact_id: UUID | None, suggestion_id: UUID, today: date) -> str | None:
        """Why nobody should write unasked to a contact for whom there was a draft a short while ago; None where they may."""
        last = self._last.get(contact_id) if contact_id else None
        if last is None or last.suggestion_id == suggestion_id:
            return None
        until = calendar_for(None).add(last.opened_at, CAP)
        if today >= until:
            return None
        return f"there was a draft for them on {day_month(last.opened_at, today)}; leave them in peace until {day_month(until, today)}"

    def windows(self, account_id: UUID, owner_key: str | None) -> tuple[Window, ...]:
        found = (self._accounts.get(account_id), self._managers.get(owner_key or ""), self._team)
        return tuple(window for window in found if window)
