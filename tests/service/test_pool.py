"""The one way to open a transaction: what is half done is undone, and a connection that died meanwhile is nobody's trouble."""

from __future__ import annotations

from uuid import UUID

import psycopg
import pytest

from service.store import connections, workspaces
from service.store.pool import look_up, transaction
from tests import builders


def kept(workspace_id: UUID) -> int:
    with transaction(workspace_id) as db:
        return len(connections.all_connections(db))


def ended(workspace_id: UUID, servers: str) -> list[int]:
    """Two connections of the pool that died while nobody used them."""
    with transaction(workspace_id) as one, transaction(workspace_id) as other:
        pids = [one.info.backend_pid, other.info.backend_pid]
    with psycopg.connect(servers, autocommit=True) as owner:
        for pid in pids:
            assert owner.execute("SELECT pg_terminate_backend(%s, 5000)", [pid]).fetchone() == (True,)
    return pids


def test_what_fails_half_way_leaves_nothing_behind(workspace: UUID):
    with pytest.raises(ZeroDivisionError), transaction(workspace) as db:
        builders.connection(db)
        raise ZeroDivisionError
    assert kept(workspace) == 0


def test_what_ends_well_is_kept(workspace: UUID):
    with transaction(workspace) as db:
        builders.connection(db)
    assert kept(workspace) == 1


def test_connections_that_died_while_nobody_used_them_are_replaced_unnoticed(workspace: UUID, servers: str):
    pids = ended(workspace, servers)
    with transaction(workspace) as one, transaction(workspace) as other:
        assert {one.info.backend_pid, other.info.backend_pid}.isdisjoint(pids)


def test_a_look_up_on_a_connection_that_died_meanwhile_is_asked_again(workspace: UUID, servers: str):
    ended(workspace, servers)
    assert look_up(lambda db: workspaces.find_api_keys(db, "00000000")) == []


def test_a_look_up_sees_no_row_of_any_workspace(workspace: UUID):
    with transaction(workspace) as db:
        builders.connection(db)
    assert look_up(connections.all_connections) == []
