"""Usage read day by day from the database: what must not happen first, then that it says what a replay says."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import cast
from uuid import UUID, uuid4

import numpy as np
import pytest

from connectors.records import Account, UsageRows
from ml.evaluate.usage.workspaces import Workspace, make_workspace
from ml.usage import DEFAULT_BUDGET, Alert, Panel, replay
from ml.usage.state import State
from service import policy
from service.store import landing, usage, usage_catalogue, usage_tracking
from service.store.pool import Db, transaction
from service.usage import advance
from service.usage_tracker import Live
from tests import builders

FIRST = date(2025, 3, 3)


@cache
def made() -> Workspace:
    return make_workspace(3, accounts=30, days=330, drops=9)


def morning(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 6, tzinfo=UTC) + timedelta(days=1)


def end_of(panel: Panel) -> date:
    return panel.first_day + timedelta(days=panel.values.shape[1] - 1)


def people(db: Db, panel: Panel, timezone: str | None = None) -> None:
    connection_id = builders.connection(db)
    regions = dict(zip(panel.accounts, panel.region, strict=True))
    landing.land(db, connection_id, Account, [Account(key=name, name=name, region=region, timezone=timezone) for name, region in regions.items()])


def land(db: Db, panel: Panel, first: int = 0, last: int | None = None) -> None:
    row, day = np.nonzero(np.isfinite(panel.values[:, first:last]))
    usage.land_usage(
        db,
        UsageRows(
            accounts=[panel.accounts[i] for i in row.tolist()],
            metrics=[panel.metrics[i] for i in row.tolist()],
            days=np.datetime64(panel.first_day, "D") + day + first,
            values=panel.values[row, day + first].astype(np.float64),
        ),
    )


def filled(workspace: UUID, panel: Panel) -> None:
    with transaction(workspace) as db:
        people(db, panel)
        land(db, panel)


def run(workspace: UUID, through: date) -> None:
    advance(workspace, morning(through), fresh=True)


def stored(workspace: UUID) -> Panel:
    """The workspace's usage as one panel, accounts by the names that the detector knows them by, in the order of the series."""
    with transaction(workspace) as db:
        series = usage_catalogue.all_series(db)
        first = cast(date, usage_tracking.first_day(db))
        values = usage_tracking.values_between(db, first, end_of(made().panel), len(series))
    numbers = range(len(series))
    regions = tuple(series.regions[k] for k in series.region.tolist())
    return Panel(tuple(series.account_names[k] for k in series.account.tolist()), tuple(series.metric_name(n) for n in numbers), regions, first, values)


def alerts(workspace: UUID) -> list[tuple[object, ...]]:
    with transaction(workspace) as db:
        return sorted((a.series_no, a.alerted_on, a.kind, a.onset, a.recovered_on, round(a.score, 6)) for a in usage_tracking.alerts(db))


def as_rows(found: tuple[Alert, ...]) -> list[tuple[object, ...]]:
    return sorted((a.series, a.alerted_on, a.kind, a.onset, a.recovered_on, round(a.score, 6)) for a in found)


def live(db: Db) -> Live:
    found = Live.restore(db, DEFAULT_BUDGET)
    assert found is not None
    return found


def states(workspace: UUID) -> np.ndarray:
    with transaction(workspace) as db:
        return live(db).tracker.state.rows.copy()


def through(workspace: UUID) -> date | None:
    with transaction(workspace) as db:
        return usage_tracking.closed_through(db)


# what must not happen


def test_nobody_reads_another_workspaces_states(workspace: UUID, servers: str) -> None:
    filled(workspace, made().panel)
    run(workspace, FIRST + timedelta(days=70))
    other = builders.workspace()
    with transaction(other) as db:
        for table in ("usage_tracker", "usage_closed", "usage_state", "usage_alert", "usage_series", "usage_catalogue"):
            assert db.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,)
        assert Live.restore(db, DEFAULT_BUDGET) is None


def test_a_workspace_without_usage_says_nothing(workspace: UUID) -> None:
    assert advance(workspace, morning(FIRST), fresh=True).feeds_of([uuid4()]) == ["no_data"]


def test_a_day_that_is_not_over_everywhere_is_not_closed(workspace: UUID) -> None:
    panel = made().panel
    with transaction(workspace) as db:
        people(db, panel, timezone="America/Los_Angeles")
        land(db, panel, 0, 60)
    last = panel.first_day + timedelta(days=59)
    advance(workspace, morning(last), fresh=True)
    assert through(workspace) == last - timedelta(days=1)
    advance(workspace, morning(last) + timedelta(hours=3), fresh=True)
    assert through(workspace) == last


def test_a_day_that_nobody_reported_yet_is_waited_for_and_then_closed_as_empty(workspace: UUID) -> None:
    panel = made().panel
    with transaction(workspace) as db:
        people(db, panel)
        land(db, panel, 0, 60)
    last = panel.first_day + timedelta(days=59)
    for later, closed in ((1, 0), (2, 0), (3, 0), (4, 1), (6, 3)):
        advance(workspace, morning(last + timedelta(days=later)), fresh=True)
        assert through(workspace) == last + timedelta(days=closed)


def test_a_series_that_begins_while_days_are_closed_is_not_passed_over(workspace: UUID) -> None:
    panel = made().panel
    with transaction(workspace) as db:
        people(db, panel)
        land(db, Panel(panel.accounts[:-3], panel.metrics[:-3], panel.region[:-3], panel.first_day, panel.values[:-3]))
    with transaction(workspace) as db:
        before = live(db)
        assert before.is_current(db)
        land(db, panel)
        assert not before.is_current(db)
        assert len(live(db).series) == len(before.series) + 3


