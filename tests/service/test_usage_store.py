"""Usage in the store: which values may never get in, what changes nothing, and what is late."""

from __future__ import annotations

import threading
from datetime import date, datetime, timedelta
from urllib.parse import urlsplit, urlunsplit
from uuid import UUID, uuid4

import numpy as np
import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.records import Account, UsageHours, UsageRows
from service.config import settings as service_settings
from service.store import accounts, landing, migrate, usage, usage_series
from service.store.pool import Db, transaction
from service.store.usage_merges import follow_merges, move_series
from tests import builders

FIRST = date(2026, 1, 1)


def rows(*given: tuple[str, str, int, float]) -> UsageRows:
    """(account key, metric, days after FIRST, value)"""
    keys, metrics, days, values = zip(*given, strict=True) if given else ((), (), (), ())
    return UsageRows(
        accounts=list(keys), metrics=list(metrics), days=np.datetime64(FIRST, "D") + np.array(days, dtype=np.int64), values=np.array(values, dtype=float)
    )


def landed(workspace: UUID, *given: tuple[str, str, int, float]) -> tuple[int, list[str]]:
    with transaction(workspace) as db:
        return usage.land_usage(db, rows(*given))


def made(workspace: UUID, *keys: str) -> dict[str, UUID]:
    with transaction(workspace) as db:
        connection_id = builders.connection(db)
        return {key: builders.account(db, connection_id, key=key, name=f"Name of {key}", renewal=None) for key in keys}


def stored(workspace: UUID, account_id: UUID) -> dict[tuple[str, int], float]:
    with transaction(workspace) as db:
        return {(m, (d - FIRST).days): v for m, (days, values) in usage.series(db, account_id).items() for d, v in zip(days, values, strict=True)}


def due(workspace: UUID) -> set[UUID]:
    """And nobody is due any more."""
    with transaction(workspace) as db:
        return set(accounts.due(db, 1000))


def late(db: Db) -> dict[int, date]:
    return dict(db.execute("SELECT series_no, since FROM usage_late").fetchall())


def numbers(db: Db) -> list[tuple[int, UUID, str]]:
    return db.execute("SELECT series_no, account_id, metric FROM usage_series ORDER BY series_no").fetchall()


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -1.0, 2e15])
def test_a_value_that_is_no_usage_lands_nowhere(workspace: UUID, value: float):
    ids = made(workspace, "A")
    with pytest.raises(psycopg.errors.CheckViolation):
        landed(workspace, ("A", "logins", 0, 1.0), ("A", "logins", 1, value))
    assert stored(workspace, ids["A"]) == {}


def test_a_day_that_is_none_lands_nowhere(workspace: UUID):
    made(workspace, "A")
    nowhen = UsageRows(accounts=["A"], metrics=["logins"], days=np.array(["NaT"], dtype="datetime64[D]"), values=np.array([1.0]))
    with pytest.raises(ValueError, match="no day"), transaction(workspace) as db:
        usage.land_usage(db, nowhen)


def test_rows_of_an_account_nobody_knows_are_named_and_cost_no_other_row(workspace: UUID):
    ids = made(workspace, "A")
    assert landed(workspace, ("X", "logins", 0, 1.0), ("A", "logins", 0, 2.0), ("Y", "seats", 0, 1.0), ("X", "logins", 1, 1.0)) == (1, ["X", "Y"])
    assert stored(workspace, ids["A"]) == {("logins", 0): 2.0}
    assert landed(workspace, ("X", "logins", 0, 1.0)) == (0, ["X"])
    assert landed(workspace) == (0, [])


def test_an_account_goes_by_its_key_then_by_a_name_that_no_other_has(workspace: UUID):
    with transaction(workspace) as db:
        crm = builders.connection(db)
        named = {"A": "Acme", "B": "Birch", "C": "Birch", "D": "A"}
        ids = {key: builders.account(db, crm, key=key, name=name, renewal=None) for key, name in named.items()}
    assert landed(workspace, ("acme", "logins", 0, 1.0), ("A", "logins", 1, 2.0), ("Birch", "logins", 0, 3.0)) == (2, ["Birch"])
    assert stored(workspace, ids["A"]) == {("logins", 0): 1.0, ("logins", 1): 2.0}


def test_what_is_told_twice_changes_nothing_and_makes_nobody_due(workspace: UUID):
    ids = made(workspace, "A", "B")
    given = [(key, "logins", day, float(day)) for key in "AB" for day in range(20)]
    assert landed(workspace, *given)[0] == 40
    assert due(workspace) == {ids["A"], ids["B"]}
    assert landed(workspace, *given)[0] == 0
    assert due(workspace) == set()
    assert landed(workspace, *given[:-1], ("B", "logins", 19, 5.0))[0] == 1
    assert due(workspace) == {ids["B"]}
    assert stored(workspace, ids["B"])["logins", 19] == 5.0


