"""Lasting growth: told late and only when it is plain, so that it never competes with a drop for attention."""

from __future__ import annotations

from datetime import date

import numpy as np

from ml.usage.examine import Examiner, Window
from ml.usage.explain import explain
from ml.usage.panel import Alert
from ml.usage.state import SLOW, Ints
from ml.usage.tracker import Scored, Tracker

SUM = 8.0
"""What the clipped excesses must have added up to."""
GROWN = 1.5
MIN_LEVEL = 2.0
STRENGTH = 25.0
"""Twice the log likelihood a rise must win over "nothing changed"."""
MIN_SEEN = 180
"""Days of history: before, growth is how an account begins."""
LATELY = 14
AGAIN, RETRY = 90, 14
"""Days until the same series may be said to grow again, and until a rise that was not plain is looked at again."""


class Riser:
    def __init__(self, tracker: Tracker, examine: Examiner) -> None:
        self._tracker, self._examine = tracker, examine

    def __call__(self, day: Scored) -> list[Alert]:
        state = self._tracker.state
        level = state.level(SLOW)
        rows = np.nonzero(
            day.scored
            & (state.rise >= SUM)
            & (state.seen >= MIN_SEEN)
            & (day.today >= state.next_rise)
            & (level > MIN_LEVEL)
            & (state.level(2) >= GROWN * level)
        )[0]
        if not len(rows):
            return []
        state.next_rise[rows] = day.today + RETRY
        return self._examined(rows, day.today)

    def _examined(self, rows: Ints, today: int) -> list[Alert]:
        """A rise is a fall with the days in reverse."""
        window = self._examine.window(rows, today)
        back = explain(window.counts[:, ::-1], window.shape[:, ::-1], window.factor[:, ::-1])
        onset = today + 2 - back.onset - back.length
        size = back.before / np.maximum(back.after, 1e-9) - 1
        plain = (back.strength >= STRENGTH) & (size >= GROWN - 1) & (back.after > 0) & self._lasts(window, back.after)
        plain &= onset > self._tracker.state.since[rows]
        self._tracker.state.next_rise[rows[plain]] = today + AGAIN
        peers = self._tracker.factors.changes(rows, onset, today)
        return [
            Alert(
                series=int(rows[k]),
                alerted_on=date.fromordinal(today + 1),
                onset=date.fromordinal(int(onset[k])),
                before=float(back.after[k]),
                after=float(back.before[k]),
                size=float(size[k]),
                kind="growth",
                score=float(back.strength[k] / (2 * np.log(10))),
                peers=float(peers[k]),
            )
            for k in np.nonzero(plain)[0]
        ]

    @staticmethod
    def _lasts(window: Window, before: np.ndarray) -> np.ndarray:
        return window.levels(LATELY, at_least=7) >= (GROWN + 1) / 2 * before
