"""The expected band: on which days there may be none, that it knows nothing of the day it is for, and that nine of ten quiet days lie in it."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given, settings, strategies

from ml.usage import Panel
from ml.usage.band import Band, Means, Records, band, means
from ml.usage.score import load
from ml.usage.state import LEARNING_DAYS, State
from ml.usage.tracker import scan
from tests.ml.usage_panels import MONDAY, steady, thinned


def recorded(panel: Panel) -> tuple[Records, State]:
    """What the detector records of the panel's days, and its state at the end."""
    days = [(tracker, day) for tracker, day in scan(panel, load())]
    peers = days[0][0].peers
    closed = [day.closed for _, day in days]
    shut = np.zeros((len(days), len(panel.accounts)), bool)
    return (
        Records(
            known=np.ones(len(days), bool),
            factor=np.stack([c.factor[peers.cell, peers.fold] for c in closed]),
            week=np.stack([c.week[peers.cell] for c in closed]),
            reported=np.stack([c.reported[peers.cell] for c in closed]),
            shut=shut,
        ),
        days[-1][0].state,
    )


def ordinary(series: int, days: int) -> Records:
    """Days that went as always, in a week of seven equal days."""
    shape = days, series
    return Records(
        known=np.ones(days, bool),
        factor=np.ones(shape, np.float32),
        week=np.ones((*shape, 7), np.float32),
        reported=np.ones(shape, bool),
        shut=np.zeros(shape, bool),
    )


def led(values: np.ndarray, records: Records) -> Band:
    return band(State.blank(len(values)), values.astype(np.float32), MONDAY.toordinal(), records)


def calm(days: int = 200, level: float = 20.0, seed: int = 0, series: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).poisson(level, (series, days)).astype(np.float32)


def inside(values: np.ndarray, found: Band | Means) -> float:
    drawn = np.isfinite(found.low)
    return float(((values >= found.low) & (values <= found.high))[drawn].mean())


# what may not be


def test_nothing_is_expected_of_a_day_without_a_count_and_it_is_never_a_zero() -> None:
    values = calm()
    values[0, 120:131] = np.nan
    found = led(values, ordinary(1, 200))
    smooth = means(found, values)
    for row in (found.expected, found.low, found.high, smooth.used, smooth.expected, smooth.low, smooth.high):
        assert np.isnan(row[0, 120:131]).all()
    assert np.nanmin(smooth.used[0]) > 10


def test_nothing_is_expected_of_a_day_without_a_record() -> None:
    values, records = calm(), ordinary(1, 200)
    records.known[[90, 91, 199]] = False
    found = led(values, records)
    assert np.flatnonzero(np.isnan(found.low[0, 80:])).tolist() == [10, 11, 119]
    assert np.isfinite(means(found, values).used[0, 80:]).all()


def test_nobody_is_judged_on_a_holiday_or_when_the_peers_stand_still() -> None:
    values, records = calm(), ordinary(1, 200)
    records.shut[100] = True
    records.factor[110] = 0.3
    found = led(values, records)
    assert np.flatnonzero(np.isnan(found.low[0, 80:])).tolist() == [20, 30]
    assert np.flatnonzero(found.weightless[0]).tolist() == [100, 110]


def test_nothing_is_expected_before_a_series_is_known() -> None:
    found = led(calm(), ordinary(1, 200))
    assert np.isfinite(found.low[0]).argmax() == LEARNING_DAYS


@settings(max_examples=15, deadline=None)
@given(day=strategies.integers(60, 119), count=strategies.sampled_from([0.0, 3.0, 500.0, 1e6, float("nan")]))
def test_a_count_changes_nothing_of_what_was_expected_of_its_own_day_and_those_before(day: int, count: float) -> None:
    values = calm(120)
    other = values.copy()
    other[0, day] = count
    one, two = led(values, ordinary(1, 120)), led(other, ordinary(1, 120))
    np.testing.assert_array_equal(one.low[0, :day], two.low[0, :day])
    if np.isfinite(count):
        assert one.low[0, day] == two.low[0, day]


def test_a_series_is_expected_the_same_alone_and_among_others() -> None:
    values, records = calm(series=5), ordinary(5, 200)
    many, alone = led(values, records), led(values[3:4], ordinary(1, 200))
    for field in fields(Band):
        np.testing.assert_allclose(getattr(many, field.name)[3:4], getattr(alone, field.name), rtol=1e-6)


