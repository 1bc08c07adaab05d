"""Two records become one."""

from __future__ import annotations

from connectors.sandbox.admin.people import touched
from connectors.sandbox.org import Org
from connectors.sandbox.schema import SObject


def merge(org: Org, object_name: str, winner_id: str, loser_id: str, *, by: str | None = None) -> None:
    """Account or Contact: the loser is deleted and names the winner; whatever pointed at it (contacts, opportunities, tasks, events, mail,
    roles, cases, contracts) points at the winner and gets a new SystemModstamp, though no person has edited it."""
    if object_name.lower() not in ("account", "contact"):
        message = f"only accounts and contacts can be merged, not {object_name}"
        raise ValueError(message)
    sobject = org.everything[object_name.lower()]
    with org.tables.transaction():
        for row_id in (winner_id, loser_id):
            org.row(sobject, row_id)
        at, seen_from = org.stamp(sobject.name)
        edited = touched(org, at, by)
        org.tables.update(sobject, winner_id, edited, seen_from=seen_from)
        org.tables.update(sobject, loser_id, {"IsDeleted": True, "MasterRecordId": winner_id, **edited}, seen_from=seen_from)
        org.tables.log_deletion(sobject, loser_id, at)
        for child in (o for o in org.everything.values() if o.queryable):
            _move_children(org, sobject, child, loser_id, winner_id, at)


def _move_children(org: Org, parent: SObject, child: SObject, loser_id: str, winner_id: str, at: str) -> None:
    pointing = [f.name for f in child.fields.values() if f.stored and parent.name in f.reference_to and f.name != "MasterRecordId"]
    moved = {row["Id"] for name in pointing for row in org.tables.find(child, name, loser_id)}
    for name in pointing:
        for row in org.tables.find(child, name, loser_id):
            org.tables.update(child, row["Id"], {name: winner_id})
    for row_id in moved:
        org.tables.update(child, row_id, {"SystemModstamp": at})
