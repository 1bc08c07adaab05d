"""Signals as a list for analysts: filtered, as of a day, a page at a time, and the same rows as a file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Annotated, Any, Literal, get_args
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse, StreamingResponse
from pydantic import BeforeValidator, Field

from service.config import now
from service.console.pages import page
from service.console.sign_in import Visitor
from service.console.work import shortened
from service.downloads import download
from service.playbook.describe import MOMENT
from service.signals import Evidence, SignalKind, SignalState
from service.store import analytics, signals
from service.store.pool import transaction

router = APIRouter(prefix="/console")

PAGE = 50
FIRST, LAST = date(1990, 1, 1), date(2100, 1, 1)
_BY_DAY = replace(analytics.SIGNALS, order=("detected_at", "signal_id"))
_COLUMNS = ("signal_id", "version", "account_id", "account", "owner", "kind", "state", "detected_at", "ended_at", "confidence")

Day = Annotated[Annotated[date, Field(ge=FIRST, le=LAST)] | None, BeforeValidator(lambda given: given or None)]
"""A field of a form that was left empty asks for nothing."""
InName = Annotated[str | None, Query(max_length=200, pattern=r"^[^\x00]*$"), BeforeValidator(lambda given: (given or "").strip() or None)]
OneKind = Annotated[SignalKind | None, BeforeValidator(lambda given: given or None)]
OneState = Annotated[SignalState | None, BeforeValidator(lambda given: given or None)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What the visitor wants to see; None is everything."""

    account: str | None
    kind: SignalKind | None
    state: SignalState | None
    since: date | None
    until: date | None
    as_of: date | None

    @property
    def filters(self) -> dict[str, Any]:
        return {"account": self.account, "kind": self.kind, "state": self.state, "since": self.since, "until": self.until, "as_of": self.as_of}

    def link(self, path: str, **more: object) -> str:
        given = {**self.filters, **more}
        return f"/console/signals{path}?{urlencode({name: value for name, value in given.items() if value is not None})}"


def asked(account: InName = None, kind: OneKind = None, state: OneState = None, since: Day = None, until: Day = None, as_of: Day = None) -> Asked:
    return Asked(account=account, kind=kind, state=state, since=since, until=until, as_of=as_of)


Wanted = Annotated[Asked, Depends(asked)]


@router.get("/signals")
def signals_page(
    request: Request, session: Visitor, wanted: Wanted, day: Annotated[date | None, Query(ge=FIRST, le=LAST)] = None, after: UUID | None = None
) -> HTMLResponse:
    """`day` and `after`: the last row of the page before."""
    place = (day, after) if day is not None and after is not None else None
    with transaction(session.workspace_id) as db:
        rows = analytics.page(db, _BY_DAY, wanted.filters, columns=_COLUMNS, after=place, most=PAGE)
        judged = analytics.verdicts(db, [row["signal_id"] for row in rows], wanted.as_of)
        evidence = signals.evidence_of(db, [(row["signal_id"], row["version"]) for row in rows])
    older = wanted.link("", day=rows[-1]["detected_at"], after=rows[-1]["signal_id"]) if len(rows) == PAGE else None
    quotes = {signal_id: _quote(found) for signal_id, found in evidence.items()}
    kinds, states = sorted(get_args(SignalKind), key=MOMENT.__getitem__), get_args(SignalState)
    return page(request, "signals.html", rows=rows, judged=judged, quotes=quotes, wanted=wanted, older=older, kinds=kinds, states=states, today=now().date())


def _quote(evidence: Sequence[Evidence]) -> str | None:
    """The newest words of a buyer that it rests on, as long as they are kept."""
    theirs = [e for e in evidence if e.type == "buyer_message" and e.text]
    return shortened(max(theirs, key=lambda e: e.observed_at).text or "") if theirs else None


@router.get("/signals/export")
def export(session: Visitor, wanted: Wanted, form: Annotated[Literal["csv", "ndjson"], Query(alias="format")] = "csv") -> StreamingResponse:
    """Every row that the list would show, of all its pages."""
    return download(session.workspace_id, "signals", form, wanted.filters)
