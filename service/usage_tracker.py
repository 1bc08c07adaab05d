"""The detector's memory of a workspace, restored from its tables, moved on a few days at a time, and written back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt

from ml.usage.cohort import FOLDS, Cell, Closed, Coded, Cohort, Peers, peers_of
from ml.usage.examine import Factors
from ml.usage.panel import Alert
from ml.usage.score import Calibration, Weights, load
from ml.usage.state import State
from ml.usage.tracker import Tracker, follow, shut_days
from ml.usage.watch import Watch
from service.store import usage_catalogue, usage_series, usage_tracking
from service.store.pool import Db
from service.store.usage_catalogue import AllSeries
from service.store.usage_tracking import CHUNK, AlertRow, ClosedRow, TrackerRow

LAYOUT = 1
"""Of the rows of a state: raise it when they change, and every state is learned anew from the counts."""
SNAPSHOT_DAYS = 28
SNAPSHOTS = 6
"""A value that comes later than that many snapshots ago is followed from the first day."""

LATELY = 14
TOLD = 0.5
"""A day was told of when this share of the series has it that was heard of lately."""
REPORTED_DAYS = 60

Singles = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Record:
    """A closed day, for all the cells there are now."""

    closed: Closed
    shut: Bools


class Live:
    """All of a workspace's usage as of the end of the day `through`; None before the first day is closed."""

    def __init__(
        self, series: AllSeries, tracker: Tracker, calibration: Calibration, budget: float, said: tuple[list[Alert], list[Alert]], through: date | None
    ) -> None:
        self.series, self.tracker, self.through = series, tracker, through
        self._calibration = calibration
        self._db: Db | None = None
        self._counts: tuple[date, Singles] | None = None
        self._watch = Watch(tracker, [series.metrics[k] for k in series.metric.tolist()], budget, self._history, calibration, *said)
        self._reported: list[Bools] = []

    @classmethod
    def restore(cls, db: Db, budget: float) -> Live | None:
        """None where there is no usage at all. Call it under the lock."""
        usage_catalogue.keep(db)
        series, first = usage_catalogue.all_series(db), usage_tracking.first_day(db)
        if not len(series) or first is None:
            return None
        row, through, weights = usage_tracking.tracker(db), usage_tracking.closed_through(db), load()
        peers = peers_in(series, row)
        start = first if through is None else max(first, through - timedelta(days=Factors.DAYS - 1))
        tracker = Tracker(peers, weights, start.toordinal(), cohort=_cohort(row, len(peers.cells)))
        calibration = calibration_of(row, weights)
        standing = [alert_of(a) for a in usage_tracking.alerts(db, standing=True) if a.kind != "growth"]
        forming = [alert_of(a) for a in usage_tracking.forming(db)]
        live = cls(series, tracker, calibration, budget, (standing, forming), through)
        if row and through:
            live._remember(db, start, through)
            live._load_state(db, row.layout, through)
        return live

    def is_current(self, db: Db) -> bool:
        """Nobody else closed a day or began a series since this was restored."""
        return self.through == usage_tracking.closed_through(db) and len(self.series) == usage_tracking.series_count(db)

    def reported(self) -> Bools:
        """(series, days): whether each series' peers reported on the last days."""
        days = np.stack(self._reported, axis=1) if self._reported else np.zeros((len(self.tracker.peers.cells), 0), bool)
        found: Bools = days[self.tracker.peers.cell]
        return found

    def told(self, db: Db, first: date, last: date) -> date | None:
        """The last of these days on which at least half of the series reported that did so lately."""
        many = np.isfinite(self._read(db, first, last)).sum(axis=0)
        state = self.tracker.state
        lately = np.count_nonzero(state.last_seen >= first.toordinal() - LATELY) if self.through else 0
        days = np.nonzero((many > 0) & (many >= TOLD * (lately or many.max())))[0]
        return first + timedelta(days=int(days[-1])) if len(days) else None

    def _read(self, db: Db, first: date, last: date) -> Singles:
        """(series, days) of all series; the last that was read is kept, as its days are closed next."""
        if self._counts is None or self._counts[0] != first or self._counts[1].shape[1] < (last - first).days + 1:
            self._counts = first, usage_tracking.values_between(db, first, last, len(self.series))
        return self._counts[1][:, : (last - first).days + 1]

    def close(self, db: Db, days: Sequence[date]) -> None:
        """Days that follow each other, the first of them the day after `through`."""
        peers, first, last = self.tracker.peers, days[0].toordinal(), days[-1].toordinal()
        counts = self._read(db, days[0], days[-1])
        shut = shut_days(peers, first, last)
        closed: list[ClosedRow] = []
        alerts: list[Alert] = []
        self._db = db
        for k, day in enumerate(days):
            scored = self.tracker.advance(first + k, np.ascontiguousarray(counts[:, k]), shut[:, k])
            found = self._watch.look(scored)
            alerts += [*found.recovered, *found.raised]
            closed.append(_closed_row(day, scored.closed, shut[:, k]))
            self._note_reported(scored.closed.reported)
            if _is_snapshot(day) or day == days[-1]:
                usage_tracking.put_state(db, day, self.tracker.state.rows)
        self.through, self._counts = days[-1], None
        usage_tracking.put_closed(db, closed)
        usage_tracking.put_alerts(db, [_alert_row(a) for a in alerts])
        usage_tracking.put_forming(db, [_alert_row(a) for a in self._watch.forming.values()])
        self._keep(db)

    def _keep(self, db: Db) -> None:
        assert self.through is not None
        cohort, cells, calibration = self.tracker.cohort, self.tracker.peers.cells, self._calibration
        usage_tracking.put_tracker(
            db,
            TrackerRow(
                layout=LAYOUT,
                version=self.tracker.weights.version,
                regions=[region for region, _ in cells],
                metrics=[metric for _, metric in cells],
                usual=cohort.usual.tobytes(),
                season=cohort.season.tobytes(),
                quiet_counts=calibration.counts.tolist(),
                quiet_years=calibration.years,
            ),
        )
        usage_tracking.drop_states(db, [*snapshots(db)[-SNAPSHOTS:], self.through])
        usage_series.close_days(db, self.through)

    def catch_up(self, db: Db) -> None:
        """Follows series whose values changed on closed days, each from the nearest snapshot before; nobody else moves."""
        late = usage_tracking.take_late(db)
        if not late or self.through is None:
            return
        days = snapshots(db)
        groups: dict[date | None, list[int]] = {}
        for number, since in late.items():
            groups.setdefault(max((day for day in days if day < since), default=None), []).append(number)
        for snapshot, numbers in groups.items():
            self._follow(db, np.array(sorted(numbers), np.int64), snapshot)
        for chunk in sorted({number // CHUNK for number in late}):
            usage_tracking.put_chunk(db, chunk, self.through, self.tracker.state.rows[:, chunk * CHUNK : (chunk + 1) * CHUNK])

    def _follow(self, db: Db, numbers: Ints, snapshot: date | None) -> None:
        """From the snapshot, or from the first day; snapshots on the way are put right as well."""
        assert self.through is not None
        first = snapshot + timedelta(days=1) if snapshot else usage_tracking.first_day(db)
        if first is None:
            return
        state = State.blank(len(numbers))
        if snapshot:
            usage_tracking.read_columns(db, snapshot, numbers, state.rows)
        counts = usage_tracking.values_of(db, numbers, first, self.through)
        for row in usage_tracking.closed_days(db, first, self.through):
            record = record_of(row, self.tracker.peers.cells)
            at = np.ascontiguousarray(counts[:, (row.day - first).days])
            follow(state, at, row.day.toordinal(), record.closed, self.tracker.peers, numbers, record.shut)
            if _is_snapshot(row.day):
                usage_tracking.patch_state(db, row.day, numbers, state.rows[: State.WATCH], State.blank(1).rows)
        self.tracker.state.rows[: State.WATCH, numbers] = state.rows[: State.WATCH]

    def _load_state(self, db: Db, layout: int, through: date) -> None:
        if layout == LAYOUT:
            usage_tracking.read_state(db, through, self.tracker.state.rows)
            return
        everyone = np.arange(len(self.series))
        for start in range(0, len(everyone), CHUNK):
            self._follow(db, everyone[start : start + CHUNK], None)

    def _remember(self, db: Db, first: date, last: date) -> None:
        """What the last days' records say of the peers."""
        for row in usage_tracking.closed_days(db, first, last):
            record = record_of(row, self.tracker.peers.cells)
            self.tracker.factors.append(record.closed.factor, record.shut)
            self.tracker.cohort.week = record.closed.week
            self._note_reported(record.closed.reported)

    def factors_of(self, db: Db, numbers: Ints, first: date) -> Singles:
        """(series, days) from `first` to the last closed day."""
        assert self.through is not None
        last = self.through.toordinal()
        if first.toordinal() >= self.tracker.factors.first:
            return self.tracker.factors.of(numbers, first.toordinal(), last)
        factors = Factors(self.tracker.peers, first.toordinal(), (self.through - first).days + 1)
        for row in usage_tracking.closed_days(db, first, self.through):
            record = record_of(row, self.tracker.peers.cells)
            factors.append(record.closed.factor, record.shut)
        return factors.of(numbers, first.toordinal(), last)

    def _history(self, numbers: Ints, first: int, last: int) -> Singles:
        assert self._db is not None
        return usage_tracking.values_of(self._db, numbers, date.fromordinal(first), date.fromordinal(last))

    def _note_reported(self, reported: Bools) -> None:
        self._reported = [*self._reported[1 - REPORTED_DAYS :], reported]


def _is_snapshot(day: date) -> bool:
    return day.toordinal() % SNAPSHOT_DAYS == 0


def peers_in(series: AllSeries, row: TrackerRow | None) -> Peers:
    known = list(zip(row.regions, row.metrics, strict=True)) if row else []
    names = Coded(series.account_names, series.account)
    return peers_of(names, Coded(series.metrics, series.metric), Coded(series.regions, series.region), known)


def calibration_of(row: TrackerRow | None, weights: Weights) -> Calibration:
    """What other weights learned is of no use to these."""
    calibration = Calibration(weights)
    if row and row.version == weights.version:
        calibration.counts, calibration.years = np.array(row.quiet_counts), row.quiet_years
    return calibration


def record_of(row: ClosedRow, cells: Sequence[Cell]) -> Record:
    """Cells that are newer than the day stand for their region's, as they did then."""
    known = len(row.shut)
    at = np.array([k if k < known else cells.index((region, "")) for k, (region, _) in enumerate(cells)], np.int64)
    at = np.where(at < known, at, 0)
    factor, week = np.frombuffer(row.factor, np.float32).reshape(known, FOLDS), np.frombuffer(row.week, np.float32).reshape(known, 7)
    reported, shut = np.frombuffer(row.reported, bool), np.frombuffer(row.shut, bool)
    return Record(Closed(factor[at], week[at], reported[at]), shut[at])


def snapshots(db: Db) -> list[date]:
    return [day for day in usage_tracking.state_days(db) if _is_snapshot(day)]


def _cohort(row: TrackerRow | None, cells: int) -> Cohort:
    """Cells that are new since start as nobody's."""
    cohort = Cohort.blank(cells)
    if row:
        known = len(row.regions)
        cohort.usual[:, :known] = np.frombuffer(row.usual, np.float64).reshape(8, known)
        cohort.season[:known] = np.frombuffer(row.season, np.float32).reshape(known, FOLDS)
    return cohort


def _closed_row(day: date, closed: Closed, shut: Bools) -> ClosedRow:
    return ClosedRow(day=day, factor=closed.factor.tobytes(), week=closed.week.tobytes(), reported=closed.reported.tobytes(), shut=shut.tobytes())


def alert_of(row: AlertRow) -> Alert:
    return Alert(series=row.series_no, **{name: getattr(row, name) for name in AlertRow.__slots__ if name != "series_no"})


def _alert_row(alert: Alert) -> AlertRow:
    return AlertRow(series_no=alert.series, **{name: getattr(alert, name) for name in AlertRow.__slots__ if name != "series_no"})
