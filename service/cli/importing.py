"""import: one's own mail and usage files, replayed day by day, without a CRM."""

from __future__ import annotations

import dataclasses
import json
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from connectors.account_files.source import ACCOUNT_COLUMNS, CONTACT_COLUMNS
from connectors.addresses import SHARED_DOMAINS, addresses, domain_of
from connectors.mail_files.senders import most_frequent_domain
from connectors.tables import read_rows
from connectors.usage_files.source import columns_of
from service import replay, servers
from service.cli.workspace import opened
from service.config import now as clock
from service.errors import BadInput


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
        console = Console(stderr=True)
        with console.status("reading files") as status:
            landed = replay.land(workspace_id, sources, max(until, clock()), lambda stream, n: status.update(f"{stream}: {n} rows"))
            _report(console, landed)
            rows = replay.replay(workspace_id, until, lambda what, n: status.update(f"scoring {what}: {n}"))
    _write(rows, out)
    console.print(f"{len(rows)} signals up to {until:%Y-%m-%d}.", highlight=False)


def _sources(accounts: Path, contacts: Path | None, mail: Path | None, usage: Path | None, our_domains: Sequence[str]) -> dict[str, dict[str, Any]]:
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
    found: dict[str, dict[str, Any]] = {"account_files": {"accounts": str(accounts), "contacts": str(contacts) if contacts else None}}
    if mail:
        found["mail_files"] = {"path": str(mail), "our_domains": list(our_domains) or _our_domains(accounts, mail)}
    if usage:
        found["usage_files"] = {"path": str(usage)}
    return found


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
        console.print(f"left out: {q.source_key}: {q.reason}", markup=False, highlight=False)
    if len(landed.quarantined) > 10:
        console.print(f"left out: {len(landed.quarantined) - 10} more rows")


def _write(rows: Sequence[replay.Row], out: Path | None) -> None:
    if out:
        out.write_text("".join(json.dumps(dataclasses.asdict(row), default=str, ensure_ascii=False) + "\n" for row in rows), "utf-8")
        return
    table = Table("account", "kind", "first raised", "sure", "in their words, or numbers", "handling")
    for row in rows:
        words = row.quotes[0]["text"] if row.quotes else ", ".join(f"{k} {v}" for k, v in row.numbers.items())
        table.add_row(row.account, row.kind, row.detected_at.isoformat(), f"{row.confidence:.2f}", str(words)[:160], row.handling)
    Console().print(table)
