"""What people and Salesforce itself do in an org while a connector reads it. For tests; none of it goes over HTTP."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from connectors.sandbox import rules
from connectors.sandbox.objects import SCHEMA
from connectors.sandbox.org import Org
from connectors.sandbox.tables import Row


def edit(org: Org, object_name: str, row_id: str, changes: Mapping[str, Any], *, stamp: str | None = None) -> None:
    """A person changes a row, by rule; `stamp` (on the wire's form) puts the change into the past, as a late commit does."""
    sobject = SCHEMA[object_name.lower()]
    with org.tables.transaction():
        before = org.row(sobject, row_id)
        at = stamp or org.clock.stamp()
        row = {**before, **changes}
        worked_out = rules.derived(sobject, row, before, at, org.tables)
        org.tables.update(sobject, row_id, {**changes, **worked_out, **_touched(at)})


def hide(org: Org, object_name: str, row_ids: Iterable[str]) -> None:
    """Rows that are committed, but that no query sees yet."""
    org.tables.show(SCHEMA[object_name.lower()], row_ids, visible=False)


def reveal(org: Org, object_name: str, row_ids: Iterable[str]) -> None:
    org.tables.show(SCHEMA[object_name.lower()], row_ids, visible=True)


def bin_row(org: Org, object_name: str, row_id: str) -> None:
    """Into the recycle bin, where queryAll still sees it."""
    org.tables.update(SCHEMA[object_name.lower()], row_id, {"IsDeleted": True, **_touched(org.clock.stamp())})


def undelete(org: Org, object_name: str, row_id: str) -> None:
    org.tables.update(SCHEMA[object_name.lower()], row_id, {"IsDeleted": False, **_touched(org.clock.stamp())})


def purge(org: Org, object_name: str, row_id: str) -> None:
    """Gone for good: no query tells that it was ever there."""
    org.tables.remove(SCHEMA[object_name.lower()], row_id)


def merge(org: Org, object_name: str, winner_id: str, loser_id: str) -> None:
    """Account or Contact: the loser is deleted and names the winner, what pointed at it points at the winner."""
    sobject = SCHEMA[object_name.lower()]
    at = org.clock.stamp()
    with org.tables.transaction():
        org.tables.update(sobject, loser_id, {"IsDeleted": True, "MasterRecordId": winner_id, **_touched(at)})
        for other in (o for o in SCHEMA.values() if o.queryable):
            for f in other.fields.values():
                if f.type == "reference" and sobject.name in f.reference_to and f.name != "MasterRecordId":
                    _point_elsewhere(org, other.name, f.name, loser_id, winner_id, at)


def _point_elsewhere(org: Org, object_name: str, field: str, old: str, new: str, at: str) -> None:
    sobject = SCHEMA[object_name.lower()]
    for row in org.tables.find(sobject, field, old):
        org.tables.update(sobject, row["Id"], {field: new, **_touched(at)})


def _touched(at: str) -> Row:
    return {"LastModifiedDate": at, "SystemModstamp": at}
