"""`python -m connectors.sandbox --story DIR --port N`"""

from __future__ import annotations

import argparse
import signal
import sys
import threading
from pathlib import Path

from connectors.sandbox import clock
from connectors.sandbox.auth import Credentials
from connectors.sandbox.errors import StoryError
from connectors.sandbox.run import running
from connectors.sandbox.schema import Options


def main(arguments: list[str] | None = None) -> int:
    given = _parser().parse_args(arguments)
    try:
        public_key = given.public_key.read_text("utf-8") if given.public_key else None
        credentials = Credentials(client_id=given.client_id, client_secret=given.client_secret, username=given.username, public_key=public_key)
        options = Options(key_field=given.key_field, hidden=frozenset(given.hide), empty=frozenset(given.empty), page_size=given.page_size)
        with running(given.story, host=given.host, port=given.port, now=given.now, options=options, credentials=credentials, state=given.state) as sandbox:
            sys.stdout.write(f"The org {sandbox.org.story.name} answers at {sandbox.url}; its task list is {sandbox.url}/sandbox/tasks\n")
            sys.stdout.flush()
            _wait_for_the_end()
    except (StoryError, OSError) as error:
        sys.stderr.write(f"The sandbox did not start: {error}\n")
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    known = Credentials()
    parser = argparse.ArgumentParser(prog="python -m connectors.sandbox", description=__doc__)
    parser.add_argument("--story", type=Path, required=True, help="the folder with story.json")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one and says which")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--state", type=Path, help="a SQLite file in which the org outlives this process")
    parser.add_argument("--now", type=clock.parse, help="the org's time, such as 2026-03-02T09:00:00Z; the real one if left out")
    parser.add_argument("--client-id", default=known.client_id)
    parser.add_argument("--client-secret", default=known.client_secret)
    parser.add_argument("--username", default=known.username)
    parser.add_argument("--public-key", type=Path, help="PEM file that checks JWT assertions")
    parser.add_argument("--key-field", choices=("unique", "external", "missing"), default="unique", help="what an admin made of Undertone_Key__c")
    parser.add_argument("--hide", action="append", default=[], metavar="Object[.Field]", help="as if by field-level security")
    parser.add_argument("--empty", action="append", default=[], metavar="Object", help="an object without rows, such as EmailMessage")
    parser.add_argument("--page-size", type=int, default=2_000)
    return parser


def _wait_for_the_end() -> None:
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    ended.wait()


if __name__ == "__main__":
    sys.exit(main())
