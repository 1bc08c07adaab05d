"""python -m ml.train.usage: learns the usage detector from generated workspaces and writes ml/models/usage.{json,npz}.

Two stages. The score is a logistic weighted sum of the constant-size state's features. Series that score above SUSPICION are
examined; what was found there is weighed by small boosted trees. How often quiet series reach each weight is counted on seeds
that neither stage has seen.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression

from ml import artifact
from ml.evaluate.usage.generator import Generated, make_panel
from ml.train.boosting import as_trees
from ml.trees import Trees
from ml.usage.account import by_account, clarity, episodes
from ml.usage.examine import Examiner
from ml.usage.features import FEATURES, features
from ml.usage.panel import Panel
from ml.usage.score import BLOCK, DAYS_A_YEAR, EVIDENCE, Weights
from ml.usage.state import Bools, Floats, Ints, Singles
from ml.usage.tracker import Scored, Tracker, scan
from ml.usage.watch import history_of, replay

log = logging.getLogger("undertone.train.usage")

SUSPICION_RATE, OPEN_RATE = 4.0, 2.2
"""Blocks per quiet series-year in which a series scores high enough to be looked at again, and in which it is examined."""
PER_QUIET_BLOCK = 2.4
"""False alarms as a detector at work raises them, per exceedance in blocks that are known to be quiet; where no label tells, ml.usage.score has more."""
RATES = (1.0, 0.7, 0.5, 0.35, 0.25, 0.18, 0.12, 0.08, 0.05, 0.03, 0.02, 0.01, 0.005)
SCORE_SEEDS, GATE_SEEDS, PROOF_SEEDS, TABLE_SEEDS = range(100, 104), range(340, 344), (*range(300, 324), *range(400, 424)), range(324, 332)
CONFIDENCE_SEEDS = range(332, 335)
ASKED_BUDGET = 0.3
METRICS = ("seats", "events", "feat0")
PRACTICE = 2
"""Days between two examinations of a series while the proof is learned."""
EARLY, GATE_EARLY = (5.0, 6.0), (1.0, 8.0)
"""(how much, days): how much more an examination so soon after the onset counts, as a fall found in its first weeks is worth more than one found late."""
FADE_WEIGHT = 4.0
"""How much more one of a slow fade counts: fades are the hardest to tell from wander."""
NO_TREES = Trees(*np.zeros((3, 0, 0)))
UNKNOWN = Weights("in training", np.zeros(len(FEATURES), np.float32), np.inf, NO_TREES, np.inf, NO_TREES, np.zeros(0), np.array(RATES), np.zeros(5))
AFTERMATH = 60
"""Days after a drop that are neither quiet nor a drop."""


@dataclass(frozen=True, slots=True)
class Lesson:
    """A generated workspace with, for every series and day, whether a drop is under way and whether all is quiet."""

    panel: Panel
    dropping: Bools
    quiet: Bools
    onset: npt.NDArray[np.int16]
    """(series, days): the day on which the drop under way began, 0 without one."""
    fading: Bools
    first: int
    """First day on which drops can be told."""


def lesson(generated: Generated, names: tuple[str, ...], first: int) -> Lesson:
    panel = generated.panel(names)
    shape = (len(generated.region), len(names), panel.values.shape[1])
    dropping, quiet, fading, began = np.zeros(shape, bool), np.ones(shape, bool), np.zeros(shape, bool), np.zeros(shape, np.int16)
    for k, name in enumerate(names):
        for account, onset, by, _, kind in generated.events_for(name):
            dropping[account, k, onset : by + 1] = True
            began[account, k, onset : by + 1] = onset
            fading[account, k, onset : by + 1] = kind == "slow_fade"
            quiet[account, k, onset - 3 : by + AFTERMATH] = False
    return Lesson(panel, dropping.reshape(-1, shape[2]), quiet.reshape(-1, shape[2]), began.reshape(-1, shape[2]), fading.reshape(-1, shape[2]), first)


def lessons(seeds: Sequence[int]) -> Iterator[Lesson]:
    """Large and small workspaces, long and short histories, one metric and several."""
    for seed in seeds:
        if seed % 4 == 0:
            yield lesson(make_panel(700, seed=seed), METRICS, 205)
        elif seed % 4 == 1:
            yield lesson(make_panel(900, 430, seed=seed, first_drop_day=65), METRICS, 75)
        elif seed % 4 == 2:
            yield lesson(make_panel(1500, seed=seed), ("seats",), 205)
        else:
            yield from (lesson(make_panel(60, 430, seed=seed * 100 + j, first_drop_day=65), METRICS, 75) for j in range(6))


def score_weights() -> Singles:
    random = np.random.default_rng(1)
    rows: list[Singles] = []
    labels: list[Bools] = []
    for seed in SCORE_SEEDS:
        taught = lesson(make_panel(1000, seed=seed), METRICS, 200)
        for tracker, day, index in _taught_days(taught, UNKNOWN):
            dropping, quiet = taught.dropping[:, index - 3] & taught.dropping[:, index], taught.quiet[:, index]
            chance = random.random(len(quiet))
            picked = np.nonzero(day.scored & ((dropping & (chance < 0.25)) | (quiet & (chance < 0.02))))[0]
            rows.append(np.stack(features(tracker.state.columns(picked), tracker.season(picked))).T)
            labels.append(dropping[picked])
    x = np.concatenate(rows).astype(np.float64)
    scale = x.std(axis=0)
    model = LogisticRegression(max_iter=400).fit((x - x.mean(axis=0)) / scale, np.concatenate(labels))
    return np.asarray(model.coef_[0] / scale, np.float32)


def _taught_days(taught: Lesson, weights: Weights) -> Iterator[tuple[Tracker, Scored, int]]:
    start = taught.panel.first_day.toordinal()
    return ((tracker, day, day.today - start) for tracker, day in scan(taught.panel, weights) if day.today - start >= taught.first)


@dataclass(frozen=True, slots=True)
class Examined:
    """Every examination of a lesson, and how many quiet series-years it covers. `age`: days since the drop under way began."""

    evidence: Singles
    dropping: Bools
    fading: Bools
    age: Ints
    block: Ints
    fall: Bools
    years: float


def examinations(taught: Lesson, weights: Weights) -> Examined:
    n, first = len(taught.quiet), taught.panel.first_day.toordinal()
    examine: Examiner | None = None
    next_look, years = np.zeros(n, np.int64), 0.0
    found: list[tuple[npt.NDArray[np.generic], ...]] = []
    for tracker, day, index in _taught_days(taught, weights):
        examine = examine or Examiner(tracker.peers, tracker.state, tracker.cohort, tracker.factors, history_of(taught.panel))
        dropping, quiet = taught.dropping[:, index], taught.quiet[:, index]
        years += float((day.scored & quiet).sum()) / DAYS_A_YEAR
        rows = tracker.suspects(day.score, np.nonzero(day.scored & (index >= next_look) & (dropping | quiet))[0])
        if len(rows):
            next_look[rows] = index + PRACTICE
            falls, evidence = examine(rows, day.today, day.score, day.scored)
            age = index - taught.onset[rows, index]
            found.append(
                (evidence.T.astype(np.float32), dropping[rows], taught.fading[rows, index], age, rows * 1000 + (first + index) // BLOCK, falls.is_clear)
            )
    evidence, dropping, fading, age, block, fall = (np.concatenate(part) for part in zip(*found, strict=True))
    return Examined(evidence=np.asarray(evidence, np.float32), dropping=dropping, fading=fading, age=age, block=block, fall=fall, years=years)


def limit_of(weights: Weights, rate: float, value: Callable[[Tracker, Scored], Floats]) -> float:
    """What quiet series exceed in `rate` blocks a year."""
    taught = lesson(make_panel(1000, 430, seed=200, first_drop_day=65), METRICS, 75)
    highest = np.full((430 // BLOCK + 1, len(taught.quiet)), -np.inf)
    for tracker, day, index in _taught_days(taught, weights):
        found = np.where(day.scored & taught.quiet[:, index], value(tracker, day), -np.inf)
        highest[index // BLOCK] = np.maximum(highest[index // BLOCK], found)
        if index % BLOCK == BLOCK - 1:
            highest[index // BLOCK, ~(day.scored & taught.quiet[:, index])] = np.nan
    blocks = highest[~np.isnan(highest)]
    return float(np.quantile(blocks, 1 - rate * BLOCK / DAYS_A_YEAR))


def _gate_value(weights: Weights) -> Callable[[Tracker, Scored], Floats]:
    def value(tracker: Tracker, day: Scored) -> Floats:
        found = np.full(len(day.score), -np.inf)
        rows = np.nonzero(day.score >= weights.suspicion)[0]
        if len(rows):
            found[rows] = weights.gate(np.stack(features(tracker.state.columns(rows), tracker.season(rows))).astype(np.float64))
        return found

    return value


def gate(weights: Weights) -> Trees:
    rows: list[Singles] = []
    labels: list[Bools] = []
    ages: list[Ints] = []
    for taught in lessons(GATE_SEEDS):
        for tracker, day, index in _taught_days(taught, weights):
            if index % 3:
                continue
            dropping = taught.dropping[:, index]
            picked = np.nonzero(day.scored & (day.score >= weights.suspicion) & (dropping | taught.quiet[:, index]))[0]
            rows.append(np.stack(features(tracker.state.columns(picked), tracker.season(picked))).T)
            labels.append(dropping[picked])
            ages.append(index - taught.onset[picked, index].astype(np.int64))
    x, y, age = np.concatenate(rows), np.concatenate(labels), np.concatenate(ages)
    model = HistGradientBoostingClassifier(
        max_iter=40, max_leaf_nodes=12, max_depth=4, learning_rate=0.2, l2_regularization=5.0, min_samples_leaf=150, random_state=0
    ).fit(x, y, sample_weight=_early(y, age, *GATE_EARLY))
    return as_trees(model)


def _early(dropping: Bools, age: Ints, much: float, days: float) -> Floats:
    weight: Floats = np.where(dropping, much * np.exp(-age / days) + 1, 1.0)
    return weight


def grow(parts: list[Examined]) -> Trees:
    x, y, fading, fall, age = (np.concatenate([getattr(p, name) for p in parts]) for name in ("evidence", "dropping", "fading", "fall", "age"))
    model = HistGradientBoostingClassifier(
        max_iter=300,
        max_leaf_nodes=16,
        max_depth=6,
        learning_rate=0.08,
        l2_regularization=5.0,
        min_samples_leaf=100,
        monotonic_cst=list(EVIDENCE.values()),
        random_state=0,
    ).fit(x[fall], y[fall], sample_weight=(_early(y, age, *EARLY) * np.where(y & fading, FADE_WEIGHT, 1.0))[fall])
    return as_trees(model)


def table(parts: list[Examined], proof: Trees) -> Floats:
    """The proofs that quiet series exceed in RATES blocks a year."""
    highest: list[Floats] = []
    for part in parts:
        value = np.where(part.fall & ~part.dropping, proof(part.evidence.T.astype(np.float64)), -np.inf)
        order = np.argsort(part.block, kind="stable")
        starts = np.unique(part.block[order], return_index=True)[1]
        highest.append(np.maximum.reduceat(value[order], starts))
    ranked = np.sort(np.concatenate(highest))[::-1]
    years = sum(part.years for part in parts)
    return np.array([ranked[int(rate / PER_QUIET_BLOCK * years)] for rate in RATES])


def confidence(taught: Iterable[Lesson], weights: Weights) -> Floats:
    """Logistic weights of usage.account.clarity among the episodes that these weights raise: was a drop under way?"""
    rows: list[Floats] = []
    labels: list[bool] = []
    for one in taught:
        alerts = [a for a in replay(one.panel, ASKED_BUDGET, weights).alerts if a.kind != "growth"]
        for episode in chain.from_iterable(episodes(found) for found in by_account(one.panel, alerts).values()):
            days = [(alert.alerted_on - one.panel.first_day).days - 1 for alert in episode]
            if days[0] >= one.first:
                rows.append(clarity(episode))
                labels.append(any(one.dropping[alert.series, day] for alert, day in zip(episode, days, strict=True)))
    model = LogisticRegression(fit_intercept=False, C=10.0).fit(np.array(rows), np.array(labels))
    found_weights: Floats = model.coef_[0]
    return found_weights


def train() -> artifact.Artifact:
    learned = replace(UNKNOWN, weights=score_weights())
    learned = replace(learned, suspicion=limit_of(learned, SUSPICION_RATE, lambda _, day: day.score.astype(np.float64)))
    log.info("score learned, suspicion %.2f", learned.suspicion)
    learned = replace(learned, gate=gate(learned))
    learned = replace(learned, open=limit_of(learned, OPEN_RATE, _gate_value(learned)))
    log.info("gate learned, open at %.2f", learned.open)
    learned = replace(learned, proof=grow([examinations(taught, learned) for taught in lessons(PROOF_SEEDS)]))
    log.info("proof learned")
    learned = replace(learned, scores=table([examinations(taught, learned) for taught in lessons(TABLE_SEEDS)], learned.proof))
    meta = {
        "trained_on": "ml.evaluate.usage.generator",
        "weights": dict(zip(FEATURES, learned.weights.tolist(), strict=True)),
        "suspicion": learned.suspicion,
        "open": learned.open,
        "scores": learned.scores.tolist(),
        "rates": list(RATES),
        "confidence": confidence(lessons(CONFIDENCE_SEEDS), learned).tolist(),
    }
    return artifact.save("usage", meta, {**_arrays("gate", learned.gate), **_arrays("proof", learned.proof)})


def _arrays(name: str, trees: Trees) -> dict[str, npt.NDArray[Any]]:
    return {f"{name}_feature": trees.feature.astype(np.int16), f"{name}_threshold": trees.threshold, f"{name}_value": trees.value}


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    log.info("wrote %s", train().version)
