"""The figures of the usage card: nothing is claimed that was not measured, nothing looks ahead, and the counting is that of the definitions."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from datetime import date, timedelta
from functools import partial
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ml.evaluate import fingerprint
from ml.evaluate.usage import card, change_points, chicago, detection, peers
from ml.evaluate.usage.adjustment import region_days, window
from ml.evaluate.usage.figures import OF_ACCOUNTS, PARTS, SEATS_02, Row, generated_rows
from ml.evaluate.usage.generator import Event
from ml.evaluate.usage.metrics import EARLY, FALSE, HORIZON, REPEAT, Raised, covering, f_measure, match, since
from ml.usage import Alert
from service.cli.evaluating import usage_sets
from service.errors import BadInput
from tests.ml.usage_panels import MONDAY, steady, thinned

ROOT = Path(__file__).parent.parent.parent

# counting

EVENTS = st.lists(
    st.builds(lambda account, onset, size: (account, onset, onset + HORIZON, size, "churn"), st.integers(0, 1), st.integers(50, 120), st.floats(0.15, 1)),
    max_size=4,
)
ALERTS = st.lists(st.builds(Raised, st.integers(0, 1), st.integers(40, 170), st.just(0), st.just(0.5)), max_size=12)


@settings(max_examples=60, deadline=None)
@given(ALERTS, EVENTS)
def test_no_alert_finds_two_drops_and_no_drop_is_found_twice(alerts: list[Raised], events: list[Event]):
    matched = match(alerts, events)
    right = matched.hits[matched.hits >= 0]
    assert len(set(right.tolist())) == len(right) == np.isfinite(matched.delays).sum()
    for alert, hit in zip(alerts, matched.hits.tolist(), strict=True):
        near = [e for e in events if e[0] == alert.account and e[1] - EARLY <= alert.day <= e[1] + HORIZON]
        assert (hit == FALSE) == (not near)
        assert hit < 0 or events[hit] in near


@settings(max_examples=60, deadline=None)
@given(ALERTS, EVENTS, st.integers(50, 130))
def test_counting_from_a_day_on_neither_blames_nor_praises_what_came_before(alerts: list[Raised], events: list[Event], first: int):
    everything = match(alerts, events)
    later = since(first, everything, alerts, events)
    kept = [event for event in events if event[1] >= first]
    judged = [(a, hit) for a, hit in zip(alerts, everything.hits.tolist(), strict=True) if a.day >= first]
    assert len(later.delays) == len(kept)
    assert (later.hits == FALSE).sum() == sum(hit == FALSE for _, hit in judged)
    for (_, before), after in zip(judged, later.hits.tolist(), strict=True):
        assert after < 0 or events[before] == kept[after]
        assert (after == REPEAT) == (before == REPEAT or (before >= 0 and events[before][1] < first))


def test_an_alert_of_the_first_day_counts_and_one_on_an_older_drop_does_not():
    events: list[Event] = [(0, 90, 132, 0.5, "churn"), (1, 100, 142, 0.5, "churn")]
    alerts = [Raised(0, 100, 90, 0.5), Raised(1, 100, 100, 0.5), Raised(1, 99, 100, 0.5)]
    later = since(100, match(alerts, events), alerts, events)
    assert later.hits.tolist() == [REPEAT, REPEAT]
    assert later.delays.tolist() == [0]


def test_precision_and_false_alarms_leave_repeats_out():
    events: list[Event] = [(0, 100, 142, 0.5, "churn")]
    alerts = [Raised(0, 110, 100, 0.5), Raised(0, 120, 100, 0.5), Raised(1, 120, 100, 0.5)]
    matched = match(alerts, events)
    assert (matched.recall, matched.precision, matched.false_alarms(365.25)) == (1.0, 0.5, 1.0)


POINTS = st.sets(st.integers(1, 99), max_size=6)


@settings(max_examples=60, deadline=None)
@given(st.lists(POINTS, min_size=1, max_size=4), POINTS)
def test_segmentation_scores_lie_between_0_and_1_and_the_truth_has_1(truths: list[set[int]], found: set[int]):
    annotations = {str(n): truth for n, truth in enumerate(truths)}
    assert 0 < covering(annotations, found, 100) <= 1 + 1e-12
    assert 0 < f_measure(annotations, found) <= 1
    assert covering({"a": found}, found, 100) == pytest.approx(1)
    assert f_measure({"a": found}, found) == 1


def test_series_days_count_from_the_age_at_which_drops_begin():
    values = np.full((3, 300), np.nan, np.float32)
    values[0], values[1, 250:] = 1, 1
    assert detection.watched(values, 230) == 70 + (300 - 250 - 45)


# the budget


@settings(max_examples=60, deadline=None)
@given(st.floats(0.3, 3), st.floats(0.6, 1.6), st.floats(0.05, 1))
def test_the_budget_found_keeps_to_the_rate(factor: float, power: float, rate: float):
    budget = detection.budget_for(rate, lambda b: factor * b**power, tries=4)
    assert factor * budget**power == pytest.approx(rate, rel=0.05)


def test_a_detector_that_never_alarms_has_a_finite_budget():
    assert 0 < detection.budget_for(0.2, lambda b: 0.0) < np.inf


def test_growth_is_no_fall_and_the_day_is_the_last_that_the_alert_used():
    panel = steady(2)
    alert = Alert(series=1, alerted_on=MONDAY + timedelta(100), onset=MONDAY + timedelta(90), before=9, after=4, size=0.5, kind="seat_loss", score=1, peers=0)
    assert detection.of_series(panel, [alert]) == [Raised(1, 99, 90, 0.5)]
    fallen = detection.falls(thinned(steady(12, 300), 3, 200, 0.3), 0.3)
    assert [a.series for a in fallen] == [3]
    assert detection.falls(thinned(steady(12, 300, level=8), 3, 0, np.where(np.arange(300) < 200, 0.3, 1.0)), 0.3) == []


def test_an_account_is_raised_once_when_the_first_of_its_series_is():
    panel = steady(8, 300, metrics=("seats", "events"))
    for row in (6, 7):
        panel = thinned(panel, row, 200 + 4 * (row - 6), 0.2)
    alerts = detection.falls(panel, 0.3)
    (raised,) = detection.of_accounts(panel, alerts)
    assert {a.series for a in alerts} == {6, 7}
    assert (raised.account, raised.day) == (3, min((a.alerted_on - MONDAY).days - 1 for a in alerts))


def test_a_material_drop_is_large_and_of_enough_users():
    expected = np.full((3, 300), 10, np.float32)
    expected[1] = 2
    events: list[Event] = [(0, 250, 290, 0.5, "churn"), (1, 250, 290, 0.9, "churn"), (2, 250, 290, 0.2, "seat_loss"), (0, 260, 299, 0.5, "slow_fade")]
    found = detection.found([], events, expected, 230, 365.25)
    assert found.material().tolist() == [True, False, False, False]
    assert found.material(fade=True).tolist() == [False, False, False, True]


# the season taken out for others


def test_what_one_account_does_is_not_the_regions_day_and_what_all_do_is():
    panel = steady(30, 200)
    alone = thinned(panel, 0, 150, 0.1)
    together = replace(panel, values=np.where(np.arange(200) == 150, np.float32(0.3) * panel.values, panel.values))
    assert region_days(alone)[1, 150] == pytest.approx(region_days(panel)[1, 150], abs=0.05)
    assert region_days(together)[1, 150] == pytest.approx(0.3, abs=0.06)


@settings(max_examples=10, deadline=None)
@given(st.integers(70, 199), st.floats(0, 3))
def test_a_later_day_never_changes_what_was_adjusted(day: int, scale: float):
    panel = steady(6, 200)
    changed = replace(panel, values=np.where(np.arange(200) >= day, np.float32(scale) * panel.values, panel.values))
    first, second = region_days(panel), region_days(changed)
    assert (first[:, :day] == second[:, :day]).all()
    assert (window(panel, first, 0, day).signal == window(changed, second, 0, day).signal).all()


def test_the_adjusted_signal_has_no_week_and_the_variance_of_a_count():
    panel = steady(40, 200)
    adjusted, plain = window(panel, region_days(panel), 20, 200), window(panel, None, 20, 200)
    assert adjusted.signal[:, 3:150].std() == pytest.approx(1, abs=0.15)
    assert plain.signal.std() > 2


# others


def test_a_peer_that_is_not_installed_says_what_it_needs_and_claims_nothing():
    absent = peers.Peer(name="absent", needs="a_package_that_nobody_has", scores=partial(peers._against_before, 28))
    (told,) = peers.compared(steady(4, 300), [], first=230, rate=0.2, days=365.25, peers=[absent])
    assert (told.raw, told.adjusted) == (None, None)
    assert told.note == "not run: needs a_package_that_nobody_has (pip install undertone-crm[evaluate])"
    assert card._other(told) == f"| absent |  |  |  | {told.note} |"


def test_every_package_that_a_peer_needs_comes_with_the_extra():
    extra = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]["evaluate"]
    needed = {peer.needs for peer in peers.PEERS} | {needs for _, needs, _ in change_points.METHODS}
    assert all(any(line.startswith(name) for line in extra) for name in needed - {""})


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(st.sampled_from([0.0, 0.4, 0.8, 1.2]), min_size=10, max_size=10), min_size=1, max_size=3), st.floats(0.1, 1.2))
def test_a_series_rests_after_its_alert_and_none_is_raised_below_the_threshold(rows: list[list[float]], threshold: float):
    scores, checks = np.array(rows), range(100, 170, 7)
    raised = peers.crossings(scores, threshold, checks)
    assert all(scores[r.account, checks.index(r.day)] >= threshold for r in raised)
    for account in range(len(scores)):
        days = [r.day for r in raised if r.account == account]
        assert all(later - earlier > peers.COOLDOWN for earlier, later in pairwise(days))
        assert bool(days) == bool((scores[account] >= threshold).any())


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(0, 10), min_size=2, max_size=5), st.floats(0.01, 12))
def test_the_swept_segmentations_are_the_cheapest_at_every_penalty(falls: list[float], penalty: float):
    costs = (100 - np.cumsum(falls)).tolist()
    ends = [[*range(k), 99] for k in range(len(costs))]
    swept = [found for largest, found in peers.best_at_some_penalty(ends, costs) if largest > penalty]
    chosen = len(swept[-1]) - 1 if swept else 0
    assert costs[chosen] + penalty * chosen == pytest.approx(min(cost + penalty * k for k, cost in enumerate(costs)), abs=1e-9)


@pytest.mark.parametrize("name", ["rbf", "linear"])
def test_one_search_finds_what_ruptures_finds_at_each_penalty(name: str):
    ruptures = pytest.importorskip("ruptures")
    random = np.random.default_rng(3)
    signal = np.r_[random.normal(0, 1, 60), random.normal(-2, 1, 60), random.normal(0, 1, 60)][:, None]
    swept = peers.kernel(name, signal)
    assert [len(ends) for _, ends in swept[:2]] in ([3], [3, 4], [2, 3])
    for (penalty, ends), (lower, _) in pairwise(swept):
        between = (penalty + lower) / 2
        assert ruptures.KernelCPD(kernel=name, min_size=peers.MIN_SEGMENT).fit(signal).predict(pen=between) == ends


def test_every_peer_hears_half_of_the_users_leave():
    for needs in ("ruptures", "skchange", "river"):
        pytest.importorskip(needs)
    panel = thinned(steady(6, 300), 2, 240, 0.4)
    checks = range(220, 300, 7)
    for peer in peers.PEERS:
        scores = peer.scores(panel, region_days(panel), checks)
        assert scores.shape == (6, len(checks))
        assert scores.max(axis=1).argmax() == 2, peer.name


# counts of others


def test_without_outside_data_nothing_is_claimed():
    for row in chicago.chicago_rows(None):
        assert (row.values, row.note) == ((), "not run: needs usage/data/chicago_l_daily.json")
        assert card.line(row).count("0.") == card.line(row).count("0.2") + card.line(row).count("0.700") + card.line(row).count("0.820")
    assert {one.note for one in change_points.segmented(None)} == {"not run: needs usage/data/tcpd.json"}


def test_sets_that_are_there_are_read_and_a_broken_one_is_named(tmp_path: Path):
    folder = tmp_path / "usage" / "data"
    folder.mkdir(parents=True)
    (folder / "tcpd.json").write_text('{"a": 1}')
    assert usage_sets(None, card.SETS) == {}
    assert usage_sets(tmp_path, card.SETS) == {"tcpd": {"a": 1}}
    (folder / "chicago_l_daily.json").write_text('{"stations": ')
    with pytest.raises(BadInput, match=r"chicago_l_daily\.json is no JSON"):
        usage_sets(tmp_path, card.SETS)


def test_injected_drops_only_take_away_and_only_late():
    counts = np.random.default_rng(1).poisson(900, (30, chicago.DAYS))
    one = chicago.injected(counts, date(2001, 1, 8), np.random.default_rng(5))
    assert (one.panel.values <= counts).all()
    assert min(onset for _, onset, *_ in one.events) >= chicago.FIRST
    early = one.panel.values[:, : chicago.FIRST].mean(axis=1)
    assert early == pytest.approx(one.expected[:, : chicago.FIRST].mean(axis=1), rel=0.15)
    account, _, by, size, _ = max(one.events, key=lambda e: e[3])
    assert one.panel.values[account, by:].mean() < one.expected[account, by:].mean() * (1.15 - size)


def test_change_points_of_the_detector_begin_where_the_level_falls():
    values = np.r_[np.ones(200), -np.ones(100)] + 0.1 * np.random.default_rng(0).normal(size=300)
    (onset,) = change_points.ours(values)
    assert abs(onset - 200) <= 3


def test_an_unknown_point_is_left_out_and_not_read_as_zero():
    standard = change_points._standard([1.0, None, 3.0])
    assert np.isnan(standard[1])
    assert standard[[0, 2]].tolist() == [-1, 1]


# the card


def test_a_table_of_small_workspaces_has_every_figure_of_every_seed():
    rows = list(generated_rows([1, 2], [3], count=10, parts=(PARTS[0], PARTS[2])))
    assert all(len(row.values) == 2 for row in rows)
    assert len(rows) == 2 + len(SEATS_02) + len(OF_ACCOUNTS)
    assert {row.verdict for row in rows if row.floor is not None} <= {"aim reached", "floor held", "below the floor"}


@pytest.mark.parametrize(("values", "verdict"), [((0.9, 0.8), "aim reached"), ((0.7,), "floor held"), ((0.5,), "below the floor"), ((), "")])
def test_a_figure_is_held_against_its_floor_and_its_aim(values: tuple[float, ...], verdict: str):
    assert Row(what="x", values=values, floor=0.6, aim=0.8).verdict == verdict


def test_where_less_is_better_the_verdict_turns_around():
    assert [Row(what="x", values=(v,), floor=0.11, aim=0.07, at_most=True).verdict for v in (0.05, 0.1, 0.2)] == [
        "aim reached",
        "floor held",
        "below the floor",
    ]


def test_a_figure_that_was_not_measured_is_empty():
    assert card.line(Row(what="x", floor=0.6, aim=0.8, note="not run")) == "| x | 0.600 | 0.800 |  |  |  | not run |"


def test_each_card_speaks_of_its_own_files_and_together_they_speak_of_all():
    text, usage = fingerprint.files_of_text(), fingerprint.files_of_usage()
    sources = fingerprint.SOURCES
    assert not any(path.name.startswith("usage") for path in text)
    assert not any(sources / "evaluate" / "usage" in path.parents for path in text)
    assert set(sources.glob("usage*.py")) <= usage
    assert set(sources.rglob("*.py")) - text - usage == {sources / fingerprint.TRAINING_OF_USAGE}
    assert {path.relative_to(sources).as_posix() for path in text & usage} == set(fingerprint.SHARED)


def test_the_usage_card_speaks_of_these_models_and_this_code():
    assert f"`{fingerprint.of_usage()}`" in card.CARD.read_text(encoding="utf-8"), "stale: run `undertone evaluate usage`"