TOLD = st.lists(
    st.lists(st.tuples(st.sampled_from("AB"), st.sampled_from(["logins", "seats"]), st.integers(0, 40), st.integers(0, 3)), max_size=25), max_size=4
)


@settings(max_examples=40, deadline=None)
@given(TOLD)
def test_whatever_is_told_in_whatever_order_the_last_word_stands(servers: str, told):
    workspace = builders.workspace()
    ids = made(workspace, "A", "B")
    last: dict[tuple[str, str, int], int] = {}
    for batch in told:
        before = dict(last)
        last |= {(a, m, d): v for a, m, d, v in batch}
        changed, unknown = landed(workspace, *((a, m, d, float(v)) for a, m, d, v in batch))
        assert (changed, unknown) == (sum(before.get(key) != value for key, value in last.items()), [])
    assert {(key, m, d): v for key in "AB" for (m, d), v in stored(workspace, ids[key]).items()} == last


def test_numbers_of_series_have_no_gap_in_any_workspace(workspace: UUID):
    for one in (workspace, builders.workspace()):
        made(one, "A", "B")
        landed(one, ("B", "logins", 0, 1.0), ("A", "logins", 0, 1.0))
        with pytest.raises(psycopg.errors.CheckViolation):
            landed(one, ("A", "seats", 0, -1.0))
        landed(one, ("A", "seats", 0, 1.0), ("A", "logins", 1, 1.0), ("B", "seats", 0, 1.0))
        with transaction(one) as db:
            assert [n for n, _, _ in numbers(db)] == [0, 1, 2, 3]


