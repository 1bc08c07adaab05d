"""serve, worker, migrate: what keeps running, and the schema it runs on."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlsplit

import typer

from service import log, processes, servers
from service.cli.workspace import opened, ready_schema
from service.config import is_this_machine, real_time, settings
from service.console.session import sign_in_link
from service.store import connections
from service.store.pool import transaction


def register(app: typer.Typer) -> None:
    app.command()(serve)
    app.command()(worker)
    app.command()(migrate)


def serve(
    *,
    api_only: Annotated[bool, typer.Option("--api-only", help="Only the API and console; worker and beat run elsewhere.")] = False,
) -> None:
    """Run Undertone: API, console, worker and beat. Starts Postgres and Valkey by itself unless DATABASE_URL and REDIS_URL are set."""
    with servers.running():
        ready_schema()
        children = [processes.api()] if api_only else [processes.api(), processes.worker(), processes.beat()]
        log.set_up(settings().log_level)
        typer.echo("Starting.")
        processes.run_until_stopped(children, _welcome)


def _welcome() -> None:
    """Where nothing is connected yet, with the way in for whoever begins."""
    typer.echo(f"Undertone listens on {settings().public_url} (console: {settings().public_url}/console). Ctrl-C stops it.")
    if not is_this_machine(urlsplit(settings().public_url).hostname):  # nothing that signs in belongs into the log of a server that others reach
        return
    workspace_id = opened("default", create=True)
    with transaction(workspace_id) as db:
        if connections.all_connections(db):
            return
    link = sign_in_link(workspace_id, real_time(), "/console/start")
    typer.echo(f"Nothing is connected yet. Begin here (signs you in, valid for ten minutes):\n  {link}")


def worker(
    *,
    beat: Annotated[bool, typer.Option("--beat", help="Run the scheduler as well. Any number may run at once.")] = False,
    concurrency: Annotated[int, typer.Option(min=1, max=64, help="How many tasks at once.")] = 2,
) -> None:
    """Run a Celery worker: pull, score, suggest, push."""
    with servers.running():
        ready_schema()
        log.set_up(settings().log_level)
        children = [processes.worker(concurrency), *([processes.beat()] if beat else [])]
        processes.run_until_stopped(children)


def migrate() -> None:
    """Bring the database schema up to date. Safe to repeat; any number may run at once."""
    with servers.running():
        applied = servers.migrate()
    typer.echo(f"Applied {', '.join(applied)}." if applied else "The schema is up to date.")
