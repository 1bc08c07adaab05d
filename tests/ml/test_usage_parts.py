"""What the usage detector is made of: feeds, changes, the search for an onset, trees, and the benchmark's own counting."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ml.evaluate.usage.metrics import FALSE, REPEAT, Raised, match
from ml.evaluate.usage.workspaces import METRICS, make_workspace
from ml.usage import Panel, changes, feed, feeds, replay
from ml.usage.explain import explain
from tests.ml.usage_panels import steady, thinned

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
    found = changes(replay(panel))
    assert found["a0"] == pytest.approx(-0.5, abs=0.1)
    assert found["a5"] == pytest.approx(0.0, abs=0.12)


def test_a_change_is_unknown_without_two_full_windows() -> None:
    panel = steady(8)
    panel.values[0, -20:] = np.nan
    assert changes(replay(panel))["a0"] is None
    assert set(changes(replay(steady(8, days=50))).values()) == {None}


def test_where_no_account_has_usage_nothing_changed() -> None:
    nobody = Panel((), (), (), steady(1).first_day, np.zeros((0, 56), np.float32))
    assert feed.changes(nobody, np.zeros((0, 56), np.float32), 28) == {}


# the parts


@given(st.integers(40, 120), st.floats(0.2, 0.5), st.integers(0, 1000))
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

    from ml.train.boosting import as_trees

    random = np.random.default_rng(0)
    x = random.normal(size=(600, 3))
    model = HistGradientBoostingClassifier(max_iter=12, max_leaf_nodes=6, max_depth=4).fit(x, x[:, 0] * x[:, 1] + random.normal(0, 0.3, 600) > 0)
    ours, theirs = as_trees(model)(x.T), model.decision_function(x)
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
    made = make_workspace(0)
    assert made.panel.values.shape == (180, 365)
    assert made.panel.metrics == METRICS * 60
