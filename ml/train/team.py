"""What a team said of messages that were read wrong, and whether a reader that learned from it is better on what it did not learn from."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from ml.cutoffs import classes
from ml.reader import Reader, Reading
from ml.reading import Model
from ml.tokens import Flags, Floats
from ml.train.corpus import Labels, Row, labels

NAME = "team"
HELD_OUT = 3
"""One message in so many is never learned from."""
FEWEST_LEARNED, FEWEST_HELD_OUT = 20, 10
"""Below these nothing can be said; of copies of a text only one counts."""
GUARD = 500
"""Messages of the shipped corpus on which the new reader must not have become worse. Both models have learned from them."""
TOLERANCE, FORGOTTEN = 0.05, 0.01
"""How much worse a verdict may become on the held-out messages (or one message, if that is more), and all of them on the shipped corpus."""

Label = Literal["sentiment", "emotions", "situations", "churn_risk", "priority"]
_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Corrected:
    """`row` holds what a person said of `labels`, and of the others what the reading had said."""

    row: Row
    labels: frozenset[Label]

    @property
    def held_out(self) -> bool:
        """The same for messages of the same words, today and at every later training."""
        return int(_digest(self.row.own), 16) % HELD_OUT == 0


def author_of(own: str) -> str:
    """Folds are cut by authors. Two copies of a text have one, so that no head votes on a copy of what it learned."""
    return f"team-{_digest(own)}"


def _digest(own: str) -> str:
    return hashlib.sha256(" ".join(_WORD.findall(own.casefold())).encode("utf-8", "surrogatepass")).hexdigest()[:12]


@dataclass(frozen=True, slots=True)
class Measure:
    """`closeness` of each message, 0..1. `worst`: the largest error there can be, where an error is shown; None where a share is.

    The right class may not get lost, and counts for no gain: most corrected messages had the wrong one, so that any other answer is sometimes right by chance.
    """

    label: Label
    name: str
    worst: float | None
    closeness: Callable[[Labels, Labels], Floats]
    counts: bool = True

    def shown(self, closeness: Floats) -> float:
        mean = float(closeness.mean())
        return round(mean if self.worst is None else (1 - mean) * self.worst, 4)


def _jaccard(a: Flags, b: Flags) -> Floats:
    union = (a | b).sum(axis=1)
    shared: Floats = np.where(union == 0, 1.0, (a & b).sum(axis=1) / np.maximum(union, 1))
    return shared


MEASURES = (
    Measure("sentiment", "right class", None, lambda a, b: (classes(a.sentiment) == classes(b.sentiment)).astype(float), counts=False),
    Measure("sentiment", "mean error", 2.0, lambda a, b: 1 - np.abs(a.sentiment - b.sentiment) / 2),
    Measure("emotions", "mean Jaccard", None, lambda a, b: _jaccard(a.emotions, b.emotions)),
    Measure("situations", "mean Jaccard", None, lambda a, b: _jaccard(a.situations, b.situations)),
    Measure("churn_risk", "mean error", 3.0, lambda a, b: 1 - np.abs(a.churn_risk - b.churn_risk) / 3),
    Measure("priority", "right", None, lambda a, b: (a.priority == b.priority).astype(float)),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """Of both models with the held-out corrections of one label, in the unit of the measure; `gain` as a share of what is possible."""

    label: Label
    measure: str
    rows: int
    present: float
    new: float
    gain: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """`gain`: the mean over all held-out corrections, and `error` its standard error over messages. `remembered`: agreement of both with the shipped
    corpus, 0..1. `against`: why the new model is not promoted, a sentence each."""

    held_out: int
    agreements: tuple[Agreement, ...]
    gain: float
    error: float
    remembered: tuple[float, float]
    against: tuple[str, ...]

    @property
    def promoted(self) -> bool:
        return not self.against


def compared(present: Model, new: Model, held_out: Sequence[Corrected], known: Sequence[Row]) -> Comparison:
    """`held_out`: corrections that neither has learned from; `known`: the shipped corpus, of which GUARD messages are looked at."""
    truth, at_hand = [c.row for c in held_out], _guard(known)
    before, after = _closeness(present, truth), _closeness(new, truth)
    corrected = np.array([[m.label in c.labels for c in held_out] for m in MEASURES])
    agreements = tuple(_agreement(m, b[on], a[on]) for m, b, a, on in zip(MEASURES, before, after, corrected, strict=True) if on.any())
    gain, error = (round(value, 4) for value in _gain(after - before, corrected))
    remembered = (round(float(_closeness(present, at_hand).mean()), 4), round(float(_closeness(new, at_hand).mean()), 4))
    against = tuple(_objections(agreements, gain, error, remembered))
    return Comparison(held_out=len(held_out), agreements=agreements, gain=gain, error=error, remembered=remembered, against=against)


def _guard(known: Sequence[Row]) -> list[Row]:
    chosen = np.random.default_rng(0).choice(len(known), min(GUARD, len(known)), replace=False)
    return [known[n] for n in np.sort(chosen)]


def _closeness(model: Model, truth: Sequence[Row]) -> Floats:
    """(measure, message) of what the model reads to what was said."""
    found = [as_read(row, said) for row, said in zip(truth, Reader(model).read([r.own for r in truth]), strict=True)]
    wanted, read = labels(truth), labels(found)
    return np.array([m.closeness(wanted, read) for m in MEASURES])


def as_read(row: Row, said: Reading) -> Row:
    """The row with the verdicts of a reading."""
    return replace(
        row,
        sentiment=said.sentiment,
        emotions=tuple(e.name for e in said.emotions),
        situations=tuple(s.name for s in said.situations),
        churn_risk=said.churn_risk,
        priority=said.priority,
    )


def _agreement(measure: Measure, before: Floats, after: Floats) -> Agreement:
    return Agreement(
        label=measure.label,
        measure=measure.name,
        rows=len(before),
        present=measure.shown(before),
        new=measure.shown(after),
        gain=round(float((after - before).mean()), 4),
    )


def _gain(difference: Floats, corrected: Flags) -> tuple[float, float]:
    """(mean over corrections, its standard error over messages), of the measures that count."""
    counted = corrected & np.array([m.counts for m in MEASURES])[:, None]
    of_messages, corrections = (difference * counted).sum(axis=0), counted.sum()
    spread = np.sqrt(len(of_messages) * of_messages.var(ddof=1)) if len(of_messages) > 1 else 0.0
    return float(of_messages.sum() / corrections), float(spread / corrections)


def _objections(agreements: Sequence[Agreement], gain: float, error: float, remembered: tuple[float, float]) -> list[str]:
    found = []
    if gain <= error:
        found.append(f"On the held-out corrections it is not clearly better: {gain:+.3f}, and chance alone makes {error:.3f}.")
    found += [
        f"It is worse on {a.label} ({a.measure}): {a.present:.2f} before, {a.new:.2f} now."
        for a in agreements
        if -a.gain * a.rows > max(1.0, TOLERANCE * a.rows)
    ]
    present, new = remembered
    if present - new > FORGOTTEN:
        found.append(f"It has forgotten too much of the shipped corpus: agreement {present:.3f} before, {new:.3f} now.")
    return found
