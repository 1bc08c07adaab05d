"""import: one's own mail and usage files, replayed day by day, without a CRM."""

from __future__ import annotations

import dataclasses
import json
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import UTC, date, datetime, time
from itertools import groupby
from pathlib import Path
from textwrap import shorten
from typing import Annotated, Any
from uuid import UUID

import typer
from rich.console import Console
from rich.table import Table

from connectors.account_files.source import ACCOUNT_COLUMNS, CONTACT_COLUMNS
from connectors.addresses import SHARED_DOMAINS, addresses, domain_of
from connectors.mail_files.senders import most_frequent_domain
from connectors.tables import read_rows
from connectors.usage_files.source import columns_of
from service import correspondents, replay, servers
from service.cli.workspace import opened
from service.config import now as clock
from service.config import settings
from service.errors import BadInput
from service.quarantine import place_in_file

Sources = dict[str, dict[str, Any]]
"""Settings by connector."""
MOST_WORDS = 110
"""Characters of a quote in the table."""
_HANDLED: dict[str, str] = {"draft": "draft", "plain_reply": "answer", "log_only": "note", "human_review": "read it", "escalate_no_draft": "escalate"}


def register(app: typer.Typer) -> None:
    app.command("import")(import_files)


def import_files(
    accounts: Annotated[
        Path, typer.Option(help="CSV of accounts: account, name, website, owner_name, owner_email, arr, currency, renewal_date, region, timezone, seats.")
    ],
    mail: Annotated[Path | None, typer.Option(help="Folder (or file) of .eml and .mbox mail, read recursively.")] = None,
    usage: Annotated[Path | None, typer.Option(help="CSV or NDJSON (or a folder of them): account, metric, day (or at, a time), value.")] = None,
    contacts: Annotated[Path | None, typer.Option(help="CSV of contacts: email, name, title, account.")] = None,
    our_domain: Annotated[list[str] | None, typer.Option(help="A mail domain of yours. Repeat for several; found from the files if not given.")] = None,
    now: Annotated[str | None, typer.Option(help="Replay up to this day, like 2026-03-31. Today if not given.")] = None,
    out: Annotated[Path | None, typer.Option(help="Write one JSON object a line to this file instead of a table.")] = None,
    workspace: Annotated[str | None, typer.Option("--workspace", "-w", help="Keep what is read, for the console. Forgotten afterwards if not given.")] = None,
) -> None:
    """What would Undertone have said? Replays your mail and usage as if live and lists every signal with its draft. No CRM, nothing sent."""
    until = _end_of(now) if now else clock()
    sources = _sources(accounts, contacts, mail, usage, our_domain or [])
    with ExitStack() as stack:
        stack.enter_context(servers.throwaway() if workspace is None else servers.running())
        workspace_id = opened(workspace or "import", create=True)
        sources = _with_people(sources, workspace_id)
        console = Console(stderr=True)
        with console.status("reading files") as status:
            landed = replay.land(workspace_id, sources, max(until, clock()), lambda stream, n: status.update(f"{stream}: {n} rows"))
            _report(console, landed)
            rows = replay.replay(workspace_id, until, lambda what, n: status.update(f"scoring {what}: {n}"))
    _write(rows, out)
    console.print(f"{len(rows)} signals up to {until:%Y-%m-%d}.", highlight=False)
    for line in _where_drafts_are(rows, out, workspace):
        console.print(line, highlight=False, markup=False, soft_wrap=True)


def _sources(accounts: Path, contacts: Path | None, mail: Path | None, usage: Path | None, our_domains: Sequence[str]) -> Sources:
    """Everything that can be said to be wrong is said before anything is read."""
    if mail is None and usage is None:
        message = "Give --mail, --usage, or both: accounts alone say nothing."
        raise BadInput(message)
    for path in (accounts, contacts, mail, usage):
        if path is not None and not path.exists():
            message = f"There is no file or folder {path}. Check the path."
            raise BadInput(message)
    for path, columns in ((accounts, ACCOUNT_COLUMNS), (contacts, CONTACT_COLUMNS)):
        if path is not None and path.is_file():
            next(iter(read_rows(path, columns)), None)
    if usage is not None and usage.is_file():
        columns_of(usage)
    found: Sources = {"account_files": {"accounts": str(accounts), "contacts": str(contacts) if contacts else None}}
    if mail:
        found["mail_files"] = {"path": str(mail), "our_domains": list(our_domains) or _our_domains(accounts, mail)}
    if usage:
        found["usage_files"] = {"path": str(usage)}
    return found


