"""Odd values, and figures whose unit changed: nothing raises, nothing is made up, and no drop is said of a change that is none."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ml.usage import Panel, detect, feeds
from ml.usage.clean import CONFIRMING, same_units
from ml.usage.tell import alerts_of
from tests.ml.usage_panels import MONDAY, steady, thinned

ODD = st.sampled_from([np.nan, np.inf, -np.inf, -7.0, -1e-9, 0.0, 0.4, 1.0, 24.9, 1e6, 1e15, 3e38])


def converted(panel: Panel, row: int, start: int, factor: float, end: int | None = None) -> Panel:
    values = panel.values.copy()
    values[row, start:end] *= factor
    return replace(panel, values=values)


def same(one: np.ndarray, other: np.ndarray) -> bool:
    return bool(np.array_equal(one, other, equal_nan=True))


# values that are none


@given(st.data())
@settings(max_examples=30, deadline=None)
def test_odd_values_in_any_place_give_alerts_with_finite_numbers_or_none(data) -> None:
    panel = steady(data.draw(st.integers(1, 4)), days=data.draw(st.integers(1, 160)), level=data.draw(st.sampled_from([0.3, 20.0, 1e5])))
    n, days = panel.values.shape
    for row, start, length, value in data.draw(st.lists(st.tuples(st.integers(0, n - 1), st.integers(0, days - 1), st.integers(1, 60), ODD), max_size=8)):
        panel.values[row, start : start + length] = value
    told = alerts_of(panel)
    for one in told:
        assert one.alert is None or np.isfinite([one.alert.before, one.alert.after, one.alert.size, one.alert.score, one.alert.peers]).all()
        assert "nan" not in one.sentence.lower()


@pytest.mark.parametrize("value", [np.nan, np.inf, -3.0])
def test_a_value_that_is_none_costs_no_other_day(value: float) -> None:
    panel = thinned(steady(), 0, 150, 0.4)
    panel.values[0, [100, 130, 155]] = value
    assert [t.kind for t in alerts_of(panel)] == ["seat_loss"]


def test_fractions_are_read_as_they_are() -> None:
    panel = thinned(steady(level=40), 0, 150, 0.4)
    halves = replace(panel, values=panel.values / 2)
    found = alerts_of(halves)
    assert [t.kind for t in found] == ["seat_loss"]
    assert found[0].alert is not None
    assert found[0].alert.before == pytest.approx(18.8, rel=0.15)


def test_a_year_of_zeros_is_no_drop() -> None:
    panel = steady(days=365)
    panel.values[:] = 0
    assert alerts_of(panel) == []


def test_one_day_of_data_says_nothing() -> None:
    assert alerts_of(steady(days=1)) == []
    assert set(feeds(steady(days=1))) == {"learning"}


def test_an_account_of_very_many_metrics_is_survived() -> None:
    panel = steady(1, days=70, metrics=tuple(f"m{k}" for k in range(4000)), level=3)
    assert len(alerts_of(panel)) < 40


def test_an_account_merged_into_another_is_no_drop_when_its_rows_end() -> None:
    panel = steady(days=260)
    panel.values[5, 200:] += panel.values[0, 200:]
    panel.values[0, 200:] = np.nan
    assert [t for t in alerts_of(panel) if t.account == "a0"] == []
    assert feeds(panel)[0] == "stale"


def test_an_account_merged_into_another_is_named_when_its_rows_go_on_as_zeros() -> None:
    panel = steady(days=260)
    panel.values[5, 200:] += panel.values[0, 200:]
    panel.values[0, 200:] = 0
    told = next(t for t in alerts_of(panel) if t.account == "a0")
    assert told.explanation is not None
    assert [i.text.partition(",")[2].partition(",")[0].strip() for i in told.explanation.innocent if i.finding == "another_account"] == ["a5"]


# units


@pytest.mark.parametrize("factor", [1000.0, 0.001, 1024.0, 1 / 1024, 1e6, 1e-6])
@pytest.mark.parametrize("level", [4.0, 25.0, 3000.0])
def test_a_unit_that_changes_is_a_note_and_never_a_drop(factor: float, level: float) -> None:
    told = alerts_of(converted(steady(level=level), 0, 150, factor))
    assert [(t.account, t.kind) for t in told] == [("a0", "note")]
    assert told[0].unit is not None
    assert told[0].unit.since == MONDAY + timedelta(150)
    assert told[0].said_on <= MONDAY + timedelta(150 + CONFIRMING + 4)
    assert "unit changed?" in told[0].sentence


def test_whole_numbers_that_lost_their_thousands_are_a_note_too() -> None:
    panel = converted(steady(level=25_000), 0, 150, 0.001)
    panel.values[0, 150:] = np.round(panel.values[0, 150:])
    assert [t.kind for t in alerts_of(panel)] == ["note"]


def test_a_unit_that_changes_back_is_two_notes() -> None:
    assert [t.kind for t in alerts_of(converted(steady(), 0, 120, 1000, 170))] == ["note", "note"]


def test_a_drop_after_a_change_of_unit_is_still_found() -> None:
    panel = converted(thinned(steady(days=260), 0, 190, 0.4), 0, 130, 1000)
    assert [t.kind for t in alerts_of(panel)][:2] == ["note", "seat_loss"]


@pytest.mark.parametrize("kept", [0.0, 0.02, 0.1, 0.5])
def test_a_true_fall_is_no_change_of_unit(kept: float) -> None:
    panel = thinned(steady(level=3000), 0, 150, kept)
    assert same_units(panel)[1] == ()
    assert [t.kind for t in alerts_of(panel)] in (["seat_loss"], ["stopped"])


def test_sparse_leftovers_of_a_true_fall_are_no_change_of_unit() -> None:
    panel = steady(level=3000)
    panel.values[0, 150:] = np.random.default_rng(1).poisson(0.8, 90)
    assert same_units(panel)[1] == ()
    assert "a0" in {t.account for t in alerts_of(panel)}


def test_one_day_in_another_unit_is_left_out_and_not_noted() -> None:
    cleaned, found = same_units(converted(steady(), 0, 150, 1000, 151))
    assert found == ()
    assert np.isnan(cleaned.values[0, 150])
    assert np.isfinite(cleaned.values[0, 151:]).all()


def test_bursts_and_quiet_days_leave_every_value_as_it_was() -> None:
    panel = steady(6, level=5)
    panel.values[:, 100] = 900
    panel.values[:, 140:150] = 0
    cleaned, found = same_units(panel)
    assert found == ()
    assert same(cleaned.values, panel.values)


@given(st.integers(0, 2**32 - 1), st.sampled_from([1000.0, 0.001, 1e6]), st.integers(30, 110), st.integers(1, 40), st.integers(1, 120))
@example(2667298908, 1e6, 34, 40, 120)  # a stray day let zeros speak against the way back to the first unit
@settings(max_examples=40, deadline=None)
def test_a_cleaned_value_rests_on_no_later_day_and_cleaning_twice_converts_nothing_more(seed, factor, start, length, until) -> None:
    random = np.random.default_rng(seed)
    panel = converted(steady(4, days=120, level=8, seed=seed % 1000), int(random.integers(4)), start, factor, start + length)
    panel.values[random.random(panel.values.shape) < 0.05] = random.choice([np.nan, np.inf, -4.0])
    cleaned, found = same_units(panel)
    early, known = same_units(replace(panel, values=panel.values[:, :until]))
    assert same(early.values, cleaned.values[:, :until])
    assert list(known) == [c for c in found if c.noticed_on <= MONDAY + timedelta(until)]
    again, more = same_units(cleaned)
    assert more == ()
    kept = np.isfinite(again.values)
    assert np.allclose(again.values[kept], cleaned.values[kept], rtol=1e-5)


def test_a_panel_in_one_unit_is_handed_back_untouched() -> None:
    panel = steady()
    assert same_units(panel)[0] is panel
    assert detect(panel) == []
