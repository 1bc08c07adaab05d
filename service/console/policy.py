"""The policy's page: what the workspace has decided, group by group; what a change would do can be seen before it is saved."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Form, Path, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from service import backtest, long_jobs, policy
from service.backtest import BackTest
from service.budget_trial import found_by
from service.config import now, real_time
from service.console import policy_entries
from service.console.forms import Configurer
from service.console.pages import page
from service.console.policy_entries import Entries, entries_of
from service.console.session import Session
from service.console.sign_in import Visitor
from service.critic.rules import Rule, rules
from service.errors import BadInput, Conflict
from service.policy import Policy, Version
from service.policy.document import LEAST_BUDGET, MOST_BUDGET, MOST_OPEN, MOST_PHRASES
from service.store import accounts, usage_tracking
from service.store import long_jobs as stored_jobs
from service.store.accounts import Placed
from service.store.pool import Db, transaction

router = APIRouter(prefix="/console")

Group = Literal["budget", "tasks", "accounts", "rules", "lexicon"]
Do = Annotated[Literal["save", "try"], Form()]
Why = Annotated[str, Form(max_length=300, examples=["as agreed"])]
From = Annotated[int, Form(ge=0, le=2_000_000_000, alias="from", examples=[0])]
Line = Annotated[str, Form(max_length=200)]
Text = Annotated[str, Form(max_length=60_000)]
MOST_SERIES = 500
"""Series of usage that a page tries a budget on while it loads: a second or so. With more a worker does, and the page of the job shows how far it is."""
SHOWN = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """Which accounts would be in; those that would lose an open suggestion are the first of those that are out."""

    total: int
    held: Sequence[Placed]
    out: Sequence[Placed]

    @property
    def closing(self) -> int:
        """Open suggestions that would close."""
        return sum(a.has_suggestion for a in self.out)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """`group`: what somebody is at, with what they entered; `problem`: why it was not taken."""

    version: Version
    entered: Entries
    owners: Mapping[str, str]
    """Name by key of whoever has accounts."""
    rules: Sequence[Rule]
    group: Group | None = None
    problem: str | None = None
    tried: BackTest | None = None
    preview: Preview | None = None


@router.get("/policy")
def policy_page(
    request: Request,
    session: Visitor,
    saved: Annotated[int | None, Query(ge=0, le=2_000_000_000)] = None,
    budget: Annotated[float | None, Query(ge=LEAST_BUDGET, le=MOST_BUDGET)] = None,
) -> HTMLResponse:
    """`budget`: one that a worker has tried."""
    with transaction(session.workspace_id) as db:
        stands, known = policy.standing(db), accounts.placed(db)
        tried = _trial(db, budget) if budget is not None else None
    shown = _shown(stands, entries_of(stands.policy, known), known)
    if tried:
        shown = replace(shown, group="budget", tried=tried, entered=replace(shown.entered, usage_budget=f"{tried.budget:g}"))
    return _page(request, shown, saved=saved)


@router.post("/policy/budget")
def change_budget(
    request: Request, session: Configurer, do: Do, version: From, usage_budget: Annotated[str, Form(max_length=20, examples=["0.3"])], why: Why = ""
) -> Response:
    entry = _Entry(request, session, "budget", do, version, {"usage_budget": usage_budget, "why": why})
    return entry.answer(lambda entered, known, stands: policy_entries.budget(entered), lambda wanted, known: _tried(session, wanted))


@router.post("/policy/tasks")
def change_tasks(
    request: Request,
    session: Configurer,
    do: Do,
    version: From,
    most_open: Annotated[str, Form(max_length=20, examples=["5"])],
    quiet_from: Annotated[str, Form(max_length=20, examples=["18:00"])] = "",
    quiet_until: Annotated[str, Form(max_length=20, examples=["08:00"])] = "",
    quiet_zone: Annotated[str, Form(max_length=80, examples=["UTC"])] = "",
    quotes: Literal["shown", "link"] = Form("link"),
    why: Why = "",
) -> Response:
    given = {"most_open": most_open, "quiet_from": quiet_from, "quiet_until": quiet_until, "quiet_zone": quiet_zone}
    entry = _Entry(request, session, "tasks", do, version, {**given, "quotes_in_task": quotes == "shown", "why": why})
    return entry.answer(lambda entered, known, stands: policy_entries.tasks(entered))


@router.post("/policy/accounts")
def change_accounts(
    request: Request,
    session: Configurer,
    do: Do,
    version: From,
    whose: Annotated[Literal["everybody", "these"], Form()],
    owner: Annotated[list[str], Form(max_length=5000)] = [],  # noqa: B006 - a default that FastAPI copies
    least_value: Annotated[str, Form(max_length=30, examples=["5000"])] = "",
    left_out: Annotated[str, Form(max_length=60_000, examples=[""])] = "",
    why: Why = "",
) -> Response:
    given = {"whose": whose, "owners": tuple(owner), "least_value": least_value, "left_out": left_out, "why": why}
    return _Entry(request, session, "accounts", do, version, given).answer(policy_entries.accounts, _previewed)


@router.post("/policy/rules")
def change_rules(
    request: Request,
    session: Configurer,
    do: Do,
    version: From,
    rule: Annotated[list[str], Form(max_length=200, examples=["STR-9"])] = [],  # noqa: B006
    reason: Annotated[list[str], Form(max_length=200)] = [],  # noqa: B006
    why: Why = "",
) -> Response:
    entry = _Entry(request, session, "rules", do, version, {"reasons": dict(zip(rule, reason, strict=False)), "why": why})
    return entry.answer(lambda entered, known, stands: policy_entries.rules(entered))


@router.post("/policy/lexicon")
def change_lexicon(request: Request, session: Configurer, do: Do, version: From, lexicon: Text = "", why: Why = "") -> Response:
    entry = _Entry(request, session, "lexicon", do, version, {"lexicon": lexicon, "why": why})
    return entry.answer(lambda entered, known, stands: policy_entries.lexicon(entered))


@router.post("/policy/versions/{version}/undo")
def undo(session: Configurer, version: Annotated[int, Path(ge=1, le=2_000_000_000)]) -> Response:
    """From the history, and back to it."""
    policy.undo(session.workspace_id, version, session.who(real_time()), real_time())
    return RedirectResponse(f"/console/history?version={version}", status_code=303)


Fields = Callable[[Entries, Sequence[Placed], Policy], dict[str, Any]]
Try = Callable[[Policy, Sequence[Placed]], dict[str, Any] | Response]
"""What the page shows of it, or where to go for that."""


@dataclass(frozen=True, slots=True)
class _Entry:
    """A form that was sent: what stood in it, to be saved, or to be looked at before."""

    request: Request
    session: Session
    group: Group
    do: Literal["save", "try"]
    version: int
    given: Mapping[str, Any]

    def answer(self, fields: Fields, attempt: Try | None = None) -> Response:
        workspace_id = self.session.workspace_id
        with transaction(workspace_id) as db:
            stands, known = policy.standing(db), accounts.placed(db)
        shown = replace(_shown(stands, replace(entries_of(stands.policy, known), **self.given), known), group=self.group)
        try:
            wanted = fields(shown.entered, known, stands.policy)
            if self.do == "try" and attempt:
                found = attempt(stands.policy.with_fields(wanted), known)
                return found if isinstance(found, Response) else _page(self.request, replace(shown, **found))
            if not shown.entered.why.strip():
                message = "Say in a line why; whoever reads the history later will ask."
                raise BadInput(message)
            made = policy.change(workspace_id, wanted, self.session.who(real_time()), shown.entered.why, self.version, real_time())
        except (BadInput, Conflict) as error:
            return _page(self.request, replace(shown, problem=str(error)), status=error.status)
        return RedirectResponse(f"/console/policy?saved={made.version if made.version != stands.version else 0}#{self.group}", status_code=303)


def _tried(session: Session, wanted: Policy) -> dict[str, Any] | Response:
    with transaction(session.workspace_id) as db:
        many = usage_tracking.series_count(db)
    if many <= MOST_SERIES:
        return {"tried": backtest.run(session.workspace_id, wanted.usage_budget, now())}
    job_id = long_jobs.ask(session.workspace_id, "budget_trial", {"usage_budget": wanted.usage_budget}, session.who(real_time()), f"{wanted.usage_budget:g}")
    return RedirectResponse(f"/console/jobs/{job_id}", status_code=303)


def _trial(db: Db, budget: float) -> BackTest | None:
    """What a worker found last for this budget."""
    job = stored_jobs.newest(db, "budget_trial", {"usage_budget": budget})
    return found_by(job.result) if job and job.result else None


def _previewed(wanted: Policy, known: Sequence[Placed]) -> dict[str, Any]:
    held = [a for a in known if wanted.accounts.holds(a.key, a.owner_key, a.arr)]
    ids = {a.account_id for a in held}
    out = sorted((a for a in known if a.account_id not in ids), key=lambda a: not a.has_suggestion)
    return {"preview": Preview(total=len(known), held=held, out=out)}


def _shown(stands: Version, entered: Entries, known: Sequence[Placed]) -> Shown:
    owners = {a.owner_key: a.owner_name or a.owner_key for a in known if a.owner_key}
    chosen = {key: owners.get(key, key) for key in entered.owners}
    return Shown(
        version=stands,
        entered=entered,
        owners=dict(sorted({**owners, **chosen}.items(), key=lambda pair: pair[1].lower())),
        rules=[rule for rule in rules() if rule.severity != "E" and not rule.locked],
    )


def _page(request: Request, shown: Shown, status: int = 200, saved: int | None = None) -> HTMLResponse:
    limits = {"least_budget": LEAST_BUDGET, "most_budget": MOST_BUDGET, "most_open": MOST_OPEN, "most_phrases": MOST_PHRASES, "first": SHOWN}
    return page(request, "policy.html", status, shown=shown, limits=limits, saved=saved)
