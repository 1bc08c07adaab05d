"""What a draft may hold of the buyer's words: told back, in quotation marks, or spoken of in passing; and what they may be about at heart."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any
from zlib import crc32

from service.drafting import facts, mentions, retold, statements
from service.drafting.clauses import apart, may_be_quoted
from service.drafting.known import Known, Span
from service.drafting.lexicon import of_language, read
from service.drafting.mentions import Mention
from service.drafting.request import Part, Words
from service.drafting.retold import Sentence

MOST_WOVEN = 22
"""Words of a sentence that still reads well behind "you write that"."""
OPEN_QUESTION = "unanswered_question"
"""The situation in which the draft is about the question itself."""


@dataclass(frozen=True, slots=True)
class Filling:
    """What stands in a slot, and what it rests on."""

    parts: tuple[Part, ...]
    evidence_ids: tuple[str, ...] = ()


_DAY = re.compile(
    r"\b(?:today|tomorrow|tonight|this week|within|by|before|on|until) (?:the )?(?:\d|[A-Z]|an? hour|the hour)|\btoday\b|\btomorrow\b|\bat once\b"
)
Slots = Mapping[str, tuple[Filling, ...]]


@dataclass(frozen=True)
class Theirs(Known):
    def their_words(self) -> Iterator[tuple[str, Filling]]:
        """In English a quotation is the last resort."""
        if self.situation == OPEN_QUESTION:
            yield from (("question", words_of(name, span, is_quoted=True)) for name, span, text in self.questions if may_be_quoted(text))
        told = [*self._retold(), *self._inquired(), *self._leading(), *self._lost(), *self._befallen()] if self.is_english else []
        yield from told
        if {name for name, _ in told}.isdisjoint({"retold_one", "retold_you"}):
            yield from self._quotations()

    def _quotations(self) -> Iterator[tuple[str, Filling]]:
        best = self.clauses[:8]
        top = best[0].score if best else 0.0
        for clause in apart(best)[:3]:
            is_telling = not self.is_english or not retold.ends_on_another(clause.text)
            if 2 <= len(clause.text.split()) <= 12 and clause.score >= 0.55 * top and is_telling:
                yield "quote", words_of(clause.evidence_id, (clause.start, clause.end), is_quoted=True)

    def _inquired(self) -> Iterator[tuple[str, Filling]]:
        for found in [i for i in self.inquiries if i.is_known_again or self.told_back][:3]:
            yield found.kind, words_of(found.evidence_id, (found.start, found.end), is_quoted=False)

    def _retold(self) -> Iterator[tuple[str, Filling]]:
        """Their sentences told back: by themselves, and at the end of a sentence of ours."""
        texts = {h.piece.id: h.piece.text for h in self.heard}
        for (sentence,) in self.told_back:
            said, filling = texts[sentence.evidence_id][sentence.start : sentence.end], _told(sentence)
            yield from ((name, filling) for name, fits in _ways_to_tell(said, sentence.words).items() if fits)

    def _leading(self) -> Iterator[tuple[str, Filling]]:
        """Their reason for what is offered: what they did or have by itself, what they say of something else behind "you write that"."""
        texts = {h.piece.id: h.piece.text for h in self.heard}
        for sentence in self.leading:
            said = texts[sentence.evidence_id][sentence.start : sentence.end]
            name = "you" if retold.is_of_them(said) else "one" if retold.goes_on(said) else None
            if name:
                yield f"lead_{name}", _told(sentence)

    def _lost(self) -> Iterator[tuple[str, Filling]]:
        return (("loss", _told(sentence)) for sentence in self.losses)

    def _befallen(self) -> Iterator[tuple[str, Filling]]:
        """Behind "that" only what begins like the middle of a sentence."""
        texts = {h.piece.id: h.piece.text for h in self.heard}
        for evidence_id, span in self.befallen:
            name = "befallen" if retold.goes_on(texts[evidence_id][slice(*span)]) else "befallen_alone"
            yield name, words_of(evidence_id, span, is_quoted=False)

    def mentioned(self) -> Iterator[tuple[str, Filling]]:
        named: list[tuple[str, Mention | None]] = []
        for h in self.heard:
            usable = self.usable(h)
            named.append(("audience", mentions.audience(h.piece.id, h.piece.text, usable, self.lang)))
            if self.is_english and self.situation != "silence":
                named.append(("topic", mentions.topic(h.piece.id, h.piece.text, usable, h.weighty)))
                named.append(("wait_until", mentions.waits_for(h.piece.id, h.piece.text, usable)))
                named.append(("deadline", mentions.deadline(h.piece.id, h.piece.text, usable)))
                named.append(("blow", mentions.blow(h.piece.id, h.piece.text, usable)))
                named.append(("their_sum", self._our_sum(mentions.sum_of_money(h.piece.id, h.piece.text, usable))))
        seen = set()
        for name, mention in named:
            if mention and name not in seen:
                seen.add(name)
                yield name, words_of(mention.evidence_id, (mention.start, mention.end), is_quoted=False)
                if name == "deadline" and not self._is_offered_by(mention.text):
                    yield "day_in_mind", words_of(mention.evidence_id, (mention.start, mention.end), is_quoted=False)
        teams = self.departments
        if len(teams) > 1:
            ids = tuple(h.piece.id for h in self.heard)
            joined = "and" if self.is_english else of_language(self.lang)["joined"]
            yield "dept_list", Filling((f"{', '.join(teams[:-1])} {joined} {teams[-1]}",), ids)

    def _is_offered_by(self, day: str) -> bool:
        """An offer names a day: then that is the day, theirs or another."""
        return any(_DAY.search(e.text) or day.lower() in e.text.lower() for e in self.pieces if e.type == "offer")

    def _our_sum(self, named: Mention | None) -> Mention | None:
        """A sum that our own records have as well: what somebody else charges is not ours to explain."""
        return named if named and re.sub(r"\D", "", named.text) in re.sub(r"(?<=\d)[.,](?=\d)", "", self.said.ours) else None

    def read_as(self) -> Iterator[tuple[str, Filling]]:
        pair = self.reading_pair
        if pair:
            yield "reading_a", Filling((pair[0],))
            yield "reading_b", Filling((pair[1],))
        if self.is_english:
            yield from (("reading_said", Filling((reading,))) for reading in self._suggested[:2])

    @property
    def _suggested(self) -> list[str]:
        """What it may be about at heart by their own words, in the order in which they come."""
        own = self.said.own_lower
        hits = [(match.start(), reading) for pattern, reading in _suggested() if (match := pattern.search(own))]
        return [reading for _, reading in sorted(hits)]

    @cached_property
    def reading_pair(self) -> tuple[str, str] | None:
        """The two likeliest answers to what this is about at heart: those that their words suggest, the rest from the situation."""
        if not self.is_english:
            return self._authored_pair
        usual = readings()["usual"].get(self.situation)
        if usual is None:
            return None
        first, *others = dict.fromkeys([*self._suggested[:2], *usual])
        second = next((reading for reading in others if facts.stems(reading).isdisjoint(facts.stems(first))), None)
        return (first, second) if second else None

    @property
    def _authored_pair(self) -> tuple[str, str] | None:
        """Of the pairs for the situation the one that shares most words with the message; among equals chance decides, by the id of the request."""
        pairs = of_language(self.lang)["readings"].get(self.situation, ())
        own, first = statements.stems(self.said.own, self.lang), crc32(f"{self.request.id}|{self.request.seed}".encode())
        turned = [pairs[(n + first) % len(pairs)] for n in range(len(pairs))]
        a, b = max(turned, key=lambda pair: len(own & statements.stems(" ".join(pair), self.lang)), default=(None, None))
        return (a, b) if a and b else None


def _ways_to_tell(said: str, words: int) -> dict[str, bool]:
    """Slots, and which of them a sentence of theirs may fill."""
    goes_on, is_of_them, is_harm = retold.goes_on(said) and words <= MOST_WOVEN, retold.is_of_them(said), retold.is_harm(said)
    return {
        "retold": True,
        "retold_you": is_of_them,
        "retold_other": not (goes_on or is_of_them),
        "retold_one": goes_on,
        "retold_theirs": goes_on and not is_of_them,
        "harm_told": is_harm and not retold.is_wish(said),
        "harm": goes_on and is_harm,
        "reason": goes_on and retold.is_reason(said),
    }


def _told(sentence: Sentence) -> Filling:
    return words_of(sentence.evidence_id, (sentence.start, sentence.end), is_quoted=False)


def words_of(evidence_id: str, span: Span, *, is_quoted: bool) -> Filling:
    return Filling((Words(evidence_id=evidence_id, start=span[0], end=span[1], is_quoted=is_quoted),), (evidence_id,))


@cache
def _suggested() -> list[tuple[re.Pattern[str], str]]:
    return [(re.compile(row["says"], re.IGNORECASE), row["reading"]) for row in readings()["suggested"]]


@cache
def readings() -> dict[str, Any]:
    found: dict[str, Any] = read("lists/readings.yaml")
    return found
