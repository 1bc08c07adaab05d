"""Rows of EmailMessage, Task and Event as interactions; our own tasks as their states."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from email.parser import HeaderParser
from email.policy import compat32

from connectors.addresses import SHARED_DOMAINS, addresses, domain_of, is_ours
from connectors.automatic import is_automatic
from connectors.characters import clean
from connectors.markup import html_to_text
from connectors.records import Direction, Interaction, InteractionKind, Record, TaskState
from connectors.salesforce.row import Row, UnusableRow

MAX_CHARS = 64_000
"""As much of a body as is ever read for its tone."""
MAX_SUBJECT = 1_000
_MAX_ADDRESSES = 20_000
KEY_LINE = "Undertone key: "
"""In an org without a field for it, the key is the last line of a task's description."""

_KEY = re.compile(r"ut-[a-z0-9-]{1,37}")
_ID = re.compile(r"<[^<>\s]{1,250}>")
_NOON = time(12, tzinfo=UTC)
_DRAFT = "5"
_CALLS: Mapping[str | None, Direction] = {"Inbound": "in", "Internal": "internal"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Ours:
    """Our side: whole domains, and single addresses at mail providers."""

    domains: frozenset[str] = frozenset()
    addresses: frozenset[str] = frozenset()

    def __contains__(self, address: str) -> bool:
        return address in self.addresses or is_ours(address, self.domains)


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What a page of emails needs from other objects. `accounts`: of an opportunity or a case, its account."""

    ours: Ours = field(default_factory=Ours)
    accounts: Mapping[str, str] = field(default_factory=dict)
    html: Mapping[str, str] = field(default_factory=dict)


def ours(emails: Collection[str], domains: Collection[str]) -> Ours:
    found = addresses(*emails)
    company = {domain_of(a) for a in found if domain_of(a) not in SHARED_DOMAINS}
    return Ours(domains=frozenset(company | {d.strip().lower().lstrip("@") for d in domains}), addresses=frozenset(found))


def email(row: Row, around: Surroundings) -> list[Record]:
    """Without drafts. Raises UnusableRow for one that names nobody."""
    if row.flag("draft") or row.text("status") == _DRAFT:
        return []
    sender = next(iter(_addresses(row, "from_email")), None)
    to, cc = _addresses(row, "to_emails"), _addresses(row, "cc_emails")
    direction = _direction(sender, (*to, *cc), row.says("incoming"), around.ours)
    if sender is None and (direction != "out" or not to):
        message = "it has no address: neither who wrote it nor to whom can be told"
        raise UnusableRow(message)
    headers = _headers(row.text("headers"))
    subject = _subject(row)
    body = row.text("body") or html_to_text(around.html.get(row.key, ""))
    return [
        Interaction(
            key=row.key,
            kind="email",
            direction=direction,
            occurred_at=row.time("occurred_at") or row.time("created_at") or row.stamp,
            account_key=_account_of(row, around.accounts),
            from_email=sender,
            to_emails=to,
            cc_emails=cc,
            subject="" if row.deleted else subject,
            body="" if row.deleted else body[:MAX_CHARS],
            body_truncated=len(body) > MAX_CHARS,
            message_id=_message_id(row.text("message_id") or headers.get("message-id")),
            in_reply_to=_message_id(headers.get("in-reply-to") or row.text("in_reply_to")),
            automatic=is_automatic({"from": sender or "", **headers}, subject, body),
            modified_at=row.stamp,
            deleted=row.deleted,
        )
    ]


def task(row: Row) -> list[Record]:
    """Ours: its state. A call or a note that someone else has closed: what was done. An email's task, or an open one: nothing."""
    body = row.text("body")
    key = row.text("task_key") or key_in(body)
    if key:
        return [state(row, key)]
    subtype = row.text("subtype")
    if not row.flag("is_closed") or row.flag("recurring") or subtype in ("Email", "ListEmail"):
        return []
    if subtype == "Call" or row.text("call_type") or row.number("call_seconds"):
        return [_activity(row, "call", _CALLS.get(row.text("call_type"), "out"), _done_at(row), body)]
    return [_activity(row, "note", "internal", _done_at(row), body)] if body else []


def event(row: Row) -> list[Record]:
    """Not the head of a series, which stands for no meeting, nor an invitee's copy, nor what is private."""
    if row.flag("recurring") or row.flag("child") or row.flag("private"):
        return []
    at = None if row.flag("all_day") else row.time("starts_at")
    return [_activity(row, "meeting", "out", at or _noon(row.day("day")) or row.stamp, row.text("body"))]


def key_in(description: str | None) -> str | None:
    if not description or KEY_LINE not in description:
        return None
    last = description.rstrip().rpartition("\n")[2].strip()
    key = last.removeprefix(KEY_LINE)
    return key if last.startswith(KEY_LINE) and _KEY.fullmatch(key) else None


def state(row: Row, key: str) -> TaskState:
    """One of our tasks as it stands now."""
    feedback = _plain(row, "feedback")
    return TaskState(
        key=clean(key),
        remote_id=row.key,
        status=_plain(row, "status"),
        is_closed=row.flag("is_closed"),
        owner_key=_plain(row, "owner_key"),
        feedback=feedback.strip().lower().replace(" ", "_") if feedback else None,
        edited_by_key=_plain(row, "edited_by_key"),
        modified_at=row.stamp,
        deleted=row.deleted,
    )


def _plain(row: Row, name: str) -> str | None:
    """Of a state, whose few words are compared and not read."""
    text = row.text(name)
    return clean(text) if text else None


def _activity(row: Row, kind: InteractionKind, direction: Direction, at: datetime, body: str | None) -> Interaction:
    """The words are those of whoever logged it, one of us: they are never handed over as if the customer had written them."""
    deleted = row.deleted
    keeps_words = direction != "in" and not deleted
    words = body or "" if keeps_words else ""
    contact = row.text("contact_key")
    return Interaction(
        key=row.key,
        kind=kind,
        direction=direction,
        occurred_at=at,
        account_key=row.text("account_key"),
        contact_key=contact if contact and contact.startswith("003") else None,
        subject=_subject(row) if keeps_words else "",
        body=words[:MAX_CHARS],
        body_truncated=len(words) > MAX_CHARS,
        modified_at=row.stamp,
        deleted=deleted,
    )


def _done_at(row: Row) -> datetime:
    """The day it was done on, at the hour it was closed if that was the same day."""
    day, completed = row.day("day"), row.time("completed_at")
    if completed and day in (None, completed.date()):
        return completed
    return _noon(day) or row.time("created_at") or row.stamp


def _noon(day: date | None) -> datetime | None:
    """Noon in UTC is the same day almost everywhere."""
    return datetime.combine(day, _NOON) if day else None


def _direction(sender: str | None, recipients: Collection[str], incoming: bool | None, our_side: Ours) -> Direction:  # noqa: FBT001 - as the row says it
    if sender is not None and sender in our_side:
        return "out" if any(r not in our_side for r in recipients) or not recipients else "internal"
    if incoming is False:
        return "out"
    return "in" if sender else "unknown"


def _account_of(row: Row, accounts: Mapping[str, str]) -> str | None:
    for name in ("related_key", "parent_key"):
        key = row.text(name) or ""
        if key.startswith("001"):
            return key
        if key in accounts:
            return accounts[key]
    return None


def _addresses(row: Row, name: str) -> tuple[str, ...]:
    """Salesforce puts semicolons between addresses, mail programs commas."""
    text = (row.text(name) or "")[:_MAX_ADDRESSES]
    return addresses(*text.replace(",", ";").split(";"))


def _headers(raw: str | None) -> dict[str, str]:
    if not raw:
        return {}
    return {name.lower(): str(value) for name, value in HeaderParser(policy=compat32).parsestr(raw).items()}


def _message_id(text: str | None) -> str | None:
    found = _ID.search(text or "")
    return found.group() if found else None


def _subject(row: Row) -> str:
    return (row.text("subject") or "")[:MAX_SUBJECT]
