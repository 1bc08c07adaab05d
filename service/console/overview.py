"""All accounts as the first page shows them: those that want attention first, a page at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Literal
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse

from ml.usage.words import capitalised, metric_name
from service.config import now
from service.console.pages import page
from service.console.sign_in import Visitor
from service.store import accounts, suggestions, usage_pictures
from service.store.accounts import AccountRow
from service.store.pool import Db, transaction
from service.store.suggestions import SuggestionRow
from service.store.usage_pictures import Lines

router = APIRouter(prefix="/console")

Words = Annotated[str, Query(max_length=200)]
PAGE = 100
_EVERY = 100_000
"""Accounts of a workspace: which of them are pressing is known only once all have been looked at."""
SPARKS = 4
_LEVELS = {"at_risk": 0, "unknown": 1, "open": 2, "likely": 3}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What the visitor asked to see; "" is everything."""

    search: str
    owner: str
    level: str
    page: int

    def link(self, page: int) -> str:
        given = {"search": self.search, "owner": self.owner, "level": self.level, "page": page}
        return f"/console?{urlencode({name: value for name, value in given.items() if value})}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Spark:
    """A metric's last year in small. `fallen`: a fall of it stands."""

    metric: str
    path: str
    fallen: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Sparks:
    shown: Sequence[Spark]
    more: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    rows: Sequence[AccountRow]
    total: int
    first: int
    """Place of the first row shown, from 1."""
    opened: Mapping[UUID, SuggestionRow]
    sparks: Mapping[UUID, Sparks]
    owners: Sequence[str]
    """Of all accounts, whatever else is asked for: so that one who owns none of those found can be left again."""
    pages: int


@router.get("")
@router.get("/")
def account_list(
    request: Request,
    session: Visitor,
    search: Words = "",
    owner: Words = "",
    level: Literal["", "likely", "open", "at_risk", "unknown"] = "",
    number: Annotated[int, Query(alias="page", ge=1, le=100_000)] = 1,
) -> HTMLResponse:
    wanted = Wanted(search=search, owner=owner, level=level, page=number)
    with transaction(session.workspace_id) as db:
        found = read(db, wanted, now().date())
    return page(request, "accounts.html", found=found, wanted=wanted, today=now().date())


def read(db: Db, wanted: Wanted, today: date) -> Overview:
    every = accounts.listing(db, level=wanted.level or None, search=wanted.search or None, most=_EVERY)
    opened = {s.account_id: s for s in suggestions.open_suggestions(db)}
    rows = sorted((r for r in every if wanted.owner in ("", r.owner_name)), key=lambda r: urgency(r, opened.get(r.account_id)))
    first = (wanted.page - 1) * PAGE
    shown = rows[first : first + PAGE]
    lines = usage_pictures.lines(db, today, [r.account_id for r in shown], SPARKS)
    return Overview(
        rows=shown,
        total=len(rows),
        first=first + 1,
        opened=opened,
        sparks={account_id: _sparks(found) for account_id, found in lines.items()},
        owners=sorted({a.owner_name for a in accounts.placed(db) if a.owner_name} | ({wanted.owner} - {""})),
        pages=-(-len(rows) // PAGE),
    )


def urgency(row: AccountRow, suggestion: SuggestionRow | None) -> tuple[object, ...]:
    """Open suggestions first, then by outlook, then by the nearest renewal."""
    return (suggestion is None, _LEVELS.get(row.level or "", 4), row.renewal_date or date.max, row.name)


def _sparks(lines: Lines) -> Sparks:
    return Sparks(shown=[Spark(metric=capitalised(metric_name(n.metric)), path=sparkline(n.weeks), fallen=n.fallen) for n in lines.shown], more=lines.more)


def sparkline(values: Sequence[float | None], width: int = 120, height: int = 24) -> str:
    """Path of an SVG line per unbroken run: a gap in the data is a gap in the line, a lone week a dot. "" where nothing is known."""
    known = [v for v in values if v is not None]
    if not known:
        return ""
    top = max(known) or 1.0
    runs: list[list[str]] = [[]]
    for i, value in enumerate(values):
        if value is None:
            runs.append([])
        else:
            runs[-1].append(f"{i * width / max(1, len(values) - 1):.1f},{height - 2 - value / top * (height - 4):.1f}")
    return "".join(f"M{' L'.join(run if len(run) > 1 else run * 2)}" for run in runs if run)
