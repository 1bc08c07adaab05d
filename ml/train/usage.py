"""python -m ml.train.usage: learns the usage detector from generated workspaces and writes ml/models/usage.{json,npz}.

Two stages. The score is a logistic weighted sum of the constant-size state's features. Series that score above SUSPICION are
examined; what was found there is weighed by small boosted trees. How often quiet series reach each weight is counted on seeds
that neither stage has seen.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain

import numpy as np
import numpy.typing as npt
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression

from benchmarks.usage_generator import Generated, make_panel
from ml import artifact
from ml.train.boosting import as_trees
from ml.trees import Trees
from ml.usage_account import by_account, clarity, episodes
from ml.usage_detect import RETRY, Day, Examiner, detect, is_fall, scan
from ml.usage_panel import Panel
from ml.usage_score import BLOCK, DAYS_A_YEAR, EVIDENCE, Weights
from ml.usage_state import FEATURES, Bools, Floats, Ints, features

log = logging.getLogger("undertone.train.usage")

SUSPICION_RATE = 2.0
"""Blocks per quiet series-year in which a series is examined."""
RATES = (1.0, 0.7, 0.5, 0.35, 0.25, 0.18, 0.12, 0.08, 0.05, 0.03, 0.02, 0.01, 0.005)
SCORE_SEEDS, PROOF_SEEDS, TABLE_SEEDS = range(100, 104), range(300, 308), range(308, 316)
CONFIDENCE_SEEDS = range(316, 319)
ASKED_BUDGET = 0.3
METRICS = ("seats", "events", "feat0")
PER_QUIET_BLOCK = 1.75
"""False alarms as a detector at work raises them, per exceedance in quiet blocks: the weeks after a drop add theirs."""
AFTERMATH = 60
"""Days after a drop that are neither quiet nor a drop."""


@dataclass(frozen=True, slots=True)
class Lesson:
    """A generated workspace with, for every series and day, whether a drop is under way and whether all is quiet."""

    panel: Panel
    dropping: Bools
    quiet: Bools
    first: int
    """First day on which drops can be told."""


def lesson(generated: Generated, names: tuple[str, ...], first: int) -> Lesson:
    panel = generated.panel(names)
    shape = (len(generated.region), len(names), panel.values.shape[1])
    dropping, quiet = np.zeros(shape, bool), np.ones(shape, bool)
    for k, name in enumerate(names):
        for account, onset, by, _, _ in generated.events_for(name):
            dropping[account, k, onset : by + 1] = True
            quiet[account, k, onset - 3 : by + AFTERMATH] = False
    return Lesson(panel, dropping.reshape(-1, shape[2]), quiet.reshape(-1, shape[2]), first)


def lessons(seeds: range) -> Iterator[Lesson]:
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


def score_weights() -> Floats:
    random = np.random.default_rng(1)
    rows: list[Floats] = []
    labels: list[Bools] = []
    for seed in SCORE_SEEDS:
        taught = lesson(make_panel(1000, seed=seed), METRICS, 200)
        for day in _taught_days(taught):
            dropping, quiet = taught.dropping[:, day.index - 3] & taught.dropping[:, day.index], taught.quiet[:, day.index]
            chance = random.random(len(quiet))
            picked = np.nonzero(day.scored & ((dropping & (chance < 0.25)) | (quiet & (chance < 0.02))))[0]
            rows.append(features(day.state)[:, picked].T)
            labels.append(dropping[picked])
    x = np.concatenate(rows)
    scale = x.std(axis=0)
    model = LogisticRegression(max_iter=400).fit((x - x.mean(axis=0)) / scale, np.concatenate(labels))
    weights: Floats = model.coef_[0] / scale
    return weights


def _taught_days(taught: Lesson) -> Iterator[Day]:
    return (day for day in scan(taught.panel) if day.index >= taught.first)


@dataclass(frozen=True, slots=True)
class Examined:
    """Every examination of a lesson, and how many quiet series-years it covers."""

    evidence: Floats
    dropping: Bools
    block: Ints
    fall: Bools
    years: float


def examinations(taught: Lesson, weights: Floats, suspicion: float) -> Examined:
    examine = Examiner(taught.panel)
    n = len(taught.quiet)
    next_look, since, years = np.zeros(n, np.int64), np.zeros(n, np.int64), 0.0
    found: list[tuple[npt.NDArray[np.generic], ...]] = []
    for day in _taught_days(taught):
        dropping, quiet = taught.dropping[:, day.index], taught.quiet[:, day.index]
        years += float((day.scored & quiet).sum()) / DAYS_A_YEAR
        score = weights @ features(day.state)
        rows = np.nonzero(day.scored & (score >= suspicion) & (day.index >= next_look) & (dropping | quiet))[0]
        if len(rows):
            next_look[rows] = day.index + RETRY
            falls, evidence = examine(day, rows, since, score)
            found.append((evidence.T.astype(np.float32), dropping[rows], rows * 1000 + day.index // BLOCK, is_fall(falls)))
    evidence, dropping, block, fall = (np.concatenate(part) for part in zip(*found, strict=True))
    return Examined(evidence=evidence, dropping=dropping, block=block, fall=fall, years=years)


def suspicion_of(weights: Floats) -> float:
    """The score that quiet series exceed in SUSPICION_RATE blocks a year."""
    taught = lesson(make_panel(1000, 430, seed=200, first_drop_day=65), METRICS, 75)
    highest = np.full((430 // BLOCK + 1, len(taught.quiet)), -np.inf)
    for day in _taught_days(taught):
        score = np.where(day.scored & taught.quiet[:, day.index], weights @ features(day.state), -np.inf)
        highest[day.index // BLOCK] = np.maximum(highest[day.index // BLOCK], score)
    blocks = highest[np.isfinite(highest)]
    return float(np.quantile(blocks, 1 - SUSPICION_RATE * BLOCK / DAYS_A_YEAR))


def grow(parts: list[Examined]) -> Trees:
    x, y, fall = (np.concatenate([getattr(p, name) for p in parts]) for name in ("evidence", "dropping", "fall"))
    model = HistGradientBoostingClassifier(
        max_iter=90,
        max_leaf_nodes=10,
        max_depth=5,
        learning_rate=0.12,
        l2_regularization=5.0,
        min_samples_leaf=150,
        monotonic_cst=list(EVIDENCE.values()),
        random_state=0,
    ).fit(x[fall], y[fall])
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
    """Logistic weights of usage_account.clarity among the episodes that these weights raise: was a drop under way?"""
    rows: list[Floats] = []
    labels: list[bool] = []
    for one in taught:
        alerts = detect(one.panel, ASKED_BUDGET, weights)
        for episode in chain.from_iterable(episodes(found) for found in by_account(one.panel, alerts).values()):
            days = [(alert.alerted_on - one.panel.first_day).days - 1 for alert in episode]
            if days[0] >= one.first:
                rows.append(clarity(episode))
                labels.append(any(one.dropping[alert.series, day] for alert, day in zip(episode, days, strict=True)))
    model = LogisticRegression(fit_intercept=False, C=10.0).fit(np.array(rows), np.array(labels))
    found_weights: Floats = model.coef_[0]
    return found_weights


def train() -> artifact.Artifact:
    weights = score_weights()
    suspicion = suspicion_of(weights)
    proof = grow([examinations(taught, weights, suspicion) for taught in lessons(PROOF_SEEDS)])
    scores = table([examinations(taught, weights, suspicion) for taught in lessons(TABLE_SEEDS)], proof)
    learned = Weights("in training", weights, suspicion, proof, scores, np.array(RATES), np.zeros(5))
    meta = {
        "trained_on": "benchmarks.usage_generator",
        "weights": dict(zip(FEATURES, weights.tolist(), strict=True)),
        "suspicion": suspicion,
        "scores": scores.tolist(),
        "rates": list(RATES),
        "confidence": confidence(lessons(CONFIDENCE_SEEDS), learned).tolist(),
    }
    return artifact.save("usage", meta, {"feature": proof.feature.astype(np.int16), "threshold": proof.threshold, "value": proof.value})


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    log.info("wrote %s", train().version)
