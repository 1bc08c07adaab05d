from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ml.calendar import Calendar, calendar_for

REGIONS = ("US", "DE", "IL", "Japan", "EMEA", None)
days = st.dates(date(2015, 1, 1), date(2035, 12, 31))


def test_an_unknown_region_knows_weekends_only() -> None:
    for region in (None, "", "EMEA", "no such place"):
        calendar = calendar_for(region)
        assert calendar.is_open(date(2025, 12, 25))
        assert not calendar.is_open(date(2025, 12, 27))


def test_a_public_holiday_is_no_working_day() -> None:
    assert not calendar_for("DE").is_open(date(2025, 10, 3))
    assert calendar_for("US").is_open(date(2025, 10, 3))


def test_a_weekend_is_that_of_the_country() -> None:
    friday, sunday = date(2025, 6, 20), date(2025, 6, 22)
    assert calendar_for("IL").is_open(sunday)
    assert not calendar_for("IL").is_open(friday)


@pytest.mark.parametrize(
    ("region", "country"), [("uk", "GB"), ("North America", "US"), ("na", "US"), ("Namibia", "NA"), ("de-BY", "DE"), ("Germany", "DE"), (" Schweiz ", "CH")]
)
def test_regions_are_understood_as_people_write_them(region: str, country: str) -> None:
    assert calendar_for(region).country == country


def test_a_message_belongs_to_the_day_on_which_its_reader_saw_it() -> None:
    late = datetime(2025, 3, 3, 23, 30, tzinfo=UTC)
    assert calendar_for("US", "America/New_York").day_of(late) == date(2025, 3, 3)
    assert calendar_for("Japan", "Asia/Tokyo").day_of(late) == date(2025, 3, 4)


def test_a_time_zone_nobody_knows_is_read_as_utc() -> None:
    for name in ("Mars/Olympus", "../etc", ""):
        assert Calendar(None, name).day_of(datetime(2025, 3, 3, 23, 30, tzinfo=UTC)) == date(2025, 3, 3)


@given(region=st.sampled_from(REGIONS), start=days, length=st.integers(-5, 40))
@settings(max_examples=60, deadline=None)
def test_working_days_between_are_the_open_days_after_the_first(region: str | None, start: date, length: int) -> None:
    calendar = calendar_for(region)
    end = start + timedelta(days=length)
    assert calendar.between(start, end) == sum(calendar.is_open(start + timedelta(days=n)) for n in range(1, length + 1))


@given(region=st.sampled_from(REGIONS), start=days, n=st.integers(1, 60))
@settings(max_examples=60, deadline=None)
def test_adding_working_days_reaches_the_first_day_on_which_they_have_passed(region: str | None, start: date, n: int) -> None:
    calendar = calendar_for(region)
    end = calendar.add(start, n)
    assert calendar.between(start, end) == n
    assert calendar.between(start, end - timedelta(days=1)) == n - 1
