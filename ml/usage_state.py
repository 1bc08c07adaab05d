"""The daily step of the usage detector: constant-size state per series, vectorised over all series.

A series is (account, metric). Per day: what was to be expected (level x weekday x the region's factor of the day), how far
the count fell short of it in Poisson-like units, clipped so that no single day can shout, and sums of that at several speeds.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

HALF_LIVES = (3.0, 7.0, 16.0, 40.0, 120.0, 240.0)
MID, SLOW, LONG = 3, 4, 5
DECAY = 0.5 ** (1 / np.array(HALF_LIVES))
DRIFT_HALF_LIVES = (5.0, 14.0, 40.0)
DRIFT_DECAY = 0.5 ** (1 / np.array(DRIFT_HALF_LIVES))
SLACK = np.array([0.15, 0.35, 0.7])
CLIP = 1.3
CUSUM_CAP = 40.0
WEEK_DECAY = 0.5 ** (1 / 10)
WEEK_PRIOR_WEEKS = 2.0
DISPERSION_DECAY = 0.5 ** (1 / 60)
USUAL_PACE = 1 - 0.5 ** (1 / 8)
SLOW_PACE = 1 - 0.5 ** (1 / 180)
WOBBLE_PACE = 1 - 0.5 ** (1 / 90)
QUIET_FACTOR = 0.55
"""A region's day below this is a holiday: it carries no weight."""
FULL_FACTOR = 0.85
WORKSPACE_PRIOR, REGION_PRIOR, CELL_PRIOR = 1.0, 3.0, 6.0
"""How many average peers each level borrows from the one above it; above the workspace stands an ordinary day."""
LEARNING_DAYS = 56
OFFICE_WEEK = np.array([1.3, 1.3, 1.3, 1.3, 1.2, 0.3, 0.3])


@dataclass(slots=True)
class State:
    """One column per series. Levels are `num / den`: counts over expected shape, at five speeds."""

    num: Floats
    den: Floats
    week_num: Floats
    week_den: Floats
    dispersion: Floats
    cusum: Floats
    slow_cusum: Floats
    drift: Floats
    zeros: Floats
    wobble: Floats
    """How far the quick levels usually stray from the slow one: an account that wanders is not alarming when it does."""
    season: Floats
    seen: Ints
    usual: Floats

    @classmethod
    def blank(cls, n: int) -> State:
        def zeros(k: int) -> Floats:
            return np.zeros((k, n))

        return cls(
            num=zeros(6),
            den=zeros(6),
            week_num=zeros(7),
            week_den=zeros(7),
            dispersion=np.full(n, 1.5),
            cusum=zeros(3),
            slow_cusum=np.zeros(n),
            drift=zeros(3),
            zeros=np.zeros(n),
            wobble=np.full((2, n), 0.02),
            season=np.zeros(n),
            seen=np.zeros(n, np.int64),
            usual=zeros(8),
        )

    def levels(self) -> Floats:
        return self.num / np.maximum(self.den, 1e-9)


@dataclass(frozen=True, slots=True)
class Peers:
    """Who is whose peer, as numbers from 0 per series. A cell is one metric in one region."""

    account: Ints
    region: Ints
    cell: Ints


def totals(group: Ints, values: Floats) -> Floats:
    """Sums per group, handed back to each of its members."""
    return np.bincount(group, values).astype(np.float64)[group]


def advance(state: State, y: Floats, weekday: int, peers: Peers, closed: Bools) -> tuple[Floats, Floats]:
    """Move every series one day on, in place, and return the peers' factor of the day and the (7, series) usual week.

    NaN leaves a series untouched. `closed` days (public holidays) carry no weight.
    """
    present = np.isfinite(y)
    y = np.where(present, y, 0.0)
    usual_week = weekday_factors(state, peers)
    week = usual_week[weekday]
    shape = state.levels()[MID] * week
    raw = day_factors(shape, y, present & (state.seen >= 14), peers)
    factor = _centred(state.usual, weekday, raw, peers)
    expected = shape * factor
    weight = present * ~closed * np.clip((factor - QUIET_FACTOR) / (FULL_FACTOR - QUIET_FACTOR), 0.0, 1.0)
    ready = present & (state.seen >= 14)
    _watch(state, y, expected, state.levels()[SLOW] * week * factor, weight * (ready & (expected > 0.3)), factor, present)
    _learn(state, y, expected, week, factor, weight, weekday, present)
    return factor, usual_week


