"""`python -m connectors.sandbox --story DIR --port N`: a Salesforce org to play with, over HTTP."""

from __future__ import annotations

import argparse
import json
import signal
import sys
import tempfile
import threading
from datetime import UTC, datetime
from pathlib import Path

from connectors.sandbox import admin, bulk_story, clock, faults
from connectors.sandbox.auth import Credentials
from connectors.sandbox.errors import StoryError
from connectors.sandbox.run import Sandbox, running
from connectors.sandbox.schema import Options


def main(arguments: list[str] | None = None) -> int:
    parser = _parser()
    given = parser.parse_args(arguments)
    added = given.add_tasks or given.add_emails
    if not given.story and not added:
        parser.error("give --story, or --add-tasks or --add-emails for an org made up from nothing")
    if given.state and added:
        parser.error("--add-tasks and --add-emails make an org in memory: leave --state out")
    try:
        with tempfile.TemporaryDirectory() as folder:
            story = given.story or bulk_story.write(Path(folder), now=given.now or datetime.now(UTC))
            _serve(given, story)
    except (StoryError, OSError, ValueError) as error:
        sys.stderr.write(f"The sandbox did not start: {error}\n")
        return 1
    return 0


def _serve(given: argparse.Namespace, story: Path) -> None:
    public_key = given.public_key.read_text("utf-8") if given.public_key else None
    secrets = {name: getattr(given, name) for name in ("client_id", "client_secret", "username", "refresh_token", "password", "security_token")}
    credentials = Credentials(public_key=public_key, **secrets)
    ended = _told_to_end()
    with running(story, host=given.host, port=given.port, now=given.now, options=_options(given), credentials=credentials, state=given.state) as sandbox:
        bulk_story.fill(sandbox.org, tasks=given.add_tasks, emails=given.add_emails, characters=given.add_characters)
        sandbox.faults.add(*map(_fault, given.fault))
        _say(sandbox)
        ended.wait()


def _options(given: argparse.Namespace) -> Options:
    return Options(
        key_field=given.key_field,
        hidden=frozenset(given.hide),
        read_only=frozenset(given.read_only),
        empty=frozenset(given.empty),
        page_size=given.page_size,
        uneven_pages=given.uneven_pages,
        bulk_page_rows=given.bulk_page_rows,
        bulk_polls=given.bulk_polls,
        daily_limit=given.daily_limit,
        rotate_refresh_token=given.rotate_refresh_token,
        token_seconds=given.token_seconds,
        soap_login=not given.no_soap_login,
        domain=given.domain,
        named_by_host=given.named_by_host,
    )


def _fault(text: str) -> faults.Fault:
    """Raises ValueError for what is no fault as JSON."""
    try:
        return faults.from_json(json.loads(text))
    except TypeError as error:
        message = f"--fault {text} is no JSON object"
        raise ValueError(message) from error


def _say(sandbox: Sandbox) -> None:
    sys.stdout.write(f"The org {sandbox.org.story.name} answers at {sandbox.url}; its task list is {sandbox.url}/sandbox/tasks\n")
    sys.stdout.flush()


def _parser() -> argparse.ArgumentParser:
    known, usual = Credentials(), Options()
    epilog = f"""Faults (--fault, POST /sandbox/faults): {", ".join(faults.KINDS)}.
Verbs of POST /sandbox/admin: {", ".join(admin.__all__)}. Both are explained in connectors/sandbox/README.md."""
    parser = argparse.ArgumentParser(prog="python -m connectors.sandbox", description=__doc__, epilog=epilog)
    where = parser.add_argument_group("what is served, and where")
    where.add_argument("--story", type=Path, metavar="DIR", help="the folder with story.json")
    where.add_argument("--port", type=int, default=0, help="0 takes a free one and says which")
    where.add_argument("--host", default="127.0.0.1")
    where.add_argument("--state", type=Path, metavar="FILE", help="a SQLite file in which the org outlives this process")
    where.add_argument("--now", type=clock.parse, help="the org's time, such as 2026-03-02T09:00:00Z; the real one if left out")
    where.add_argument("--add-tasks", type=int, default=0, metavar="N", help="a huge org: so many calls more, made up")
    where.add_argument("--add-emails", type=int, default=0, metavar="N", help="so many mails more, made up")
    where.add_argument("--add-characters", type=int, default=2_000, metavar="N", help="of the text of each of them")
    access = parser.add_argument_group("who gets in")
    for name in ("client-id", "client-secret", "username", "refresh-token", "password", "security-token"):
        access.add_argument(f"--{name}", default=getattr(known, name.replace("-", "_")), metavar="TEXT", help="default: %(default)s")
    access.add_argument("--public-key", type=Path, metavar="FILE", help="PEM file that checks JWT assertions")
    access.add_argument("--rotate-refresh-token", action="store_true", help="each refresh token works once")
    access.add_argument("--token-seconds", type=int, default=usual.token_seconds, metavar="N", help="life of an access token")
    access.add_argument("--no-soap-login", action="store_true", help="as in new orgs")
    access.add_argument("--domain", default=usual.domain, metavar="NAME", help="My Domain: the org is NAME.salesforce.com (%(default)s)")
    by_host = "whether tokens name the host that was asked, so that a client over plain HTTP finds the way back; without it, always NAME.salesforce.com"
    access.add_argument("--named-by-host", action=argparse.BooleanOptionalAction, default=usual.named_by_host, help=by_host)
    shape = parser.add_argument_group("what an admin made of the org")
    shape.add_argument("--key-field", choices=("unique", "external", "missing"), default="unique", help="what Undertone_Key__c is")
    shape.add_argument("--hide", action="append", default=[], metavar="Object[.Field]", help="as if by field-level security; may be repeated")
    shape.add_argument("--read-only", action="append", default=[], metavar="Object.Field", help="may be repeated")
    shape.add_argument("--empty", action="append", default=[], metavar="Object", help="an object without rows, such as EmailMessage; may be repeated")
    limits = parser.add_argument_group("pages, limits and faults")
    limits.add_argument("--page-size", type=int, default=usual.page_size, metavar="N", help="most rows on a page of a query")
    limits.add_argument("--uneven-pages", action="store_true", help="each page holds another number of rows")
    limits.add_argument("--bulk-page-rows", type=int, default=usual.bulk_page_rows, metavar="N", help="most rows in one set of bulk results")
    limits.add_argument("--bulk-polls", type=int, default=usual.bulk_polls, metavar="N", help="how often a bulk job is still under way when asked after")
    limits.add_argument("--daily-limit", type=int, default=usual.daily_limit, metavar="N", help="API calls a day")
    limits.add_argument("--fault", action="append", default=[], metavar="JSON", help='such as \'{"kind": "slow", "on": "query", "times": 3}\'; may be repeated')
    return parser


def _told_to_end() -> threading.Event:
    """Listens from before the address is said: whoever reads it may end the org at once."""
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    return ended


if __name__ == "__main__":
    sys.exit(main())
