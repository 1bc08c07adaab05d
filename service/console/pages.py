"""Templates to answers: one environment, in which every text is escaped, and the policy under which a page runs."""

from __future__ import annotations

import gzip
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from http import HTTPStatus
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse, Response
from fastapi.templating import Jinja2Templates
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup, escape

from service import trouble, unscored
from service.config import now, real_time
from service.console.session import COOKIE, Session, form_token, unseal
from service.errors import Unauthenticated
from service.playbook.describe import MOMENT
from service.playbook.wording import capitalised, day_month_year
from service.store import conditions
from service.store import unscored as stored_unscored
from service.store.pool import transaction
from service.trouble import Trouble
from service.unscored import ScoringTrouble

GZIP = 4
"""Level: beyond it pages get hardly smaller, and take twice as long."""
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'{style}; img-src 'self' data:; connect-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
_OF_CHARTS = " 'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=' 'sha256-ji27qzEtxXZW+7dun6UwjHXJ18e6WAin1VvNtkzIE/o='"
"""Hashes of the style elements that the chart library makes: an empty one, which it fills rule by rule as only a script can, and one for its maps (as of
plotly 7.1). Where a later version makes another one, the map's style is missing and the browser's console names its hash; no page of ours has a map."""


@dataclass(frozen=True, slots=True)
class Visit:
    """Somebody who is signed in, at this request; `scopes`: what they may do now."""

    session: Session
    scopes: frozenset[str]


def _day(value: date | datetime | None) -> str:
    return day_month_year(value) if value else "none known"


def _money(amount: float | None, currency: str | None) -> str:
    return f"{amount:,.0f} {currency or ''}".strip() if amount is not None else "not known"


def _words(kind: str) -> str:
    return kind.replace("_", " ")


def _kind(kind: str) -> str:
    """A kind of signal or situation as the account's page calls it."""
    return capitalised(MOMENT.get(kind, _words(kind)))  # type: ignore[call-overload]


def _distance(day: date, today: date) -> str:
    """In the unit somebody would say it in."""
    days = (day - today).days
    if days == 0:
        return "today"
    size = abs(days)
    count, unit = (size, "day") if size < 60 else (round(size / 30.4), "month")
    said = f"{count} {unit}{'' if count == 1 else 's'}"
    return f"in {said}" if days > 0 else f"{said} ago"


def _lag(behind: timedelta) -> str:
    """In the unit somebody would say it in."""
    minutes = max(0, round(behind.total_seconds() / 60))
    count, unit = (minutes, "minute") if minutes < 120 else (round(minutes / 60), "hour") if minutes < 48 * 60 else (round(minutes / 1440), "day")
    return f"{count} {unit}{'' if count == 1 else 's'}"


def _sentence(reason: str) -> str:
    """With its end; the beginning may be a column's name and stays as it is."""
    return reason + ("" if reason.endswith((".", "!", "?")) else ".")


def _coded(sentence: str) -> Markup:
    """What stands between backticks as code."""
    parts = [escape(part) for part in sentence.split("`")]
    return Markup("").join(Markup("<code>{}</code>").format(part) if i % 2 else part for i, part in enumerate(parts))


_environment = Environment(
    loader=PackageLoader("service.console"),
    autoescape=select_autoescape(default=True, default_for_string=True),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_environment.filters.update(
    day=_day, money=_money, words=_words, kind=_kind, distance=_distance, lag=_lag, moment=trouble.moment, coded=_coded, sentence=_sentence
)
_templates = Jinja2Templates(env=_environment)


def page(request: Request, template: str, status: int = 200, *, charts: bool = False, **context: Any) -> HTMLResponse:
    """`charts`: the chart library places style elements of its own, so that page alone may have these."""
    policy = POLICY.format(style=_OF_CHARTS if charts else "")
    visit: Visit | None = getattr(request.state, "visit", None) if status < HTTPStatus.INTERNAL_SERVER_ERROR else None
    every = {
        "signed_in": visit is not None,
        "may": visit.scopes if visit else frozenset(),
        "form_token": form_token(visit.session) if visit else None,
        "banner": _banner(visit) if visit else [],
        **context,
    }
    answer = _templates.TemplateResponse(request, template, every, status_code=status, headers={"Content-Security-Policy": policy})
    if charts:
        compress(request, answer)
    return answer


def fragment(request: Request, template: str, *, wait: int = 0, **context: Any) -> HTMLResponse:
    """A part of a page, for a script of ours that puts it into place. `wait`: seconds after which it may ask again; 0 for at once."""
    status = HTTPStatus.TOO_MANY_REQUESTS if wait else HTTPStatus.OK
    headers = {"Content-Security-Policy": POLICY.format(style=""), **({"Retry-After": str(wait)} if wait else {})}
    return _templates.TemplateResponse(request, template, context, status_code=status, headers=headers)


def compress(request: Request, answer: Response) -> None:
    """For large pages whose address holds nothing but an id: what somebody else could put into an address must not meet words of buyers in one stream."""
    if "gzip" in request.headers.get("accept-encoding", ""):
        answer.body = gzip.compress(answer.body, GZIP, mtime=0)
        answer.headers.update({"Content-Encoding": "gzip", "Content-Length": str(len(answer.body))})
    answer.headers["Vary"] = "Accept-Encoding"


def error_page(request: Request, status: int, title: str, detail: str) -> HTMLResponse:
    """Whoever is signed in keeps the way to the other pages, also where no page of ours has asked who they are."""
    if status < HTTPStatus.INTERNAL_SERVER_ERROR and not hasattr(request.state, "visit") and request.url.path.startswith("/console"):
        request.state.visit = _visit(request)
    return page(request, "error.html", status, title=title, detail=detail)


def _visit(request: Request) -> Visit | None:
    at = real_time()
    try:
        found = unseal(request.cookies.get(COOKIE, ""), "console session", at)
    except Unauthenticated:
        return None
    scopes = found.scopes(at)
    return Visit(found, scopes) if "read" in scopes else None


def _banner(visit: Visit) -> list[Trouble | ScoringTrouble]:
    """What every page says of the visitor's connections, and of what could not be scored."""
    with transaction(visit.session.workspace_id) as db:
        found = trouble.troubles(conditions.read(db), now())
        scoring = unscored.troubles(stored_unscored.read(db))
    every: list[Trouble | ScoringTrouble] = [*found, *scoring]
    return [t for t in every if t.level != "note"]
