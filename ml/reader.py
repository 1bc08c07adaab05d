"""What a message says: the verdicts on its own text, the words that carried them, and for each inferred emotion an innocent reading."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from ml.alternatives import BY_EMOTION
from ml.cutoffs import classes, terms
from ml.features import Floats
from ml.labels import EMOTIONS, POSITIVE, PRIORITIES, SITUATIONS, EmotionName, Language, Priority, SituationName
from ml.language import languages
from ml.orders import is_order
from ml.reading import COLUMNS, SENTIMENT, Model
from ml.sentence_tokens import Said

UNSURE = 0.5
"""Below this confidence of the class of sentiment the reader abstains."""
ORDER_VOTE = 0.12
"""In a text that gives orders to a machine, a sentence with this vote is taken for one."""
MARGIN, WIDER = 1.5, 3.0
"""Log odds above the limit of best F1 at which a text is taken to give orders (an honest sentence dropped costs more than an order scored),
and below it at which a text is still looked through for plain signs of one."""
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
        decided = self.model.decided(self.model.evidence_of(said))
        orders = self._orders(texts, said, decided)
        if any(orders):
            again = [n for n, found in enumerate(orders) if found]
            for n in again:
                texts[n] = _blanked(texts[n], orders[n])
            said = Said.of(texts, self.model.masker)
            decided = self.model.decided(self.model.evidence_of(said))
        return self._readings(texts, said, decided, orders)

    def _orders(self, texts: Sequence[str], said: Said, decided: Floats) -> list[list[tuple[int, int]]]:
        """Sentences that instruct a machine, of each text."""
        found: list[list[tuple[int, int]]] = [[] for _ in texts]
        chance = decided[:, COLUMNS.index("order")]
        limit = self.model.cutoffs["order"]
        looked_at = (chance > limit - WIDER)[said.owner]
        if not looked_at.any():
            return found
        votes = self.model.heads(said.sentences)[:, COLUMNS.index("order")]
        for n in np.flatnonzero(looked_at).tolist():
            text, (start, end) = int(said.owner[n]), said.spans[n]
            if (chance[text] > limit + MARGIN and votes[n] > ORDER_VOTE) or is_order(texts[text][start:end]):
                found[text].append((start, end))
        return found

    def _readings(self, texts: Sequence[str], said: Said, decided: Floats, orders: Sequence[list[tuple[int, int]]]) -> list[Reading]:
        limits, spoken, empty = self.model.cutoffs, languages(said.whole), said.empty
        a, b = limits["stretch"]
        sentiment = np.clip(a * decided[:, SENTIMENT] + b, -1, 1)
        sure = self._sure(sentiment)
        churn = (decided[:, SENTIMENT + 1 : SENTIMENT + 4] > np.array(limits["churn"])).sum(axis=1)
        groups = [limits["english" if language in ("en", "unknown") else "other"] for language in spoken]
        situations = [_situations(d[: len(SITUATIONS)], group["situations"], ordered=bool(o)) for d, group, o in zip(decided, groups, orders, strict=True)]
        quoted = (np.abs(sentiment) >= POSITIVE) | np.array([any(s.name not in ROUTINE for s in found) for found in situations], dtype=bool)
        spotted = self.model.spotter.spans(texts, said, decided, quoted, self.model.heads, self.model.cues, self.model.masker)
        return [
            _nothing(spoken[n], orders[n])
            if empty[n]
            else Reading(
                language=spoken[n],
                sentiment=round(float(sentiment[n]), 4),
                confidence=round(float(sure[n]), 4),
                abstained=bool(sure[n] < UNSURE),
                emotions=_emotions(decided[n, len(SITUATIONS) : SENTIMENT], groups[n]["emotions"]),
                situations=situations[n],
                churn_risk=int(churn[n]),
                priority=_priority(decided[n, SENTIMENT + 4 : SENTIMENT + 8], limits["priority"]),
                quotes=tuple(Quote(s.start, s.end, _why(s.votes)) for s in spotted[n]),
                orders=tuple(orders[n]),
            )
            for n in range(len(texts))
        ]

    def _sure(self, sentiment: Floats) -> Floats:
        """Calibrated chance that the class of sentiment is right."""
        logits = terms(sentiment) @ np.array(self.model.cutoffs["classes"]).T
        raised = np.exp(logits - logits.max(axis=1, keepdims=True))
        found: Floats = (raised / raised.sum(axis=1, keepdims=True))[np.arange(len(sentiment)), classes(sentiment)]
        return found


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
    named = int(decided[1:].argmax()) + 1
    return PRIORITIES[named] if decided[named] > limit else "unknown"


def _why(votes: Floats) -> tuple[str, ...]:
    """The two verdicts these words vote for most."""
    return tuple(dict.fromkeys(COLUMNS[n].split(" ", 1)[1] for n in np.argsort(-votes[:SENTIMENT])[:2]))


def _situations(decided: Floats, limits: Sequence[float], *, ordered: bool) -> tuple[SaidSituation, ...]:
    found = {SITUATIONS[n]: _chance(decided[n]) for n in np.flatnonzero(decided > np.array(limits))}
    if ordered:
        found["hostile_or_injection"] = max(found.get("hostile_or_injection", 0.0), ORDERED)
    return tuple(SaidSituation(name, chance) for name, chance in sorted(found.items(), key=lambda item: -item[1]))


def _emotions(decided: Floats, limits: Sequence[float]) -> tuple[Emotion, ...]:
    """At most three; "neutral" stands alone, and where nothing else is found."""
    neutral = EMOTIONS.index("neutral")
    over = [int(n) for n in np.argsort(-(decided - np.array(limits))) if decided[n] > limits[n]][:3]
    if not over or over[0] == neutral:
        return (Emotion("neutral", _chance(decided[neutral]), None),)
    return tuple(Emotion(EMOTIONS[n], _chance(decided[n]), BY_EMOTION[EMOTIONS[n]]) for n in over if n != neutral)


def _blanked(text: str, spans: Sequence[tuple[int, int]]) -> str:
    """Offsets stay what they are."""
    for start, end in spans:
        text = text[:start] + " " * (end - start) + text[end:]
    return text
