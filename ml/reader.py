"""What a message says: the verdicts on its own text, the words that carried them, and for each inferred emotion an innocent reading."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from ml.alternatives import BY_EMOTION
from ml.cutoffs import terms
from ml.features import Floats, tokens
from ml.labels import EMOTIONS, NEGATIVE, POSITIVE, PRIORITIES, SITUATIONS, EmotionName, Language, Priority, SituationName
from ml.language import languages
from ml.orders import is_order
from ml.reading import COLUMNS, SENTIMENT, Model
from ml.sentence_tokens import Said

FEWEST_WORDS = 1
UNSURE = 0.5
"""Below this confidence of the class of sentiment the reader abstains."""
ORDER_VOTE = 0.12
"""In a text that gives orders to a machine, a sentence with this vote is taken for one."""
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
        quotes = self.model.spotter.spans(texts, said, self.model.heads, self.model.cues, self.model.masker)
        spoken = languages(said.whole)
        return self._readings(texts, said, decided, orders, quotes, spoken)

    def _orders(self, texts: Sequence[str], said: Said, decided: Floats) -> list[list[tuple[int, int]]]:
        """Sentences that instruct a machine, of each text."""
        votes = self.model.heads(said.sentences)[:, COLUMNS.index("order")]
        suspected = decided[:, COLUMNS.index("order")] > self.model.cutoffs["order"]
        found: list[list[tuple[int, int]]] = [[] for _ in texts]
        for text, (start, end), vote in zip(said.owner.tolist(), said.spans, votes, strict=True):
            if (suspected[text] and vote > ORDER_VOTE) or is_order(texts[text][start:end]):
                found[text].append((start, end))
        return found

    def _readings(
        self,
        texts: Sequence[str],
        said: Said,
        decided: Floats,
        orders: Sequence[list[tuple[int, int]]],
        quotes: Sequence[list[tuple[int, int]]],
        spoken: Sequence[Language],
    ) -> list[Reading]:
        limits = self.model.cutoffs
        a, b = limits["stretch"]
        sentiment = np.clip(a * decided[:, SENTIMENT] + b, -1, 1)
        sure = self._sure(sentiment)
        words = said.whole.words
        empty = words < FEWEST_WORDS
        churn = (decided[:, SENTIMENT + 1 : SENTIMENT + 4] > np.array(limits["churn"])).sum(axis=1)
        needs = decided[:, SENTIMENT + 4 : SENTIMENT + 8]
        why = self._why(texts, quotes)
        readings = []
        for n in range(len(texts)):
            group = limits["english" if spoken[n] in ("en", "unknown") else "other"]
            situations = _situations(decided[n, : len(SITUATIONS)], group["situations"], ordered=bool(orders[n]))
            emotions = _emotions(decided[n, len(SITUATIONS) : SENTIMENT], group["emotions"])
            named = int(needs[n, 1:].argmax()) + 1
            quoted = abs(sentiment[n]) >= POSITIVE or any(s.name not in ROUTINE for s in situations)
            readings.append(
                Reading(
                    language=spoken[n],
                    sentiment=0.0 if empty[n] else round(float(sentiment[n]), 4),
                    confidence=0.0 if empty[n] else round(float(sure[n]), 4),
                    abstained=bool(empty[n] or sure[n] < UNSURE),
                    emotions=() if empty[n] else emotions,
                    situations=(SaidSituation("hostile_or_injection", 0.9),) if empty[n] and orders[n] else () if empty[n] else situations,
                    churn_risk=0 if empty[n] else int(churn[n]),
                    priority=PRIORITIES[named] if not empty[n] and needs[n, named] > limits["priority"] else "unknown",
                    quotes=tuple(Quote(start, end, reason) for (start, end), reason in zip(quotes[n], why[n], strict=True)) if quoted and not empty[n] else (),
                    orders=tuple(orders[n]),
                )
            )
        return readings

    def _sure(self, sentiment: Floats) -> Floats:
        """Calibrated chance that the class of sentiment is right."""
        logits = terms(sentiment) @ np.array(self.model.cutoffs["classes"]).T
        raised = np.exp(logits - logits.max(axis=1, keepdims=True))
        classes = np.where(sentiment <= NEGATIVE, 0, np.where(sentiment >= POSITIVE, 2, 1))
        found: Floats = (raised / raised.sum(axis=1, keepdims=True))[np.arange(len(classes)), classes]
        return found

    def _why(self, texts: Sequence[str], quotes: Sequence[list[tuple[int, int]]]) -> list[list[tuple[str, ...]]]:
        """Of each quote, the verdicts it votes for most."""
        units = [texts[n][start:end] for n, found in enumerate(quotes) for start, end in found]
        if not units:
            return [[] for _ in texts]
        votes = self.model.heads(tokens(units, self.model.masker))[:, :SENTIMENT]
        names = np.array([column.split(" ", 1)[1] for column in COLUMNS[:SENTIMENT]])
        strongest = np.argsort(-votes, axis=1)[:, :2]
        reasons = [tuple(dict.fromkeys(names[row].tolist())) for row in strongest]
        found, at = [], 0
        for spans in quotes:
            found.append(reasons[at : at + len(spans)])
            at += len(spans)
        return found


@cache
def load() -> Reader:
    return Reader(Model.load())


def _chance(log_odds: float) -> float:
    return round(float(1 / (1 + np.exp(-log_odds))), 4)


def _situations(decided: Floats, limits: Sequence[float], *, ordered: bool) -> tuple[SaidSituation, ...]:
    found = {SITUATIONS[n]: _chance(decided[n]) for n in np.flatnonzero(decided > np.array(limits))}
    if ordered:
        found["hostile_or_injection"] = max(found.get("hostile_or_injection", 0.0), 0.9)
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
