"""Taking back a change of the set-up: what an entry of the audit log has changed is put back as it was, by a change of its own that can be taken back too.

A version of the policy is undone in service/policy. What cannot be undone says so in docs/revops.md: a key that was revoked stays revoked.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from service import people, push, standing
from service.config import now as clock
from service.connect import connect
from service.errors import Conflict, NotFound, Refused
from service.keys import Scope
from service.store import audit_log, connections
from service.store import people as stored_people
from service.store.audit_log import Entry
from service.store.connections import Connection
from service.store.people import PersonRow
from service.store.pool import Db, transaction


@dataclass(frozen=True, slots=True)
class Present:
    """What stands now, by name."""

    connections: Mapping[str, Connection]
    people: Mapping[str, PersonRow]


@dataclass(frozen=True, slots=True)
class _Way:
    """`is_changed`: whether what the entry says of before differs from what stands. `put_back`: (workspace, entry, present, by, at)."""

    needs: frozenset[Scope]
    is_changed: Callable[[Entry, Present], bool]
    put_back: Callable[[UUID, Entry, Present, str, datetime], None]


def present(db: Db) -> Present:
    return Present({c.name: c for c in connections.all_connections(db)}, {p.name: p for p in stored_people.listing(db)})


def needed(entry: Entry, stands: Present) -> frozenset[Scope] | None:
    """The scopes it takes to undo the entry; None where it cannot be undone, or all is as it was before."""
    way = _WAYS.get(entry.action)
    return way.needs if way and way.is_changed(entry, stands) else None


def undo(workspace_id: UUID, audit_id: UUID, scopes: frozenset[str], by: str, at: datetime) -> None:
    """Raises NotFound, Conflict where there is nothing to put back, and Refused."""
    with transaction(workspace_id) as db:
        entry, stands = audit_log.get(db, audit_id), present(db)
    if entry is None:
        message = "There is no such change in this workspace."
        raise NotFound(message)
    needs = needed(entry, stands)
    if needs is None:
        message = "This change cannot be undone, or all that it changed is as it was before already."
        raise Conflict(message)
    if not needs <= scopes:
        message = f"Undoing this takes a session that may {' and '.join(sorted(needs))}."
        raise Refused(message)
    _WAYS[entry.action].put_back(workspace_id, entry, stands, by, at)


def _settings_before(entry: Entry, found: Connection) -> dict[str, Any]:
    """What stands, with each setting that the entry changed as it was."""
    was, became = _config(entry.before), _config(entry.after)
    changed = {name for name in {*was, *became} if was.get(name) != became.get(name)}
    kept = {name: value for name, value in found.config.items() if name not in changed}
    return {**kept, **{name: was[name] for name in changed if name in was}}


def _config(side: Mapping[str, Any] | None) -> Mapping[str, Any]:
    found: Mapping[str, Any] = (side or {}).get("config") or {}
    return found


def _is_set_otherwise(entry: Entry, stands: Present) -> bool:
    found = stands.connections.get(entry.subject)
    return found is not None and found.connector == (entry.before or {}).get("connector") and _settings_before(entry, found) != found.config


def _set_back(workspace_id: UUID, entry: Entry, stands: Present, by: str, _: datetime) -> None:
    """Secrets stay as they are: the log never held one. A connection that is held stays held."""
    found = stands.connections[entry.subject]
    connect(workspace_id, found.connector, found.name, _settings_before(entry, found), {}, by=by)
    if found.status == "paused":
        standing.pause(workspace_id, found.connection_id, found.status_reason or "", by)


def _is_held_otherwise(entry: Entry, stands: Present) -> bool:
    found = stands.connections.get(entry.subject)
    return found is not None and {found.status, (entry.before or {}).get("status")} == {"active", "paused"}


def _hold_back(workspace_id: UUID, entry: Entry, stands: Present, by: str, _: datetime) -> None:
    found, before = stands.connections[entry.subject], entry.before or {}
    if before["status"] == "paused":
        standing.pause(workspace_id, found.connection_id, before.get("reason") or "", by)
    else:
        standing.resume(workspace_id, found.connection_id, by)


def _has_another_owner(entry: Entry, stands: Present) -> bool:
    found = stands.connections.get(entry.subject)
    return found is not None and found.owner_key != (entry.before or {}).get("owner")


def _own_back(workspace_id: UUID, entry: Entry, stands: Present, by: str, _: datetime) -> None:
    standing.give_owner(workspace_id, stands.connections[entry.subject], (entry.before or {}).get("owner"), by)


def _approval(*, was: bool) -> _Way:
    def is_changed(entry: Entry, stands: Present) -> bool:
        found = stands.connections.get(entry.subject)
        return found is not None and (found.push_approved_at is not None) != was

    def put_back(workspace_id: UUID, entry: Entry, stands: Present, by: str, _: datetime) -> None:
        connection_id = stands.connections[entry.subject].connection_id
        if was:
            push.approve(workspace_id, connection_id, clock(), by)
        else:
            push.withdraw(workspace_id, connection_id, by)

    return _Way(frozenset({"configure", "push"}), is_changed, put_back)


def _has_another_role(entry: Entry, stands: Present) -> bool:
    found = stands.people.get(entry.subject)
    return found is not None and found.role != (entry.before or {}).get("role")


def _cast_back(workspace_id: UUID, entry: Entry, _: Present, by: str, at: datetime) -> None:
    people.set_role(workspace_id, entry.subject, people.known_role((entry.before or {}).get("role", "")), at, by)


_CONFIGURE: frozenset[Scope] = frozenset({"configure"})
_HELD = _Way(_CONFIGURE, _is_held_otherwise, _hold_back)
_WAYS: Mapping[str, _Way] = {
    "change connection": _Way(_CONFIGURE, _is_set_otherwise, _set_back),
    "pause connection": _HELD,
    "resume connection": _HELD,
    "set owner": _Way(_CONFIGURE, _has_another_owner, _own_back),
    "approve tasks": _approval(was=False),
    "withdraw tasks": _approval(was=True),
    "change role": _Way(frozenset({"administer"}), _has_another_role, _cast_back),
}
