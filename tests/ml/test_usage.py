"""What the usage detector must not say, what it must find, and that it says the same when replayed."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ml.alternatives import BY_KIND
from ml.evaluate.usage.workspaces import Workspace, make_workspace
from ml.moments import Moment
from ml.usage import Alert, Panel, account_moments, changes, detect, feeds, replay
from tests.ml.usage_panels import MONDAY, steady, thinned

REPLAYED = {"accounts": 30, "days": 270}
"""Half the accounts and three quarters of the year, where days are looked at again and again."""


@cache
def workspace(seed: int, drops: int = 14, **size: int) -> tuple[Workspace, tuple[Alert, ...]]:
    made = make_workspace(seed, drops=drops, **size)
    return made, tuple(a for a in detect(made.panel) if a.kind != "growth")


@cache
def moments_of_all(seed: int) -> dict[str, list[Moment]]:
    return account_moments(replay(make_workspace(seed, **REPLAYED).panel))


def day(index: int) -> date:
    return MONDAY + timedelta(days=index)


def only_moment(panel: Panel) -> Moment:
    found = [m for moments in account_moments(replay(panel)).values() for m in moments]
    assert len(found) == 1
    return found[0]


# what must not be said


def test_an_empty_panel_says_nothing() -> None:
    empty = Panel((), (), (), MONDAY, np.zeros((0, 0), np.float32))
    assert detect(empty) == []
    assert feeds(empty) == []
    assert account_moments(replay(empty)) == {}
    assert changes(replay(empty)) == {}


@given(st.integers(1, 9), st.integers(1, 150), st.sampled_from([0.0, 0.1, 3.0, 1e5]), st.integers(0, 1000))
@settings(max_examples=15, deadline=None)
def test_broken_numbers_are_survived(series: int, days: int, level: float, seed: int) -> None:
    random = np.random.default_rng(seed)
    values = random.poisson(level, (series, days)).astype(np.float32)
    values[random.random(values.shape) < 0.3] = random.choice([np.nan, np.inf, -np.inf, -7.0])
    panel = Panel(tuple(f"a{i // 2}" for i in range(series)), tuple("xy"[i % 2] for i in range(series)), ("",) * series, MONDAY, values)
    alerts = detect(panel)
    assert all(np.isfinite([a.before, a.after, a.size, a.score, a.peers]).all() for a in alerts)
    assert len(feeds(panel)) == series
    account_moments(replay(panel))
    changes(replay(panel))


@pytest.mark.parametrize("seed", [100, 103])
def test_a_year_of_seasons_noise_and_odd_days_raises_almost_nothing(seed: int) -> None:
    made, alerts = workspace(seed, drops=0)
    lately = made.panel.first_day + timedelta(days=335)
    assert len({made.panel.accounts[a.series] for a in alerts}) <= 4
    assert len({made.panel.accounts[a.series] for a in alerts if a.alerted_on >= lately}) < 2


def test_a_dip_that_the_peers_share_is_no_drop() -> None:
    panel = steady(30, metrics=("seats", "events"))
    random = np.random.default_rng(3)
    for row in range(60):
        dip = 0.55 ** (0.7 + 0.6 * (row // 2) / 29)
        panel.values[row, 150:185] = random.binomial(panel.values[row, 150:185].astype(int), dip)
    assert detect(panel) == []


def test_single_odd_days_are_no_drop() -> None:
    panel = steady()
    panel.values[0, [100, 131, 170, 205]] = 0
    panel.values[1, [110, 150, 190]] *= 4
    assert detect(panel) == []


def test_a_small_change_of_level_is_no_drop() -> None:
    assert detect(thinned(steady(), 0, 140, 0.88)) == []


def test_a_feed_that_stops_is_stale_and_no_drop() -> None:
    panel = steady()
    panel.values[3, -9:] = np.nan
    assert [a for a in detect(panel) if a.series == 3] == []
    assert feeds(panel)[3] == "stale"
    assert feeds(panel)[4] == "ok"


def test_missing_days_are_not_read_as_zeros() -> None:
    panel = steady()
    panel.values[2, 120:] = np.where(np.arange(120) % 2, panel.values[2, 120:], np.nan)
    assert detect(panel) == []


def test_a_drop_of_the_first_weeks_is_left_alone() -> None:
    assert detect(thinned(steady(days=60), 0, 20, 0.5)) == []


# what must be found


@pytest.mark.parametrize("seed", [0, 2, 5])
def test_planted_drops_are_found_in_time(seed: int) -> None:
    made, alerts = workspace(seed)
    allowed = {"step": 28, "fade": 90, "abandoned": 28, "stopped": 28}
    late = []
    for planted in made.planted:
        rows = {i for i, account in enumerate(made.panel.accounts) if account == planted.account}
        told = [a for a in alerts if a.series in rows and 0 <= (a.alerted_on - planted.onset).days <= allowed[planted.kind]]
        late += [] if told else [planted]
    assert len(late) <= 1


@pytest.mark.parametrize("accounts", [1, 2, 12])
def test_a_step_is_found_whether_there_are_peers_or_not(accounts: int) -> None:
    alerts = detect(thinned(steady(accounts), 0, 150, 0.5))
    assert [a.series for a in alerts] == [0]
    alert = alerts[0]
    assert day(150) < alert.alerted_on <= day(178)
    assert abs((alert.onset - day(150)).days) <= 3
    assert alert.before == pytest.approx(23.5, rel=0.12)
    assert alert.size == pytest.approx(0.5, abs=0.1)
    assert alert.kind == "seat_loss"
    assert alert.recovered_on is None


def test_reported_zeros_are_data_and_mean_stopped() -> None:
    panel = steady(metrics=("seats", "events"))
    panel.values[:2, 150:] = 0
    moment = only_moment(panel)
    assert moment.numbers["shape"] == "stopped"
    assert moment.numbers["metrics"] == "events,seats"
    assert moment.confidence >= 0.5
    assert moment.detected_at <= day(165)
    assert "tracking_changed" in moment.alternatives


def test_a_metric_that_goes_to_zero_alone_is_abandoned() -> None:
    moment = only_moment(thinned(steady(metrics=("seats", "exports")), 1, 150, 0.0))
    assert (moment.numbers["metric"], moment.numbers["shape"], moment.numbers["metrics"]) == ("exports", "abandoned", "exports")
    assert moment.alternatives[0] == "tracking_changed"


def test_a_slow_fade_is_found_and_called_one() -> None:
    kept = np.interp(np.arange(140), [0, 70], [1, 0.4])
    moment = only_moment(thinned(steady(days=260, level=40), 0, 120, kept))
    assert moment.numbers["shape"] == "fade"
    assert moment.detected_at <= day(210)


def test_a_level_that_comes_back_ends_the_moment() -> None:
    kept = np.where(np.arange(130) < 60, 0.4, 1.0)
    moment = only_moment(thinned(steady(days=260), 0, 130, kept))
    assert moment.state == "ended"
    assert moment.ended_at is not None
    assert day(192) <= moment.ended_at <= day(215)


def test_a_second_fall_of_a_standing_drop_is_told() -> None:
    kept = np.where(np.arange(180) < 90, 0.55, 0.15)
    alerts = detect(thinned(steady(days=280), 0, 100, kept))
    assert len(alerts) == 2
    assert alerts[1].onset > alerts[0].alerted_on


# moments


def test_metrics_that_fall_together_are_one_moment_led_by_people() -> None:
    panel = thinned(thinned(steady(metrics=("events", "seats")), 0, 150, 0.4), 1, 150, 0.5)
    moment = only_moment(panel)
    assert moment.kind == "usage_drop"
    assert moment.numbers["metric"] == "seats"
    assert moment.numbers["metrics"] == "events,seats"
    assert moment.numbers["shape"] == "sudden"
    assert moment.numbers["peers"] == pytest.approx(1.0, abs=0.15)
    assert set(moment.alternatives) <= set(BY_KIND["usage_drop"])


def test_an_account_that_falls_again_after_a_recovery_has_two_moments_with_two_anchors() -> None:
    kept = np.ones(240)
    kept[:50], kept[150:] = 0.4, 0.4
    panel = thinned(steady(days=340), 0, 100, kept)
    moments = account_moments(replay(panel))["a0"]
    assert [m.state for m in moments] == ["ended", "open"]
    assert len({m.anchor for m in moments}) == 2


# replay


@given(st.integers(60, REPLAYED["days"] - 1), st.sampled_from([0, 4]))
@settings(max_examples=8, deadline=None)
def test_later_days_change_no_alert(last: int, seed: int) -> None:
    made, alerts = workspace(seed, **REPLAYED)
    until = made.panel.first_day + timedelta(days=last)
    known = [replace(a, recovered_on=a.recovered_on if a.recovered_on and a.recovered_on <= until else None) for a in alerts if a.alerted_on <= until]
    found = detect(replace(made.panel, values=made.panel.values[:, :last]))
    assert [a for a in found if a.kind != "growth"] == known


@given(st.integers(150, REPLAYED["days"] - 1))
@settings(max_examples=6, deadline=None)
def test_a_moment_keeps_its_anchor_and_its_day(last: int) -> None:
    made = make_workspace(0, **REPLAYED)
    panel = replace(made.panel, values=made.panel.values[:, :last])
    then, now = account_moments(replay(panel)), moments_of_all(0)
    for account, found in then.items():
        moments = [m for m in found if m.state != "forming"]
        assert [(m.anchor, m.detected_at) for m in moments] == [(m.anchor, m.detected_at) for m in now.get(account, [])[: len(moments)]]
