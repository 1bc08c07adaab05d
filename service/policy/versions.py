"""Reading the policy of a workspace, changing it, and undoing a change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from service.errors import BadInput, Conflict, NotFound
from service.policy.document import Policy, read, to_document
from service.policy.words import difference
from service.store import audit_log, policies, workspaces
from service.store.policies import PolicyRow
from service.store.pool import Db, transaction

LONGEST_WHY = 300
FIRST = 0
"""The defaults, which no row holds."""
MOST_VERSIONS = 200
_RECONSIDERED = frozenset({"accounts", "most_open"})
"""With these changed, other suggestions are to be open."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """`before`: the policy of the version before, `changed`: the difference in words. Nobody made the defaults (version 0)."""

    version: int
    policy: Policy
    made_at: datetime | None = None
    made_by: str | None = None
    why: str = ""
    undoes: int | None = None
    before: Policy = field(default_factory=Policy)
    changed: Sequence[str] = ()

    def undone(self, now: Policy) -> Policy:
        """`now` with every field that this version changed as it was before."""
        was, done = to_document(self.before), to_document(self.policy)
        return now.with_fields({name: was[name] for name in was if was[name] != done[name]})


def current(db: Db) -> Policy:
    row = policies.current(db)
    return read(row.document) if row else Policy()


def standing(db: Db) -> Version:
    """The newest version."""
    found = versions(db, most=1)
    return found[0] if found else Version(version=FIRST, policy=Policy())


def versions(db: Db, *, most: int = MOST_VERSIONS, before: int | None = None, made_before: datetime | None = None) -> list[Version]:
    """The newest first, without the defaults."""
    rows = policies.listing(db, most=most + 1, before=before, made_before=made_before)
    earlier = [read(row.document) for row in rows[1:]] + ([Policy()] if len(rows) <= most else [])
    return [_version(row, was) for row, was in zip(rows[:most], earlier, strict=False)]


def change(workspace_id: UUID, given: Mapping[str, Any], by: str, why: str, from_version: int | None, at: datetime) -> Version:
    """Writes a version with these fields changed; where nothing changes, none is written. `given`: as in a document. `from_version`: the one that was
    looked at, None for whatever stands. Raises BadInput, and Conflict where somebody else has changed it since."""
    with transaction(workspace_id) as db:
        policies.lock(db)
        now = standing(db)
        if from_version is not None and from_version != now.version:
            raise _changed_since(now)
        wanted = now.policy.with_fields(given)
        return now if wanted == now.policy else _write(db, now, wanted, by, _line(why), at)


def undo(workspace_id: UUID, version: int, by: str, at: datetime, from_version: int | None = None) -> Version:
    """Writes a version in which every field that `version` changed is what it was before that. Undoing an undo brings it back. Raises NotFound, and
    Conflict where all of them are so already."""
    with transaction(workspace_id) as db:
        policies.lock(db)
        now, found = standing(db), versions(db, most=1, before=version + 1)
        if not found or found[0].version != version:
            message = f"There is no version {version} of the policy."
            raise NotFound(message)
        if from_version is not None and from_version != now.version:
            raise _changed_since(now)
        wanted = found[0].undone(now.policy)
        if wanted == now.policy:
            message = f"What version {version} changed is as it was before already."
            raise Conflict(message)
        return _write(db, now, wanted, by, f"undoes version {version}", at, undoes=version)


def _write(db: Db, now: Version, wanted: Policy, by: str, why: str, at: datetime, *, undoes: int | None = None) -> Version:
    row = PolicyRow(version=now.version + 1, document=to_document(wanted), made_at=at, made_by=by, why=why, undoes=undoes)
    policies.append(db, row)
    before, after = to_document(now.policy), to_document(wanted)
    names = [name for name in after if after[name] != before[name]]
    audit_log.write(
        db,
        at,
        by,
        audit_log.CHANGE_POLICY,
        f"version {row.version}",
        before={name: before[name] for name in names},
        after={name: after[name] for name in names},
    )
    if _RECONSIDERED & set(names):
        workspaces.suggest_due(db, due=True)
    return _version(row, now.policy)


def _version(row: PolicyRow, was: Policy) -> Version:
    found = read(row.document)
    return Version(
        version=row.version,
        policy=found,
        made_at=row.made_at,
        made_by=row.made_by,
        why=row.why,
        undoes=row.undoes,
        before=was,
        changed=difference(was, found),
    )


def _changed_since(now: Version) -> Conflict:
    who = f"{now.made_by} made version {now.version}" if now.made_by else "it stands at its defaults"
    return Conflict(f"The policy has been changed since you looked at it: {who}. Look at it anew and change that one.")


def _line(why: str) -> str:
    line = " ".join(why.split())
    if len(line) > LONGEST_WHY or not line.isprintable():
        message = f"why must be a line of at most {LONGEST_WHY} characters, all of which can be printed."
        raise BadInput(message)
    return line
