"""What another alert budget would have told: nothing is written, and at the budget that was in force it is what was told."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from itertools import pairwise
from uuid import UUID

import psycopg
import pytest

from ml.usage import DEFAULT_BUDGET, Panel, replay
from service import backtest, policy
from service.backtest import BackTest
from service.errors import BadInput
from service.store import usage_catalogue, usage_tracking
from service.store.pool import transaction
from tests import builders
from tests.service.test_usage_live import alerts, end_of, filled, land, made, morning, people, run, stored
from tests.walk import Rows


def asked(workspace: UUID, budget: float = DEFAULT_BUDGET, panel: Panel | None = None) -> BackTest:
    return backtest.run(workspace, budget, morning(end_of(panel or made().panel)))


def rows_of(found: BackTest) -> list[tuple[object, ...]]:
    return sorted((t.account_id, t.metric, t.day, t.sentence) for t in found.told)


def really(workspace: UUID, since: date) -> list[tuple[object, ...]]:
    with transaction(workspace) as db:
        series = usage_catalogue.all_series(db)
        found = [a for a in usage_tracking.alerts(db) if a.kind != "growth" and a.alerted_on >= since]
    return sorted((series.account_id(a.series_no), series.metric_name(a.series_no), a.alerted_on) for a in found)


def short_one() -> Panel:
    """Fewer days than the detector has snapshots of."""
    whole = made().panel
    return Panel(whole.accounts, whole.metrics, whole.region, whole.first_day, whole.values[:, 200:305])


@pytest.fixture(scope="module")
def closed(servers: str) -> UUID:
    """A year, closed in pieces as it came."""
    panel, workspace = made().panel, builders.workspace()
    with transaction(workspace) as db:
        people(db, panel)
    steps = [0, 199, 230, 231, 300, 330]
    for first, last in pairwise(steps):
        with transaction(workspace) as db:
            land(db, panel, first, last)
        run(workspace, panel.first_day + timedelta(days=last - 1))
    return workspace


@pytest.fixture(scope="module")
def now(closed: UUID) -> BackTest:
    """At the budget in force."""
    return asked(closed)


@pytest.fixture(scope="module")
def owner(servers: str) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    with psycopg.connect(servers, autocommit=True) as db:
        db.execute("SET row_security = off")
        yield db


# What must not happen


@pytest.mark.parametrize("budget", [0.0, -1.0, 5.01, float("nan"), float("inf")])
def test_no_budget_beyond_the_limits_is_tried(closed: UUID, budget: float) -> None:
    with pytest.raises(BadInput, match="usage_budget must be"):
        asked(closed, budget)


def test_nothing_is_written_and_progress_is_told_to_its_end(closed: UUID, owner: psycopg.Connection[tuple[object, ...]], now: BackTest) -> None:
    before, told = Rows(owner, closed).texts(), list[tuple[int, int]]()
    more = backtest.run(closed, 5.0, morning(end_of(made().panel)), lambda done, total: told.append((done, total)))
    assert Rows(owner, closed).texts() == before
    assert told[-1][0] == told[-1][1]
    assert told == sorted(told)
    assert more.new > 0
    assert len(more.told) > len(now.told)
    assert {t.how for t in more.told} == {"same", "new"}
    assert [t.mark for t in more.gone if t.other is None] == [], "a larger budget tells of no fall later than never"


def test_nothing_of_another_workspace_is_told(closed: UUID, workspace: UUID) -> None:
    found = asked(workspace)
    assert (found.through, found.told, found.gone) == (None, (), ())


# What it tells


def test_the_budget_in_force_tells_again_what_was_told(closed: UUID, now: BackTest) -> None:
    told = really(closed, now.since)
    assert len(told) >= 3
    assert [t[:3] for t in rows_of(now)] == told
    assert {t.how for t in now.told} == {"same"}
    assert all(t.other == t.day for t in now.told)
    assert now.gone == []


def test_it_tells_every_figure_of_an_alert_as_it_was_told(closed: UUID, now: BackTest) -> None:
    with transaction(closed, steady=True) as db:
        past = backtest.Past.of(db, now.since)
        assert past is not None
        first = past.first
        would = [(a.series, a.alerted_on, a.kind, a.onset, round(a.score, 4)) for a in past.alerts(db, DEFAULT_BUDGET, lambda done, total: None)]
    assert first > made().panel.first_day + timedelta(days=100)
    assert would == [
        (a[0], a[1], a[2], a[3], round(float(str(a[5])), 4))
        for a in sorted(alerts(closed), key=lambda a: (str(a[1]), a[0]))
        if a[1] > first and a[2] != "growth"
    ]


def test_it_begins_with_the_falls_that_stood_at_the_snapshot(closed: UUID, now: BackTest) -> None:
    with transaction(closed, steady=True) as db:
        past = backtest.Past.of(db, now.since)
    assert past is not None
    whole = stored(closed)
    until = Panel(whole.accounts, whole.metrics, whole.region, whole.first_day, whole.values[:, : (past.first - whole.first_day).days])
    latest = {a.series: a for a in replay(until).alerts if a.kind != "growth"}
    stood = sorted((a.series, a.alerted_on, a.after) for a in latest.values() if a.recovered_on is None)
    assert stood
    assert sorted((a.series, a.alerted_on, a.after) for a in past.standing) == stood


def test_a_smaller_budget_has_fewer(closed: UUID, now: BackTest) -> None:
    less = asked(closed, 0.01)
    assert len(less.told) < len(now.told)
    assert less.new == 0
    assert {t.mark for t in less.gone} == {"gone"}


def test_a_workspace_without_a_snapshot_tells_what_one_with_that_budget_tells() -> None:
    short = short_one()
    one, other = builders.workspace(), builders.workspace()
    policy.change(other, {"usage_budget": 5.0}, "test", "", None, builders.NOW)
    for each in (one, other):
        filled(each, short)
        run(each, end_of(short))
    found, there = asked(one, 5.0, short), asked(other, 5.0, short)
    assert {t.how for t in there.told} == {"same"}
    assert sorted((t.account, t.metric, t.day) for t in found.told) == sorted((t.account, t.metric, t.day) for t in there.told)
