"""My day: the open suggestions of whoever is signed in, those first whose renewal is near. Nothing here counts or compares people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse

from service.config import now, real_time
from service.console import work
from service.console.pages import page
from service.console.session import Session
from service.console.sign_in import Visitor
from service.decide import RENEWAL_NEAR
from service.playbook import describe, how_sure
from service.playbook.wording import capitalised
from service.signals import Signal
from service.store import accounts, owners, people, signals, suggestions
from service.store.accounts import Profile
from service.store.owners import Owner
from service.store.pool import Db, transaction
from service.store.suggestions import SuggestionRow

router = APIRouter(prefix="/console")

MOST = 5
"""Nobody writes to more customers with care in a day, however many a policy lets be open."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    row: SuggestionRow
    profile: Profile
    changed: str
    """In one sentence."""
    quote: tuple[str, datetime, str] | None
    """(words, when, whose)"""
    confidence: float
    how_sure: str
    said: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """`waiting`: nothing was said of them yet, or not now without a day; MOST of them. `done`: their tasks are still open."""

    owner: str | None
    """Whose day; None where it is not known."""
    waiting: Sequence[Item]
    more: int
    snoozed: Sequence[Item]
    done: Sequence[Item]
    owners: Sequence[str]


@router.get("/day")
def my_day(request: Request, session: Visitor, owner: Annotated[str, Query(max_length=200)] = "") -> HTMLResponse:
    today = now().date()
    with transaction(session.workspace_id) as db:
        found = read(db, owners.named(db, owner) if owner else _themselves(db, session), today)
    return page(request, "day.html", day=found, asked=owner, today=today)


def read(db: Db, whose: Sequence[Owner], today: date) -> Day:
    items = sorted(_items(db, whose, today), key=lambda item: _order(item, today))
    waiting = [i for i in items if i.row.feedback in (None, "not_now") and not i.row.is_snoozed(today)]
    return Day(
        owner=whose[0].name if whose else None,
        waiting=waiting[:MOST],
        more=len(waiting[MOST:]),
        snoozed=[i for i in items if i.row.is_snoozed(today)],
        done=[i for i in items if i.row.feedback not in (None, "not_now")],
        owners=owners.names(db),
    )


def _themselves(db: Db, session: Session) -> Sequence[Owner]:
    """By the mail address of the person who is signed in."""
    email = people.email_in(db, session.person_session, real_time()) if session.person_session else None
    return owners.with_email(db, email) if email else ()


def _items(db: Db, whose: Sequence[Owner], today: date) -> list[Item]:
    rows = suggestions.of_owners(db, whose) if whose else []
    account_ids = [r.account_id for r in rows]
    profiles = {p.account_id: p for p in accounts.profiles(db, account_ids)}
    leads = signals.by_ids(db, [r.signal_ids[0] for r in rows])
    names = {c.contact_id: c.name or c.email or "unknown" for c in accounts.contacts(db, account_ids)}
    return [_item(r, profiles[r.account_id], leads[r.signal_ids[0]], names, today) for r in rows if r.account_id in profiles and r.signal_ids[0] in leads]


def _item(row: SuggestionRow, profile: Profile, lead: Signal, names: Mapping[UUID, str], today: date) -> Item:
    said = [e for e in lead.evidence if e.type == "buyer_message" and e.text]
    newest = max(said, key=lambda e: e.observed_at, default=None)
    return Item(
        row=row,
        profile=profile,
        changed=capitalised(next((text for label, text in work.seen(row.why_now) if label.startswith("What we see")), f"{describe(lead, today)}.")),
        quote=(work.shortened(newest.text or ""), newest.observed_at, names.get(newest.contact_id or UUID(int=0), "the customer")) if newest else None,
        confidence=lead.confidence,
        how_sure=how_sure(lead.confidence),
        said=work.said(row),
    )


def _order(item: Item, today: date) -> tuple[object, ...]:
    """A renewal that is near, then value, then how sure we are."""
    renewal = item.profile.renewal_date
    near = renewal is not None and timedelta() <= renewal - today <= RENEWAL_NEAR
    return not near, -(item.profile.arr or 0.0), -item.confidence, item.row.account_name
