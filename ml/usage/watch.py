"""The detector at work: day by day over all series, alerts when a score is rare enough and the fall can be shown."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

import numpy as np

from ml.usage.account import METRICS_TOGETHER
from ml.usage.examine import AT_ONCE, Examiner, History
from ml.usage.explain import FADE_DAYS, Falls
from ml.usage.feed import FEED_STATES, feeds
from ml.usage.panel import GONE, Alert, DropKind, Panel, Replay, is_about_people
from ml.usage.rise import Riser
from ml.usage.score import BLOCK, SMALLEST_LEVEL, Calibration, Weights, load
from ml.usage.state import SLOW, Bools, Floats, Ints, State
from ml.usage.tracker import Scored, Tracker, scan

COOLDOWN = 28
NEAR = 0.7
"""Orders of magnitude of rarity that may still be missing for a series to be looked at again the next day."""
GLANCE, RETRY = 3, 4
"""Days until a series that a first glance, or a closer look, found nothing in is looked at again."""
FORMING = 0.5
"""Orders of magnitude of rarity that may still be missing while a fall is said to be forming."""
RECOVERED = 0.7
"""Share of the loss that must be back, on average of two weeks."""
RECOVERY_DAYS = 14
FURTHER = 0.8


@dataclass(slots=True)
class Found:
    """What a day brought: new alerts, and old ones that recovered on it."""

    raised: list[Alert] = field(default_factory=list)
    recovered: list[Alert] = field(default_factory=list)


class Watch:
    """Turns scores into alerts: a rare score is examined, a fall that can be shown and is rare enough is raised."""

    def __init__(
        self,
        tracker: Tracker,
        metrics: Sequence[str],
        budget: float,
        history: History,
        calibration: Calibration,
        standing: Iterable[Alert] = (),
        forming: Iterable[Alert] = (),
    ) -> None:
        self.examine = Examiner(tracker.peers, tracker.state, tracker.cohort, tracker.factors, history)
        self.standing = {alert.series: alert for alert in standing}
        """Of every series the latest alert that has not recovered."""
        self._standing_at = np.full(len(metrics), np.inf, np.float32)
        for alert in self.standing.values():
            self._standing_at[alert.series] = alert.after
        self.forming = {alert.series: alert for alert in forming}
        """Falls that are not rare enough yet, under the day on which each was first seen."""
        self._tracker, self._metrics, self._calibration = tracker, metrics, calibration
        self._rise = Riser(tracker, self.examine)
        many = np.bincount(tracker.peers.account)[tracker.peers.account]
        self._threshold = -np.log10(budget / many**METRICS_TOGETHER)

    def look(self, day: Scored) -> Found:
        if day.today % BLOCK == 0:
            self._calibration.close_block(self._tracker.state)
        found = Found(recovered=self._recoveries(day.today))
        self._falls(day, found)
        found.raised += self._rise(day)
        return found

    def _falls(self, day: Scored, found: Found) -> None:
        state = self._tracker.state
        rows = np.nonzero(day.scored & (day.score >= self._tracker.weights.suspicion) & (day.today >= state.next_look))[0]
        rows = rows[self._is_new(rows)]
        state.next_look[rows] = day.today + GLANCE
        rows = self._tracker.suspects(day.score, rows)
        if not len(rows):
            self.forming = {i: alert for i, alert in self.forming.items() if not day.scored[i]}
            return
        falls, evidence = self.examine(rows, day.today, day.score, day.scored)
        proof = np.where(falls.is_clear, self._tracker.weights.proof(evidence), -np.inf)
        self._calibration.examined(state, rows, proof)
        surprise = self._calibration.surprise(proof)
        missing = self._threshold[rows] - surprise
        state.next_look[rows] = day.today + np.where(missing <= NEAR, 1, RETRY)
        self._note_forming(rows, day, falls, surprise, np.nonzero((missing > 0) & (missing <= FORMING))[0])
        at = np.nonzero(missing <= 0)[0]
        if len(at):
            found.raised += self._raise(rows[at], day, self.examine.latest(rows[at], day.today, falls[at]), surprise[at])

    def _note_forming(self, rows: Ints, day: Scored, falls: Falls, surprise: Floats, at: Ints) -> None:
        """What was forming and is no longer goes; a series that was not scored today keeps what was said."""
        kept = {i: alert for i, alert in self.forming.items() if not day.scored[i]}
        for alert in self._alerts(rows[at], day.today, falls[at], surprise[at]):
            known = self.forming.get(alert.series)
            kept[alert.series] = replace(alert, alerted_on=known.alerted_on) if known else alert
        self.forming = kept

    def _raise(self, rows: Ints, day: Scored, falls: Falls, surprise: Floats) -> list[Alert]:
        state = self._tracker.state
        alerts = self._alerts(rows, day.today, falls, surprise)
        self.standing.update({alert.series: alert for alert in alerts})
        self._standing_at[rows] = [alert.after for alert in alerts]
        state.since[rows] = day.today + 1
        state.next_look[rows] = day.today + COOLDOWN
        return alerts

    def _alerts(self, rows: Ints, today: int, falls: Falls, surprise: Floats) -> list[Alert]:
        parts = [np.arange(start, min(start + AT_ONCE, len(rows))) for start in range(0, len(rows), AT_ONCE)]
        return [alert for at in parts for alert in self._told(rows[at], today, falls[at], surprise[at])]

    def _told(self, rows: Ints, today: int, falls: Falls, surprise: Floats) -> Iterator[Alert]:
        peers, kinds = self._tracker.factors.changes(rows, falls.onset, today), self._kinds(rows, today, falls)
        for k, i in enumerate(rows.tolist()):
            yield Alert(
                series=i,
                alerted_on=date.fromordinal(today + 1),
                onset=date.fromordinal(int(falls.onset[k])),
                before=float(falls.before[k]),
                after=float(falls.after[k]),
                size=float(falls.size[k]),
                kind=kinds[k],
                score=float(surprise[k]),
                peers=float(peers[k]),
            )

    def _is_new(self, rows: Ints) -> Bools:
        """While a fall stands, only a further one is news."""
        result: Bools = self._tracker.state.level(1)[rows] < FURTHER * self._standing_at[rows]
        return result

    def _recoveries(self, today: int) -> list[Alert]:
        alerts = list(self.standing.values())
        if not alerts:
            return []
        rows, before, after = np.array([a.series for a in alerts]), np.array([a.before for a in alerts]), np.array([a.after for a in alerts])
        state = self._tracker.state
        start = today + 1 - RECOVERY_DAYS
        near = np.nonzero((start >= state.since[rows]) & (state.columns(rows).level(1) >= (before + after) / 2))[0]
        if not len(near):
            return []
        level = self.examine.window(rows[near], today, RECOVERY_DAYS).levels(RECOVERY_DAYS, at_least=7)
        back = near[level >= (after + RECOVERED * (before - after))[near]]
        state.since[rows[back]], self._standing_at[rows[back]] = start, np.inf
        return [replace(self.standing.pop(int(rows[k])), recovered_on=date.fromordinal(today + 1)) for k in back]

    def _kinds(self, rows: Ints, today: int, falls: Falls) -> list[DropKind]:
        family = np.concatenate([rows[:, None], self.examine.siblings[rows]], axis=1)
        known = family >= 0
        level, now = np.zeros(family.shape), np.full(family.shape, np.nan)
        level[known] = self._tracker.state.columns(family[known]).level(SLOW)
        level[:, 0] = falls.before
        now[known] = self.examine.window(family[known], today, 7).levels(7, at_least=3)
        gone: Bools = np.less_equal(now, GONE * level)
        standing = (~gone & (level > SMALLEST_LEVEL)).sum(axis=1)
        return [self._kind(i, gone=bool(gone[k, 0]), all_gone=not standing[k], fade=bool(falls.length[k] >= FADE_DAYS)) for k, i in enumerate(rows.tolist())]

    def _kind(self, i: int, *, gone: bool, all_gone: bool, fade: bool) -> DropKind:
        if gone:
            return "stopped" if all_gone else "feature_abandon"
        if fade:
            return "slow_fade"
        return "seat_loss" if is_about_people(self._metrics[i]) else "shift"


def history_of(panel: Panel) -> History:
    first = panel.first_day.toordinal()
    return lambda rows, start, end: panel.values[rows, start - first : end + 1 - first]


def replay(panel: Panel, budget: float, weights: Weights | None = None) -> Replay:
    """`weights`: the shipped ones unless others are being trained."""
    alerts: dict[tuple[int, date, str], Alert] = {}
    n, first = len(panel.accounts), panel.first_day.toordinal()
    factors, reported = np.ones(panel.values.shape, np.float32), np.zeros(panel.values.shape, bool)
    watch: Watch | None = None
    state = State.blank(n)
    for tracker, day in scan(panel, weights or load()) if panel.values.size else ():
        watch = watch or Watch(tracker, panel.metrics, budget, history_of(panel), Calibration(tracker.weights))
        found = watch.look(day)
        alerts.update({(a.series, a.alerted_on, a.kind): a for a in (*found.recovered, *found.raised)})
        factors[:, day.today - first] = tracker.factors.of(np.arange(n), day.today, day.today)[:, 0]
        reported[:, day.today - first] = day.closed.reported[tracker.peers.cell]
        state = tracker.state
    forming = tuple(watch.forming.values()) if watch else ()
    return Replay(panel, tuple(alerts.values()), forming, factors, tuple(FEED_STATES[k] for k in feeds(state, reported, first + len(reported.T) - 1)))
