"""Suggestions as tasks: everything the CRM is to show, put together at push time from what is true then."""

from __future__ import annotations

import hashlib
from base64 import b32encode
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from connectors.base import Task
from service import feedback_link, policy
from service.case import case_of
from service.config import settings
from service.playbook import Shown, WordsErased, render, task_text
from service.signals import Composition, Quote, Segment, Signal
from service.store import accounts, messages, signals, suggestions
from service.store.accounts import ContactRow, Place, Profile
from service.store.pool import Db, transaction
from service.store.suggestions import SuggestionRow

NO_LONGER = {
    "contradicted": "NO LONGER CURRENT: what this rested on has ended or was corrected. Nothing needs doing for it.",
    "out_of_scope": "NO LONGER CURRENT: your team has left this account out. Nothing needs doing for it.",
    "expired": "NO LONGER CURRENT: this is more than 30 days old and was not taken up.",
}
WRITTEN_SINCE = "they have written since it was made; read that first, and look at the account anew"
NOBODY_TO_WRITE_TO = "the person it was for has opted out or is no longer a contact of this account"


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A suggestion as it stands at this moment. `task` None: nothing may be written, and `reason` says why.

    `version`: the one that was read. `ended`: it is closed, so that a task that is there may be told so and none is made.
    `later`: what is missing is expected.
    """

    task: Task | None = None
    version: int | None = None
    ended: bool = False
    later: bool = False
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Material:
    """What was read for a batch, by the ids of what it belongs to."""

    places: Mapping[UUID, Place]
    profiles: Mapping[UUID, Profile]
    contacts: Mapping[UUID, Sequence[ContactRow]]
    signals: Mapping[UUID, Signal]
    bodies: dict[UUID, str]
    quotes: bool


def tasks_of(workspace_id: UUID, suggestion_ids: Sequence[UUID]) -> dict[UUID, Prepared]:
    """Checked against our own rows once more: account not deleted, or at home where it was merged into; contact not opted out."""
    with transaction(workspace_id) as db:
        found = {s.suggestion_id: s for s in suggestions.by_ids(db, suggestion_ids)}
        material = _gather(db, list(found.values()))
    return {s: _prepared(workspace_id, found.get(s), material) for s in suggestion_ids}


def key_of(workspace_id: UUID, *about: object) -> str:
    """Of the task about a suggestion, or anything else that has one. Unique for ever, 29 of [a-z0-9-]: the same for the same, whoever computes it."""
    digest = hashlib.sha256("|".join(map(str, (workspace_id, *about))).encode()).digest()
    return "ut-" + b32encode(digest).decode().lower()[:26]


class Spoken(Protocol):
    """How a draft was made to be said."""

    @property
    def channel(self) -> str: ...
    @property
    def lang(self) -> str: ...


def draft_text(draft: Sequence[Segment] | None, bodies: dict[UUID, str], spoken: Spoken | None = None) -> str | None:
    """None where there is no draft, or its words have been erased since. `spoken`: an English mail where nothing is known."""
    if draft is None:
        return None
    try:
        return render(draft, bodies, spoken.channel, spoken.lang) if spoken else render(draft, bodies)
    except WordsErased:
        return None


def quoted_messages(draft: Sequence[Segment] | None) -> list[UUID]:
    return [p.interaction_id for segment in draft or () for p in segment.parts if isinstance(p, Quote)]


def _gather(db: Db, found: Sequence[SuggestionRow]) -> Material:
    places = accounts.places(db, list({s.account_id for s in found}))
    today = list({p.account_id for p in places.values() if p.account_id})
    contacts: dict[UUID, list[ContactRow]] = defaultdict(list)
    # Contacts of an account that was merged away move with a later page than the account itself.
    for contact in accounts.contacts(db, list({*today, *places})):
        place = places.get(contact.account_id)
        contacts[place.account_id if place and place.account_id else contact.account_id].append(contact)
    return Material(
        places=places,
        profiles={p.account_id: p for p in accounts.profiles(db, today)},
        contacts=contacts,
        signals=signals.by_ids(db, list({s for row in found for s in row.signal_ids})),
        bodies=messages.bodies(db, list({m for s in found for m in quoted_messages(s.draft)})),
        quotes=policy.current(db).quotes_in_task,
    )


def _prepared(workspace_id: UUID, s: SuggestionRow | None, material: Material) -> Prepared:
    if s is None:
        return Prepared(reason="there is no such suggestion")
    place = material.places[s.account_id]
    profile = material.profiles.get(place.account_id) if place.account_id else None
    if profile is None:
        reason = "its account was merged into one that has not been read yet" if place.awaited else "its account was deleted"
        return Prepared(version=s.version, ended=s.state == "closed", later=place.awaited, reason=reason)
    found = [material.signals[i] for i in s.signal_ids if i in material.signals]
    if not found:
        return Prepared(version=s.version, ended=s.state == "closed", reason="what it rests on is gone")
    return Prepared(task=_task(workspace_id, s, profile, found, material), version=s.version, ended=s.state == "closed")


def _task(workspace_id: UUID, s: SuggestionRow, profile: Profile, found: Sequence[Signal], material: Material) -> Task:
    contacts = material.contacts.get(profile.account_id, ())
    contact = next((c for c in contacts if c.contact_id == s.contact_id and c.may_be_written_to), None)
    withheld = _withheld(s, contact)
    text = task_text(
        case_of(profile, contacts, found, seed=str(s.suggestion_id), today=s.opened_at),
        _composition(s, withheld),
        quotes=material.quotes,
        link=f"{settings().public_url}/console/suggestions/{s.suggestion_id}",
        shown=None if withheld else _shown(s, material.bodies),
        answer=feedback_link.address(workspace_id, s.suggestion_id, s.opened_at),
    )
    ended = NO_LONGER.get(s.close_reason or "")
    return Task(
        key=key_of(workspace_id, s.suggestion_id),
        subject=text.subject,
        description=f"{ended}\n\n{text.description}" if ended else text.description,
        due=s.due,
        priority=s.priority,
        owner_keys=tuple(dict.fromkeys(k for k in (s.owner_key, profile.owner_key, profile.manager_key) if k)),
        account_key=profile.key,
        contact_key=contact.key if contact else None,
    )


def _shown(s: SuggestionRow, bodies: dict[UUID, str]) -> Shown | None:
    text, last = draft_text(s.draft, bodies, s.last_draft), s.last_draft
    return Shown(text=text, made_on=last.made_on if last else s.opened_at, report=last.report if last else None) if text is not None else None


def _withheld(s: SuggestionRow, contact: ContactRow | None) -> str | None:
    """Why the draft does not go into the task after all."""
    if s.draft is None:
        return None
    if s.contact_id is not None and contact is None:
        return NOBODY_TO_WRITE_TO
    return WRITTEN_SINCE if s.last_draft and s.last_draft.answered else None


def _composition(s: SuggestionRow, withheld: str | None) -> Composition:
    """`withheld`: without the draft, for this reason."""
    return Composition(
        handling=s.handling,  # type: ignore[arg-type]
        why_now=s.why_now,
        plan=tuple(s.plan),
        draft=None if withheld else s.draft,
        no_draft_reason=withheld or s.no_draft_reason,
        alternatives=tuple(s.alternatives),
        pause=s.pause,
    )
