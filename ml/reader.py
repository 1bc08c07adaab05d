"""What a message says: the verdicts on its own text, the words that carried them, and for each inferred emotion an innocent reading."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from ml.alternatives import BY_EMOTION
from ml.columns import CHURN, CLASS, EMOTION, ORDER, PRIORITY, SENTIMENT, SITUATION, VOTES
from ml.cutoffs import blended, classes, softmax, terms, within_class
from ml.labels import EMOTIONS, POSITIVE, PRIORITIES, SITUATIONS, EmotionName, Language, Priority, SituationName
from ml.language import languages
from ml.orders import has_form, tagged
from ml.reading import Model
from ml.sentence_tokens import Said
from ml.tokens import Floats

UNSURE = 0.5
"""Below this confidence of the class of sentiment the reader abstains."""
ORDERED = 0.9
"""Confidence of the situation of a text with such a sentence."""
MOST_CHARS = 64_000
ROUTINE: frozenset[SituationName] = frozenset({"routine_logistics", "hostile_or_injection"})


@dataclass(frozen=True, slots=True)
class Emotion:
    """Inferred, never observed: `alternative` is a key of ml.alternatives, another thing the same words may mean. "neutral" has none."""

    name: EmotionName
    confidence: float
    alternative: str | None


@dataclass(frozen=True, slots=True)
class SaidSituation:
    name: SituationName
    confidence: float


@dataclass(frozen=True, slots=True)
class Quote:
    """Words worth reflecting, by offsets into the text, and which verdicts they speak for most."""

    start: int
    end: int
    why: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """`orders` are sentences that instruct a machine: flagged, and not scored. `abstained`: nothing can be said with any confidence."""

    language: Language
    sentiment: float
    confidence: float
    abstained: bool
    emotions: tuple[Emotion, ...]
    situations: tuple[SaidSituation, ...]
    churn_risk: int
    priority: Priority
    quotes: tuple[Quote, ...]
    orders: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Reader:
    model: Model

    @property
    def version(self) -> str:
        return self.model.version

    def read(self, texts: Sequence[str]) -> list[Reading]:
        """One for each own text; only the first MOST_CHARS are read."""
        texts = [text[:MOST_CHARS] for text in texts]
        said = Said.of(texts, self.model.masker)
        votes = self.model.heads(said.sentences)
        orders = self._orders(texts, said, votes[:, ORDER])
        readings = self._readings(texts, said, votes, [()] * len(texts))
        again = [n for n, found in enumerate(orders) if found]
        if again:
            left = [_blanked(texts[n], orders[n]) for n in again]
            said = Said.of(left, self.model.masker)
            for n, reading in zip(again, self._readings(left, said, self.model.heads(said.sentences), [orders[n] for n in again]), strict=True):
                readings[n] = reading
        return readings

    def _orders(self, texts: Sequence[str], said: Said, votes: Floats) -> list[list[tuple[int, int]]]:
        """Sentences that instruct a machine, of each text. Beside one of them, others need fewer signs."""
        found = [tagged(text) for text in texts]
        limits = self.model.cutoffs["order"]
        likely = votes > limits["first"]
        for n in np.flatnonzero(~likely & (votes > limits["form"])).tolist():
            start, end = said.spans[n]
            likely[n] = has_form(texts[int(said.owner[n])][start:end])
        ordered = np.isin(said.owner, said.owner[likely])
        for n in np.flatnonzero(likely | (ordered & (votes > limits["beside"]))).tolist():
            found[int(said.owner[n])].append(said.spans[n])
        return found

    def _readings(self, texts: Sequence[str], said: Said, votes: Floats, orders: Sequence[Sequence[tuple[int, int]]]) -> list[Reading]:
        decided = self.model.decided(self.model.evidence_of(said))
        limits, spoken, empty = self.model.cutoffs, languages(said.whole), said.empty
        sentiment, sure = self._sentiment(decided)
        churn = (decided[:, CHURN] > np.array(limits["churn"])).sum(axis=1)
        groups = [limits["english" if language in ("en", "unknown") else "other"] for language in spoken]
        situations = [_situations(d[SITUATION], group["situations"], ordered=bool(o)) for d, group, o in zip(decided, groups, orders, strict=True)]
        quoted = (np.abs(sentiment) >= POSITIVE) | np.array([any(s.name not in ROUTINE for s in found) for found in situations], dtype=bool)
        spotted = self.model.spotter.spans(texts, said, decided, quoted & ~empty, votes, self.model.heads, self.model.cues)
        return [
            _nothing(spoken[n], orders[n])
            if empty[n]
            else Reading(
                language=spoken[n],
                sentiment=round(float(sentiment[n]), 4),
                confidence=round(float(sure[n]), 4),
                abstained=bool(sure[n] < UNSURE),
                emotions=_emotions(decided[n, EMOTION], groups[n]["emotions"], limits["calm"]),
                situations=situations[n],
                churn_risk=int(churn[n]),
                priority=_priority(decided[n, PRIORITY], limits["priority"]),
                quotes=tuple(Quote(s.start, s.end, _why(s.votes)) for s in spotted[n]),
                orders=tuple(orders[n]),
            )
            for n in range(len(texts))
        ]

    def _sentiment(self, decided: Floats) -> tuple[Floats, Floats]:
        """(sentiment, calibrated chance that its class is right)."""
        limits = self.model.cutoffs
        chances = softmax(decided[:, CLASS])
        sentiment = within_class(blended(decided[:, SENTIMENT], chances, limits["means"], limits["stretch"]), chances)
        sure = softmax(terms(chances, sentiment) @ np.array(limits["classes"]).T)
        return sentiment, sure[np.arange(len(sure)), classes(sentiment)]


@cache
def load() -> Reader:
    return Reader(Model.load())


def _chance(log_odds: float) -> float:
    return round(float(1 / (1 + np.exp(-log_odds))), 4)


def _nothing(language: Language, orders: Sequence[tuple[int, int]]) -> Reading:
    """Of a text without words, or of which only orders to a machine were left."""
    situations = (SaidSituation("hostile_or_injection", ORDERED),) if orders else ()
    return Reading(
        language=language,
        sentiment=0.0,
        confidence=0.0,
        abstained=True,
        emotions=(),
        situations=situations,
        churn_risk=0,
        priority="unknown",
        quotes=(),
        orders=tuple(orders),
    )


def _priority(decided: Floats, limit: float) -> Priority:
    named = int(decided.argmax())
    return PRIORITIES[named + 1] if decided[named] > limit else "unknown"


def _why(votes: Floats) -> tuple[str, ...]:
    """The two verdicts these words vote for most."""
    return tuple(dict.fromkeys(VOTES[n].split(" ", 1)[1] for n in np.argsort(-votes[:SENTIMENT])[:2]))


def _situations(decided: Floats, limits: Sequence[float], *, ordered: bool) -> tuple[SaidSituation, ...]:
    found = {SITUATIONS[n]: _chance(decided[n]) for n in np.flatnonzero(decided > np.array(limits))}
    if ordered:
        found["hostile_or_injection"] = max(found.get("hostile_or_injection", 0.0), ORDERED)
    return tuple(SaidSituation(name, chance) for name, chance in sorted(found.items(), key=lambda item: -item[1]))


def _emotions(decided: Floats, limits: Sequence[float], calm: float) -> tuple[Emotion, ...]:
    """At most three; "neutral" stands alone: above `calm`, and where nothing else is found."""
    neutral = EMOTIONS.index("neutral")
    over = [int(n) for n in np.argsort(-(decided - np.array(limits))) if decided[n] > limits[n]][:3]
    if not over or over[0] == neutral or decided[neutral] > calm:
        return (Emotion("neutral", _chance(decided[neutral]), None),)
    return tuple(Emotion(EMOTIONS[n], _chance(decided[n]), BY_EMOTION[EMOTIONS[n]]) for n in over if n != neutral)


def _blanked(text: str, spans: Sequence[tuple[int, int]]) -> str:
    """Offsets stay what they are."""
    for start, end in spans:
        text = text[:start] + " " * (end - start) + text[end:]
    return text
