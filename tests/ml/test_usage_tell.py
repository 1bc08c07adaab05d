"""What is said of an alert: no cause, no number that the alert does not hold, no peers that are not there, and each innocent explanation only with its data."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, replace
from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ml.alternatives import SENTENCES
from ml.usage import Alert, Panel
from ml.usage.innocent import Finding
from ml.usage.levels import interval
from ml.usage.tell import Explanation, Teller, alerts_of, tell
from ml.usage.words import metric_name, subject
from tests.ml.usage_panels import MONDAY, WEEK, steady, thinned

CAUSES = re.compile(
    r"\b(because|due to|caused?|reason|led to|result(ed|s)?|owing|thanks to|therefore|so that|driven|explains?)\b|\bnan\b|\binf\b", re.IGNORECASE
)
NUMBER = r"about ([\d,.]+)( million| billion| trillion)?"
SCALE = {"": 1.0, " million": 1e6, " billion": 1e9, " trillion": 1e12}
UNIT = {"day": 1.0, "week": 7.0, "month": 30.4}


def day(index: int) -> date:
    return MONDAY + timedelta(days=index)


def alert(series: int = 0, *, onset: int = 150, on: int = 171, before: float = 21.0, after: float = 12.0, kind: Any = "seat_loss", **more: Any) -> Alert:
    size = abs(1 - after / before)
    return Alert(series=series, alerted_on=day(on), onset=day(onset), before=before, after=after, size=size, kind=kind, score=2.0, **{"peers": 0.01, **more})


def findings(found: Explanation) -> set[Finding]:
    return {i.finding for i in found.innocent}


def halved(row: int = 0, *, accounts: int = 12, metrics: tuple[str, ...] = ("seats",), kept: float = 0.5, days: int = 240, region: str = "") -> Panel:
    return thinned(steady(accounts, days=days, metrics=metrics, region=region), row, 150, kept)


def spoken(sentence: str) -> tuple[tuple[float, str], tuple[float, str], float]:
    """The two levels of the sentence, each as counts a day and as it stands, and half a count of its unit; "none" and "almost none" are 0."""
    part = re.search(r" from (.+?) since", sentence)
    assert part, sentence
    unit = re.search(r" a (day|week|month)", part[1])
    assert unit, sentence
    found = []
    for side in part[1].split(" to ", 1):
        number = re.search(NUMBER, side)
        assert number or "none" in side, sentence
        found.append((float(number[1].replace(",", "")) * SCALE[number[2] or ""] / UNIT[unit[1]], number[1]) if number else (0.0, "none"))
    return found[0], found[1], 0.501 / UNIT[unit[1]]


# what must not be said


@given(
    st.sampled_from(["seats", "active_users", "reportExports", "api_calls", "v2/x:y+", "", "数", "evt.export-clicked", 'a"b\n\x1b[31m']),
    st.text(max_size=30),
    st.floats(1e-3, 1e14),
    st.floats(0, 30),
    st.sampled_from(["seat_loss", "slow_fade", "shift", "stopped", "feature_abandon", "growth"]),
    st.floats(-0.9, 3),
    st.integers(0, 900),
)
@settings(max_examples=120, deadline=None)
def test_a_sentence_holds_the_numbers_of_its_alert_and_never_a_cause(metric, account, before, times, kind, peers, ago) -> None:
    after = before * (1.18 + times if kind == "growth" else min(times / 36, 0.82))
    panel = replace(halved(), accounts=(account or "x", *(f"b{k}" for k in range(11))), metrics=(metric,) * 12)
    raised = alert(before=before, after=after, kind=kind, peers=peers)
    found = Teller(panel).tell(raised, [raised], said_on=raised.alerted_on + timedelta(ago))
    told = found.sentence.replace(subject(metric, account or "x"), "S")
    assert not CAUSES.search(told), told
    assert told.startswith("S ")
    assert f"{raised.onset.day} " + raised.onset.strftime("%B") in told
    assert (str(raised.onset.year) in told) == (ago + 21 > 300)
    (start, first), (end, last), half = spoken(told)
    assert start == pytest.approx(before, rel=0.051, abs=max(half, 0.06 * after))
    assert end == pytest.approx(after, rel=0.051, abs=max(half, 0.06 * before))
    assert first != last
    assert found.sentence.isprintable()
    ours = asdict(replace(found, account="x", sentence=told))  # an account may be called INF
    assert not re.search(r"nan|inf\b", json.dumps(ours, default=str), re.IGNORECASE)


@given(st.integers(0, 2**32 - 1), st.integers(1, 4), st.integers(2, 80), st.floats(0, 1))
@settings(max_examples=60, deadline=None)
def test_odd_days_never_give_an_explanation_without_numbers(seed, accounts, days, missing) -> None:
    random = np.random.default_rng(seed)
    values = random.choice([0.0, 0.4, 3.0, 1e12, np.nan, np.inf, -5.0], (accounts * 2, days)).astype(np.float32)
    values[random.random(values.shape) < missing] = np.nan
    panel = Panel(tuple(f"a{k // 2}" for k in range(accounts * 2)), ("seats", "events") * accounts, ("DE",) * accounts * 2, MONDAY, values)
    onset = int(random.integers(0, days))
    raised = alert(onset=onset, on=int(random.integers(onset, days)) + 1, kind="slow_fade")
    for given_alert in (raised, replace(raised, after=50.0)):
        found = tell(panel, given_alert, [given_alert])
        numbers = [found.before, found.after, *([found.per_week] if found.per_week else []), *(o.change for o in found.others)]
        assert all(np.isfinite([i.low, i.value, i.high]).all() and i.low <= i.value <= i.high for i in numbers)
        assert found.onset_between[0] <= found.onset <= found.onset_between[1]
        assert np.isfinite([i.number for i in found.innocent]).all()


def test_an_explanation_rests_on_no_day_after_its_alert() -> None:
    panel = halved(metrics=("seats", "exports"))
    raised = alert()
    until = replace(panel, values=panel.values[:, :171])
    assert tell(panel, raised, [raised]) == tell(until, raised, [raised])


def test_no_peers_are_claimed_where_there_are_none() -> None:
    found = tell(halved(accounts=1), alert())
    assert found.peer_accounts == 0
    assert found.sentence == "Seats in use at a0 went from about 21 a day to about 12 since 31 July."


def test_a_fall_among_steady_peers_has_no_innocent_explanation() -> None:
    assert tell(halved(metrics=("seats", "exports"), days=600), alert()).innocent == ()


def test_what_an_earlier_alert_told_is_no_part_of_the_level_before() -> None:
    kept = np.where(np.arange(180) < 70, 0.5, 0.2)
    panel = thinned(steady(days=240, level=40), 0, 60, kept)
    first, second = alert(onset=60, on=75, before=40, after=20), alert(onset=130, on=145, before=19, after=8)
    assert tell(panel, second, [first, second]).before.high < 24


def test_a_large_change_that_may_be_chance_is_called_neither_level_nor_fallen() -> None:
    panel = halved(metrics=("seats", "exports"))
    panel.values[1] = np.random.default_rng(2).poisson(0.4, 240)
    panel.values[1, 150:171] = np.arange(21) % 5 == 0
    assert [o.way for o in tell(panel, alert()).others] == ["unknown"]


# what is said


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({}, "Seats in use at a0 went from about 21 a day to about 12 since 31 July; the other 11 accounts in the region stayed level."),
        ({"kind": "slow_fade"}, "Seats in use at a0 went down little by little from about 21 a day to about 12 since about 31 July"),
        ({"after": 0.0, "kind": "stopped"}, "went from about 21 a day to none since 31 July"),
        ({"after": 0.3, "kind": "stopped"}, "went from about 21 a day to almost none since"),
        ({"before": 0.45, "after": 0.15}, "went from about 3 a week to about 1.1 since"),
        ({"before": 1234.0, "after": 300.0}, "went from about 1,200 a day to about 300 since"),
        ({"before": 12.0, "after": 21.0, "kind": "growth"}, "rose from about 12 a day to about 21 since 31 July"),
        ({"before": 0.01, "after": 21.0, "kind": "growth"}, "rose from almost none to about 21 a day since"),
        ({"peers": -0.124}, "; the other 11 accounts in the region fell by about 12% in the same weeks, which is taken out of these figures."),
        ({"peers": 0.2}, "; the other 11 accounts in the region rose by about 20% in the same weeks, which is taken out of these figures."),
    ],
)
def test_each_kind_of_change_has_its_own_wording(changed: dict[str, Any], sentence: str) -> None:
    panel = halved(region="DE")
    if changed.get("kind") == "growth":
        panel.values[0, :150] //= 3
        panel.values[0, 150:] *= 2
    assert sentence in tell(panel, alert(**changed)).sentence


def test_a_rise_that_takes_weeks_is_worded_as_one() -> None:
    panel = thinned(steady(days=240, level=60), 0, 0, np.interp(np.arange(240), [120, 180], [0.4, 1.0]))
    found = tell(panel, alert(onset=120, on=185, before=22.0, after=55.0, kind="growth"))
    assert "rose little by little from about 22 a day to about 55 since about 1 July, by about" in found.sentence


@pytest.mark.parametrize(
    ("key", "name"),
    [
        ("seats", "seats in use"),
        ("Active Users", "active users"),
        ("reportExports", "report exports"),
        ("API_calls", "API calls"),
        ("iOS sessions", "iOS sessions"),
        ("click-through.rate", "click through rate"),
        ("v2/x:y+", 'the count of "v2/x:y+"'),
        ("100", 'the count of "100"'),
        ("", "use"),
        ("a\u202eb\x00", "ab"),
    ],
)
def test_a_metric_is_called_what_a_person_would_call_it(key: str, name: str) -> None:
    assert metric_name(key) == name


def test_a_recovery_names_both_levels_and_says_when() -> None:
    panel = thinned(steady(days=260), 0, 130, np.where(np.arange(130) < 60, 0.4, 1.0))
    told = alerts_of(panel)
    assert [t.kind for t in told] == ["seat_loss", "recovery"]
    assert told[1].alert is not None
    assert told[1].said_on == told[1].alert.recovered_on
    assert re.fullmatch(
        r"Seats in use at a0 came back to about \d\d a day by \d+ September, after about \d+ since \d+ July and about \d\d before\.", told[1].sentence
    )


def test_nothing_is_said_of_what_began_before_the_start_not_even_its_end() -> None:
    panel = thinned(steady(days=260), 0, 130, np.where(np.arange(130) < 60, 0.4, 1.0))
    assert alerts_of(panel, start=day(160)) == []
    assert len(alerts_of(panel, start=day(131))) == 2


def test_everything_is_said_in_the_order_of_its_days() -> None:
    panel = steady(days=300)
    for row, start in enumerate((120, 140, 160)):
        panel = thinned(panel, row, start, np.where(np.arange(300 - start) < 50, 0.3, 1.0), seed=row)
    told = alerts_of(panel)
    assert [t.said_on for t in told] == sorted(t.said_on for t in told)
    assert [t.kind for t in told].count("recovery") >= 3
    assert {t.account for t in told} == {"a0", "a1", "a2"}


# how sure


def test_intervals_hold_the_true_levels_of_most_series() -> None:
    inside = []
    for seed in range(60):
        panel = thinned(steady(8, days=180, seed=seed), 0, 150, 0.5, seed=seed)
        found = tell(panel, alert(before=23.5, after=11.7))
        true = 25 * float(WEEK.mean())
        inside.append((found.before.low <= true <= found.before.high) + (found.after.low <= true / 2 <= found.after.high))
    assert np.mean(inside) / 2 >= 0.8


def test_the_day_it_began_lies_within_its_interval() -> None:
    within = []
    for seed in range(40):
        panel = thinned(steady(8, days=180, seed=seed), 0, 150, 0.5, seed=seed)
        first, last = tell(panel, alert(onset=152)).onset_between
        assert (last - first).days <= 15
        within.append(first <= day(150) <= last)
    assert np.mean(within) >= 0.85


def test_the_slope_of_a_fade_is_near_the_true_one() -> None:
    panel = thinned(steady(days=240, level=60), 0, 120, np.interp(np.arange(120), [0, 70], [1, 0.4]))
    found = tell(panel, alert(onset=120, on=180, before=56, after=34, kind="slow_fade"))
    assert found.per_week is not None
    assert found.per_week.low < -0.6 * 60 * float(WEEK.mean()) / 10 < found.per_week.high < 0
    assert "by about" in found.sentence


@given(st.floats(0, 1e6), st.floats(1, 400), st.floats(0.5, 30))
@settings(max_examples=60, deadline=None)
def test_an_interval_of_a_level_holds_it_and_stays_above_zero(counted: float, shape: float, spread: float) -> None:
    found = interval(counted, shape, spread)
    assert 0 <= found.low <= found.value <= found.high


def test_people_are_counted_where_the_metric_counts_them() -> None:
    panel = halved(metrics=("seats", "exports"))
    assert tell(panel, alert(0)).people == "about 9 of 21 people a day"
    assert tell(panel, alert(1)).people is None


def test_metrics_that_fell_with_it_are_told_from_those_that_did_not() -> None:
    panel = thinned(halved(metrics=("seats", "events", "exports")), 1, 150, 0.4)
    found = tell(panel, alert())
    assert {o.metric: o.way for o in found.others} == {"events": "fell", "exports": "level"}


# innocent explanations, each with its data


def a_year_of(dip_at: tuple[int, ...], *, everyone: bool = False) -> Panel:
    panel = steady(days=620, level=40)
    for row in range(12 if everyone else 1):
        for start in dip_at:
            panel.values[row, start : start + 30] = np.random.default_rng(row).binomial(panel.values[row, start : start + 30].astype(int), 0.5)
    return panel


def test_the_same_weeks_of_last_year_are_named_when_they_fell_too() -> None:
    found = tell(a_year_of((200, 564)), alert(onset=564, on=580, before=38, after=19))
    chosen = next(i for i in found.innocent if i.finding == "same_weeks_last_year")
    assert chosen.number == pytest.approx(-0.5, abs=0.1)
    assert "In the same weeks a year before, seats in use fell by about" in chosen.text


def test_last_years_fall_that_never_came_back_is_no_season() -> None:
    panel = thinned(thinned(steady(days=620, level=80), 0, 200, 0.5), 0, 564, 0.5)
    assert "same_weeks_last_year" not in findings(tell(panel, alert(onset=564, on=580, before=38, after=19)))


def test_less_than_a_year_of_days_supports_no_season() -> None:
    panel = a_year_of((200, 564))
    short = replace(panel, first_day=day(300), values=panel.values[:, 300:])
    assert "same_weeks_last_year" not in findings(tell(short, alert(onset=564, on=580, before=38, after=19)))


def test_peers_that_fell_too_are_named_with_how_much() -> None:
    found = tell(halved(), alert(peers=-0.2))
    assert [(i.key, i.finding, i.number) for i in found.innocent] == [("seasonal_work", "peers_too", -0.2)]


def test_another_metric_that_rose_is_named() -> None:
    panel = halved(metrics=("seats", "exports"))
    panel.values[1, 150:] *= 2
    chosen = next(i for i in tell(panel, alert()).innocent if i.finding == "another_metric")
    assert chosen.key == "migration"
    assert chosen.number == pytest.approx(1.0, abs=0.2)


def test_an_account_that_gained_what_another_lost_is_named() -> None:
    panel = halved(kept=0.0, accounts=20)
    panel.values[7, 150:] += steady(20).values[0, 150:]
    chosen = next(i for i in tell(panel, alert(after=0.0, before=23.5, kind="stopped")).innocent if i.finding == "another_account")
    assert "a7" in chosen.text
    assert chosen.number == pytest.approx(23.5, rel=0.15)


def test_days_on_which_many_accounts_stood_at_zero_are_counted() -> None:
    panel = halved(kept=0.0, accounts=20)
    panel.values[5:14, 150:156] = 0
    chosen = next(i for i in tell(panel, alert(after=0.0, on=160, kind="stopped")).innocent if i.finding == "many_at_zero")
    assert chosen.number == 6
    assert "9 other accounts" in chosen.text


def test_weekends_without_use_are_no_outage() -> None:
    panel = steady(20)
    days = np.arange(240)
    panel.values[:, days % 7 >= 5] = np.where(days // 7 % 2, 0, 12)[days % 7 >= 5]
    panel.values[0, 150:] = np.where(days % 7 >= 5, 0, panel.values[0])[150:]
    assert "many_at_zero" not in findings(tell(thinned(panel, 0, 150, 0.5), alert()))


def test_a_figure_that_never_moves_again_is_named() -> None:
    panel = halved()
    panel.values[0, 151:] = 12
    chosen = next(i for i in tell(panel, alert()).innocent if i.finding == "constant")
    assert (chosen.key, chosen.number) == ("tracking_changed", 20)


def test_a_small_team_that_is_away_is_named_and_a_large_one_is_not() -> None:
    small = thinned(steady(level=4), 0, 150, 0.0)
    assert "small_team_away" in findings(tell(small, alert(before=4, after=0, on=160, kind="stopped")))
    assert "small_team_away" not in findings(tell(small, alert(before=4, after=0, on=200, kind="stopped")))
    large = thinned(steady(level=40), 0, 150, 0.0)
    assert "small_team_away" not in findings(tell(large, alert(before=40, after=0, on=160, kind="stopped")))


def test_every_innocent_explanation_is_one_that_can_be_listed() -> None:
    panel = halved(kept=0.0, accounts=20, metrics=("seats", "exports"))
    panel.values[1, 150:] *= 2
    found = tell(panel, alert(after=0.0, peers=-0.2, kind="stopped"))
    assert len(found.innocent) >= 3
    assert {i.key for i in found.innocent} <= set(SENTENCES)
    assert not any(CAUSES.search(i.text) for i in found.innocent)
