"""Where the org keeps our key of a task, and what that allows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from connectors.salesforce.config import SalesforceConfig
from connectors.salesforce.schema import Column, Table

LONGEST_KEY = 40

Lack = Literal["missing", "not_external", "not_unique", "too_short", "read_only"]


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyField:
    """keyed: the org itself refuses a second task of one key. searched: a field holds the key and can be searched, no more.
    described: the key stands in the last line of the description. `lack`: why it is not keyed."""

    way: Literal["keyed", "searched", "described"]
    name: str | None = None
    lack: Lack | None = None


def key_field(task: Table, config: SalesforceConfig) -> KeyField:
    column = task.column(config.key_field)
    if column is None:
        return KeyField(way="described", lack="missing")
    lack = next((lack for lack, holds in _lacks(column).items() if holds), None)
    if lack is None:
        return KeyField(way="keyed", name=column.name)
    holds_key = lack in ("not_external", "not_unique") and column.filterable
    return KeyField(way="searched" if holds_key else "described", name=column.name if holds_key else None, lack=lack)


def _lacks(column: Column) -> Mapping[Lack, bool]:
    """The ones that keep the key out of the field come first."""
    return {
        "read_only": not (column.createable and column.updateable),
        "too_short": column.length < LONGEST_KEY,
        "not_external": not column.external_id,
        "not_unique": not column.unique,
    }
