"""A suggestion as its page shows it: what we see and how sure, in whose words, the plan, the draft in a box, and what was said of it so far."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from ml.labels import SITUATIONS
from service.console import critique
from service.console.critique import Critique
from service.console.story import MomentView
from service.feedback import MOST_SNOOZED, stale
from service.playbook.describe import MOMENT
from service.playbook.pause import CARD
from service.playbook.report import good_until
from service.playbook.wording import capitalised, day_month, day_month_year, folded
from service.store import messages
from service.store.pool import Db
from service.store.suggestions import SuggestionRow, Verdict
from service.task import draft_text, quoted_messages

MOST_QUOTE = 240
"""Characters."""
LEAST_ROWS, MOST_ROWS, CHARS_IN_ROW = 8, 22, 68
SAID: dict[Verdict, str] = {"used": "Sent as it was", "edited": "Changed and sent", "not_now": "Not now", "wrong_reading": "We read it wrong"}
_PARTS = re.compile(r"(?:^|(?<=\. ))(What we see|What it may mean|How sure we are[^:.]*|Also): ")


@dataclass(frozen=True, slots=True, kw_only=True)
class Typed:
    """What a form has sent, to be shown again. `text`: theirs in place of the draft. `other`: another draft; "" where there is none."""

    text: str | None = None
    critic: Critique | None = None
    other: str | None = None
    problem: str | None = None
    verdict: Verdict | None = None
    felt: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    row: SuggestionRow
    title: str
    seen: Sequence[tuple[str, str]]
    """(What we see, ...), as label and sentence."""
    quote: tuple[str, datetime, str] | None
    """Their newest words on it, shortened: (words, when, whose)."""
    draft: str | None
    text: str
    """In the box."""
    rows: int
    recipient: str | None
    stale: str | None
    good_until: str | None
    pause: Sequence[str]
    """Steps before an angry message is answered; none where it is not."""
    critic: Critique | None
    said: str | None
    """The last word of a person on it."""
    rests_on_words: bool
    first_day: date
    last_day: date
    typed: Typed
    situations: Sequence[str] = SITUATIONS


def read(db: Db, row: SuggestionRow, lead: MomentView | None, recipient: str | None, today: date, typed: Typed) -> Work:
    draft = draft_text(row.draft, messages.bodies(db, quoted_messages(row.draft)), row.last_draft)
    last = row.last_draft if draft is not None else None
    text = typed.text if typed.text is not None else draft or ""
    return Work(
        row=row,
        title=capitalised(MOMENT[row.lead_kind]),  # type: ignore[index]
        seen=seen(row.why_now),
        quote=_quote(lead),
        draft=draft,
        text=text,
        rows=_rows(text),
        recipient=recipient,
        stale=stale(row, today) if draft is not None else None,
        good_until=day_month(good_until(last.made_on), today) if last else None,
        pause=CARD if row.pause else (),
        critic=typed.critic or (critique.of_report(last.report) if last and typed.text is None else None),
        said=said(row),
        rests_on_words=bool(lead and any(e.type == "buyer_message" and e.interaction_id for e in lead.signal.evidence)),
        first_day=today + timedelta(days=1),
        last_day=today + timedelta(days=MOST_SNOOZED),
        typed=typed,
    )


def seen(why_now: str) -> list[tuple[str, str]]:
    """In its labelled parts; as one without a label where it has none."""
    pieces = _PARTS.split(why_now)
    labelled: dict[str, list[str]] = {}
    for label, text in zip(pieces[1::2], pieces[2::2], strict=True):
        labelled.setdefault(f"{label}:", []).append(text.strip())
    return [*([("", pieces[0].strip())] if pieces[0].strip() else []), *((label, " ".join(texts)) for label, texts in labelled.items())]


def _quote(lead: MomentView | None) -> tuple[str, datetime, str] | None:
    if lead is None or not lead.quotes:
        return None
    words, at, who, _ = lead.quotes[0]
    return shortened(words), at, who


def shortened(words: str) -> str:
    """On one line; MOST_QUOTE characters, whole words."""
    shown = folded(words)
    return shown if len(shown) <= MOST_QUOTE else f"{shown[:MOST_QUOTE].rpartition(' ')[0]} …"


def said(row: SuggestionRow) -> str | None:
    """Edited, 5 Mar 2026"""
    if row.feedback is None or row.said_at is None:
        return None
    until = f", until {day_month_year(row.snoozed_until)}" if row.snoozed_until else ""
    return f"{SAID[row.feedback]}{until}; said on {day_month_year(row.said_at.date())}"


def _rows(text: str) -> int:
    lines = sum(max(1, -(-len(line) // CHARS_IN_ROW)) for line in text.split("\n"))
    return min(MOST_ROWS, max(LEAST_ROWS, lines + 1))
