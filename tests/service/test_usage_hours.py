"""Usage told by the hour: no hour may count twice or on another day than the customer's own."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.records import Account, UsageHours
from service.connect import connect
from service.pull import pull
from service.store import accounts, landing, quarantine, usage
from service.store.pool import transaction
from service.store.usage_hours import days_of, land_hours
from tests import builders
from tests.builders import NOW


def made(workspace: UUID, **zones: str | None) -> dict[str, UUID]:
    """Accounts by key, with their time zones."""
    with transaction(workspace) as db:
        connection_id = builders.connection(db)
        landing.land(db, connection_id, Account, [Account(key=key, name=f"Name of {key}", timezone=zone) for key, zone in zones.items()])
        return {p.key: p.account_id for p in accounts.profiles(db)}


def tell(workspace: UUID, *told: tuple[str, datetime, float]) -> tuple[int, list[str]]:
    keys, times, values = zip(*told, strict=True) if told else ((), (), ())
    at = np.array([t.astimezone(UTC).replace(tzinfo=None) for t in times], dtype="datetime64[s]")
    with transaction(workspace) as db:
        return land_hours(db, UsageHours(accounts=list(keys), metrics=["logins"] * len(keys), at=at, values=np.array(values, dtype=float)))


def days(workspace: UUID, account_id: UUID) -> dict[str, float]:
    with transaction(workspace) as db:
        found, values = usage.series(db, account_id).get("logins", ([], []))
    return {day.isoformat(): value for day, value in zip(found, values, strict=True)}


def hours_from(first: str, count: int) -> list[datetime]:
    return [datetime.fromisoformat(first) + timedelta(hours=n) for n in range(count)]


def test_an_hour_told_again_does_not_count_again(workspace: UUID):
    ids = made(workspace, A="UTC")
    told = [("A", at, 1.5) for at in hours_from("2026-02-01T00:00Z", 48)]
    assert tell(workspace, *told) == (2, [])
    assert tell(workspace, *told) == (0, [])
    assert tell(workspace, *told[20:30]) == (0, [])
    assert days(workspace, ids["A"]) == {"2026-02-01": 36.0, "2026-02-02": 36.0}
    assert tell(workspace, ("A", told[3][1], 4.5)) == (1, [])
    assert days(workspace, ids["A"]) == {"2026-02-01": 39.0, "2026-02-02": 36.0}


def test_a_day_that_two_files_share_is_the_sum_of_both(workspace: UUID):
    """Files end with the day of UTC, customers' days do not."""
    ids = made(workspace, N="America/New_York")
    first, second = ([("N", at, 1.0) for at in hours_from(f"2026-02-0{day}T00:00Z", 24)] for day in (1, 2))
    tell(workspace, *first)
    tell(workspace, *second)
    tell(workspace, *first)
    assert days(workspace, ids["N"]) == {"2026-01-31": 5.0, "2026-02-01": 24.0, "2026-02-02": 19.0}


@pytest.mark.parametrize(
    ("zone", "first", "expected"),
    [
        ("Europe/Berlin", "2026-03-28T00:00+01:00", {"2026-03-28": 24.0, "2026-03-29": 23.0, "2026-03-30": 24.0}),
        ("America/New_York", "2025-11-01T00:00-04:00", {"2025-11-01": 24.0, "2025-11-02": 25.0, "2025-11-03": 24.0}),
        ("America/Sao_Paulo", "2018-11-03T00:00-03:00", {"2018-11-03": 24.0, "2018-11-04": 23.0, "2018-11-05": 24.0}),
        ("America/Havana", "2025-11-01T00:00-04:00", {"2025-11-01": 24.0, "2025-11-02": 25.0, "2025-11-03": 24.0}),
        ("Pacific/Apia", "2011-12-29T00:00-10:00", {"2011-12-29": 24.0, "2011-12-31": 24.0}),
        (None, "2026-03-28T00:00+00:00", {"2026-03-28": 24.0}),
        ("Mars/Olympus", "2026-03-28T00:00+00:00", {"2026-03-28": 24.0}),
    ],
)
def test_a_day_has_as_many_hours_as_its_clocks_show(workspace: UUID, zone: str | None, first: str, expected: dict[str, float]):
    ids = made(workspace, A=zone)
    tell(workspace, *(("A", at, 1.0) for at in hours_from(first, int(sum(expected.values())))))
    assert days(workspace, ids["A"]) == expected


def test_half_hours_of_kathmandu_fall_on_their_own_days(workspace: UUID):
    ids = made(workspace, K="Asia/Kathmandu")
    tell(workspace, ("K", datetime(2026, 2, 1, 18, 14, tzinfo=UTC), 1.0), ("K", datetime(2026, 2, 1, 18, 15, tzinfo=UTC), 2.0))
    assert days(workspace, ids["K"]) == {"2026-02-01": 1.0, "2026-02-02": 2.0}


def test_a_new_time_zone_holds_for_what_is_told_from_then_on(workspace: UUID):
    ids = made(workspace, A="UTC")
    told = [("A", at, 1.0) for at in hours_from("2026-02-01T00:00Z", 24)]
    tell(workspace, *told)
    with transaction(workspace) as db:
        db.execute("UPDATE account SET timezone = 'America/New_York'")
    tell(workspace, *told)
    assert days(workspace, ids["A"]) == {"2026-01-31": 5.0, "2026-02-01": 19.0}


