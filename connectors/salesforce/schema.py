"""What the connected user can see: objects and fields, described once a run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from connectors.errors import Retriable
from connectors.salesforce.client import Client
from connectors.salesforce.faults import Refused, error_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    name: str
    type: str
    length: int
    filterable: bool
    createable: bool
    updateable: bool
    external_id: bool
    unique: bool
    calculated: bool
    relationship: str | None
    values: tuple[str, ...]
    """Active picklist values."""
    label: str = ""


_COMPOUND = frozenset({"address", "location", "base64", "complexvalue"})
"""Types of several values in one, which no text or number can be made of and which the Bulk API refuses; their parts are fields of their own."""


@dataclass(frozen=True, slots=True)
class Table:
    """One object. Columns by lower-case name: Salesforce does not tell case apart."""

    name: str
    columns: Mapping[str, Column]
    createable: bool = False
    updateable: bool = False

    def column(self, name: str | None) -> Column | None:
        return self.columns.get(name.lower()) if name else None

    def readable(self, path: str) -> str | None:
        """The name that answers carry of a field, or of a field of a parent as Relationship.Field; None for what cannot be read.
        The parent's own columns are not looked at."""
        relationship, dot, _ = path.partition(".")
        if dot:
            return path if any(c.relationship == relationship for c in self.columns.values()) else None
        column = self.column(path)
        return column.name if column and column.type not in _COMPOUND else None

    def can_read(self, path: str) -> bool:
        return self.readable(path) is not None


class Schema:
    def __init__(self, client: Client) -> None:
        self._client = client
        self._tables: dict[str, Table] = {}
        self._refused: set[tuple[str, str]] = set()

    def table(self, name: str) -> Table:
        """Raises StreamUnavailable if the user cannot see the object."""
        if name not in self._tables:
            self._tables[name] = self._described(name)
        return self._tables[name]

    def refuse(self, table: str, fields: Iterable[str]) -> bool:
        """Takes fields as unreadable that a query was refused for. False if that is nothing new."""
        new = {(table, f.lower()) for f in fields} - self._refused
        self._refused |= new
        return bool(new)

    def readable(self, table: Table, path: str) -> str | None:
        """As `Table.readable`, without what a query was refused for."""
        return None if (table.name, path.lower()) in self._refused else table.readable(path)

    def _described(self, name: str) -> Table:
        try:
            body = self._client.get(f"sobjects/{name}/describe")
        except Refused as refused:
            raise error_of(refused.fault, name) from None
        if not isinstance(body, Mapping) or not isinstance(body.get("fields"), list):
            message = f"{name}: Salesforce answered a describe with something else."
            raise Retriable(message)
        columns = (_column(f) for f in body["fields"])
        return Table(name, {c.name.lower(): c for c in columns}, createable=bool(body.get("createable")), updateable=bool(body.get("updateable")))


def _column(raw: Mapping[str, Any]) -> Column:
    return Column(
        name=raw["name"],
        type=raw.get("type", ""),
        length=raw.get("length") or 0,
        filterable=bool(raw.get("filterable", True)),
        createable=bool(raw.get("createable")),
        updateable=bool(raw.get("updateable")),
        external_id=bool(raw.get("externalId")),
        unique=bool(raw.get("unique")),
        calculated=bool(raw.get("calculated")),
        relationship=raw.get("relationshipName"),
        values=tuple(v["value"] for v in raw.get("picklistValues") or () if v.get("active", True)),
        label=raw.get("label") or "",
    )
