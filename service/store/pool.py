"""Connections, and the one way to open a transaction: in a workspace, or (for the few look-ups before one is known) in none."""

from __future__ import annotations

import atexit
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any, TypeVar
from uuid import UUID

import orjson
import psycopg
from psycopg.types.json import set_json_loads
from psycopg_pool import ConnectionPool, PoolTimeout

from service.config import settings
from service.errors import SettingError, Unavailable

Db = psycopg.Connection[tuple[Any, ...]]
T = TypeVar("T")

_ORDINARY, _STEADY = "BEGIN", "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY"
OUTAGES = (psycopg.OperationalError, psycopg.InterfaceError)
"""What says nothing about the rows that were asked for: a lost connection, a deadlock, a lock that was not given in time."""
OUTSIDE = UUID(int=0)
"""No workspace: row-level security shows no row at all; only the look-up functions answer."""


@contextmanager
def transaction(workspace_id: UUID = OUTSIDE, *, steady: bool = False) -> Iterator[Db]:
    """Commits at the end of the block, rolls back on an exception. `steady`: sees everything as it stands at the first query, and cannot write.

    The workspace is set for this transaction only (SET LOCAL): a setting of the session would be seen by the next user
    of a pooled connection. Raises Unavailable when no connection is free or Postgres cannot be reached.
    """
    with _said(), _begun(workspace_id, _STEADY if steady else _ORDINARY) as db:
        yield db


def look_up(ask: Callable[[Db], T]) -> T:
    """For one statement outside of all workspaces, a look-up function: a transaction of its own would be two messages more."""
    with _said():
        try:
            return _asked(_pool(), ask)
        except psycopg.OperationalError:
            return _asked(_checked(_pool()), ask)


def _asked(pool: ConnectionPool[Db], ask: Callable[[Db], T]) -> T:
    db = pool.getconn()
    try:
        return ask(db)
    finally:
        pool.putconn(db)


@contextmanager
def _said() -> Iterator[None]:
    """What is wrong with the database, for a person."""
    try:
        yield
    except PoolTimeout as error:
        message = "The database did not give a connection in time. Try again in a few seconds."
        raise Unavailable(message) from error
    except psycopg.OperationalError as error:
        message = "The database cannot be reached or went away. Try again in a few seconds."
        raise Unavailable(message) from error


@contextmanager
def _begun(workspace_id: UUID, begin: str) -> Iterator[Db]:
    pool = _pool()
    started = f"{begin}; SET LOCAL undertone.workspace = '{workspace_id.hex}'"
    db = _begin(pool, started) or _begin(_checked(pool), started, last=True)
    assert db is not None
    try:
        with db:  # of a pool: commits or rolls back, and stays open
            yield db
    finally:
        pool.putconn(db)


def _begin(pool: ConnectionPool[Db], statements: str, *, last: bool = False) -> Db | None:
    """One message to Postgres. None where the connection turns out to be dead: asking each time before would cost a message more."""
    db = pool.getconn()
    try:
        db.execute(statements)
    except BaseException as error:
        pool.putconn(db)
        if last or not isinstance(error, psycopg.OperationalError):
            raise
        return None
    return db


def _checked(pool: ConnectionPool[Db]) -> ConnectionPool[Db]:
    """Without the connections that died while nobody used them."""
    pool.check()
    return pool


@cache
def _pool() -> ConnectionPool[Db]:
    url = settings().database_url
    if url is None:
        message = "DATABASE_URL is not set and no embedded server was started. Start through the `undertone` command, or set it."
        raise SettingError(message)
    pool: ConnectionPool[Db] = ConnectionPool(
        url,
        min_size=1,
        max_size=settings().pool_size,
        timeout=10,
        # Autocommit is psycopg's word for: we say BEGIN ourselves, with the workspace in the same message.
        kwargs={"autocommit": True, "options": "-c statement_timeout=120s -c lock_timeout=20s -c idle_in_transaction_session_timeout=120s"},
        open=True,
        name="undertone",
    )
    set_json_loads(orjson.loads)
    atexit.register(pool.close)
    return pool


def close() -> None:
    """After a fork, or when the settings change: the next transaction opens a fresh pool."""
    if _pool.cache_info().currsize:
        _pool().close()
        _pool.cache_clear()
