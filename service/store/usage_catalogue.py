"""Which account and which metric each usage series has, in columns. Read from a row of bytes that is kept until a series is added or changes hands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from service.store import bulk
from service.store.pool import Db
from service.store.usage_series import NAMED_ACCOUNTS
from service.store.usage_values import Ints

_UUID = "S16"
"""Bytes that compare as Postgres compares ids."""


@dataclass(frozen=True)
class AllSeries:
    """Every series of a workspace; its place is its number. `account`, `metric`, `region`: which of the names it has. `accounts`: ids as bytes, in order."""

    accounts: NDArray[Any]
    account_names: list[str]
    account: Ints
    metrics: list[str]
    metric: Ints
    regions: list[str]
    region: Ints

    def __len__(self) -> int:
        return len(self.account)

    def account_id(self, number: int) -> UUID:
        return UUID(bytes=self.accounts.view("V16")[self.account[number]].tobytes())

    def metric_name(self, number: int) -> str:
        return self.metrics[int(self.metric[number])]

    def places_of(self, account_ids: Sequence[UUID]) -> Ints:
        """Among `accounts`; -1 for those without usage."""
        wanted = _ids(account_ids)
        at = np.minimum(np.searchsorted(self.accounts, wanted), len(self.accounts) - 1)
        found: Ints = np.where(self.accounts[at] == wanted, at, -1)
        return found

    def numbers_of(self, account_ids: Sequence[UUID]) -> Ints:
        """Their series, in order."""
        places = self.places_of(account_ids)
        places = places[places >= 0]
        start, end = (np.searchsorted(self.account, places, side=side, sorter=self._by_account) for side in ("left", "right"))
        return np.sort(np.concatenate([self._by_account[a:b] for a, b in zip(start, end, strict=True)] or [places]))

    @cached_property
    def _by_account(self) -> Ints:
        return np.argsort(self.account, kind="stable")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Catalogue:
    accounts: bytes
    account: bytes
    metrics: list[str]
    metric: bytes


def all_series(db: Db) -> AllSeries:
    """Under the names and in the regions that the accounts have now."""
    kept = db.execute("SELECT accounts, account, metrics, metric FROM usage_catalogue", binary=True).fetchone()
    found = _Catalogue(**dict(zip(_Catalogue.__slots__, kept, strict=True))) if kept else _made(db)
    accounts, account = np.frombuffer(found.accounts, _UUID), np.frombuffer(found.account, np.int32).astype(np.int64)
    names, regions = _named(db, accounts)
    place = {region: k for k, region in enumerate(sorted(set(regions)))}
    of_account = np.fromiter(map(place.__getitem__, regions), np.int64, len(regions))
    return AllSeries(accounts, names, account, found.metrics, np.frombuffer(found.metric, np.int32).astype(np.int64), list(place), of_account[account])


def keep(db: Db) -> None:
    """Call it under the lock: another's new series may not be left out."""
    if db.execute("SELECT 1 FROM usage_catalogue").fetchone():
        return
    made = _made(db)
    db.execute(
        "INSERT INTO usage_catalogue (workspace_id, accounts, account, metrics, metric)"
        " VALUES (current_workspace(), %(accounts)b, %(account)b, %(metrics)s, %(metric)b)",
        {name: getattr(made, name) for name in _Catalogue.__slots__},
    )


def _made(db: Db) -> _Catalogue:
    metrics = [metric for (metric,) in db.execute("SELECT DISTINCT metric FROM usage_series ORDER BY metric")]
    number, account_id, metric = bulk.read_arrays(
        db,
        "SELECT series_no, account_id, array_position(%s::text[], metric) - 1 AS metric FROM usage_series",
        {"series_no": "integer", "account_id": "uuid", "metric": "integer"},
        [metrics],
    )
    order = np.argsort(number)
    accounts, account = np.unique(account_id[order].view(_UUID), return_inverse=True)
    return _Catalogue(accounts=accounts.tobytes(), account=account.astype(np.int32).tobytes(), metrics=metrics, metric=metric[order].astype(np.int32).tobytes())


def _named(db: Db, accounts: NDArray[Any]) -> tuple[list[str], list[str]]:
    """Names and regions of these accounts."""
    query = f"SELECT array_send(array_agg(account_id)), array_agg(name), array_agg(region) FROM (SELECT * FROM {NAMED_ACCOUNTS} a ORDER BY account_id) a"
    row = db.cursor(binary=True).execute(query).fetchone()
    if row is None or row[0] is None:
        return [], []
    known = bulk.array_of(row[0], "uuid").view(_UUID)
    at = np.searchsorted(known, accounts).tolist()
    return [row[1][k] for k in at], [row[2][k] for k in at]


def _ids(account_ids: Sequence[UUID]) -> NDArray[Any]:
    return np.array([account_id.bytes for account_id in account_ids], _UUID)