def test_only_accounts_whose_day_changed_are_due_and_unknown_ones_are_named(workspace: UUID):
    ids = made(workspace, A="UTC", B="UTC")
    told = [(key, at, 1.0) for key in ("A", "X", "B") for at in hours_from("2026-02-01T00:00Z", 3)]
    assert tell(workspace, *told) == (2, ["X"])
    with transaction(workspace) as db:
        assert set(accounts.due(db, 10)) == {ids["A"], ids["B"]}
    assert tell(workspace, *told[:-1], ("B", told[-1][1], 5.0)) == (1, ["X"])
    with transaction(workspace) as db:
        assert accounts.due(db, 10) == [ids["B"]]
    assert tell(workspace) == (0, [])


ZONES = ["UTC", "Asia/Kolkata", "America/New_York", "Australia/Lord_Howe", "Pacific/Kiritimati", "Africa/Cairo"]
QUARTERS = st.dictionaries(st.integers(0, 96 * 4), st.integers(0, 5), max_size=30)


@settings(max_examples=25, deadline=None)
@given(st.sampled_from(ZONES), st.integers(701280 + 96, 2_300_000), QUARTERS, st.lists(st.integers(0, 2), max_size=30), st.randoms(use_true_random=False))
def test_however_the_hours_are_cut_repeated_and_ordered_the_days_are_the_same(servers: str, zone, start, quarters, cuts, random):
    workspace = builders.workspace()
    ids = made(workspace, A=zone)
    told = [(datetime.fromtimestamp((start + quarter) * 900, UTC), float(value)) for quarter, value in quarters.items()]
    expected: dict[str, float] = defaultdict(float)
    for at, value in told:
        expected[at.astimezone(ZoneInfo(zone)).date().isoformat()] += value
    pieces = [told[n::3] for n in [0, 1, 2, *cuts[:3]]]
    random.shuffle(pieces)
    for piece in pieces:
        tell(workspace, *(("A", at, value) for at, value in piece))
    assert days(workspace, ids["A"]) == dict(expected)


@pytest.mark.parametrize("zone", [*ZONES, "Europe/London", "America/St_Johns", "Asia/Beirut", "America/Caracas", "Antarctica/Troll", "Atlantic/Azores"])
def test_days_follow_each_other_without_a_gap_and_are_those_of_the_clock(zone: str):
    """From 2012 on: before that some clocks changed a minute after midnight."""
    first, last = (int(datetime(year, 1, 1, tzinfo=UTC).timestamp()) // 900 for year in (2012, 2027))
    quarters = np.arange(first, last)
    day, starts, ends = days_of(ZoneInfo(zone), quarters)
    assert ((starts <= quarters) & (quarters <= ends)).all()
    assert (np.diff(day) >= 0).all()
    shown = [datetime.fromtimestamp(q * 900, ZoneInfo(zone)).date() for q in quarters[::7].tolist()]
    assert [date.fromordinal(719_163 + n) for n in day[::7].tolist()] == shown


def test_a_file_of_events_that_is_read_again_or_grows_gives_each_day_once(workspace: UUID, tmp_path):
    ids = made(workspace, A="Europe/Berlin")
    file = tmp_path / "events.csv"
    lines = ["account,metric,timestamp,value", "A,logins,2026-02-01T22:10:00Z,1", "A,logins,2026-02-01T22:10:00Z,1", "A,logins,2026-02-01T23:59:59+00:00,1"]
    file.write_text("\n".join(lines))
    connection_id = connect(workspace, "usage_files", "usage", {"path": str(tmp_path)}, {})
    assert pull(workspace, connection_id, NOW).errors == []
    assert days(workspace, ids["A"]) == {"2026-02-01": 2.0, "2026-02-02": 1.0}
    with transaction(workspace) as db:
        db.execute("UPDATE stream SET cursor_at = NULL, cursor_key = ''")
    assert pull(workspace, connection_id, NOW).landed == 0
    file.write_text("\n".join([*lines, "A,logins,2026-02-01T22:12:00Z,4"]))
    pull(workspace, connection_id, NOW)
    assert days(workspace, ids["A"]) == {"2026-02-01": 6.0, "2026-02-02": 1.0}


def test_events_of_an_account_nobody_knows_wait_until_it_is_known(workspace: UUID, tmp_path):
    (tmp_path / "events.csv").write_text("account,metric,at,value\nA,logins,2026-02-01T22:10:00Z,3\n")
    connection_id = connect(workspace, "usage_files", "usage", {"path": str(tmp_path)}, {})
    pull(workspace, connection_id, NOW)
    with transaction(workspace) as db:
        assert [q.reason for q in quarantine.newest(db, 10)] == [quarantine.UNKNOWN_ACCOUNT]
    (tmp_path / "accounts.csv").write_text("account,timezone\nA,Asia/Tokyo\n")
    pull(workspace, connect(workspace, "account_files", "accounts", {"accounts": str(tmp_path / "accounts.csv")}, {}), NOW)
    pull(workspace, connection_id, NOW)
    with transaction(workspace) as db:
        ids = {p.key: p.account_id for p in accounts.profiles(db)}
    assert days(workspace, ids["A"]) == {"2026-02-02": 3.0}
