"""Sentiment of own text: hashed words and a lexicon into a linear model, clause by clause.

Sentiment is towards the product, the vendor and the relationship, -1 (bad) to 1 (good); ordinary business lies near 0.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
import numpy.typing as npt

from ml import artifact, features
from ml.features import Lexicon
from ml.text import sentences
from ml.tokens import Tokens, tokens

FloatArray = npt.NDArray[np.float64]

NAME = "sentiment"
CALM = 0.12
"""Weight that a clause without feeling has in the mean of its message; a clause counts for CALM plus the strength of its own score."""
BEFORE_CONTRAST, AFTER_CONTRAST = 0.4, 1.4
FORMULA = 0.15
"""Weight of greetings, sign-offs and thanks of courtesy."""
MOST_WORDS = 25
MAX_UNITS = 400
"""Clauses of one message that are read; nobody writes more by hand."""

_CONTRAST = re.compile(
    r"[,;:–—-]?\s+(?=(?:but|however|yet|although|though|aber|jedoch|allerdings|mais|cependant|toutefois|pero|sin embargo|mas|porém)\b)", re.IGNORECASE
)
_CONTRAST_START = re.compile(
    r"(?:but|however|nevertheless|still|that said|unfortunately|aber|jedoch|allerdings|leider|mais|cependant|toutefois|pero|sin embargo|mas|porém)\b",
    re.IGNORECASE,
)
_CONCESSION_START = re.compile(r"(?:although|though|while|despite|obwohl|trotz|bien que|malgré|aunque|embora|apesar)\b[^,]{3,200},\s*", re.IGNORECASE)
_FORMULA = re.compile(
    r"(?:(?:dear|hi|hello|hey|good (?:morning|afternoon|evening)|hallo|guten (?:tag|morgen)|liebe[rs]?|sehr geehrte[rs]?|bonjour|hola|buenos días"
    r"|estimad[oa]s?|olá|bom dia|boa tarde|prezad[oa]s?|ciao)\b.{0,40}"
    r"|.{0,12}\b(?:regards|wishes|sincerely|cheers|grüßen?|cordialement|salutations|saludos|cumprimentos)\b.{0,20}"
    r"|(?:many |best )?(?:thanks|thank you|danke|vielen dank|merci|gracias|muchas gracias|obrigad[oa])(?: (?:in advance|again|you|a lot|and|so much"
    r"|very much|im voraus|d'avance|beaucoup))*\W{0,3}"
    r"|(?:i )?hope (?:you|this|all|everything).{0,50}|(?:i am |we are )?looking forward to .{0,50}|please (?:do not|don't) hesitate.{0,60}"
    r"|let me know if you have any questions\W{0,2}"
    r"|(?:best|warmly|cheers|bw|br)\W{0,2})",
    re.IGNORECASE,
)

_SIGNED = re.compile(r"[-–—/ ]{0,3}[^\W\d_a-z][\w.'’-]*(?: [^\W\d_a-z][\w.'’-]*){0,2}[.,]?")
"""A name at the very end says nothing."""


@dataclass(frozen=True)
class Sentiment:
    """Load once, score in batches."""

    version: str
    """Name and short hash of the weights; stored beside every score."""
    lexicon: Lexicon
    idf: npt.NDArray[np.float32]
    words: npt.NDArray[np.int8]
    scale: FloatArray
    lexical: FloatArray
    bias: FloatArray
    temperature: float

    @classmethod
    def load(cls) -> Self:
        stored = artifact.load(NAME)
        a = stored.arrays
        return cls(
            version=stored.version,
            lexicon=Lexicon(a["lexicon_keys"].astype(np.uint64), a["lexicon_values"].astype(np.float64)),
            idf=a["idf"].astype(np.float32),
            words=a["words"],
            scale=a["scale"].astype(np.float64),
            lexical=a["lexical"].astype(np.float64),
            bias=a["bias"].astype(np.float64),
            temperature=float(stored.meta["temperature"]),
        )

    @cached_property
    def _weights(self) -> FloatArray:
        return self.words.astype(np.float64) * self.scale

    def score(self, texts: Sequence[str]) -> tuple[FloatArray, FloatArray]:
        """(sentiment -1..1, confidence 0..1) per text; (0, 0) for a text without words."""
        units, owner, weight = _units(texts)
        if not units:
            return np.zeros(len(texts)), np.zeros(len(texts))
        t = tokens(units)
        chances = self.probabilities(t)
        length = np.minimum(t.words, MOST_WORDS)
        tone = chances[:, 2] - chances[:, 0]
        share = np.where(length > 0, weight * length * (CALM + np.abs(tone)), 0.0)
        total = np.bincount(owner, weights=share, minlength=len(texts))
        divisor = np.where(total > 0, total, 1.0)
        mixed = np.column_stack([np.bincount(owner, weights=share * column, minlength=len(texts)) / divisor for column in chances.T])
        has_words = total > 0
        sentiment = np.where(has_words, mixed[:, 2] - mixed[:, 0], 0.0)
        return sentiment, np.where(has_words, mixed.max(axis=1), 0.0)

    def probabilities(self, t: Tokens) -> FloatArray:
        """(negative, neutral, positive) of each unit."""
        from scipy.sparse import csr_matrix  # takes a while to load, and who asks for help needs none of it

        unit, bucket, frequency = features.hashed(t)
        value = frequency * self.idf[bucket]
        norm = np.sqrt(np.bincount(unit, weights=value * value, minlength=t.units))
        value = value / np.where(norm > 0, norm, 1.0)[unit]
        rows = csr_matrix((value, bucket, np.searchsorted(unit, np.arange(t.units + 1))), shape=(t.units, len(self.idf)))
        logits: FloatArray = (rows @ self._weights + features.lexical(t, self.lexicon) @ self.lexical + self.bias) / self.temperature
        logits -= logits.max(axis=1, keepdims=True)
        raised = np.exp(logits)
        chances: FloatArray = raised / raised.sum(axis=1, keepdims=True)
        return chances


def _units(texts: Sequence[str]) -> tuple[list[str], npt.NDArray[np.int64], FloatArray]:
    """Clauses of all texts, the text each belongs to, and its weight."""
    units: list[str] = []
    owner: list[int] = []
    weights: list[float] = []
    for i, text in enumerate(texts):
        found = _clauses(text)[:MAX_UNITS]
        units.extend(clause for clause, _ in found)
        weights.extend(weight for _, weight in found)
        owner.extend([i] * len(found))
    return units, np.array(owner, dtype=np.int64), np.array(weights)


def _clauses(text: str) -> list[tuple[str, float]]:
    """What follows a contrast weighs more than what stands before it, also across a full stop."""
    found: list[tuple[str, float]] = []
    for start, end in sentences(text):
        sentence = text[start:end]
        if _FORMULA.fullmatch(sentence) or (found and end == len(text.rstrip()) and _SIGNED.fullmatch(sentence)):
            found.append((sentence, FORMULA))
            continue
        if found and _CONTRAST_START.match(sentence):
            found[-1] = (found[-1][0], found[-1][1] * BEFORE_CONTRAST)
        found.extend(_parts(sentence))
    return found


def _parts(sentence: str) -> list[tuple[str, float]]:
    concession = _CONCESSION_START.match(sentence)
    if concession:
        return [(sentence[: concession.end()], BEFORE_CONTRAST), (sentence[concession.end() :], AFTER_CONTRAST)]
    cut = _CONTRAST.search(sentence)
    if cut is None or cut.start() < 8:
        return [(sentence, 1.0)]
    return [(sentence[: cut.start()], BEFORE_CONTRAST), (sentence[cut.end() :], AFTER_CONTRAST)]