def test_a_holiday_pulls_no_mean_of_the_days_around_it_down() -> None:
    values, records = calm(level=100.0), ordinary(1, 200)
    values[0, 100], records.shut[100] = 0.0, True
    smooth = means(led(values, records), values)
    assert smooth.used[0, 98:108].min() > 85
    assert np.isnan(smooth.low[0, 100])


# what is


def test_the_replay_of_a_few_series_ends_in_the_detectors_own_state() -> None:
    panel = steady(accounts=9, days=150, region="")
    records, state = recorded(panel)
    own = State.blank(2)
    some = Records(known=records.known, **{f.name: getattr(records, f.name)[:, 4:6] for f in fields(Records) if f.name != "known"})
    band(own, panel.values[4:6], panel.first_day.toordinal(), some)
    np.testing.assert_allclose(own.rows[: State.WATCH], state.rows[: State.WATCH, 4:6], rtol=1e-5)


@pytest.mark.parametrize("level", [1.0, 5.0, 25.0, 400.0])
def test_nine_of_ten_days_of_a_quiet_series_lie_within(level: float) -> None:
    panel = steady(accounts=12, days=300, level=level)
    found = led(panel.values, recorded(panel)[0])
    assert 0.86 <= inside(panel.values, found) <= 0.95
    assert inside(means(found, panel.values).used, means(found, panel.values)) >= 0.86


def test_nine_of_ten_days_lie_within_also_where_they_vary_ten_times_as_much() -> None:
    random = np.random.default_rng(4)
    values = random.poisson(random.gamma(10, 10, (12, 300))).astype(np.float32)
    assert 0.85 <= inside(values, led(values, ordinary(12, 300))) <= 0.95


def test_the_band_goes_down_with_the_peers_and_not_with_the_account() -> None:
    values, records = calm(160, level=50.0), ordinary(1, 160)
    records.factor[120:127] = 0.7
    values[0, 130:137] = 0.0
    expected = led(values, records).expected[0]
    assert expected[120:127] == pytest.approx(0.7 * expected[119], rel=0.1)
    assert expected[130:134].min() > 40


def test_a_fall_leaves_the_band_downwards_and_the_band_follows_only_slowly() -> None:
    panel = thinned(steady(accounts=12, days=240), 3, 180, 0.4)
    found = led(panel.values, recorded(panel)[0])
    smooth = means(found, panel.values)
    assert (smooth.used[3, 187:201] < smooth.low[3, 187:201]).all()
    assert found.expected[3, 180:201].sum() > 1.5 * np.nansum(panel.values[3, 180:201])
    assert found.dispersion[3, 187:215].max() < 2.2 * found.dispersion[3, 159:173].max()


def test_one_odd_day_hardly_widens_the_band() -> None:
    values = calm(150, level=50.0)
    values[0, 120] = 5000.0
    dispersion = led(values, ordinary(1, 150)).dispersion[0]
    assert dispersion[121] < 1.2 * dispersion[119]


def test_a_feed_that_tells_one_day_a_week_is_drawn_too() -> None:
    values = calm(400, level=60.0)
    values[0, np.arange(400) % 7 != 0] = np.nan
    smooth = means(led(values, ordinary(1, 400)), values)
    assert np.flatnonzero(np.isfinite(smooth.used[0]))[:3].tolist() == [0, 7, 14]


def test_the_year_end_has_a_line_of_its_own_that_starts_low() -> None:
    values, records = calm(200, level=100.0), ordinary(1, 200)
    values[0, 120:130], records.shut[120:130] = 5.0, True
    smooth = means(led(values, records), values)
    assert np.flatnonzero(smooth.apart[0]).tolist() == list(range(120, 130))
    assert smooth.used[0, 120:130].max() < 10
    assert np.isnan(smooth.used[0, 130])
    assert smooth.used[0, 131:].min() > 80


def test_days_of_years_ago_do_not_matter() -> None:
    values = calm(800)
    late = values.copy()
    late[0, :200] *= 5
    one, two = led(values, ordinary(1, 800)), led(late, ordinary(1, 800))
    np.testing.assert_allclose(one.high[0, -60:], two.high[0, -60:], rtol=0.02)
