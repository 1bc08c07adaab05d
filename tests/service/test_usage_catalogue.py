"""The kept columns of all series: never another workspace's, never older than the series themselves."""

from __future__ import annotations

from uuid import UUID, uuid4

import numpy as np

from service.store import usage_catalogue, usage_series
from service.store.pool import Db, transaction
from service.store.usage_merges import move_series
from tests import builders
from tests.service.test_usage_store import landed, made


def told(db: Db) -> set[tuple[int, UUID, str, str]]:
    """(number, account, metric, region)"""
    found = usage_catalogue.all_series(db)
    return {(n, found.account_id(n), found.metric_name(n), found.regions[int(found.region[n])]) for n in range(len(found))}


def stored(db: Db) -> set[tuple[int, UUID, str, str]]:
    query = "SELECT series_no, account_id, metric, COALESCE(region, '') FROM usage_series JOIN account USING (workspace_id, account_id)"
    return set(db.execute(query).fetchall())


def kept(db: Db) -> int:
    usage_series.lock(db)
    usage_catalogue.keep(db)
    row = db.execute("SELECT count(*) FROM usage_catalogue").fetchone()
    assert row is not None
    return int(row[0])


def filled(workspace: UUID) -> dict[str, UUID]:
    ids = made(workspace, "A", "B", "C")
    landed(workspace, ("B", "logins", 0, 1.0), ("A", "seats", 0, 2.0), ("C", "logins", 1, 3.0), ("A", "logins", 1, 3.0))
    return ids


def test_nobody_sees_or_empties_another_workspaces_columns(workspace: UUID) -> None:
    filled(workspace)
    other = builders.workspace()
    with transaction(workspace) as db:
        assert kept(db) == 1
    with transaction(other) as db:
        assert len(usage_catalogue.all_series(db)) == 0
    filled(other)
    with transaction(workspace) as db:
        assert db.execute("SELECT count(*) FROM usage_catalogue").fetchone() == (1,)
        assert told(db) == stored(db)


def test_a_new_series_is_there_at_once(workspace: UUID) -> None:
    filled(workspace)
    with transaction(workspace) as db:
        assert kept(db) == 1
        assert told(db) == stored(db)
    landed(workspace, ("A", "exports", 0, 1.0), ("C", "seats", 0, 1.0))
    with transaction(workspace) as db:
        assert len(told(db)) == 6
        assert told(db) == stored(db)
        assert kept(db) == 1
        assert told(db) == stored(db)


def test_a_series_that_changes_hands_is_its_new_owners_at_once(workspace: UUID) -> None:
    ids = filled(workspace)
    with transaction(workspace) as db:
        kept(db)
        move_series(db, ids["B"], ids["C"])
        assert told(db) == stored(db)
        kept(db)
        assert told(db) == stored(db)


def test_a_region_that_changes_is_told_as_it_is_now(workspace: UUID) -> None:
    filled(workspace)
    with transaction(workspace) as db:
        kept(db)
        db.execute("UPDATE account SET region = 'FR' WHERE key = 'B'")
        assert told(db) == stored(db)
        assert {region for *_, region in told(db)} >= {"FR"}


def test_series_are_found_by_their_accounts_whatever_bytes_an_id_ends_in(workspace: UUID) -> None:
    ids = [UUID(int=n << 16) for n in range(1, 40)] + [uuid4() for _ in range(40)]
    with transaction(workspace) as db:
        connection_id = builders.connection(db)
        db.execute(
            "INSERT INTO account (workspace_id, account_id, connection_id, key, name) SELECT current_workspace(), id, %s, id::text, 'N' FROM unnest(%s) id",
            [connection_id, ids],
        )
    landed(workspace, *[(str(account_id), metric, 0, 1.0) for account_id in ids for metric in ("logins", "seats")])
    with transaction(workspace) as db:
        kept(db)
        found = usage_catalogue.all_series(db)
        assert told(db) == stored(db)
        for account_id in (ids[0], ids[-1]):
            assert {found.account_id(n) for n in found.numbers_of([account_id]).tolist()} == {account_id}
        assert found.places_of([uuid4(), ids[3]]).tolist() == [-1, np.flatnonzero(found.accounts == ids[3].bytes.rstrip(b"\0"))[0]]
        assert found.numbers_of([uuid4()]).tolist() == []
