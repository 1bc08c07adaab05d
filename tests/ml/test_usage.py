"""What the usage detector must not say, what it must find, and that it says the same when replayed."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from functools import cache

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.usage_metrics import FALSE, REPEAT, Raised, match
from benchmarks.usage_workspaces import METRICS, Workspace, make_workspace
from ml.alternatives import BY_KIND
from ml.moments import Moment
from ml.usage import Alert, Panel, account_moments, changes, detect, feeds
from ml.usage_explain import explain

MONDAY = date(2025, 3, 3)
WEEK = np.array([1.2, 1.3, 1.3, 1.2, 1.1, 0.3, 0.2])


@cache
def workspace(seed: int, drops: int = 14) -> tuple[Workspace, tuple[Alert, ...]]:
    made = make_workspace(seed, drops=drops)
    return made, tuple(detect(made.panel))


def steady(accounts: int = 12, days: int = 240, level: float = 25.0, metrics: tuple[str, ...] = ("seats",), seed: int = 0, region: str = "") -> Panel:
    """Poisson counts around one level with a plain week. Account k is called `a<k>`."""
    random = np.random.default_rng(seed)
    rate = level * WEEK[(np.arange(days) + MONDAY.weekday()) % 7]
    values = random.poisson(np.tile(rate, (accounts * len(metrics), 1))).astype(np.float32)
    names = tuple(f"a{k}" for k in range(accounts) for _ in metrics)
    return Panel(names, metrics * accounts, (region,) * len(names), MONDAY, values)


def thinned(panel: Panel, row: int, start: int, kept: float | npt.NDArray[np.float64], seed: int = 1) -> Panel:
    """The same panel with one row's counts thinned from a day on."""
    values = panel.values.copy()
    values[row, start:] = np.random.default_rng(seed).binomial(values[row, start:].astype(int), kept)
    return replace(panel, values=values)


def day(index: int) -> date:
    return MONDAY + timedelta(days=index)


def only_moment(panel: Panel) -> Moment:
    found = [m for moments in account_moments(panel, detect(panel)).values() for m in moments]
    assert len(found) == 1
    return found[0]


# what must not be said


def test_an_empty_panel_says_nothing() -> None:
    empty = Panel((), (), (), MONDAY, np.zeros((0, 0), np.float32))
    assert detect(empty) == []
    assert feeds(empty) == []
    assert account_moments(empty, []) == {}
    assert changes(empty) == {}


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
    assert late == []


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
    moments = account_moments(panel, detect(panel))["a0"]
    assert [m.state for m in moments] == ["ended", "open"]
    assert len({m.anchor for m in moments}) == 2


# replay


@given(st.integers(60, 364), st.sampled_from([0, 4]))
@settings(max_examples=8, deadline=None)
def test_later_days_change_no_alert(last: int, seed: int) -> None:
    made, alerts = workspace(seed)
    until = made.panel.first_day + timedelta(days=last)
    known = [replace(a, recovered_on=a.recovered_on if a.recovered_on and a.recovered_on <= until else None) for a in alerts if a.alerted_on <= until]
    assert detect(replace(made.panel, values=made.panel.values[:, :last])) == known


@given(st.integers(150, 364))
@settings(max_examples=6, deadline=None)
def test_a_moment_keeps_its_anchor_and_its_day(last: int) -> None:
    made, alerts = workspace(0)
    panel = replace(made.panel, values=made.panel.values[:, :last])
    then, now = account_moments(panel, detect(panel)), account_moments(made.panel, alerts)
    for account, moments in then.items():
        assert [(m.anchor, m.detected_at) for m in moments] == [(m.anchor, m.detected_at) for m in now[account][: len(moments)]]


# feeds and changes


def test_a_feed_is_ok_only_with_enough_recent_days() -> None:
    panel = steady(8)
    panel.values[0] = np.nan
    panel.values[1, :-30] = np.nan
    assert feeds(panel)[:3] == ["no_data", "learning", "ok"]


def test_a_feed_without_weekend_rows_is_not_stale_on_a_monday() -> None:
    panel = steady(8, days=7 * 30)
    panel.values[:, (np.arange(210) % 7) >= 5] = np.nan
    assert set(feeds(panel)) == {"ok"}


def test_a_whole_workspace_that_falls_silent_is_stale() -> None:
    panel = steady(8)
    panel.values[:, -12:] = np.nan
    assert set(feeds(panel)) == {"stale"}


def test_changes_leave_out_what_the_peers_did() -> None:
    panel = steady(12)
    for row in range(12):
        panel = thinned(panel, row, 212, 0.3 if row == 0 else 0.6, seed=row)
    found = changes(panel)
    assert found["a0"] == pytest.approx(-0.5, abs=0.1)
    assert found["a5"] == pytest.approx(0.0, abs=0.12)


def test_a_change_is_unknown_without_two_full_windows() -> None:
    panel = steady(8)
    panel.values[0, -20:] = np.nan
    assert changes(panel)["a0"] is None
    assert set(changes(steady(8, days=50)).values()) == {None}


# the parts


@given(st.integers(40, 120), st.floats(0.2, 0.7), st.integers(0, 1000))
@settings(max_examples=20, deadline=None)
def test_the_search_finds_a_clean_step(onset: int, kept: float, seed: int) -> None:
    shape = np.ones((1, 140))
    counts = np.random.default_rng(seed).poisson(60 * np.where(np.arange(140) < onset, 1, kept))[None].astype(float)
    falls = explain(counts, shape, shape)
    assert abs(int(falls.onset[0]) - onset) <= 7
    assert falls.size[0] == pytest.approx(1 - kept, abs=0.12)


def test_a_series_without_usable_days_has_no_fall() -> None:
    falls = explain(np.full((1, 50), np.nan), np.ones((1, 50)), np.ones((1, 50)))
    assert falls.strength[0] == 0


def test_trained_trees_score_as_the_library_does() -> None:
    from sklearn.ensemble import HistGradientBoostingClassifier

    from ml.train.usage import as_arrays

    random = np.random.default_rng(0)
    x = random.normal(size=(600, 3))
    model = HistGradientBoostingClassifier(max_iter=12, max_leaf_nodes=6).fit(x, x[:, 0] * x[:, 1] + random.normal(0, 0.3, 600) > 0)
    ours, theirs = as_arrays(model)(x.T), model.decision_function(x)
    assert np.ptp(ours - theirs) < 1e-9


def test_an_alert_counts_once_and_a_second_one_is_a_repeat() -> None:
    events = [(1, 100, 142, 0.4, "seat_loss"), (2, 100, 142, 0.4, "seat_loss")]
    alerts = [Raised(1, 110, 100, 0.4), Raised(1, 130, 100, 0.4), Raised(1, 190, 180, 0.4), Raised(3, 110, 100, 0.4)]
    found = match(alerts, events)
    assert found.hits.tolist() == [0, REPEAT, FALSE, FALSE]
    assert found.recall == 0.5
    assert found.delays[0] == 10
    assert found.precision == pytest.approx(1 / 3)


def test_a_workspace_holds_three_metrics_for_every_account() -> None:
    made, _ = workspace(0)
    assert made.panel.values.shape == (180, 365)
    assert made.panel.metrics == METRICS * 60
