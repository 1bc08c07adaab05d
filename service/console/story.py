"""One account's story as its page shows it: what changed, in whose words, how sure, what else it could mean, what one might write."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from ml.alternatives import sentences_for
from service.console import ledger, pictures
from service.console.ledger import LedgerView
from service.console.pictures import Pictures
from service.feedback import stale
from service.playbook import asked, describe, how_sure
from service.playbook.pause import CARD
from service.playbook.report import good_until
from service.playbook.report import lines as report_lines
from service.playbook.wording import day_month
from service.signals import Evidence, Signal, SignalKind
from service.store import accounts, messages, signals, suggestions
from service.store.accounts import AccountRow, ContactRow
from service.store.pool import Db
from service.store.suggestions import SuggestionRow
from service.task import draft_text, quoted_messages

MOST_QUOTES = 4
TELLING: frozenset[SignalKind] = frozenset({"tone_turn", "silence", "usage_drop", "unanswered_question"})
"""Moments that stay in the story when they are over; what was merely said gives way to what is said now."""
SURE = 0.5
"""What is less sure is told further down."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MomentView:
    number: int
    """Its mark in the charts; 1 is the newest of those that are marked."""
    signal: Signal
    line: str
    who: str | None
    quotes: Sequence[tuple[str, datetime, str]]
    """(words, when, whose); the newest first, MOST_QUOTES of them"""
    grounds: Sequence[str]
    """What it rests on besides: numbers, our own messages, words that are no longer kept."""
    alternatives: Sequence[str]
    how_sure: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    account: AccountRow
    contacts: Sequence[ContactRow]
    asked: Mapping[UUID, Sequence[str]]
    """By contact, what they have asked for."""
    moments: Sequence[MomentView]
    lesser: Sequence[MomentView]
    """Earlier or less sure; not marked in the charts."""
    suggestion: SuggestionRow | None
    draft: str | None
    recipient: str | None
    stale: str | None
    checked: Sequence[str]
    """What the draft was held against, and until when it is good."""
    pause: Sequence[str]
    """Steps before an angry message is answered; none where it is not."""
    ledger: LedgerView
    usage: Pictures
    marks: str
    """JSON for charts.js: the moments."""


def read(db: Db, account_id: UUID, at: datetime) -> Story | None:
    account = accounts.get(db, account_id)
    if account is None:
        return None
    contacts = accounts.contacts(db, [account_id])
    names = {c.contact_id: c.name or c.email or "unknown" for c in contacts}
    rows = [r.signal for r in signals.current(db, [account_id])]
    found = suggestions.listing(db, account_id=account_id, state="open", after=None, most=1)
    suggestion = found[0] if found else None
    bodies = messages.bodies(db, quoted_messages(suggestion.draft)) if suggestion else {}
    newest_first = sorted(rows, key=lambda s: (not _tells(s), -s.detected_at.toordinal()))
    views = [_moment(n, s, names) for n, s in enumerate(newest_first, 1)]
    moments = [view for view in views if _tells(view.signal)]
    drawn = pictures.read(db, account_id, account.name, at.date())
    return Story(
        account=account,
        contacts=contacts,
        asked={c.contact_id: asked.lines(c.preference, at.date()) for c in contacts},
        moments=moments,
        lesser=views[len(moments) :],
        suggestion=suggestion,
        draft=draft_text(suggestion.draft, bodies, suggestion.last_draft) if suggestion else None,
        recipient=names.get(suggestion.contact_id) if suggestion and suggestion.contact_id else None,
        stale=stale(suggestion, at.date()) if suggestion and suggestion.draft else None,
        checked=_checked(suggestion, at.date()) if suggestion else (),
        pause=CARD if suggestion and suggestion.pause else (),
        ledger=ledger.read(db, account_id, at),
        usage=drawn,
        marks=marks(moments),
    )


def _checked(suggestion: SuggestionRow, today: date) -> list[str]:
    last = suggestion.last_draft if suggestion.draft else None
    return [f"Good until {day_month(good_until(last.made_on), today)}, or until they write again.", *report_lines(last.report)] if last else []


def _tells(s: Signal) -> bool:
    return s.kind in TELLING or (s.state != "ended" and s.confidence >= SURE)


def _moment(number: int, signal: Signal, names: dict[UUID, str]) -> MomentView:
    newest_first = sorted(signal.evidence, key=lambda e: e.observed_at, reverse=True)
    quotes = [(e.text.strip(), e.observed_at, _writer(e, names)) for e in newest_first if e.text]
    return MomentView(
        number=number,
        signal=signal,
        line=describe(signal),
        who=names.get(signal.contact_id) if signal.contact_id else None,
        quotes=quotes[:MOST_QUOTES],
        grounds=[*_grounds(newest_first, names), *([f"And {len(quotes) - MOST_QUOTES} more messages."] if len(quotes) > MOST_QUOTES else [])],
        alternatives=sentences_for(signal.alternatives),
        how_sure=how_sure(signal.confidence),
    )


def _writer(e: Evidence, names: dict[UUID, str]) -> str:
    if e.type == "our_message":
        return "us"
    return names.get(e.contact_id, "the customer") if e.contact_id else "the customer"


def _grounds(evidence: Sequence[Evidence], names: dict[UUID, str]) -> list[str]:
    """A line for each piece of evidence that has no words to show."""
    lines = [_ground(e, names) for e in evidence if not e.text]
    return list(dict.fromkeys(lines))


def _ground(e: Evidence, names: dict[UUID, str]) -> str:
    day = f"{e.observed_at.day} {e.observed_at:%b %Y}"
    if e.type == "our_message":
        return f"Our {e.source} of {day}"
    if e.type == "buyer_message":
        return f"A message of {day} from {_writer(e, names)}; its words are no longer kept"
    return f"The {e.source}, up to {day}"


def marks(moments: Sequence[MomentView]) -> str:
    """JSON for charts.js, inside a script element: no text of a buyer is in it, and even a name could not end the element."""
    value = [{"day": m.signal.detected_at.isoformat(), "kind": m.signal.kind.replace("_", " "), "number": m.number} for m in moments]
    return json.dumps(value).replace("<", "\\u003c").replace("&", "\\u0026")