def _with_people(sources: Sources, workspace_id: UUID) -> Sources:
    """Where no file says who the customers' people are, their own mail does."""
    files, mail = sources["account_files"], sources.get("mail_files")
    if files["contacts"] or mail is None:
        return sources
    path = settings().home / "imports" / f"{workspace_id}-contacts.csv"
    named = correspondents.write(Path(mail["path"]), Path(files["accounts"]), mail["our_domains"], path)
    return {**sources, "account_files": {**files, "contacts": str(path)}} if named else sources


def _our_domains(accounts: Path, mail: Path) -> list[str]:
    """The owners' domain; else the one from which, or to which, nearly every mail goes."""
    owners = Counter(domain_of(a) for row in read_rows(accounts, ACCOUNT_COLUMNS) for a in addresses(row.values["owner_email"] or ""))
    company = [domain for domain, _ in owners.most_common() if domain not in SHARED_DOMAINS]
    guessed = company[:1] or [d for d in [most_frequent_domain(mail)] if d]
    if not guessed:
        message = "Which mail is yours cannot be told from the files. Name your mail domain with --our-domain example.com."
        raise BadInput(message)
    typer.echo(f"Taking {guessed[0]} for your own mail domain; --our-domain says otherwise.", err=True)
    return guessed


def _end_of(day: str) -> datetime:
    try:
        return datetime.combine(date.fromisoformat(day), time(23, 59, 59), UTC)
    except ValueError:
        message = f"--now must be a day like 2026-03-31, not {day!r}."
        raise BadInput(message) from None


def _report(console: Console, landed: replay.Landed) -> None:
    for stream, count in landed.rows.items():
        console.print(f"{stream}: {count} rows", highlight=False)
    for problem in landed.problems:
        console.print(f"problem: {problem}", markup=False)
    for q in landed.quarantined[:10]:
        console.print(f"left out: {place_in_file(q.source_key)}: {q.reason}", markup=False, highlight=False)
    if len(landed.quarantined) > 10:
        console.print(f"left out: {len(landed.quarantined) - 10} more rows")


def _write(rows: Sequence[replay.Row], out: Path | None) -> None:
    if out:
        out.write_text("".join(json.dumps(dataclasses.asdict(row), default=str, ensure_ascii=False) + "\n" for row in rows), "utf-8")
        return
    console = Console(markup=False)
    console.print(_lines([("raised", "what was noticed", "sure", "in their words", "comes as")]))
    for account, found in groupby(rows, lambda row: row.account):
        console.print(f"{account}", style="bold", highlight=False)
        console.print(_lines([_cells(row) for row in found]), highlight=False)


def _lines(rows: Sequence[Sequence[str]]) -> Table:
    """Columns of one width for every account, so that they stand below each other; only the words grow with the screen."""
    table = Table.grid(padding=(0, 2, 0, 0), expand=True)
    for width in (12, 22, 4, None, 8):
        table.add_column(width=width, ratio=None if width else 1, no_wrap=width == 12)
    for row in rows:
        table.add_row(*row)
    return table


def _cells(row: replay.Row) -> tuple[str, ...]:
    words = str(row.quotes[0]["text"]) if row.quotes else ""
    handled = "draft" if row.draft else _HANDLED.get(row.handling, row.handling)
    return (f"  {row.detected_at}", row.line, f"{row.confidence:.2f}", shorten(words, MOST_WORDS, placeholder=" ..."), handled)


def _where_drafts_are(rows: Sequence[replay.Row], out: Path | None, workspace: str | None) -> list[str]:
    drafts = sum(row.draft is not None for row in rows)
    if not drafts:
        return []
    said = f"{drafts} of them come with a draft" if drafts > 1 else "One of them comes with a draft"
    if out:
        return [f"{said}: the field `draft` of each line in {out}."]
    if workspace is not None:
        opened = f"`undertone suggest -w {workspace}` opens those that are fresh"
        return [f"{said}. {opened}, `undertone key create -w {workspace}` makes a key to sign in with, and `undertone serve` shows them in the console."]
    return [f"{said}. Read them by the same command with --out drafts.jsonl; with --workspace NAME all of it is kept for the console."]
