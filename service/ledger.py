"""The acknowledgement ledger of one account, put together when somebody looks: nothing of it is stored, so words that were erased are
in no entry, and a message that came in late changes what it should.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from ml import ledger, orders
from ml.calendar import calendar_for
from ml.conversation import Conversation
from ml.ledger import Entry, Settlement, State, Voiced
from service import timeline
from service.spans import Spans
from service.store import accounts, messages, signals
from service.store.accounts import ContactRow
from service.store.messages import Exchange
from service.store.pool import Db


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """Words of the buyer; `start` and `end` are offsets into the raw message, `day` is that of the account's calendar."""

    interaction_id: UUID
    at: datetime
    day: date
    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """ml.ledger.Settlement, with the message's id and kind."""

    interaction_id: UUID
    source: str
    how: Settlement


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """ml.ledger.Entry with the words. `contact` is a name, else an address; None for somebody who is not in the CRM."""

    entry: Entry
    contact_id: UUID | None
    contact: str | None
    said: Words
    again: tuple[Words, ...]
    settled: tuple[Settled, ...]

    @property
    def is_open(self) -> bool:
        return self.entry.state == "open"


def read(db: Db, account_id: UUID, now: datetime, state: State | None = None, contacts: Sequence[ContactRow] | None = None) -> list[Line] | None:
    """Open first, then by the time at which it was first voiced. None where there is no such account. `contacts`: those of the account, if they are known."""
    profile = next(iter(accounts.profiles(db, [account_id])), None)
    if profile is None:
        return None
    exchanges = messages.exchanges(db, [account_id], now, signals.newest_model(db, account_id) or "")
    calendar = calendar_for(profile.region, profile.timezone)
    names = {c.contact_id: c.name or c.email for c in (accounts.contacts(db, [account_id]) if contacts is None else contacts)}
    entries = ledger.entries(Conversation.until(timeline.messages_of(exchanges, calendar), calendar, now))
    lines = (_line(e, exchanges, names) for e in entries if state in (None, e.state))
    return sorted((line for line in lines if line is not None), key=lambda line: not line.is_open)


def _line(entry: Entry, exchanges: Sequence[Exchange], names: Mapping[UUID, str | None]) -> Line | None:
    """None for text that gives orders to a machine, in case it passed for something else where messages are scored."""
    said = _words(entry.voiced, exchanges)
    if said is None or orders.has_form(said.text) or orders.tagged(said.text):
        return None
    contact_id = UUID(entry.contact) if entry.contact else None
    return Line(
        entry=entry,
        contact_id=contact_id,
        contact=names.get(contact_id) if contact_id else None,
        said=said,
        again=tuple(words for voiced in entry.again if (words := _words(voiced, exchanges))),
        settled=tuple(Settled(interaction_id=exchanges[s.message].interaction_id, source=exchanges[s.message].kind, how=s) for s in entry.settled),
    )


def _words(voiced: Voiced, exchanges: Sequence[Exchange]) -> Words | None:
    e = exchanges[voiced.message]
    raw = Spans(e.starts or (), e.ends or ()).to_raw(voiced.start, voiced.end)
    if raw is None or e.body is None:
        return None
    return Words(interaction_id=e.interaction_id, at=e.occurred_at, day=voiced.day, start=raw[0], end=raw[1], text=e.body[raw[0] : raw[1]])
