"""The story of one account: its exchanges as the conversation detectors want them, and what they found as signals with evidence. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any, cast
from uuid import NAMESPACE_URL, UUID, uuid4, uuid5

from ml import dynamics
from ml.calendar import Calendar, calendar_for
from ml.concerns import HOSTILE
from ml.moments import Moment, Span
from ml.situations import Situation, traits
from ml.stems import words_in
from service.decide import LEAST_SURE
from service.playbook.stop_requests import stop_requests as requests_in
from service.signals import Evidence, Signal, SignalKind
from service.spans import Spans
from service.store.accounts import Profile
from service.store.messages import Exchange

STOP: SignalKind = "stop_request"
SURE_OF_REQUEST = 0.9
"""By judgement: the phrases are plain ones."""


@dataclass(frozen=True, slots=True)
class Story:
    messages: Sequence[dynamics.Message]
    moments: Sequence[Moment]
    habits: Sequence[dynamics.Habit]
    signals: Sequence[Signal]


def tell(exchanges: Sequence[Exchange], profile: Profile, now: datetime, usage: Sequence[Moment]) -> Story:
    """What was knowable by `now`. `usage`: the account's usage moments, found with all its peers."""
    calendar = calendar_for(profile.region, profile.timezone)
    messages = messages_of(exchanges, calendar)
    moments = [*dynamics.moments(messages, calendar, now), *(m for m in usage if m.detected_at <= now.date())]
    signals = [_signal(m, exchanges, profile) for m in moments]
    return Story(messages, moments, dynamics.habits(messages, calendar, now), signals)


def messages_of(exchanges: Sequence[Exchange], calendar: Calendar) -> list[dynamics.Message]:
    """Each with its place among the exchanges as its id."""
    threads = _threads(exchanges)
    return [_message(i, e, threads[i], calendar) for i, e in enumerate(exchanges)]


def _message(index: int, e: Exchange, thread: str, calendar: Calendar) -> dynamics.Message:
    spans = Spans(e.starts or (), e.ends or ())
    text = spans.text_of(e.body) if e.body else ""
    listed = _situations(((s, spans.to_own(*s["span"])) for s in e.situations or ()), text)
    return dynamics.Message(
        id=index,
        at=e.occurred_at,
        contact=str(e.contact_id) if e.contact_id else None,
        direction=cast("dynamics.Direction", e.direction),
        kind=cast("dynamics.Kind", e.kind),
        automatic=e.automatic,
        thread=thread,
        sentiment=e.sentiment or 0.0,
        confidence=e.confidence or 0.0,
        traits=traits(text, calendar.day_of(e.occurred_at)) if text else None,
        situations=_said(e.reading, spans, text) if e.reading else listed,
        reproaches=listed,
    )


def _said(reading: dict[str, Any], spans: Spans, text: str) -> tuple[Situation, ...]:
    """What the reader heard, but no insult that may be none."""
    heard = (s for s in reading["situations"] if s["name"] != HOSTILE or s["confidence"] >= LEAST_SURE)
    return _situations(((s, _carrier(s["name"], reading["quotes"], spans)) for s in heard), text)


def _carrier(name: str, quotes: Sequence[dict[str, Any]], spans: Spans) -> tuple[int, int] | None:
    """The quote that speaks for the situation most, else the first one. What is hostile is not quoted for: it stands for the message as a whole."""
    quote = next((q for q in quotes if name in q["why"]), None)
    if quote is None and name == HOSTILE:
        return 0, 0
    quote = quote or (quotes[0] if quotes else None)
    return spans.to_own(quote["start"], quote["end"]) if quote else None


def _situations(found: Iterable[tuple[dict[str, Any], tuple[int, int] | None]], text: str) -> tuple[Situation, ...]:
    """(situation, offsets into own text) each; one that no words carry is left out."""
    return tuple(Situation(s["name"], s["confidence"], *own, words_in(text[slice(*own)])) for s, own in found if own is not None)


def _signal(moment: Moment, exchanges: Sequence[Exchange], profile: Profile) -> Signal:
    return Signal(
        id=uuid4(),
        account_id=profile.account_id,
        contact_id=UUID(moment.contact) if moment.contact else None,
        kind=moment.kind,
        key=_key(moment, exchanges),
        state=moment.state,
        detected_at=moment.detected_at,
        ended_at=moment.ended_at,
        confidence=round(moment.confidence, 4),
        numbers=moment.numbers,
        alternatives=moment.alternatives,
        evidence=(*_words(moment, exchanges), *_numbers(moment)),
    )


