"""What was decided and what was set up, by whom, from what to what: versions of the policy and the audit log, the newest first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from service import policy, undo
from service.config import real_time
from service.console.forms import Looker
from service.console.pages import page
from service.console.sign_in import Visitor
from service.keys import Scope
from service.policy import Version
from service.store import audit_log
from service.store.audit_log import Entry
from service.store.pool import Db, transaction
from service.undo import Present

router = APIRouter(prefix="/console")

PAGE = 100
_LONGEST = 200
_NOTHING = "nothing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Happened:
    """`lines`: from what to what. `undo`: where to send the form that takes it back, None where that is not possible; `needs`: the scopes it takes."""

    at: datetime
    by: str
    what: str
    why: str
    lines: Sequence[str]
    undo: str | None = None
    needs: frozenset[Scope] = frozenset()
    in_force: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """`older`: where the next page begins."""

    items: Sequence[Happened]
    older: datetime | None


@router.get("/history")
def history_page(
    request: Request,
    session: Visitor,
    before: Annotated[datetime | None, Query()] = None,
    undone: UUID | None = None,
    version: Annotated[int | None, Query(ge=1, le=2_000_000_000)] = None,
) -> HTMLResponse:
    """`undone` or `version`: the change, or the version of the policy, that has just been taken back."""
    with transaction(session.workspace_id) as db:
        found = read(db, before)
        entry = audit_log.get(db, undone) if undone else None
    told = _what(entry) if entry else f"Policy, version {version}" if version else None
    return page(request, "history.html", found=found, later=before is not None, undone=told)


@router.post("/history/{audit_id}/undo")
def take_back(request: Request, session: Looker, audit_id: UUID) -> Response:
    at = real_time()
    undo.undo(session.workspace_id, audit_id, request.state.visit.scopes, session.who(at), at)
    return RedirectResponse(f"/console/history?undone={audit_id}", status_code=303)


def read(db: Db, before: datetime | None) -> History:
    """A page holds what both kinds have told since the later of the moments that their pages reach back to."""
    entries = audit_log.listing(db, PAGE, before)
    versions = policy.versions(db, most=PAGE, made_before=before)
    reached = max([rows[-1] for rows in ([e.happened_at for e in entries], [_at(v) for v in versions]) if len(rows) >= PAGE], default=None)
    stands, present = policy.standing(db), undo.present(db)
    every = [*(_of_version(v, stands) for v in versions), *(_of_entry(e, present) for e in entries if e.action != audit_log.CHANGE_POLICY)]
    shown = sorted((h for h in every if reached is None or h.at >= reached), key=lambda h: h.at, reverse=True)
    return History(items=shown, older=reached)


def _at(version: Version) -> datetime:
    assert version.made_at is not None
    return version.made_at


def _of_version(found: Version, stands: Version) -> Happened:
    return Happened(
        at=_at(found),
        by=found.made_by or "",
        what=f"Policy, version {found.version}",
        why=found.why,
        lines=found.changed,
        undo=f"/console/policy/versions/{found.version}/undo" if found.undone(stands.policy) != stands.policy else None,
        needs=frozenset({"configure"}),
        in_force=found.version == stands.version,
    )


def _of_entry(entry: Entry, present: Present) -> Happened:
    needs = undo.needed(entry, present)
    return Happened(
        at=entry.happened_at,
        by=entry.changed_by,
        what=_what(entry),
        why="",
        lines=list(_differences(entry)),
        undo=f"/console/history/{entry.audit_id}/undo" if needs else None,
        needs=needs or frozenset(),
    )


def _what(entry: Entry) -> str:
    return f"{entry.action[:1].upper()}{entry.action[1:]}: {entry.subject}"


def _differences(entry: Entry) -> Iterator[str]:
    before, after = dict(_flat(entry.before or {})), dict(_flat(entry.after or {}))
    for name in dict.fromkeys([*before, *after]):
        was, became = _said(before.get(name)), _said(after.get(name))
        if was != became:
            yield f"{name.replace('_', ' ')}: {became if was == _NOTHING else f'{was} → {became}'}"


def _flat(fields: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """The settings of a connection one by one."""
    for name, value in fields.items():
        if isinstance(value, Mapping):
            yield from _flat(value)
        else:
            yield name, value


def _said(value: Any) -> str:
    if value is None or value in ([], ""):
        return _NOTHING
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
