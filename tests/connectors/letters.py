"""Letters to read, and how the tests read them."""

from __future__ import annotations

from datetime import UTC, datetime

from connectors.base import Cursor
from connectors.context import alone
from connectors.mail_files import CONNECTOR
from connectors.mail_files.parse import interaction

NOW = datetime(2026, 3, 31, tzinfo=UTC)
OURS = ("ours.example",)
HEAD = b"From: Bo <bo@theirs.example>\nTo: ann@ours.example\nDate: Tue, 3 Mar 2026 10:00:00 +0100\nMessage-ID: <1@x>\n"


def parsed(raw, until=NOW):
    return interaction(raw if isinstance(raw, bytes) else raw.encode(), OURS, until)


def mail(body="Hello.", **headers):
    lines = {
        "From": "bo@theirs.example",
        "To": "ann@ours.example",
        "Date": "Tue, 3 Mar 2026 10:00:00 +0000",
        **{k.replace("_", "-"): v for k, v in headers.items()},
    }
    return "".join(f"{k}: {v}\n" for k, v in lines.items() if v is not None).encode() + b"\n" + (body if isinstance(body, bytes) else body.encode())


def source(path, our_domains="ours.example"):
    return CONNECTOR.source(alone({"path": str(path), "our_domains": our_domains}))


def read(path, after=Cursor()):  # noqa: B008 - frozen
    return list(source(path).read("emails", after, NOW))


def records(pages):
    return [r for page in pages for r in page.records]


def reasons(pages):
    return {r.source_key: r.reason for page in pages for r in page.rejected}
