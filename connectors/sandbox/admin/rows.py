"""What happens to whole rows: in and out of the recycle bin, of sight, of the archive."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from connectors.sandbox.admin.people import touched
from connectors.sandbox.org import Org


def bin_row(org: Org, object_name: str, row_id: str, *, by: str | None = None) -> None:
    """Into the recycle bin, where queryAll still sees it."""
    sobject = org.everything[object_name.lower()]
    at, seen_from = org.stamp(sobject.name)
    with org.tables.transaction():
        org.tables.update(sobject, row_id, {"IsDeleted": True, **touched(org, at, by)}, seen_from=seen_from)
        org.tables.log_deletion(sobject, row_id, at)


def undelete(org: Org, object_name: str, row_id: str, *, by: str | None = None) -> None:
    sobject = org.everything[object_name.lower()]
    at, seen_from = org.stamp(sobject.name)
    with org.tables.transaction():
        org.tables.update(sobject, row_id, {"IsDeleted": False, **touched(org, at, by)}, seen_from=seen_from)
        org.tables.log_deletion(sobject, row_id, None)


def purge(org: Org, object_name: str, row_id: str) -> None:
    """Gone for good: no query tells that it was ever there."""
    sobject = org.everything[object_name.lower()]
    row = org.tables.get(sobject, row_id)
    with org.tables.transaction():
        org.tables.remove(sobject, row_id)
        if row is not None and not row.get("IsDeleted"):
            org.tables.log_deletion(sobject, row_id, org.clock.stamp())


def hide(org: Org, object_name: str, row_ids: Iterable[str]) -> None:
    """Rows that are committed, but that no query sees yet."""
    org.tables.show(org.everything[object_name.lower()], row_ids, visible=False)


def reveal(org: Org, object_name: str, row_ids: Iterable[str]) -> None:
    org.tables.show(org.everything[object_name.lower()], row_ids, visible=True)


def unshare(org: Org, object_name: str, row_ids: Iterable[str]) -> None:
    """Rows that leave what the connected user may see: they are gone for it, and nothing tells that they were deleted."""
    org.tables.share(org.everything[object_name.lower()], row_ids, shared=False)


def share(org: Org, object_name: str, row_ids: Iterable[str]) -> None:
    org.tables.share(org.everything[object_name.lower()], row_ids, shared=True)


def archive(org: Org, object_name: str, row_ids: Iterable[str]) -> None:
    """Tasks and events of long ago: from now on only queryAll sees them. A system process, which moves SystemModstamp alone."""
    sobject = org.everything[object_name.lower()]
    at = org.clock.stamp()
    with org.tables.transaction():
        for row_id in row_ids:
            org.tables.update(sobject, row_id, {"IsArchived": True, "SystemModstamp": at})


def touch(org: Org, object_name: str, row_ids: Iterable[str]) -> None:
    """A mass job of the system has gone over these rows: one SystemModstamp for all, and no person has edited them."""
    sobject = org.everything[object_name.lower()]
    at = org.clock.stamp()
    with org.tables.transaction():
        for row_id in row_ids:
            org.tables.update(sobject, row_id, {"SystemModstamp": at})


def recalculate(org: Org, object_name: str, row_id: str, values: Mapping[str, Any]) -> None:
    """The system gives roll-up fields other values; nothing about the row says when."""
    org.tables.update(org.everything[object_name.lower()], row_id, values)