def test_a_run_that_breaks_half_way_leaves_nothing_and_the_next_one_says_the_same(workspace: UUID) -> None:
    panel = made().panel
    filled(workspace, panel)
    run(workspace, panel.first_day + timedelta(days=200))
    with pytest.raises(ZeroDivisionError), transaction(workspace) as db:
        started = live(db)
        started.close(db, [panel.first_day + timedelta(days=n) for n in range(201, 225)])
        raise ZeroDivisionError
    assert through(workspace) == panel.first_day + timedelta(days=200)
    run(workspace, end_of(panel))
    assert alerts(workspace) == as_rows(replay(stored(workspace)).alerts)


# what it says


def test_a_larger_budget_says_more(workspace: UUID) -> None:
    other = builders.workspace()
    for one, budget in ((workspace, 0.02), (other, 3.0)):
        filled(one, made().panel)
        policy.change(one, {"usage_budget": budget}, "test", "", None, builders.NOW)
        run(one, end_of(made().panel))
    assert len(alerts(other)) > len(alerts(workspace))


def test_days_closed_one_by_one_say_what_a_replay_says(workspace: UUID) -> None:
    panel = made().panel
    with transaction(workspace) as db:
        people(db, panel)
    steps = [120, 121, 122, 150, 151, 180, 199, 200, 201, 230, 231, 260, 290, 300, 301, 302, 330]
    for first, last in zip([0, *steps], steps, strict=False):
        with transaction(workspace) as db:
            land(db, panel, first, last)
        run(workspace, panel.first_day + timedelta(days=last - 1))
    assert through(workspace) == end_of(panel)
    said = replay(stored(workspace))
    assert len(said.alerts) >= 6
    assert alerts(workspace) == as_rows(said.alerts)


def test_a_rebuild_from_the_counts_gives_the_same_states(workspace: UUID) -> None:
    filled(workspace, made().panel)
    run(workspace, end_of(made().panel))
    before = states(workspace)
    with transaction(workspace) as db:
        db.execute("UPDATE usage_tracker SET layout = 0")
    np.testing.assert_allclose(states(workspace)[: State.WATCH], before[: State.WATCH], rtol=1e-6)


@pytest.mark.parametrize("days_ago", [2, 45, 250])
def test_a_value_that_comes_late_moves_its_own_series_alone(workspace: UUID, days_ago: int) -> None:
    panel = made().panel
    filled(workspace, panel)
    last = end_of(panel)
    run(workspace, last)
    before = states(workspace)
    revised = last - timedelta(days=days_ago)
    with transaction(workspace) as db:
        rows = UsageRows(accounts=[panel.accounts[7]], metrics=[panel.metrics[7]], days=np.array([revised], "datetime64[D]"), values=np.array([777.0]))
        usage.land_usage(db, rows)
    run(workspace, last)
    after = states(workspace)
    moved = np.nonzero((before != after) & ~(np.isnan(before) & np.isnan(after)))[1]
    assert len(np.unique(moved)) == 1
    with transaction(workspace) as db:
        db.execute("UPDATE usage_tracker SET layout = 0")
    np.testing.assert_allclose(states(workspace)[: State.WATCH], after[: State.WATCH], rtol=1e-6)


def test_a_value_that_comes_later_still_finds_the_snapshots_put_right(workspace: UUID) -> None:
    panel = made().panel
    filled(workspace, panel)
    last = end_of(panel)
    run(workspace, last)
    for days_ago, value in ((100, 555.0), (40, 444.0)):
        with transaction(workspace) as db:
            day = np.array([last - timedelta(days=days_ago)], "datetime64[D]")
            usage.land_usage(db, UsageRows(accounts=[panel.accounts[7]], metrics=[panel.metrics[7]], days=day, values=np.array([value])))
        run(workspace, last)
    after = states(workspace)
    with transaction(workspace) as db:
        db.execute("UPDATE usage_tracker SET layout = 0")
    np.testing.assert_allclose(states(workspace)[: State.WATCH], after[: State.WATCH], rtol=1e-6)


def test_an_account_that_joins_later_with_its_past_is_read_from_its_first_day(workspace: UUID) -> None:
    panel = made().panel
    old = Panel(panel.accounts[:-3], panel.metrics[:-3], panel.region[:-3], panel.first_day, panel.values[:-3])
    new = Panel(panel.accounts[-3:], panel.metrics[-3:], panel.region[-3:], panel.first_day, panel.values[-3:])
    with transaction(workspace) as db:
        people(db, panel)
        land(db, old)
    run(workspace, end_of(panel) - timedelta(days=30))
    with transaction(workspace) as db:
        land(db, new)
    run(workspace, end_of(panel))
    after = states(workspace)
    assert (after[39, -3:] > 200).all()
    with transaction(workspace) as db:
        db.execute("UPDATE usage_tracker SET layout = 0")
    np.testing.assert_allclose(states(workspace)[: State.WATCH], after[: State.WATCH], rtol=1e-6)


def test_feeds_say_which_accounts_can_be_trusted(workspace: UUID) -> None:
    filled(workspace, made().panel)
    with transaction(workspace) as db:
        ids = [account_id for (account_id,) in db.execute("SELECT account_id FROM account")]
    known = advance(workspace, morning(end_of(made().panel)), fresh=True)
    assert known.feeds_of(ids).count("stale") == 2
    assert known.feeds_of([uuid4()]) == ["no_data"]
    assert set(advance(workspace, morning(end_of(made().panel)), fresh=False).feeds_of(ids)) == {"stale"}
