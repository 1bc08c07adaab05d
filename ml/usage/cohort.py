"""How a day went for everybody: a factor per cell (one metric in one region), fixed when the day closes.

Accounts fall into FOLDS by their name, and what is said to the accounts of a fold comes from all the others: an account's own
fall never counts as its peers' fall, and the factor of a day stays what it was when a value is corrected later.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from zlib import crc32

import numpy as np
import numpy.typing as npt

from ml.usage.state import CHUNK, MID, TINY, WARM_DAYS, Floats, Ints, Singles, State, expected_week

FOLDS = 8
OWN_CELL = 5
"""Accounts that make a metric of a region a cell of its own; rarer ones share the region's."""
WORKSPACE_PRIOR, REGION_PRIOR, CELL_PRIOR = 1.0, 3.0, 6.0
"""How many average peers each level borrows from the one above it; above the workspace stands an ordinary day."""
BINS = 40
RATIO_CAP = 2.0
USUAL_PACE = 1 - 0.5 ** (1 / 8)
SEASON_PACE = 0.06
REPORTING = 0.5
"""A day counts as reported in a cell when this share of its series that ever reported did."""
SLOW_PACE = 1 - 0.5 ** (1 / 180)
OFFICE_WEEK = np.array([1.3, 1.3, 1.3, 1.3, 1.2, 0.3, 0.3])
OFFICE_PRIOR = 2.0
WEEK_KNOWN_DAYS = 28

Cell = tuple[str, str]
"""Region and metric; an empty metric stands for all that have no cell of their own."""


@dataclass(frozen=True, slots=True)
class Peers:
    """Who is whose peer. One number per series; `region_of` has one per cell."""

    cells: tuple[Cell, ...]
    account: Ints
    cell: Ints
    fold: Ints
    region_of: Ints


@dataclass(frozen=True, slots=True)
class Coded:
    """A column of few different names: for each row the place of its own among `names`."""

    names: Sequence[str]
    at: Ints

    @classmethod
    def of(cls, column: Sequence[str]) -> Coded:
        place: dict[str, int] = {}
        at = np.array([place.setdefault(name, len(place)) for name in column], np.int64)
        return cls(list(place), at)


