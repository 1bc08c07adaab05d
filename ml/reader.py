"""What a message says: the verdicts on its own text, the words that carried them, and for each inferred emotion an innocent reading."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from ml.alternatives import BY_EMOTION
from ml.columns import CHURN, CLASS, EMOTION, ORDER, PRIORITY, SENTIMENT, SITUATION
from ml.cutoffs import blended, classes, softmax, terms, within_class
from ml.labels import EMOTIONS, POSITIVE, PRIORITIES, SITUATIONS, EmotionName, Language, Priority, SituationName
from ml.language import languages
from ml.orders import evidence, formed, tagged
from ml.reading import Model
from ml.sentence_tokens import Said
from ml.tokens import Flags, Floats

UNSURE = 0.5
"""Below this confidence of the class of sentiment the reader abstains."""
Span = tuple[int, int]
ORDERED = 0.9
"""Confidence of the situation of a text with such a sentence."""
MOST_CHARS = 64_000
NEUTRAL = EMOTIONS.index("neutral")
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
        orders = [tagged(text[:MOST_CHARS]) for text in texts]
        texts = [_blanked(text[:MOST_CHARS], hidden) for text, hidden in zip(texts, orders, strict=True)]
        said = Said.of(texts, self.model.masker)
        votes = self.model.heads(said.sentences)
        ordered, unheard = self._orders(texts, said, votes)
        for n in np.flatnonzero(ordered).tolist():
            orders[int(said.owner[n])].append(said.spans[n])
        keep = ~ordered & ~unheard
        return self._readings(texts, said.only(keep), votes[keep], orders)

    def _orders(self, texts: Sequence[str], said: Said, votes: Floats) -> tuple[Flags, Flags]:
        """Sentences that instruct a machine: beside one of them, others of its text need fewer signs. And such as only may do so: where something
        else is said, nothing hangs on them."""
        limits = self.model.cutoffs["order"]
        worth = self._suspicion(texts, said, votes, votes[:, ORDER] > limits["look"])
        likely = worth > limits["first"]
        likely |= (worth > limits["beside"]) & np.isin(said.owner, said.owner[likely])
        doubtful = ~likely & (worth > limits["doubt"])
        return likely, doubtful & np.isin(said.owner, said.owner[~likely & ~doubtful])

    def _suspicion(self, texts: Sequence[str], said: Said, votes: Floats, looked_at: Flags) -> Floats:
        """Log odds that a sentence is part of an order to a machine; of texts without a sentence that is `looked_at`, none."""
        worth = np.full(len(votes), -np.inf)
        near, forms = np.isin(said.owner, said.owner[looked_at]), formed(texts, said, looked_at)
        if near.any():
            cues = self.model.cues.features(said.sentences.of_units(near))
            worth[near] = self.model.finder(evidence(said.owner[near], votes[near], forms[near], cues))
        return worth

    def _readings(self, texts: Sequence[str], said: Said, votes: Floats, orders: Sequence[Sequence[tuple[int, int]]]) -> list[Reading]:
        decided = self.model.decided(self.model.evidence_of(said, votes))
        limits, spoken, empty = self.model.cutoffs, languages(said.whole), said.empty
        sentiment, sure = self._sentiment(decided)
        churn = (decided[:, CHURN] > np.array(limits["churn"])).sum(axis=1).tolist()
        needs = np.where(decided[:, PRIORITY].max(axis=1) > limits["priority"], decided[:, PRIORITY].argmax(axis=1) + 1, 0).tolist()
        english = np.array([language in ("en", "unknown") for language in spoken], dtype=bool)[:, None]
        above = {
            what: decided[:, at] - np.where(english, limits["english"][what], limits["other"][what])
            for what, at in (("situations", SITUATION), ("emotions", EMOTION))
        }
        chances = 1 / (1 + np.exp(-decided[:, :SENTIMENT]))
        situations = _situations(above["situations"], chances[:, SITUATION], orders)
        emotions = _emotions(above["emotions"], chances[:, EMOTION], decided[:, EMOTION.start + NEUTRAL] > limits["calm"])
        quoted = (np.abs(sentiment) >= POSITIVE) | np.array([any(s.name not in ROUTINE for s in found) for found in situations], dtype=bool)
        spotted = self.model.spotter.spans(texts, said, decided, quoted & ~empty, votes, self.model.heads, self.model.cues)
        return [
            _nothing(spoken[n], orders[n])
            if empty[n]
            else Reading(
                language=spoken[n],
                sentiment=round(tone, 4),
                confidence=round(confidence, 4),
                abstained=confidence < UNSURE,
                emotions=emotions[n],
                situations=situations[n],
                churn_risk=churn[n],
                priority=PRIORITIES[needs[n]],
                quotes=tuple(Quote(s.start, s.end, s.why) for s in spotted[n]),
                orders=tuple(orders[n]),
            )
            for n, (tone, confidence) in enumerate(zip(sentiment.tolist(), sure.tolist(), strict=True))
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


def _situations(above: Floats, chances: Floats, orders: Sequence[Sequence[tuple[int, int]]]) -> list[tuple[SaidSituation, ...]]:
    """Those `above` their limit, of each text, surest first."""
    found: list[dict[SituationName, float]] = [{} for _ in orders]
    at = np.nonzero(above > 0)
    for text, n, chance in zip(*(places.tolist() for places in at), chances[at].tolist(), strict=True):
        found[text][SITUATIONS[n]] = round(chance, 4)
    for named, ordered in zip(found, orders, strict=True):
        if ordered:
            named["hostile_or_injection"] = max(named.get("hostile_or_injection", 0.0), ORDERED)
    return [tuple(SaidSituation(name, chance) for name, chance in sorted(named.items(), key=lambda item: -item[1])) for named in found]


def _emotions(above: Floats, chances: Floats, calm: Flags) -> list[tuple[Emotion, ...]]:
    """At most three of each text; "neutral" stands alone: where a text is `calm`, and where nothing else is found."""
    found: list[tuple[Emotion, ...]] = []
    most = np.argsort(-above, axis=1).tolist()
    for order, over, chance, is_calm in zip(most, (above > 0).tolist(), chances.tolist(), calm.tolist(), strict=True):
        named = [n for n in order if over[n]][:3]
        if is_calm or not named or named[0] == NEUTRAL:
            found.append((Emotion("neutral", round(chance[NEUTRAL], 4), None),))
        else:
            found.append(tuple(Emotion(EMOTIONS[n], round(chance[n], 4), BY_EMOTION[EMOTIONS[n]]) for n in named if n != NEUTRAL))
    return found


def _blanked(text: str, spans: Sequence[tuple[int, int]]) -> str:
    """Offsets stay what they are."""
    for start, end in spans:
        text = text[:start] + " " * (end - start) + text[end:]
    return text
