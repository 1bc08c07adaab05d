"""A story folder as the rows of an org. Reads what a CRM would hold; whatever else lies in the folder is not its business."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from connectors.sandbox import clock, ids
from connectors.sandbox.errors import StoryError
from connectors.sandbox.objects import SCHEMA, TASK_PRIORITIES, TASK_STATUSES
from connectors.sandbox.tables import Row, Tables

_OBJECT_OF = {
    "users": "User",
    "accounts": "Account",
    "contacts": "Contact",
    "opportunities": "Opportunity",
    "emails": "EmailMessage",
    "tasks": "Task",
    "events": "Event",
}
_EMAIL_READ, _EMAIL_SENT = "1", "3"


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    name: str
    product: str
    our_domain: str
    first_day: date
    last_day: date
    rows: Mapping[str, list[dict[str, Any]]]
    fingerprint: str


def read(folder: Path) -> Story:
    """Raises StoryError naming file and line. Files other than story.json may be missing: then there are no such rows."""
    about_file = folder / "story.json"
    try:
        about = json.loads(about_file.read_text("utf-8"))
        story = Story(
            name=about["name"],
            product=about["product"],
            our_domain=about["our_domain"],
            first_day=date.fromisoformat(about["first_day"]),
            last_day=date.fromisoformat(about["last_day"]),
            rows={name: list(_lines(folder / f"{name}.ndjson")) for name in _OBJECT_OF},
            fingerprint=_fingerprint(folder),
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        message = f"{about_file} cannot be read as a story: {type(error).__name__} {error}. It needs name, product, our_domain, first_day and last_day."
        raise StoryError(message) from error
    return story


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    if not path.exists():
        return
    with path.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            try:
                row = json.loads(line)
            except ValueError as error:
                message = f"{path} line {number} is not JSON: {error}"
                raise StoryError(message) from error
            if not isinstance(row, dict):
                message = f"{path} line {number} is no object"
                raise StoryError(message)
            yield row


def _fingerprint(folder: Path) -> str:
    """Of the story and of our tables: a state file fits neither another story nor another version of the tables."""
    digest = hashlib.sha256(repr(SCHEMA).encode())
    for name in ["story.json", *(f"{f}.ndjson" for f in _OBJECT_OF)]:
        path = folder / name
        digest.update(name.encode() + (path.read_bytes() if path.exists() else b""))
    return digest.hexdigest()


def load(story: Story, tables: Tables) -> None:
    """Fills empty tables. Raises StoryError for a row that points at nothing or lacks a value."""
    try:
        loader = _Loader(story)
        with tables.transaction():
            for object_name, rows in loader.tables():
                tables.load(SCHEMA[object_name.lower()], rows)
    except (UnicodeEncodeError, KeyError, sqlite3.Error) as error:
        message = f"The story {story.name} cannot be loaded: {type(error).__name__} {error}."
        raise StoryError(message) from error


@dataclass(slots=True)
class _Loader:
    story: Story
    known: dict[str, dict[str, str]] = field(default_factory=dict)
    """Per object: id by the story's key."""
    by_message_id: dict[str, Row] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for file, object_name in _OBJECT_OF.items():
            prefix = SCHEMA[object_name.lower()].prefix
            self.known[object_name] = {row["key"]: ids.record_id(prefix, n) for n, row in enumerate(self.story.rows[file], 1)}
        self.by_message_id = {row["message_id"]: row for row in self.story.rows["emails"]}

    def tables(self) -> Iterator[tuple[str, list[Row]]]:
        yield "Organization", [self._organization()]
        yield "TaskStatus", [self._choice("TaskStatus", n, name, IsClosed=closed) for n, (name, closed) in enumerate(TASK_STATUSES.items(), 1)]
        yield "TaskPriority", [self._choice("TaskPriority", n, name, IsHighPriority=name == "High") for n, name in enumerate(TASK_PRIORITIES, 1)]
        for file, object_name in _OBJECT_OF.items():
            yield object_name, [self._row(file, number, row) for number, row in enumerate(self.story.rows[file], 1)]
        yield "OpportunityContactRole", list(self._roles())

    def _row(self, file: str, number: int, row: Row) -> Row:
        object_name = _OBJECT_OF[file]
        try:
            at, values = getattr(self, f"_{file}")(row)
            return self._with_audit(object_name, number, at, values) | {"_key": row["key"]}
        except (KeyError, ValueError, TypeError) as error:
            message = f"{file}.ndjson line {number}: {type(error).__name__} {error}; a value is missing, malformed or points at nothing."
            raise StoryError(message) from error

    def _with_audit(self, object_name: str, number: int, at: str, values: Row) -> Row:
        sobject = SCHEMA[object_name.lower()]
        defaults = {f.name: f.default for f in sobject.fields.values() if f.type == "boolean"}
        stamps = {"CreatedDate": at, "LastModifiedDate": at, "SystemModstamp": at}
        return {**defaults, "Id": ids.record_id(sobject.prefix, number), "_key": None, **stamps, **values}

    @property
    def _beginning(self) -> str:
        return f"{self.story.first_day.isoformat()}T00:00:00.000+0000"

    def _id(self, object_name: str, key: str | None) -> str | None:
        return None if key is None else self.known[object_name][key]

    def _organization(self) -> Row:
        values = {"Name": self.story.name, "IsSandbox": True, "InstanceName": "UT1", "OrganizationType": "Developer Edition", "TimeZoneSidKey": "GMT"}
        return self._with_audit("Organization", 1, self._beginning, values)

    def _choice(self, object_name: str, number: int, name: str, **flags: bool) -> Row:
        values: Row = {"MasterLabel": name, "ApiName": name, "SortOrder": number, "IsDefault": name in ("Not Started", "Normal"), **flags}
        return self._with_audit(object_name, number, self._beginning, values)

    def _users(self, row: Row) -> tuple[str, Row]:
        return self._beginning, {
            **_person(row["name"]),
            "Username": row["email"],
            "Email": row["email"],
            "IsActive": row["active"],
            "ManagerId": self._id("User", row["manager"]),
            "UserType": "Standard",
        }

    def _accounts(self, row: Row) -> tuple[str, Row]:
        return self._beginning, {
            "Name": row["name"],
            "Website": row["website"],
            "OwnerId": self._id("User", row["owner"]),
            "BillingCountryCode": row["region"],
            "Seats__c": row["seats"],
            "ARR__c": row["arr"],
            "CurrencyIsoCode": row["currency"],
        }

    def _contacts(self, row: Row) -> tuple[str, Row]:
        account_id = self._id("Account", row["account"])
        return self._beginning, {**_person(row["name"]), "AccountId": account_id, "Email": row["email"], "Title": row["title"]}

    def _opportunities(self, row: Row) -> tuple[str, Row]:
        return self._beginning, {
            "AccountId": self._id("Account", row["account"]),
            "Name": row["name"],
            "Type": row["type"],
            "StageName": row["stage"],
            "Amount": row["amount"],
            "CloseDate": row["close_date"],
            "IsClosed": row["closed"],
            "IsWon": row["won"],
        }

    def _roles(self) -> Iterator[Row]:
        number = 0
        for opportunity in self.story.rows["opportunities"]:
            for role in opportunity["roles"]:
                number += 1
                values = {
                    "OpportunityId": self._id("Opportunity", opportunity["key"]),
                    "ContactId": self._id("Contact", role["contact"]),
                    "Role": role["role"],
                    "IsPrimary": role["primary"],
                }
                yield self._with_audit("OpportunityContactRole", number, self._beginning, values)

    def _emails(self, row: Row) -> tuple[str, Row]:
        at = clock.wire(clock.parse(row["at"]))
        answered = self.by_message_id.get(row["in_reply_to"])
        return at, {
            "TextBody": row["body"][: SCHEMA["emailmessage"].fields["textbody"].length],
            "Subject": row["subject"],
            "FromAddress": row["from"],
            "ToAddress": "; ".join(row["to"]),
            "CcAddress": "; ".join(row["cc"]) or None,
            "Incoming": row["incoming"],
            "Status": _EMAIL_READ if row["incoming"] else _EMAIL_SENT,
            "MessageDate": at,
            "RelatedToId": self._id("Account", row["account"]),
            "MessageIdentifier": row["message_id"],
            "ThreadIdentifier": self._thread(row),
            "ReplyToEmailMessageId": self._id("EmailMessage", answered["key"]) if answered else None,
        }

    def _thread(self, row: Row) -> str:
        """The Message-ID that the thread began with, as far as it can be followed."""
        seen = {row["message_id"]}
        while row["in_reply_to"] and row["in_reply_to"] not in seen:
            seen.add(row["in_reply_to"])
            answered = self.by_message_id.get(row["in_reply_to"])
            if answered is None:
                return str(row["in_reply_to"])
            row = answered
        return str(row["message_id"])

    def _tasks(self, row: Row) -> tuple[str, Row]:
        at = clock.wire(clock.parse(row["at"]))
        closed = TASK_STATUSES[row["status"]]
        return at, {
            **self._activity(row),
            "ActivityDate": at[:10],
            "Status": row["status"],
            "Priority": "Normal",
            "TaskSubtype": "Call" if row["kind"] == "call" else "Task",
            "IsClosed": closed,
            "CompletedDateTime": at if closed else None,
        }

    def _events(self, row: Row) -> tuple[str, Row]:
        start = clock.parse(row["start"])
        at = clock.wire(start)
        return at, {
            **self._activity(row),
            "StartDateTime": at,
            "ActivityDateTime": at,
            "ActivityDate": at[:10],
            "EndDateTime": clock.wire(start + timedelta(minutes=row["minutes"])),
            "DurationInMinutes": row["minutes"],
            "EventSubtype": "Event",
        }

    def _activity(self, row: Row) -> Row:
        account_id = self._id("Account", row["account"])
        return {
            "WhatId": account_id,
            "AccountId": account_id,
            "WhoId": self._id("Contact", row["contact"]),
            "OwnerId": self._id("User", row["owner"]),
            "Subject": row["subject"],
            "Description": row["description"],
        }


def _person(name: str) -> Row:
    first, _, last = name.rpartition(" ")
    return {"FirstName": first or None, "LastName": last, "Name": name}
