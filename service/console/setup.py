"""Setting up a connection in the browser: the same steps as `undertone connect`, each with what it needs, whether it is done, and how to do it here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from connectors import registry
from connectors.base import Finding
from connectors.errors import Misconfigured
from service import budget, guide, uploads
from service.budget import Spent
from service.config import now
from service.connect import known
from service.console import connections as listed
from service.console.config_form import ConfigForm, form_of
from service.console.connections import ConnectionView
from service.console.pages import page
from service.console.session import Session
from service.console.sign_in import Visitor
from service.errors import NotFound
from service.field_mapping import is_mapped
from service.guide import Guide, Step, StepName
from service.guides import guide_of
from service.quarantine import place
from service.store import audit_log, long_jobs, quarantine
from service.store.connections import Connection
from service.store.long_jobs import Job
from service.store.pool import Db, transaction
from service.store.quarantine import Quarantined

router = APIRouter(prefix="/console")

MOST_QUARANTINED = 100
_OPTIONAL: frozenset[StepName] = frozenset({"metadata", "fields"})


@dataclass(frozen=True, slots=True, kw_only=True)
class StepView:
    """`commands`: the same on a machine's command line."""

    step: Step
    done: bool
    told: Sequence[str]
    commands: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Jobs:
    """The newest of each, None where there was none. `check`: none that is older than the settings."""

    check: Job | None
    read: Job | None
    dry_run: Job | None

    @property
    def under_way(self) -> Job | None:
        return next((j for j in (self.check, self.read, self.dry_run) if j and not j.is_over), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class SetUp:
    connection: Connection
    view: ConnectionView
    steps: Sequence[StepView]
    form: ConfigForm
    jobs: Jobs
    mapped: bool
    calls: Spent | None
    share: float | None
    """Of the day's calls, where Undertone stops."""
    lag: timedelta | None
    """Behind the source, of the stream that is furthest behind; None before the first reading."""
    rejected: Sequence[tuple[str, Quarantined]]
    """Each with its place, as somebody finds it."""
    rejected_total: int
    uploaded: bool
    """Its files were given in the browser: what lies here is a copy of them."""

    @property
    def next(self) -> int:
        """Number of the first step that is open and cannot be left out; 0 where none is."""
        return next((number for number, s in enumerate(self.steps, 1) if not s.done and s.step.name not in _OPTIONAL), 0)


@router.get("/connections/new")
def new_page(request: Request, session: Visitor, connector: Annotated[str, Query(max_length=100)] = "") -> Response:  # noqa: ARG001 - somebody is signed in
    return new(request, connector)


def new(request: Request, connector: str, status: int = 200, problem: str | None = None, name: str = "", config: Mapping[str, Any] | None = None) -> Response:
    if connector and connector not in registry.names():
        raise NotFound("There is no such connector. Choose one of those on this page.")
    steps = guide_of(connector).steps if connector else ()
    form = form_of(connector, guide_of(connector), config or {}) if connector else None
    first = step_views(guide_of(connector), guide.Progress())[0] if steps else None
    return page(request, "connection_new.html", status, connector=connector, names=registry.names(), form=form, first=first, problem=problem, name=name)


@router.get("/connections/{connection_id}")
def connection_page(request: Request, session: Visitor, connection_id: UUID) -> Response:
    return show(request, session, connection_id)


def show(request: Request, session: Session, connection_id: UUID, status: int = 200, problem: str | None = None) -> Response:
    """Raises NotFound."""
    found = read(session.workspace_id, connection_id, now())
    return page(request, "connection.html", status, found=found, c=found.view, problem=problem, at=now())


def read(workspace_id: UUID, connection_id: UUID, at: datetime) -> SetUp:
    with transaction(workspace_id) as db:
        connection = known(db, connection_id)
        view = next(v for v in listed.read(db, at) if v.row.connection_id == connection_id)
        jobs = _jobs(db, connection)
        rejected = quarantine.of_connection(db, connection_id, MOST_QUARANTINED)
        total = quarantine.counts(db).get(connection_id, 0)
    how = guide_of(connection.connector)
    progress = guide.progress(workspace_id, connection.name, _findings(jobs.check))
    if jobs.read and jobs.read.state == "failed":
        progress = replace(progress, read=False)
    read_until = [s.row.succeeded_at for s in view.streams]
    return SetUp(
        connection=connection,
        view=view,
        steps=step_views(how, progress),
        form=form_of(connection.connector, how, connection.config, progress.secrets),
        jobs=jobs,
        mapped=is_mapped(connection.config),
        calls=budget.spent(workspace_id, [connection_id]).get(connection_id),
        share=_share(connection),
        lag=at - min(u for u in read_until if u) if any(read_until) else None,
        rejected=[(place(connection.connector, q.source_key), q) for q in rejected],
        rejected_total=total,
        uploaded=uploads.NAMES.get(connection.connector) == connection.name,
    )


def step_views(how: Guide, progress: guide.Progress) -> list[StepView]:
    return [
        StepView(
            step=step,
            done=guide.is_done(step, how, progress),
            told=[line for line in step.how if not guide.is_command(line)],
            commands=[line.removeprefix("or: ") for line in step.how if guide.is_command(line)],
        )
        for step in how.steps
    ]


def _jobs(db: Db, connection: Connection) -> Jobs:
    about = {"connection": str(connection.connection_id)}
    check = long_jobs.newest(db, "check", about)
    return Jobs(
        check=check if check and check.made_at >= _checked_anew_since(db, connection) else None,
        read=long_jobs.newest(db, "first_read", {"connections": [str(connection.connection_id)]}),
        dry_run=long_jobs.newest(db, "dry_run", about),
    )


def _checked_anew_since(db: Db, connection: Connection) -> datetime:
    """A check from before that tells nothing: the settings were others, or something has been refused since. A pause changes neither."""
    set_up = audit_log.set_up_at(db, connection.name) or connection.created_at
    return set_up if connection.status in ("active", "paused") else max(set_up, connection.status_since)


def _findings(check: Job | None) -> list[Finding] | None:
    if check is None or check.result is None:
        return None
    return [Finding(**f) for f in check.result["findings"]]


def _share(connection: Connection) -> float | None:
    try:
        return budget.shares_of(connection.config).api
    except Misconfigured:  # the connection's own trouble says so
        return None
