"""One account's story as its page shows it: what changed, in whose words, how sure, what else it could mean, what one might write."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from ml.alternatives import sentences_for
from ml.usage.words import capitalised, metric_name
from service.console import figures, ledger, pictures
from service.console.ledger import LedgerView
from service.console.pictures import Pictures
from service.playbook import asked, describe, how_sure
from service.playbook.wording import day_month_year
from service.signals import Evidence, Signal, SignalKind
from service.store import accounts, messages, signals, suggestions
from service.store.accounts import AccountRow, ContactRow
from service.store.pool import Db
from service.store.suggestions import SuggestionRow

MOST_QUOTES = 4
TELLING: frozenset[SignalKind] = frozenset({"tone_turn", "silence", "usage_drop", "unanswered_question"})
"""Moments that stay in the story when they are over; what was merely said gives way to what is said now."""
_KIND_OF: Mapping[str, SignalKind] = {"tone": "tone_turn", "contact": "silence", "usage": "usage_drop"}
_PLACE_OF = {"tone": "#mood", "contact": "#said", "usage": "#usage"}
"""Drivers of the outlook that are no moment's own name."""
SURE = 0.5
"""What is less sure is told further down."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MomentView:
    number: int
    """Its mark in the charts; 1 is the newest of those that are marked."""
    signal: Signal
    line: str
    who: str | None
    quotes: Sequence[tuple[str, datetime, str, UUID | None]]
    """(words, when, whose, in which message); the newest first, MOST_QUOTES of them"""
    grounds: Sequence[tuple[str, str]]
    """What it rests on besides: numbers, our own messages, words that are no longer kept; each with its place on the page, "" where it has none."""
    alternatives: Sequence[str]
    how_sure: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DriverView:
    points: int
    reason: str
    link: str
    """Where on the page it can be seen; "" where it is in the heading."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    account: AccountRow
    contacts: Sequence[ContactRow]
    asked: Mapping[UUID, Sequence[str]]
    """By contact, what they have asked for."""
    drivers: Sequence[DriverView]
    """Of the outlook; their points add up to its score."""
    moments: Sequence[MomentView]
    lesser: Sequence[MomentView]
    """Earlier or less sure; not marked in the charts."""
    suggestion: SuggestionRow | None
    lead: MomentView | None
    """What the suggestion is about."""
    recipient: str | None
    ledger: LedgerView
    usage: Pictures


def read(db: Db, account_id: UUID, at: datetime) -> Story | None:
    account = accounts.get(db, account_id)
    if account is None:
        return None
    contacts = accounts.contacts(db, [account_id])
    names = {c.contact_id: c.name or c.email or "unknown" for c in contacts}
    rows = [r.signal for r in signals.current(db, [account_id])]
    found = suggestions.listing(db, account_id=account_id, state="open", after=None, most=1)
    suggestion = found[0] if found else None
    drawn = pictures.read(db, account_id, account.name, at.date(), [s for s in rows if s.kind == "usage_drop"])
    places = {metric.title: f"#metric-{n}" for n, metric in enumerate(drawn.drawn)}
    views = [_moment(n, s, names, places) for n, s in enumerate(_told_first(rows), 1)]
    moments = [view for view in views if _tells(view.signal)]
    return Story(
        account=account,
        contacts=contacts,
        asked={c.contact_id: asked.lines(c.preference, at.date()) for c in contacts},
        drivers=[_driver(d, views) for d in account.drivers or ()],
        moments=moments,
        lesser=views[len(moments) :],
        suggestion=suggestion,
        lead=next((view for view in views if suggestion and view.signal.id == suggestion.signal_ids[0]), None),
        recipient=names.get(suggestion.contact_id) if suggestion and suggestion.contact_id else None,
        ledger=ledger.read(db, account_id, at, contacts),
        usage=drawn,
    )


def charts(db: Db, account_id: UUID, at: datetime) -> dict[str, Any] | None:
    """For charts.js: mood, usage and the moments on one time axis, these numbered as in the story. No text of a buyer is in it."""
    account = accounts.get(db, account_id)
    if account is None:
        return None
    mood = messages.mood(db, account_id)
    marked = [(n, s) for n, s in enumerate(_told_first([r.signal for r in signals.current(db, [account_id])]), 1) if _tells(s)]
    return {
        "now": at,
        "mood": {
            "at": [p.occurred_at for p in mood],
            "sentiment": [round(p.sentiment, 3) for p in mood],
            "who": [p.contact_name for p in mood],
        },
        "usage": figures.read(db, account_id, account.name, at.date()),
        "moments": [{"day": s.detected_at, "kind": describe(s, at.date()), "number": n, "id": s.id} for n, s in marked],
    }


def _told_first(rows: Sequence[Signal]) -> list[Signal]:
    """Those that tell the story, the newest first, and then the others."""
    return sorted(rows, key=lambda s: (not _tells(s), -s.detected_at.toordinal()))


def _tells(s: Signal) -> bool:
    return s.kind in TELLING or (s.state != "ended" and s.confidence >= SURE)


def _driver(driver: Mapping[str, Any], views: Sequence[MomentView]) -> DriverView:
    """At the newest moment that it speaks of, else where the moods or the numbers are."""
    kind = _KIND_OF.get(driver["name"], driver["name"].replace(" ", "_"))
    moment = next((view for view in views if view.signal.kind == kind and view.signal.state != "ended"), None)
    link = f"#{moment.signal.id}" if moment else _PLACE_OF.get(driver["name"], "")
    return DriverView(points=driver["points"], reason=driver["reason"], link=link)


def _moment(number: int, signal: Signal, names: dict[UUID, str], places: Mapping[str, str]) -> MomentView:
    newest_first = sorted(signal.evidence, key=lambda e: e.observed_at, reverse=True)
    quotes = [(e.text.strip(), e.observed_at, _writer(e, names), e.interaction_id) for e in newest_first if e.text]
    metric = capitalised(metric_name(str(signal.numbers.get("metric", ""))))
    return MomentView(
        number=number,
        signal=signal,
        line=describe(signal),
        who=names.get(signal.contact_id) if signal.contact_id else None,
        quotes=quotes[:MOST_QUOTES],
        grounds=[
            *_grounds(newest_first, names, places.get(metric, "#usage")),
            *([(f"And {len(quotes) - MOST_QUOTES} more messages.", "#said")] if len(quotes) > MOST_QUOTES else []),
        ],
        alternatives=sentences_for(signal.alternatives),
        how_sure=how_sure(signal.confidence),
    )


def _writer(e: Evidence, names: dict[UUID, str]) -> str:
    if e.type == "our_message":
        return "us"
    return names.get(e.contact_id, "the customer") if e.contact_id else "the customer"


def _grounds(evidence: Sequence[Evidence], names: dict[UUID, str], metric: str) -> list[tuple[str, str]]:
    """A line for each piece of evidence that has no words to show, with its place on the page. `metric`: the place of the numbers."""
    lines = [(_ground(e, names), metric if e.type == "usage" else "") for e in evidence if not e.text]
    return list(dict.fromkeys(lines))


def _ground(e: Evidence, names: dict[UUID, str]) -> str:
    day = day_month_year(e.observed_at)
    if e.type == "our_message":
        return f"Our {e.source} of {day}"
    if e.type == "buyer_message":
        return f"A message of {day} from {_writer(e, names)}; its words are no longer kept"
    return f"The {e.source}, up to {day}"
