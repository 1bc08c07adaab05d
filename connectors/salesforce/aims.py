"""Where a task's account and contact are today: merged ones are followed, for many tasks at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from connectors.base import Outcome
from connectors.salesforce import soql
from connectors.salesforce.client import Client
from connectors.salesforce.faults import outcome_of
from connectors.salesforce.plan import TaskChange

_MOST_MERGES = 5


class Aims:
    def __init__(self, client: Client) -> None:
        self._client = client

    def anew(self, changes: Sequence[TaskChange]) -> dict[str, TaskChange | Outcome]:
        """At the account and contact that were merged into; without the contact if there is none any more. By key of the change."""
        accounts = self._today("Account", (c.fields.get("WhatId") for c in changes))
        contacts = self._today("Contact", (c.fields.get("WhoId") for c in changes))
        return {c.key: _aimed(c, accounts, contacts) for c in changes}

    def _today(self, table: str, keys: Iterable[object]) -> dict[object, str | None]:
        """Of each record the one that it is now. None if it is gone."""
        today: dict[object, str | None] = {key: str(key) for key in keys if key}
        for _ in range(_MOST_MERGES):
            rows = {r["Id"]: r for r in self._rows(table, {now for now in today.values() if now})}
            moved = {key: _next(now, rows) for key, now in today.items() if now}
            if all(today[key] == now for key, now in moved.items()):
                break
            today |= moved
        return today

    def _rows(self, table: str, keys: Iterable[str]) -> Iterable[Mapping[str, Any]]:
        for listed in soql.lists(sorted(keys)):
            yield from self._client.rows(soql.select(["Id", "IsDeleted", "MasterRecordId"], table, f"Id IN {listed}"), deleted=True)


def _next(key: str, rows: Mapping[str, Mapping[str, Any]]) -> str | None:
    row = rows.get(key)
    if row is None:
        return None
    return row["MasterRecordId"] if row["IsDeleted"] else key


def _aimed(change: TaskChange, accounts: Mapping[object, str | None], contacts: Mapping[object, str | None]) -> TaskChange | Outcome:
    account, contact = accounts.get(change.fields.get("WhatId")), contacts.get(change.fields.get("WhoId"))
    rest = {name: value for name, value in change.fields.items() if name not in ("WhatId", "WhoId")}
    fields = {**rest, **({"WhatId": account} if account else {}), **({"WhoId": contact} if contact else {})}
    if account is None or fields == dict(change.fields):
        return outcome_of(change.key, [{"statusCode": "INVALID_CROSS_REFERENCE_KEY"}])
    return replace(change, fields=fields, aimed=True)
