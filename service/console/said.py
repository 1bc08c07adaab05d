"""What an account's people wrote lately, as its page shows it: their words, how they were read and how surely, and what a person said instead."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from ml.labels import NEGATIVE, POSITIVE
from service.playbook import how_sure
from service.playbook.describe import MOMENT
from service.playbook.wording import capitalised, day_month_year, folded, listed
from service.store import corrections, readings
from service.store.corrections import CorrectionRow
from service.store.pool import Db
from service.store.readings import BEGINNING, MessageRow, StoredReading

MOST = 12
CHURN = {2: "they doubt the matter itself", 3: "leaving is decided or close to it"}
"""Levels of churn risk that are worth a line."""
_BY = {"console": "by you or a colleague", "api": "through the API"}
_LABEL = {"sentiment": "mood", "churn_risk": "risk of leaving"}


@dataclass(frozen=True, slots=True, kw_only=True)
class SaidView:
    id: UUID
    at: datetime
    who: str
    kind: str
    quotes: Sequence[str]
    beginning: str | None
    """Of the message, where it has no quote; None once its words have been erased."""
    mood: str
    emotions: Sequence[tuple[str, str | None]]
    """(names, each with its confidence, and the innocent reading they share, as a sentence); none where the reader abstained"""
    situations: Sequence[str]
    churn: str | None
    corrected: Sequence[str]
    model_version: str | None
    """None until it has been read: there is nothing to correct."""


def read(db: Db, account_id: UUID, at: datetime) -> list[SaidView]:
    rows = readings.listing(db, account_id, at, after=None, most=MOST, heard=True)
    corrected = corrections.current(db, [r.interaction_id for r in rows])
    return [_view(row, corrected.get(row.interaction_id, ())) for row in rows]


def _view(row: MessageRow, corrected: Sequence[CorrectionRow]) -> SaidView:
    reading = row.reading
    return SaidView(
        id=row.interaction_id,
        at=row.occurred_at,
        who=row.contact_name or "the customer",
        kind=row.kind,
        quotes=[words.strip() for words in row.words if words],
        beginning=_beginning(row.beginning),
        mood=_mood(reading),
        emotions=_emotions(reading) if reading else (),
        situations=[f"{capitalised(MOMENT[s.name])} ({s.confidence:.2f})" for s in reading.situations] if reading else (),
        churn=CHURN.get(reading.churn_risk) if reading else None,
        corrected=[_corrected(c) for c in corrected],
        model_version=row.model_version,
    )


def mood_name(sentiment: float) -> str:
    if sentiment <= NEGATIVE:
        return "negative"
    return "positive" if sentiment >= POSITIVE else "neutral"


def _mood(reading: StoredReading | None) -> str:
    if reading is None:
        return "not read yet"
    if reading.abstained:
        return "unsure"
    return f"{mood_name(reading.sentiment)}, {how_sure(reading.confidence)} ({reading.confidence:.2f})"


def _emotions(reading: StoredReading) -> list[tuple[str, str | None]]:
    shared: dict[str | None, list[str]] = {}
    for e in () if reading.abstained else reading.emotions:
        if e.name != "neutral":
            shared.setdefault(e.innocent, []).append(f"{e.name} ({e.confidence:.2f})")
    return [(capitalised(listed(names)), innocent) for innocent, names in shared.items()]


def _corrected(c: CorrectionRow) -> str:
    return f"{_LABEL.get(c.label, c.label)} corrected to {_value(c)} {_BY[c.source]}, {day_month_year(c.recorded_at)}"


def _value(c: CorrectionRow) -> str:
    if c.label == "sentiment":
        return mood_name(c.corrected)
    if c.label == "churn_risk":
        return f"{c.corrected} of 3"
    names = c.corrected if isinstance(c.corrected, list) else [c.corrected]
    return ", ".join(MOMENT.get(name, name.replace("_", " ")) for name in names) or "none"


def _beginning(text: str | None) -> str | None:
    """Whole words, on one line."""
    if not text:
        return None
    shown = folded(text)
    return f"{shown.rpartition(' ')[0] or shown}…" if len(text) == BEGINNING else shown