def weekday_factors(state: State, peers: Peers) -> Floats:
    """(7, series): each series' own week, shrunk to that of the same metric in its region, mean 1."""
    share = state.week_num / np.maximum(state.week_den, 1e-9)
    known = (state.seen >= 28).astype(float)
    count = totals(peers.cell, known) + 2.0
    common = np.stack([totals(peers.cell, known * row) + 2.0 * flat for row, flat in zip(share, OFFICE_WEEK, strict=True)]) / count
    prior = WEEK_PRIOR_WEEKS * np.maximum(state.levels()[MID], 0.2)
    own = (state.week_num + prior * common) / (state.week_den + prior)
    result: Floats = np.maximum(own / np.maximum(own.mean(axis=0), 1e-9), 0.01)
    return result


def day_factors(shape: Floats, y: Floats, usable: Bools, peers: Peers) -> Floats:
    """How the day went for the other accounts against what they usually do: the metric's cell, shrunk to the region, shrunk
    to the workspace, shrunk to 1. An account's own fall never counts as its peers' fall."""
    weight = np.where(usable & (shape > 0.5), np.sqrt(np.maximum(shape, 0.0)), 0.0)
    if not weight.any():
        return np.ones(len(y))
    ratio = np.minimum(y / np.maximum(shape, 1e-9), 2.0)
    weight = weight * _near(weight, ratio, peers)
    one = weight.sum() / max(1, np.count_nonzero(weight))
    top = weight * ratio
    factor = np.ones(len(y))
    account_top, account_weight = totals(peers.account, top), totals(peers.account, weight)
    everyone = np.zeros(len(y), np.int64)
    for group, own_top, own_weight, prior in (
        (everyone, account_top, account_weight, WORKSPACE_PRIOR),
        (peers.region, account_top, account_weight, REGION_PRIOR),
        (peers.cell, top, weight, CELL_PRIOR),
    ):
        above = totals(group, top) - own_top + prior * one * factor
        factor = above / (totals(group, weight) - own_weight + prior * one)
    result: Floats = np.maximum(factor, 0.01)
    return result


def _near(weight: Floats, ratio: Floats, peers: Peers) -> Bools:
    """Who goes with the region's day; accounts that are out by themselves would only blur it."""
    everyone = weight.sum()
    prior = REGION_PRIOR * everyone / max(1, np.count_nonzero(weight))
    overall = float(weight @ ratio) / everyone
    near = np.ones(len(weight), bool)
    for low, high in ((0.35, 1.8), (0.5, 1.5)):
        kept = weight * near
        centre = (totals(peers.region, kept * ratio) + prior * overall) / (totals(peers.region, kept) + prior)
        inside = (ratio > low * centre) & (ratio < high * centre + 0.3)
        many = totals(peers.region, weight * inside) > 0.3 * totals(peers.region, weight)
        near = np.where(many, inside, near)
    return near


def _centred(usual: Floats, weekday: int, factor: Floats, peers: Peers) -> Floats:
    """Level, week and factor can only be told apart by saying that no weekday is special to the factor, and that over
    half a year it is 1. `usual` holds the running log factor per weekday, and over all days in its last row."""
    log = np.log(factor)
    centred = log - (usual[weekday] - usual[:7].mean(axis=0)) - usual[7]
    ordinary = np.abs(centred) < 0.4
    members = np.maximum(np.bincount(peers.cell), 1)[peers.cell]
    mean = totals(peers.cell, log) / members
    usual[weekday] += np.where(ordinary, USUAL_PACE, 0.0) * (mean - usual[weekday])
    usual[7] += np.where(ordinary, SLOW_PACE, 0.0) * (mean - usual[7])
    result: Floats = np.exp(centred)
    return result


def _watch(state: State, y: Floats, expected: Floats, slow: Floats, weight: Floats, factor: Floats, present: Bools) -> None:
    spread = np.sqrt(np.maximum(state.dispersion, 1.0) + expected * (0.25 * np.log(np.minimum(factor, 1.0))) ** 2)
    raw = _shortfall(expected, y, spread)
    short = np.clip(raw, -CLIP, CLIP)
    state.cusum[:] = np.clip(state.cusum + weight * (short - SLACK[:, None]), 0.0, CUSUM_CAP)
    slow_short = np.clip(_shortfall(slow, y, spread), -CLIP, CLIP)
    state.slow_cusum[:] = np.clip(state.slow_cusum + weight * (slow_short - 0.35), 0.0, CUSUM_CAP)
    fade = np.where(weight > 0, 1 - DRIFT_DECAY[:, None], 0.0) * weight
    state.drift += fade * (short - state.drift)
    pace = (1 - DISPERSION_DECAY) * weight
    state.dispersion += pace * (np.minimum(raw**2, 4.0) * spread**2 - state.dispersion)
    state.zeros[:] = np.where(present & (weight > 0), np.where(y > 0, 0.0, state.zeros + np.minimum(expected, 3.0)), state.zeros)
    state.season += present * 0.06 * (np.abs(np.log(factor)).clip(0, 1.0) - state.season)