def test_two_who_land_at_once_neither_share_a_number_nor_lose_a_row(workspace: UUID):
    ids = made(workspace, *"ABCD")
    problems: list[Exception] = []

    def land(key: str) -> None:
        try:
            for metric in ("m1", "m2", "m3"):
                landed(workspace, *((k, metric, day, float(day)) for k in (key, "A") for day in range(30)))
        except Exception as error:  # noqa: BLE001 - what a thread raises is nobody's
            problems.append(error)

    threads = [threading.Thread(target=land, args=(key,)) for key in "BCD"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert problems == []
    assert all(len(stored(workspace, ids[key])) == 90 for key in "ABCD")
    with transaction(workspace) as db:
        assert [n for n, _, _ in numbers(db)] == list(range(12))


def test_nothing_is_late_while_no_day_is_closed(workspace: UUID):
    made(workspace, "A")
    landed(workspace, ("A", "logins", 0, 1.0))
    landed(workspace, ("A", "logins", 0, 2.0))
    with transaction(workspace) as db:
        assert late(db) == {}


def test_late_is_what_comes_or_changes_on_a_closed_day_from_its_first_such_day_on(workspace: UUID):
    made(workspace, "A", "B")
    landed(workspace, *(("A", "logins", day, 1.0) for day in range(10)), ("B", "logins", 9, 1.0))
    with transaction(workspace) as db:
        usage_series.close_days(db, FIRST + timedelta(days=8))
        usage_series.close_days(db, FIRST + timedelta(days=2))
    landed(workspace, ("A", "logins", 7, 1.0), ("A", "logins", 9, 5.0), ("B", "logins", 10, 1.0))
    with transaction(workspace) as db:
        assert late(db) == {}
    landed(workspace, ("A", "logins", 6, 2.0), ("A", "logins", 8, 2.0), ("B", "logins", 9, 2.0))
    landed(workspace, ("A", "logins", 7, 2.0), ("B", "logins", 8, 1.0))
    landed(workspace, ("B", "seats", 3, 1.0))
    with transaction(workspace) as db:
        assert late(db) == {0: FIRST + timedelta(days=6), 1: FIRST + timedelta(days=8), 2: FIRST + timedelta(days=3)}
    landed(workspace, ("A", "logins", 4, 2.0))
    with transaction(workspace) as db:
        assert late(db)[0] == FIRST + timedelta(days=4)


def test_no_value_slips_in_unnoticed_while_a_day_is_being_closed(workspace: UUID):
    """Whoever closes waits for who is landing."""
    made(workspace, "A")
    closed = threading.Event()

    def close() -> None:
        with transaction(workspace) as db:
            usage_series.close_days(db, FIRST)
        closed.set()

    with transaction(workspace) as db:
        usage.land_usage(db, rows(("A", "logins", 0, 1.0)))
        closing = threading.Thread(target=close)
        closing.start()
        assert not closed.wait(0.3)
    closing.join(10)
    assert closed.is_set()


def test_one_day_of_all_series_is_what_the_series_say_and_nobody_elses(workspace: UUID):
    for one in (workspace, builders.workspace()):
        made(one, "A", "B")
        landed(one, ("B", "logins", 0, 1.0), ("A", "seats", 0, 2.0), ("B", "logins", 1, 3.0))
    with transaction(workspace) as db:
        series, values = usage.on_day(db, FIRST)
        assert dict(zip(series.tolist(), values.tolist(), strict=True)) == {0: 1.0, 1: 2.0}
        assert usage.on_day(db, FIRST + timedelta(days=1))[1].tolist() == [3.0]
        assert [len(column) for column in usage.on_day(db, FIRST + timedelta(days=2))] == [0, 0]


def test_the_panel_has_a_row_a_series_and_no_number_where_nothing_was_told(workspace: UUID):
    with transaction(workspace) as db:
        assert usage.panel(db, FIRST) is None
    ids = made(workspace, "A", "B", "C")
    landed(
        workspace,
        ("B", "logins", 2, 4.0),
        ("A", "seats", 0, 1.0),
        ("A", "logins", 1, 2.0),
        ("A", "logins", 3, 9.0),
        ("B", "seats", 3, 1.0),
        ("C", "seats", 0, 1.0),
        ("C", "logins", 0, 1.0),
    )
    with transaction(workspace) as db:
        db.execute("UPDATE account SET deleted = true WHERE key = 'C'")
        assert usage.panel(db, FIRST) is None
        panel = usage.panel(db, FIRST + timedelta(days=3))
    assert panel is not None
    found = dict(zip(zip(panel.account_ids, panel.metrics, strict=True), panel.values.tolist(), strict=True))
    nan = pytest.approx(float("nan"), nan_ok=True)
    assert found == {(ids["A"], "logins"): [nan, 2.0, nan], (ids["A"], "seats"): [1.0, nan, nan], (ids["B"], "logins"): [nan, nan, 4.0]}
    assert panel.first_day == FIRST
    assert list(zip(panel.account_ids, panel.metrics, strict=True)) == sorted(found, key=lambda key: (key[0], key[1]))


def test_moving_series_twice_adds_nothing_twice(workspace: UUID):
    ids = made(workspace, "A", "B")
    landed(workspace, ("A", "logins", 0, 1.0), ("A", "logins", 1, 2.0), ("A", "seats", 0, 5.0), ("B", "logins", 1, 7.0), ("B", "logins", 2, 8.0))
    due(workspace)
    merged = {("logins", 0): 1.0, ("logins", 1): 7.0, ("logins", 2): 8.0, ("seats", 0): 5.0}
    with transaction(workspace) as db:
        usage_series.close_days(db, FIRST)
        move_series(db, ids["A"], ids["B"])
    assert stored(workspace, ids["B"]) == merged
    assert due(workspace) == {ids["B"]}
    with transaction(workspace) as db:
        move_series(db, ids["A"], ids["B"])
        assert [n for n, _, _ in numbers(db)] == [0, 1, 2]
        assert late(db) == {2: FIRST}
    assert stored(workspace, ids["B"]) == merged
    assert due(workspace) == set()


def merge(workspace: UUID, gone: str, into: str) -> None:
    with transaction(workspace) as db:
        connection_id = db.execute("SELECT connection_id FROM account LIMIT 1").fetchone()[0]
        landing.land(db, connection_id, Account, [Account(key=gone, name=f"Name of {gone}", deleted=True, merged_into_key=into)])
        follow_merges(db)


def test_series_follow_an_account_that_was_merged_and_so_do_later_rows_under_its_old_key(workspace: UUID):
    ids = made(workspace, "A", "B", "C")
    landed(workspace, ("A", "logins", 0, 1.0))
    merge(workspace, "A", "B")
    merge(workspace, "B", "C")
    landed(workspace, ("A", "logins", 1, 2.0))
    assert stored(workspace, ids["C"]) == {("logins", 0): 1.0, ("logins", 1): 2.0}
    assert landed(workspace, ("A", "logins", 1, 2.0), ("C", "logins", 0, 1.0)) == (0, [])
    assert stored(workspace, ids["A"]) == stored(workspace, ids["B"]) == {}


def test_accounts_merged_in_a_circle_or_into_nobody_known_keep_their_series(workspace: UUID):
    ids = made(workspace, "A", "B", "C")
    landed(workspace, ("A", "logins", 0, 1.0), ("C", "logins", 0, 3.0))
    merge(workspace, "A", "B")
    merge(workspace, "B", "A")
    merge(workspace, "C", "gone long ago")
    landed(workspace, ("C", "logins", 1, 4.0))
    assert stored(workspace, ids["C"]) == {("logins", 0): 3.0, ("logins", 1): 4.0}
    assert stored(workspace, ids["A"]) | stored(workspace, ids["B"]) == {("logins", 0): 1.0}


def test_hours_of_a_merged_account_go_with_their_days(workspace: UUID):
    from service.store.usage_hours import land_hours

    ids = made(workspace, "A", "B")
    hours = UsageHours(accounts=["A"] * 2, metrics=["logins"] * 2, at=_times(datetime(2026, 1, 1, 9), datetime(2026, 1, 1, 10)), values=np.array([1.0, 2.0]))
    with transaction(workspace) as db:
        land_hours(db, hours)
        usage.land_usage(db, rows(("B", "logins", 1, 9.0)))
        move_series(db, ids["A"], ids["B"])
        land_hours(db, UsageHours(accounts=["B"], metrics=["logins"], at=_times(datetime(2026, 1, 1, 11)), values=np.array([4.0])))
    assert stored(workspace, ids["B"]) == {("logins", 0): 7.0, ("logins", 1): 9.0}


def _times(*at: datetime) -> np.ndarray:
    return np.array(at, dtype="datetime64[s]")


def test_the_migration_to_numbers_keeps_every_row_of_every_workspace_even_for_an_owner_who_is_no_superuser(servers: str):
    name = f"owned_{uuid4().hex[:12]}"
    with psycopg.connect(servers, autocommit=True) as admin:
        admin.execute(f"CREATE ROLE {name} LOGIN PASSWORD 'x'")
        admin.execute(f"GRANT undertone_sweeper TO {name} WITH SET TRUE, INHERIT FALSE")
        admin.execute(f"CREATE DATABASE {name} OWNER {name}")
    owner_url = _url(servers, name, f"{name}:x")
    app_url = _url(str(service_settings().database_url), name)
    workspaces = [uuid4(), uuid4()]
    with psycopg.connect(owner_url, autocommit=True) as owner:
        owner.execute("CREATE TABLE migration (name text PRIMARY KEY, sha256 text NOT NULL)")
        for migration in (m for m in migrate.migrations() if m.name < "0004"):
            migrate._apply(owner, migration, {})
        before = [_filled(app_url, workspace) for workspace in workspaces]
        migrate._apply(owner, next(m for m in migrate.migrations() if m.name.startswith("0004")), {})
    for workspace, rows_before in zip(workspaces, before, strict=True):
        with psycopg.connect(app_url) as db:
            db.execute("SELECT set_config('undertone.workspace', %s, true)", [str(workspace)])
            after = db.execute(
                "SELECT account_id, metric, day, value FROM usage_day JOIN usage_series USING (workspace_id, series_no) ORDER BY 1, 2, 3"
            ).fetchall()
            assert after == rows_before
            assert [n for n, _, _ in numbers(db)] == [0, 1, 2, 3]
    with psycopg.connect(servers, autocommit=True) as admin:
        admin.execute(f"DROP DATABASE {name}")
        admin.execute(f"DROP ROLE {name}")


def _url(url: str, database: str, login: str | None = None) -> str:
    parts = urlsplit(url)
    return urlunsplit(parts._replace(path=f"/{database}", netloc=f"{login}@{parts.hostname}:{parts.port}" if login else parts.netloc))


def _filled(app_url: str, workspace: UUID) -> list[tuple[object, ...]]:
    with psycopg.connect(app_url) as db:
        db.execute("SELECT set_config('undertone.workspace', %s, true)", [str(workspace)])
        db.execute("INSERT INTO workspace (workspace_id, name) VALUES (%s, %s)", [workspace, str(workspace)])
        crm = db.execute("INSERT INTO connection (workspace_id, connector, name) VALUES (%s, 'x', 'x') RETURNING connection_id", [workspace]).fetchone()[0]
        for key in "AB":
            db.execute("INSERT INTO account (workspace_id, connection_id, key, name) VALUES (%s, %s, %s, %s)", [workspace, crm, key, key])
        db.execute(
            "INSERT INTO usage_day (workspace_id, account_id, metric, day, value) SELECT workspace_id, account_id, m, date '2026-01-01' + d, random()"
            " FROM account, unnest(ARRAY['logins', 'seats']) m, generate_series(0, 9) d"
        )
        return db.execute("SELECT account_id, metric, day, value FROM usage_day ORDER BY 1, 2, 3").fetchall()
