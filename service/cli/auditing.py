"""audit: is every draft that was shown still what its inputs make?"""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

import typer

from service import audit, servers
from service.cli.workspace import Workspace, opened, printable
from service.errors import BadInput, NotFound

group = typer.Typer(no_args_is_help=True, help="The record of the drafts that were shown (replay).")


_LIKE = "3f2b8c1e-5d47-4a90-9c6b-1e7f0a2d4b58"
_WHERE = "`undertone export suggestions` lists the ids in its first column, and the answer of GET /v1/suggestions has them as `id`."


def register(app: typer.Typer) -> None:
    app.add_typer(group, name="audit")


@group.callback()
def records() -> None:
    """Keeps `replay` a word of its own while it is the only one."""


@group.command()
def replay(
    id_: Annotated[str, typer.Argument(metavar="ID", help="The id of a suggestion, as `undertone export suggestions` lists it, or of one draft.")],
    workspace: Workspace = "default",
) -> None:
    """Make each draft of a suggestion again from what it was made from, and say whether it comes out the same, byte for byte.

    Exit code 1 where one differs although nothing has changed.
    """
    wanted = _id(id_)
    with servers.running():
        try:
            found = audit.audit(opened(workspace), wanted)
        except NotFound:
            message = f"No suggestion and no draft of the workspace {printable(workspace)} has the id {wanted}. {_WHERE}"
            raise NotFound(message) from None
    if not found:
        typer.echo("No draft of this suggestion is on record: none was shown, or it was made before the record was kept.")
    for one in found:
        typer.echo(f"{one.draft_id}  version {one.version}, made on {one.made_on}: {audit.SENTENCES[one.verdict]}")
        typer.echo(f"  {one.engine_version}, {one.rules_version}, seed {one.seed}, sha256 {one.sha256}")
        count = len(one.report.findings)
        found_by = f"{count} finding{'s' * (count != 1)} of {one.report.checked} rules"
        typer.echo(f"  rests on {', '.join(one.evidence) or 'no evidence'}; {found_by}")
    if any(one.verdict == "differs" for one in found):
        raise typer.Exit(1)


def _id(given: str) -> UUID:
    try:
        return UUID(given.strip())
    except ValueError:
        message = f"An id is 32 digits and letters from a to f in five groups, like {_LIKE}; this is none. {_WHERE}"
        raise BadInput(message) from None
