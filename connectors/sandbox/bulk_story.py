"""A huge org in seconds: as many tasks and mails as a benchmark wants, put in by the database itself, their long text made up when it is read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from connectors.sandbox.objects import SCHEMA
from connectors.sandbox.org import Org
from connectors.sandbox.schema import SObject

ACCOUNTS = 50
_TEXT = "'{}'".format


def write(folder: Path, *, now: datetime, accounts: int = ACCOUNTS) -> Path:
    """A small story to put the rows into: two users, and accounts with one contact each."""
    first, last = now.date() - timedelta(days=400), now.date()
    about = {"name": "Bulk org", "product": "Rosters", "our_domain": "vendor.example", "first_day": str(first), "last_day": str(last)}
    (folder / "story.json").write_text(json.dumps(about))
    rows: dict[str, list[dict[str, Any]]] = {
        "users": [
            {"key": f"u{n}", "name": name, "email": f"user{n}@vendor.example", "active": True, "manager": None} for n, name in ((1, "Ann Berg"), (2, "Mo Diaz"))
        ],
        "accounts": [
            {"key": f"a{n}", "name": f"Customer {n}", "website": f"customer{n}.example", "owner": f"u{n % 2 + 1}", "region": "DE"}
            | {"seats": 20 + n, "arr": 1_000.0 * n, "currency": "EUR"}
            for n in range(1, accounts + 1)
        ],
        "contacts": [
            {"key": f"c{n}", "account": f"a{n}", "name": f"Bo Buyer{n}", "email": f"bo@customer{n}.example", "title": "Head of shifts"}
            for n in range(1, accounts + 1)
        ],
    }
    for name, lines in rows.items():
        (folder / f"{name}.ndjson").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return folder


def fill(org: Org, *, tasks: int = 0, emails: int = 0, characters: int = 2_000, over: timedelta = timedelta(days=365), one_stamp: bool = False) -> None:
    """Adds rows to the accounts that are there, evenly `over` the time before the org's own, or all of `one_stamp`.

    `characters`: of each row's Description or TextBody. The rows themselves take about 300 bytes each.
    """
    for sobject, field, number, values in ((SCHEMA["task"], "Description", tasks, _TASK), (SCHEMA["emailmessage"], "TextBody", emails, _EMAIL)):
        if number:
            known = org.everything[sobject.name.lower()]
            longest = known.fields[field.lower()]
            # First, so that nobody who asks meanwhile finds the rows without their text.
            org.alter(known.with_field(replace(longest, generated=min(characters, longest.length))))
            _insert(org, sobject, number, values, timedelta() if one_stamp else over)


def _insert(org: Org, sobject: SObject, number: int, values: Mapping[str, str], over: timedelta) -> None:
    """`values` are SQL over `i`, the row's number among the new ones, and `at`, its time."""
    flags = {f.name: "0" for f in sobject.fields.values() if f.type == "boolean"}
    every = {**flags, "CreatedDate": "at", "LastModifiedDate": "at", "SystemModstamp": "at", "LastModifiedById": "owner", "CreatedById": "owner", **values}
    begin = (org.clock.now() - max(over, timedelta(minutes=10))).timestamp()
    step = over.total_seconds() * 0.999 / number
    statement = f"""
        INSERT INTO "{sobject.name}" (Id, _number, {", ".join(f'"{name}"' for name in every)})
        WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?),
             people AS (SELECT row_number() OVER (ORDER BY c._number) AS place, c.Id AS contact, c.Email AS email, a.Id AS account, a.OwnerId AS owner
                        FROM Contact c JOIN Account a ON a.Id = c.AccountId),
             rows AS (SELECT i, strftime('%Y-%m-%dT%H:%M:%S', ? + i * ?, 'unixepoch') || '.000+0000' AS at, contact, email, account, owner
                      FROM n JOIN people ON place = 1 + i % (SELECT count(*) FROM people))
        SELECT record_id(?, ? + i), ? + i, {", ".join(every.values())} FROM rows"""
    held = org.tables.fetch(f'SELECT coalesce(max(_number), 0) FROM "{sobject.name}"')[0][0]
    org.tables.change(statement, (number, begin, step, sobject.prefix, held, held))


_TASK = {
    "WhoId": "contact",
    "WhatId": "account",
    "AccountId": "account",
    "OwnerId": "owner",
    "Subject": "'Call ' || i",
    "ActivityDate": "substr(at, 1, 10)",
    "Status": _TEXT("Completed"),
    "Priority": _TEXT("Normal"),
    "TaskSubtype": _TEXT("Call"),
    "IsClosed": "1",
    "CompletedDateTime": "at",
}
_EMAIL = {
    "RelatedToId": "account",
    "Subject": "'Rosters, week ' || (1 + i % 52)",
    "FromAddress": "CASE i % 3 WHEN 0 THEN 'user1@vendor.example' ELSE email END",
    "ToAddress": "CASE i % 3 WHEN 0 THEN email ELSE 'user1@vendor.example' END",
    "Incoming": "i % 3 != 0",
    "Status": "CASE i % 3 WHEN 0 THEN '3' ELSE '1' END",
    "MessageDate": "at",
    "MessageIdentifier": "'<bulk-' || i || '@mail.example>'",
}
