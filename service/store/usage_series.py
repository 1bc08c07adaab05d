"""Which number the series of an account and a metric has, and what becomes of it when accounts are merged."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

import numpy as np

from service.store import bulk
from service.store.pool import Db
from service.store.usage_values import Ints


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbered:
    """`series` of each row, -1 where nobody knows the account; and the account keys that nobody knows.

    `number` has each series once, `owner` beside it the place of its account among `account_ids`.
    """

    series: Ints
    number: Ints
    owner: Ints
    account_ids: list[UUID]
    unknown: list[str]

    def owners_of(self, series: Ints) -> list[UUID]:
        return [self.account_ids[n] for n in np.unique(self.owner[np.isin(self.number, series)]).tolist()]


def lock(db: Db) -> None:
    """Until the end of the transaction nobody else numbers series of this workspace, writes their values or closes a day."""
    db.execute("SELECT pg_advisory_xact_lock(hashtextextended('usage ' || current_workspace(), 0))")


def close_days(db: Db, through: date) -> None:
    """What lands from now on for a day up to `through` is late. A day that was closed stays so.

    Under the lock: what landed before can be read by whoever has called this, and what lands later sees the day closed.
    """
    lock(db)
    db.execute("UPDATE workspace SET usage_closed_through = GREATEST(usage_closed_through, %s)", [through])


def numbered(db: Db, accounts: Sequence[str], metrics: Sequence[str]) -> Numbered:
    """The series of each row; those that are new are made. Call it under the lock.

    An account is named by its key in any connection, or by its exact name if only one account has it. One that was merged into another stands for that.
    """
    keys, account = _coded(accounts)
    names, metric = _coded(metrics)
    known = _accounts_of(db, keys)
    ids = list(dict.fromkeys(known[key] for key in keys if key in known))
    place = {account_id: n for n, account_id in enumerate(ids)}
    account = np.array([place[known[key]] if key in known else -1 for key in keys], dtype=np.int64)[account]
    pairs, at = np.unique(np.where(account < 0, -1, account * max(1, len(names)) + metric), return_inverse=True)
    owner, metric = np.divmod(pairs[pairs >= 0], max(1, len(names)))
    number = _numbers(db, ids, names, owner, metric)
    series = np.concatenate([np.full(len(pairs) - len(number), -1), number])[at]
    return Numbered(series=series, number=number, owner=owner, account_ids=ids, unknown=[key for key in keys if key not in known])


NAMED_ACCOUNTS = (
    "(SELECT account_id, CASE WHEN key IN (SELECT key FROM account GROUP BY key HAVING count(*) > 1) THEN key || ' ' || account_id ELSE key END AS name,"
    " COALESCE(region, '') AS region, deleted FROM account)"
)
"""Accounts as detectors know them. What they draw by lot among accounts goes by these names: the same data always give the same alerts."""


def survivors(db: Db) -> dict[UUID, UUID]:
    """Accounts that were merged, each with the one that it is part of now, as far as that is known."""
    # Each one's other is looked up by itself: of a join the planner might take the slow way round.
    into: dict[UUID, UUID | None] = dict(
        db.execute(
            "SELECT l.account_id, (SELECT s.account_id FROM account s WHERE s.connection_id = l.connection_id AND s.key = l.merged_into_key)"
            " FROM account l WHERE l.merged_into_key IS NOT NULL"
        ).fetchall()
    )
    return {gone: last for gone in into if (last := _end_of_chain(gone, into)) is not None}


def _end_of_chain(gone: UUID, into: Mapping[UUID, UUID | None]) -> UUID | None:
    """None where a link is missing or leads back."""
    seen, at = {gone}, into[gone]
    while at is not None and at in into and at not in seen:
        seen.add(at)
        at = into[at]
    return None if at in seen else at


def _accounts_of(db: Db, keys: Sequence[str]) -> dict[str, UUID]:
    """Looked up without a join, which a stale estimate could make quadratic."""
    found: dict[str, UUID] = dict(db.execute("SELECT key, account_id FROM account WHERE key = ANY(%s) ORDER BY connection_id DESC", [list(keys)]).fetchall())
    if len(found) < len(keys):
        named = _by_name(db)
        found |= {key: named[key.lower()] for key in keys if key not in found and key.lower() in named}
    merged = survivors(db)
    return {key: merged.get(account_id, account_id) for key, account_id in found.items()}


def _by_name(db: Db) -> dict[str, UUID]:
    """In lower case, of names that only one account has."""
    owners: dict[str, UUID | None] = {}
    for name, account_id in db.execute("SELECT name, account_id FROM account WHERE NOT deleted"):
        owners[name.lower()] = account_id if name.lower() not in owners else None
    return {name: account_id for name, account_id in owners.items() if account_id is not None}


def _numbers(db: Db, account_ids: Sequence[UUID], metrics: Sequence[str], account: Ints, metric: Ints) -> Ints:
    """For each pair of places, in their order, the number of its series."""
    number = _find(db, account_ids, metrics, account, metric)
    new = number < 0
    if new.any():
        row = db.execute("SELECT COALESCE(max(series_no) + 1, 0) FROM usage_series").fetchone()
        assert row is not None
        number[new] = row[0] + np.arange(new.sum())
        _name(db, account_ids, account[new], metric[new], number[new])
        db.execute(
            "INSERT INTO usage_series (workspace_id, series_no, account_id, metric) SELECT current_workspace(), l.n, l.account_id, m.name"
            " FROM landing_usage_name l JOIN unnest(%s::text[]) WITH ORDINALITY m(name, n) ON m.n = l.metric",
            [list(metrics)],
        )
    return number


def _find(db: Db, account_ids: Sequence[UUID], metrics: Sequence[str], account: Ints, metric: Ints) -> Ints:
    """-1 where there is none."""
    _name(db, account_ids, account, metric, np.arange(len(account)))
    (number,) = bulk.read_arrays(
        db,
        "SELECT COALESCE(s.series_no, -1) AS series_no FROM landing_usage_name l JOIN unnest(%s::text[]) WITH ORDINALITY m(name, n) ON m.n = l.metric"
        " LEFT JOIN LATERAL (SELECT series_no FROM usage_series s WHERE s.account_id = l.account_id AND s.metric = m.name OFFSET 0) s ON true ORDER BY l.n",
        {"series_no": "integer"},
        [list(metrics)],
    )
    return number.astype(np.int64)


def _name(db: Db, account_ids: Sequence[UUID], account: Ints, metric: Ints, n: Ints) -> None:
    ids = np.frombuffer(b"".join(account_id.bytes for account_id in account_ids), dtype="V16")[account]
    bulk.copy_arrays(db, "usage_name", {"n": ("integer", n), "account_id": ("uuid", ids), "metric": ("bigint", metric + 1)})


def _coded(texts: Iterable[str]) -> tuple[list[str], Ints]:
    """The distinct texts in order of appearance, and each row's place among them."""
    places: dict[str, int] = {}
    codes = [places.setdefault(text, len(places)) for text in texts]
    return list(places), np.array(codes, dtype=np.int64)