def peers_of(account: Coded, metric: Coded, region: Coded, known: Sequence[Cell] = ()) -> Peers:
    """One row per series each; of an account and a metric there is one. `known` cells stay cells, in their order, whoever has left them since."""
    many_metrics = max(1, len(metric.names))
    pairs = max(1, len(region.names)) * many_metrics
    pair = region.at * many_metrics + metric.at
    members = np.bincount(pair, minlength=pairs)
    own = [(region.names[k // many_metrics], metric.names[k % many_metrics]) for k in np.nonzero(members >= OWN_CELL)[0].tolist()]
    cells = list(dict.fromkeys([*known, *((name, "") for name in region.names), *own]))
    number = {cell: k for k, cell in enumerate(cells)}
    cell_of = np.array([number.get((r, m), number[r, ""]) for r in region.names for m in metric.names], np.int64)
    fold_of = np.array([crc32(name.encode()) % FOLDS for name in account.names], np.int64)
    return Peers(tuple(cells), account.at, cell_of[pair], fold_of[account.at], Coded.of([name for name, _ in cells]).at)


@dataclass(frozen=True, slots=True)
class Closed:
    """What is recorded of a closed day, per cell: the factor for each fold, and each weekday's share of an average day."""

    factor: npt.NDArray[np.float32]
    """(cells, FOLDS)"""
    week: npt.NDArray[np.float32]
    """(cells, 7)"""
    reported: npt.NDArray[np.bool_]
    """(cells,): whether the cell's series reported on that day at all."""


@dataclass(slots=True)
class Cohort:
    """What is usual in each cell: (8, cells) running log factor per weekday, and over all days in the last row; the common week."""

    usual: Floats
    season: npt.NDArray[np.float32]
    """(cells, FOLDS): how far the factors have strayed from 1 lately, on the log scale."""
    week: npt.NDArray[np.float32]

    @classmethod
    def blank(cls, cells: int) -> Cohort:
        return cls(np.zeros((8, cells)), np.zeros((cells, FOLDS), np.float32), np.tile((OFFICE_WEEK / OFFICE_WEEK.mean()).astype(np.float32), (cells, 1)))


def close(cohort: Cohort, state: State, counts: Singles, weekday: int, peers: Peers) -> Closed:
    """The day's record; the cohort moves on, and on Mondays it learns its week anew."""
    if weekday == 0:
        _renew_week(cohort, state, peers)
    factor = _centred(cohort.usual, weekday, _day_factors(_histogram(state, counts, weekday, cohort.week, peers), peers))
    cohort.season = strayed(cohort.season, factor)
    return Closed(factor.astype(np.float32), cohort.week, _reporting(state, counts, peers))


def strayed(season: Singles, factor: Floats | Singles) -> Singles:
    """(cells, FOLDS): the season after a day of these factors."""
    found: Singles = season + np.float32(SEASON_PACE) * (np.minimum(np.abs(np.log(factor)), 1).astype(np.float32) - season)
    return found


@dataclass(frozen=True, slots=True)
class _Histogram:
    """(cells, FOLDS, BINS) of the ratio of counts to what each series usually does: its weight, and the weighted ratio."""

    weight: Floats
    counted: Floats
    one: float
    """Weight of an average peer."""


def _histogram(state: State, counts: Singles, weekday: int, week: Singles, peers: Peers) -> _Histogram:
    """From here on the work no longer grows with the number of series."""
    shape = (len(peers.cells), FOLDS, BINS)
    size = len(peers.cells) * FOLDS * BINS
    weights, counted, many = np.zeros(size), np.zeros(size), 0
    for start in range(0, len(counts), CHUNK):
        end = min(start + CHUNK, len(counts))
        part, y, cell = state.part(start, end), counts[start:end], peers.cell[start:end]
        expected = part.level(MID) * expected_week(part, weekday, week[cell, weekday])
        at = np.nonzero(np.isfinite(y) & (part.seen >= WARM_DAYS) & (expected > 0.5))[0]
        ratio = np.minimum(y[at] / expected[at], np.float32(RATIO_CAP))
        place = np.minimum((ratio * np.float32(BINS / RATIO_CAP)).astype(np.int64), BINS - 1) + BINS * (peers.fold[start:end][at] + FOLDS * cell[at])
        weight = np.sqrt(expected[at])
        weights += np.bincount(place, weight, size)
        counted += np.bincount(place, weight * ratio, size)
        many += len(at)
    return _Histogram(weights.reshape(shape), counted.reshape(shape), float(weights.sum()) / max(many, 1))


def _day_factors(seen: _Histogram, peers: Peers) -> Floats:
    """(cells, FOLDS): the metric's cell, shrunk to the region, shrunk to the workspace, shrunk to an ordinary day."""
    if not seen.one:
        return np.ones(seen.weight.shape[:2])
    near = _near(seen, peers)[peers.region_of][:, None, :]
    weights, tops = (seen.weight * near).sum(axis=2), (seen.counted * near).sum(axis=2)
    regional = _by_region(weights, peers), _by_region(tops, peers)
    everyone = regional[0].sum(axis=0), regional[1].sum(axis=0)
    factor = np.ones(FOLDS)
    factor = _of_the_others(*everyone, WORKSPACE_PRIOR * seen.one, factor)
    factor = _of_the_others(*regional, REGION_PRIOR * seen.one, factor)
    return np.maximum(_of_the_others(weights, tops, CELL_PRIOR * seen.one, factor[peers.region_of]), 0.01)


def _of_the_others(weights: Floats, tops: Floats, prior: float, above: Floats) -> Floats:
    """(..., FOLDS): the mean ratio over all folds but one's own, shrunk to `above`."""
    found: Floats = (tops.sum(axis=-1, keepdims=True) - tops + prior * above) / (weights.sum(axis=-1, keepdims=True) - weights + prior)
    return found


def _by_region(values: Floats, peers: Peers) -> Floats:
    total = np.zeros((int(peers.region_of.max()) + 1, *values.shape[1:]))
    np.add.at(total, peers.region_of, values)
    return total


def _near(seen: _Histogram, peers: Peers) -> npt.NDArray[np.bool_]:
    """(regions, BINS): the ratios that go with the region's day; accounts that are out by themselves would only blur it."""
    weight, counted = _by_region(seen.weight.sum(axis=1), peers), _by_region(seen.counted.sum(axis=1), peers)
    prior = REGION_PRIOR * seen.one
    overall = counted.sum() / weight.sum()
    middle = (np.arange(BINS) + 0.5) * RATIO_CAP / BINS
    near = np.ones(weight.shape, bool)
    for low, high in ((0.35, 1.8), (0.5, 1.5)):
        centre = (((counted * near).sum(axis=1) + prior * overall) / ((weight * near).sum(axis=1) + prior))[:, None]
        inside = (middle > low * centre) & (middle < high * centre + 0.3)
        many = (weight * inside).sum(axis=1) > 0.3 * weight.sum(axis=1)
        near = np.where(many[:, None], inside, near)
    return near


def _centred(usual: Floats, weekday: int, factor: Floats) -> Floats:
    """Level, week and factor can only be told apart by saying that no weekday is special to the factor, and that over
    half a year it is 1."""
    log = np.log(factor)
    centred: Floats = log - (usual[weekday] - usual[:7].mean(axis=0) + usual[7])[:, None]
    ordinary = np.abs(centred).mean(axis=1) < 0.4
    mean = log.mean(axis=1)
    usual[weekday] += np.where(ordinary, USUAL_PACE, 0.0) * (mean - usual[weekday])
    usual[7] += np.where(ordinary, SLOW_PACE, 0.0) * (mean - usual[7])
    return np.exp(centred)


def _reporting(state: State, counts: Singles, peers: Peers) -> npt.NDArray[np.bool_]:
    present, started = np.isfinite(counts), state.last_seen > 0
    many, known = (np.bincount(peers.cell[who], minlength=len(peers.cells)) for who in (present, present | started))
    result: npt.NDArray[np.bool_] = (many >= REPORTING * known) & (many > 0)
    return result


def _renew_week(cohort: Cohort, state: State, peers: Peers) -> None:
    cells = len(peers.cells)
    total, known = np.tile(OFFICE_PRIOR * OFFICE_WEEK, (cells, 1)), np.full(cells, OFFICE_PRIOR)
    for start in range(0, len(peers.cell), CHUNK):
        part, cell = state.part(start, start + CHUNK), peers.cell[start : start + CHUNK]
        at = np.nonzero(part.seen >= WEEK_KNOWN_DAYS)[0]
        share = part.week_num[:, at] / np.maximum(part.week_den[:, at], TINY)
        known += np.bincount(cell[at], minlength=cells)
        for day in range(7):
            total[:, day] += np.bincount(cell[at], share[day], cells)
    cohort.week = (total / known[:, None]).astype(np.float32)