def _key(moment: Moment, exchanges: Sequence[Exchange]) -> str:
    """The same moment has the same key in every run: by the message that began it, or for usage by its onset."""
    anchor = str(moment.anchor) if moment.kind == "usage_drop" else str(exchanges[moment.anchor].interaction_id)
    return f"{moment.kind}:{moment.contact or ''}:{anchor}"


def _words(moment: Moment, exchanges: Sequence[Exchange]) -> list[Evidence]:
    """The spans that carried the verdict; a message without one stands for itself as a whole."""
    spoken = {span.message for span in moment.spans}
    whole = [Span(m, 0, 0) for m in moment.messages if m not in spoken]
    return [_word(span, exchanges[span.message], moment) for span in sorted([*moment.spans, *whole], key=lambda s: (s.message, s.start))]


def _word(span: Span, e: Exchange, moment: Moment) -> Evidence:
    return _quoted(e, _raw(span, e), moment.kind)


def _quoted(e: Exchange, raw: tuple[int, int] | None, kind: SignalKind) -> Evidence:
    return Evidence(
        id=uuid5(NAMESPACE_URL, f"{e.interaction_id}:{kind}:{raw}"),
        type="buyer_message" if e.direction == "in" else "our_message",
        source=e.kind,
        observed_at=e.occurred_at,
        contact_id=e.contact_id,
        interaction_id=e.interaction_id,
        start=raw[0] if raw else None,
        end=raw[1] if raw else None,
        text=e.body[raw[0] : raw[1]] if raw and e.body else None,
    )


def _raw(span: Span, e: Exchange) -> tuple[int, int] | None:
    """The span's place in the raw body; for a message as a whole, its first stretch of own text."""
    if span.end > span.start:
        return Spans(e.starts or (), e.ends or ()).to_raw(span.start, span.end)
    return (e.starts[0], e.ends[0]) if e.starts and e.ends and e.direction == "in" else None


def _numbers(moment: Moment) -> list[Evidence]:
    if moment.kind != "usage_drop":
        return []
    at = datetime.combine(moment.detected_at, time(), UTC)
    return [Evidence(id=uuid5(NAMESPACE_URL, f"usage:{moment.anchor}"), type="usage", source="usage feed", observed_at=at, numbers=moment.numbers)]


def stop_requests(exchanges: Sequence[Exchange], profile: Profile, now: datetime) -> list[Signal]:
    """One signal for each message that asks for no more of ours. It stands until a person has recorded what its writer wants."""
    calendar = calendar_for(profile.region, profile.timezone)
    heard = (e for e in exchanges if e.direction == "in" and not e.automatic and e.body and e.starts and e.occurred_at <= now)
    return [_request(e, raw, profile, calendar) for e in heard if (raw := _asked(e))]


def _asked(e: Exchange) -> list[tuple[int, int]]:
    """Places in the raw body."""
    spans = Spans(e.starts or (), e.ends or ())
    return [raw for span in requests_in(spans.text_of(e.body or "")) if (raw := spans.to_raw(*span))]


def _request(e: Exchange, places: Sequence[tuple[int, int]], profile: Profile, calendar: Calendar) -> Signal:
    return Signal(
        id=uuid4(),
        account_id=profile.account_id,
        contact_id=e.contact_id,
        kind=STOP,
        key=f"{STOP}:{e.contact_id or ''}:{e.interaction_id}",
        state="open",
        detected_at=calendar.day_of(e.occurred_at),
        ended_at=None,
        confidence=SURE_OF_REQUEST,
        numbers={},
        alternatives=("one_bad_day", "quoted_or_pasted"),
        evidence=tuple(_quoted(e, raw, STOP) for raw in places),
    )


_PREFIX = re.compile(r"^\s*((re|fw|fwd|aw|wg|sv|rv|tr)\s*:\s*)+", re.IGNORECASE)
SAME_THREAD = timedelta(days=60)


def _threads(exchanges: Sequence[Exchange]) -> list[str]:
    """By the message that is answered; where that is not known, by the subject within two months."""
    by_id: dict[str, str] = {}
    by_subject: dict[str, tuple[datetime, str]] = {}
    threads = []
    for e in exchanges:
        subject = _PREFIX.sub("", e.subject or "").strip().lower()
        known = by_id.get(e.in_reply_to or "")
        last = by_subject.get(subject) if subject else None
        if known is None and last is not None and e.occurred_at - last[0] <= SAME_THREAD:
            known = last[1]
        thread = known or str(e.interaction_id)
        if e.message_id:
            by_id[e.message_id] = thread
        if subject:
            by_subject[subject] = (e.occurred_at, thread)
        threads.append(thread)
    return threads
