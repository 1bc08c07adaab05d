"""What `undertone connect` asks at a terminal, step by step, and does there. Each answer is stored before the next question."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

import typer

from connectors.base import Finding
from service import guide
from service.cli.steps import described, told
from service.cli.workspace import connection_named, printable
from service.config import now
from service.connect import connect, open_source
from service.errors import BadInput
from service.field_mapping import by_setting
from service.guide import Candidate, Guide, Mapped, Progress, Step
from service.pull import WORKER
from service.pull import pull as pull_step
from service.push import approve, preview
from service.push import push as push_step
from service.score import score as score_step
from service.store.connections import Connection
from service.suggest import suggest as suggest_step

_FILES = frozenset({"private_key"})
"""Secrets of many lines: asked for as a path."""


def ask_for_access(known: Guide, config: Mapping[str, Any], secrets: Mapping[str, str], p: Progress) -> tuple[dict[str, Any], dict[str, str]]:
    """Asks for what is neither stored nor given. What was given is kept."""
    config, secrets = dict(config), dict(secrets)
    lacking = [name for name in known.questions if not config.get(name)]
    if lacking:
        for step in known.steps[: _before(known, "secrets")]:
            _say(known, step)
        typer.echo("Ctrl-C stops here; the same command goes on with the first step that is open.\n")
    for name in lacking:
        config[name] = str(typer.prompt(known.questions[name])).strip()
    wanted = known.secret_for(config)
    if wanted and wanted not in secrets and wanted not in p.secrets:
        _say(known, known.steps[_before(known, "secrets")])
        secrets[wanted] = _ask_for(wanted)
    return config, secrets


def go_on(workspace_id: UUID, connection: Connection, known: Guide, findings: Sequence[Finding]) -> None:
    """From a check without errors to tasks in the CRM, as far as somebody says yes."""
    p = guide.progress(workspace_id, connection.name, findings)
    metadata = _named(known, "metadata")
    if not guide.is_done(metadata, known, p):
        _say(known, metadata)
    if not p.read:
        connection = _map_fields(workspace_id, connection, known)
        _say(known, _named(known, "pull"))
        if not typer.confirm("Read now?", default=True):
            return _stopped()
        _read(workspace_id, connection)
    if connection.push_approved_at is None:
        _say(known, _named(known, "preview"))
        changes = preview(workspace_id, connection.connection_id)
        for line in described(changes):
            typer.echo(line)
        _say(known, _named(known, "on"))
        if not typer.confirm("Write these as tasks, and new ones from now on?", default=False):
            return _stopped()
        approve(workspace_id, connection.connection_id, now())
        for line in told(push_step(workspace_id, connection.connection_id)):
            typer.echo(line)
    typer.echo("Set up. `undertone serve` keeps it going; `undertone status` shows how it stands.")
    return None


def _map_fields(workspace_id: UUID, connection: Connection, known: Guide) -> Connection:
    """Asks where another field may be meant than the settings name, and shows what is found then. Returns the connection as it is then."""
    source = open_source(workspace_id, connection)
    if not isinstance(source, Mapped):
        return connection
    config = connection.config
    others = by_setting(source.candidates())
    asked = {setting: found for setting, found in others.items() if not {c.field for c in found} <= {config.get(setting)}}
    if asked:
        _say(known, _named(known, "fields"))
    chosen = {setting: _chosen(setting, config.get(setting) or "", found) for setting, found in asked.items()}
    given = {setting: field for setting, field in chosen.items() if field != (config.get(setting) or "")}
    if not given:
        return connection
    connect(workspace_id, connection.connector, connection.name, known.merged(config, given), {})
    changed = connection_named(workspace_id, connection.name)
    again = open_source(workspace_id, changed)
    show(again.preview(now()) if isinstance(again, Mapped) else ())
    return changed


def _chosen(setting: str, kept: str, found: Sequence[Candidate]) -> str:
    """The field that somebody names, by number or name; "" for none."""
    typer.echo(f"\n  {setting} is {kept or 'not set'}. It may be:")
    for number, candidate in enumerate(found, 1):
        typer.echo(printable(f"    {number}  {candidate}"))
    answer = str(typer.prompt("  A number, a field's name, or - for none; Enter keeps it", default=kept or "-", show_default=False)).strip()
    if answer.isdigit() and 1 <= int(answer) <= len(found):
        return found[int(answer) - 1].field
    return "" if answer == "-" else answer


def show(findings: Sequence[Finding]) -> None:
    mark = {"ok": "  ok     ", "warning": "  look   ", "error": "  STOPS  "}
    for finding in findings:
        typer.echo(printable(f"{mark[finding.level]}{finding.about}: {finding.message}"))


def _read(workspace_id: UUID, connection: Connection) -> None:
    report = pull_step(workspace_id, connection.connection_id, now(), limits=WORKER)
    for stream in report.streams:
        typer.echo(printable(f"  {stream.name}: {stream.error or f'{stream.landed:,} rows'}{', more to come' if stream.unfinished else ''}"))
    if report.parked:
        typer.echo(printable(f"  {report.parked} It goes on by itself under `undertone serve`."))
    scored = score_step(workspace_id, now())
    suggested = suggest_step(workspace_id, now())
    typer.echo(f"  {scored.messages:,} messages and {scored.accounts:,} accounts scored, {suggested.opened:,} suggestions opened")


def _say(known: Guide, step: Step) -> None:
    typer.echo(f"\n{known.steps.index(step) + 1} of {len(known.steps)}  {step.title}")
    for line in guide.explained(step):
        typer.echo(line)


def _named(known: Guide, name: guide.StepName) -> Step:
    return next(s for s in known.steps if s.name == name)


def _before(known: Guide, name: guide.StepName) -> int:
    return next((i for i, s in enumerate(known.steps) if s.name == name), len(known.steps))


def _ask_for(secret: str) -> str:
    if secret not in _FILES:
        return str(typer.prompt(secret, hide_input=True)).strip()
    path = Path(str(typer.prompt(f"Path of the file with {secret}")).strip())
    try:
        return path.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError):
        message = f"The secret file {path} cannot be read. Check the path and its permissions."
        raise BadInput(message) from None


def _stopped() -> None:
    typer.echo("Stopped here. The same command goes on with this step.")
