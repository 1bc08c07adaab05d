"""policy: what the workspace has decided, version by version; and what another alert budget would have told."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from service import backtest, policy, servers
from service.backtest import BackTest
from service.cli.workspace import Workspace, opened, printable
from service.config import now, real_time
from service.errors import BadInput
from service.policy import Policy, Version
from service.policy.document import LEAST_BUDGET, MOST_BUDGET
from service.store.audit_log import COMMAND_LINE
from service.store.pool import transaction

group = typer.Typer(no_args_is_help=True, help="What the workspace has decided (show, set, history, undo, backtest). docs/policy.md explains each field.")

_PARTS = {"accounts": "accounts.", "rules_off": "rules_off."}


def register(app: typer.Typer) -> None:
    app.add_typer(group, name="policy")


@group.command()
def show(workspace: Workspace = "default") -> None:
    """Print the policy that stands, as the JSON that `set` takes field by field."""
    with servers.running(), transaction(opened(workspace)) as db:
        found = policy.standing(db)
    typer.echo(json.dumps(policy.to_document(found.policy), ensure_ascii=False, indent=2))
    typer.echo(_headline(found), err=True)


@group.command("set")
def set_fields(
    given: Annotated[
        list[str], typer.Argument(metavar="FIELD=VALUE...", help="Like most_open=3; of accounts and rules_off also a part: accounts.least_value=5000.")
    ],
    why: Annotated[str, typer.Option(help="Why, in a line; it stands in the history.")] = "",
    workspace: Workspace = "default",
) -> None:
    """Change fields; each change is a version. A value is JSON or plain text, or @FILE with JSON in it; an empty one takes a part out."""
    with servers.running():
        workspace_id = opened(workspace)
        with transaction(workspace_id) as db:
            stands = policy.standing(db)
        made = policy.change(workspace_id, fields_of(given, stands.policy), COMMAND_LINE, why, stands.version, real_time())
    typer.echo("Nothing changed." if made.version == stands.version else _headline(made))
    for line in made.changed if made.version != stands.version else ():
        typer.echo(printable(f"  {line}"))


@group.command()
def history(workspace: Workspace = "default") -> None:
    """Print every version, the newest first: who, when, why, and from what to what."""
    with servers.running(), transaction(opened(workspace)) as db:
        found = policy.versions(db)
    for version in found:
        typer.echo(_headline(version))
        for line in version.changed:
            typer.echo(printable(f"  {line}"))
    if not found:
        typer.echo("Nothing has been changed yet: every field has its default.")


@group.command()
def undo(version: Annotated[int, typer.Argument(min=1, help="As `history` numbers them.")], workspace: Workspace = "default") -> None:
    """Write a version in which what VERSION changed is as it was before."""
    with servers.running():
        made = policy.undo(opened(workspace), version, COMMAND_LINE, real_time())
    typer.echo(_headline(made))
    for line in made.changed:
        typer.echo(printable(f"  {line}"))


@group.command("backtest")
def try_budget(
    usage_budget: Annotated[float, typer.Option(min=LEAST_BUDGET, max=MOST_BUDGET, help="False alarms of usage drops per account and year.")],
    workspace: Workspace = "default",
) -> None:
    """List the falls of usage that another alert budget would have told in the last 90 days, beside those that were told. Nothing is changed."""
    console = Console(stderr=True, highlight=False, markup=False)
    with servers.running(), console.status("reading what the days taught") as status:
        workspace_id = opened(workspace)
        found = backtest.run(workspace_id, usage_budget, now(), lambda done, total: status.update(f"{done} of {total} days"))
    for line in told(found):
        typer.echo(printable(line))


def told(found: BackTest) -> Iterator[str]:
    """The summary, then a line for each fall."""
    if found.through is None:
        yield "No day of usage has been closed yet: there is nothing to try a budget on."
        return
    yield found.summary
    yield from (f"  {t.mark:14} {t.day}  {t.sentence}" for t in found.told)
    if found.gone:
        yield "No longer told:"
    yield from (f"  {t.mark:14} {t.day}  {t.sentence}" for t in found.gone)


def fields_of(given: Sequence[str], stands: Policy) -> dict[str, Any]:
    """What to change, as in a document. Raises BadInput for what is no FIELD=VALUE."""
    document = policy.to_document(stands)
    found: dict[str, Any] = {}
    for one in given:
        name, equals, text = one.partition("=")
        if not equals:
            message = f"{printable(one)[:60]} is not of the form FIELD=VALUE. Fields are {', '.join(policy.known_fields())}."
            raise BadInput(message)
        whole, dot, part = name.partition(".")
        if dot and whole in _PARTS:
            found[whole] = _with_part(found.get(whole, document[whole]), part, text)
        else:
            found[name] = _value(text)
    return found


def _with_part(whole: Mapping[str, Any], part: str, text: str) -> dict[str, Any]:
    rest = {name: value for name, value in whole.items() if name != part}
    return rest if text == "" else {**rest, part: _value(text)}


def _value(text: str) -> Any:
    if text.startswith("@"):
        return _file(Path(text[1:]))
    if text in ("", "off"):
        return None
    try:
        return json.loads(text)
    except ValueError:
        return text


def _file(path: Path) -> Any:
    try:
        return json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        message = f"{printable(str(path))} cannot be read as JSON in UTF-8."
        raise BadInput(message) from None


def _headline(found: Version) -> str:
    if found.made_at is None:
        return "Version 0: the defaults."
    return printable(" ".join(_parts(found)))


def _parts(found: Version) -> Iterator[str]:
    yield f"Version {found.version}, {found.made_at:%Y-%m-%d %H:%M} UTC, {found.made_by}"
    if found.why:
        yield f"({found.why})"