def _shortfall(expected: Floats, y: Floats, spread: Floats) -> Floats:
    """Distance below the expectation on the square-root scale, where counts of any size vary alike. The last term takes
    out the bias of the root: without it every quiet series would seem to lose a little each day."""
    expected = np.maximum(expected, 0.0)
    bias = spread / (4 * np.sqrt(expected + 0.5))
    result: Floats = 2 * (np.sqrt(expected + 0.375) - np.sqrt(y + 0.375)) / spread - np.minimum(bias, 0.5)
    return result


def _learn(state: State, y: Floats, expected: Floats, week: Floats, factor: Floats, weight: Floats, weekday: int, present: Bools) -> None:
    young = state.seen < 14
    capped = np.where(young, y, np.minimum(y, 2.5 * expected + 3.0))
    pace = np.where(present, DECAY[:, None], 1.0)
    state.num[:] = state.num * pace + weight * capped
    state.den[:] = state.den * pace + weight * week * factor
    log = np.log(state.levels() + 0.3)
    stray = np.clip(log[[1, 2]] - log[SLOW], -0.5, 0.3) ** 2
    state.wobble += WOBBLE_PACE * weight * (state.seen >= 30) * (stray - state.wobble)
    keep = np.where(present & (weight > 0), WEEK_DECAY, 1.0)
    level = state.levels()[MID]
    state.week_num[weekday] = state.week_num[weekday] * keep + weight * capped
    state.week_den[weekday] = state.week_den[weekday] * keep + weight * level * factor
    state.seen += present


FEATURES = (
    "cusum_fast",
    "cusum_mid",
    "cusum_sharp",
    "cusum_slow",
    "drift_5",
    "drift_14",
    "drift_40",
    "fall_3_40",
    "fall_7_40",
    "fall_7_120",
    "fall_16_120",
    "fall_40_120",
    "gap_7_120",
    "gap_16_120",
    "gap_7_40",
    "zeros",
    "agreement",
    "season",
    "spread",
    "size",
    "size_x_cusum",
    "size_x_gap",
    "youth",
    "season_x_gap",
    "stray_7",
    "stray_16",
    "stray_40_long",
    "fall_16_240",
    "fall_40_240",
    "gap_16_240",
    "wobble",
)


def features(state: State) -> Floats:
    """(len(FEATURES), series): what the score is a weighted sum of. Every value grows with suspicion or is a context."""
    level = state.levels()
    log = np.log(level + 0.3)
    root = np.sqrt(level)
    spread = np.sqrt(np.maximum(state.dispersion, 1.0))

    def fall(fast: int, slow: int) -> Floats:
        result: Floats = np.clip(log[slow] - log[fast], -1.0, 3.0)
        return result

    def gap(fast: int, slow: int) -> Floats:
        days = np.sqrt(np.minimum(state.den[fast], 12.0))
        result: Floats = np.clip(2 * (root[slow] - root[fast]) * days / spread, -10.0, 25.0)
        return result

    cusum = np.sqrt(state.cusum)
    slow = np.sqrt(state.slow_cusum)
    size = np.log(level[SLOW] + 0.3)
    far = gap(1, 4)
    drift = state.drift
    wobble = np.sqrt(state.wobble + 0.1 / (level[SLOW] + 1) / 7)
    rows = [
        cusum[0], cusum[1], cusum[2], slow, drift[0], drift[1], drift[2],
        fall(0, 3), fall(1, 3), fall(1, 4), fall(2, 4), fall(3, 4),
        far, gap(2, 4), gap(1, 3), np.minimum(state.zeros, 20.0) / 5, np.minimum(drift[0], drift[1]), state.season,
        np.log(spread), size, size * cusum[1], np.clip(size, 0, 3) * far / 5, np.exp(-state.seen / 90.0), state.season * far,
        fall(1, 4) / wobble[0], fall(2, 4) / wobble[1], fall(3, 5) / wobble[1],
        fall(2, 5), fall(3, 5), gap(2, 5), np.log(wobble[1]),
    ]  # fmt: skip
    return np.stack(rows)
