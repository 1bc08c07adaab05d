"""How good alerts are: found drops, false alarms a year, delay; and the segmentation measures of the Turing change point data."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ml.evaluate.usage.drops import YEAR
from ml.evaluate.usage.generator import Event

FALSE, REPEAT = -1, -2
HORIZON, EARLY = 42, 3
"""An alert may come so long after the onset of anything but a fade, and so long before it."""


@dataclass(frozen=True, slots=True)
class Raised:
    """An alert as the benchmark sees it: days count from the first day of the panel."""

    account: int
    day: int
    onset: int
    size: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """`hits` holds per alert the index of its event, FALSE or REPEAT; `delays` per event the days until found, NaN if it was not."""

    hits: npt.NDArray[np.int64]
    delays: npt.NDArray[np.float64]

    @property
    def recall(self) -> float:
        return float(np.isfinite(self.delays).mean()) if len(self.delays) else float("nan")

    @property
    def precision(self) -> float:
        """Repeats are neither right nor wrong."""
        judged = self.hits[self.hits != REPEAT]
        return float((judged >= 0).mean()) if len(judged) else float("nan")

    def false_alarms(self, days: float) -> float:
        """Per account-year (or series-year), where `days` is the number of account-days on which an alert could be raised."""
        return float(np.count_nonzero(self.hits == FALSE) / (days / YEAR))

    def found(self, which: npt.NDArray[np.bool_], within: float = np.inf) -> float:
        """Recall among some events, within so many days."""
        return float((self.delays[which] <= within).mean()) if which.any() else float("nan")


def match(alerts: Sequence[Raised], events: Sequence[Event]) -> Match:
    """Greedy and one to one, in the order in which the alerts were raised; later alerts in a window already used are repeats."""
    by_account: dict[int, list[int]] = defaultdict(list)
    for j, event in enumerate(events):
        by_account[event[0]].append(j)
    hits, delays = np.full(len(alerts), FALSE), np.full(len(events), np.nan)
    for i in sorted(range(len(alerts)), key=lambda k: alerts[k].day):
        day = alerts[i].day
        open_ = [j for j in by_account[alerts[i].account] if events[j][1] - EARLY <= day <= _deadline(events[j])]
        fresh = [j for j in open_ if np.isnan(delays[j])]
        if fresh:
            hits[i] = max(fresh, key=lambda j: events[j][1])
            delays[hits[i]] = max(0, day - events[hits[i]][1])
        elif open_:
            hits[i] = REPEAT
    return Match(hits=hits, delays=delays)


def since(first: int, matched: Match, alerts: Sequence[Raised], events: Sequence[Event]) -> Match:
    """What was raised from day `first` on, and the events that began then. Alerts on earlier events are neither right nor wrong."""
    judged = np.array([event[1] >= first for event in events], bool)
    place = np.where(judged, np.cumsum(judged) - 1, REPEAT)
    raised = matched.hits[[alert.day >= first for alert in alerts]] if alerts else matched.hits
    hits = raised.copy()
    hits[raised >= 0] = place[raised[raised >= 0]]
    return Match(hits=hits, delays=matched.delays[judged])


def _deadline(event: Event) -> int:
    _, onset, by, _, kind = event
    return by if kind == "slow_fade" else min(onset + HORIZON, by)


def covering(annotations: Mapping[str, Iterable[int]], predicted: Iterable[int], length: int) -> float:
    """Mean over annotators of how well the predicted segments cover theirs (van den Burg and Williams, arXiv:2003.06222)."""
    segments = _segments(predicted, length)
    return float(np.mean([_cover(segments, _segments(points, length), length) for points in annotations.values()]))


def _segments(points: Iterable[int], length: int) -> list[tuple[int, int]]:
    inner = sorted({int(p) for p in points if 0 < int(p) < length})
    return list(zip([0, *inner], [*inner, length], strict=True))


def _cover(predicted: Sequence[tuple[int, int]], true: Sequence[tuple[int, int]], length: int) -> float:
    return sum((end - start) * max(_overlap((start, end), p) for p in predicted) for start, end in true) / length


def _overlap(one: tuple[int, int], other: tuple[int, int]) -> float:
    shared = min(one[1], other[1]) - max(one[0], other[0])
    return max(0.0, shared / (max(one[1], other[1]) - min(one[0], other[0])))


def f_measure(annotations: Mapping[str, Iterable[int]], predicted: Iterable[int], margin: int = 5) -> float:
    """F1 with one-to-one matches within `margin`: precision against all annotators together, recall averaged over them.

    0 counts as a change point in every set, as in the paper, so that saying nothing has a score."""
    truths = [{int(p) for p in points} | {0} for points in annotations.values()]
    found = {int(p) for p in predicted} | {0}
    precision = _matched(set().union(*truths), found, margin) / len(found)
    recall = float(np.mean([_matched(truth, found, margin) / len(truth) for truth in truths]))
    return 2 * precision * recall / (precision + recall)


def _matched(truth: set[int], found: set[int], margin: int) -> int:
    left, count = set(found), 0
    for point in sorted(truth):
        near = sorted((abs(point - x), x) for x in left if abs(point - x) <= margin)
        if near:
            count += 1
            left.remove(near[0][1])
    return count
