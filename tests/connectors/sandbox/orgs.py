"""A tiny story, an org that serves it, and simple-salesforce led to that org."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

import httpx
import pytest
import requests
from requests.adapters import HTTPAdapter
from simple_salesforce.api import Salesforce

from connectors.sandbox import Sandbox
from connectors.sandbox.objects import KEY

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
MAILS = 25
Client = Any
"""A Salesforce of simple-salesforce, whose own types do not know what `sf.Task` is."""
UPSERT = f"composite/sobjects/Task/{KEY}"


def story(folder: Path) -> Path:
    """Two people (one gone), one account with a contact and a renewal, MAILS mails of one second each, a call and a meeting."""
    row_files: dict[str, list[dict[str, Any]]] = {
        "users": [
            {"key": "u1", "name": "Ann Berg", "email": "ann@us.example", "active": True, "manager": None},
            {"key": "u2", "name": "Al Old", "email": "al@us.example", "active": False, "manager": "u1"},
        ],
        "accounts": [
            {"key": k, "name": n, "website": "x.example", "owner": "u1", "region": "DE", "seats": 50, "arr": 12.5, "currency": "EUR"}
            for k, n in (("a1", "Acme"), ("a2", "acre"), ("a3", "Zeta"))
        ],
        "contacts": [{"key": "c1", "account": "a1", "name": "Bo van Lind", "email": "bo@acme.example", "title": None}],
        "opportunities": [
            {"key": "o1", "account": "a1", "name": "Renewal", "type": "Renewal", "stage": "Qualification", "amount": 9.0, "close_date": "2026-05-01"}
            | {"closed": False, "won": False, "primary_contact": "c1", "roles": [{"contact": "c1", "role": "Decision Maker", "primary": True}]}
        ],
        "emails": [
            {"key": f"m{n}", "account": "a1", "at": f"2026-01-02T10:00:{n:02d}Z", "from": "bo@acme.example", "to": ["ann@us.example", "al@us.example"]}
            | {"cc": [], "subject": f"Mail {n}", "body": "Grüße, “hello”\r\n", "message_id": f"<{n}@x>", "incoming": True}
            | {"in_reply_to": f"<{n - 1}@x>" if n else None}
            for n in range(MAILS)
        ],
        "tasks": [
            {"key": "t1", "account": "a1", "contact": "c1", "owner": "u1", "subject": "Call", "description": "", "kind": "call"}
            | {"status": "Completed", "at": "2026-01-05T10:00:00Z"}
        ],
        "events": [
            {"key": "e1", "account": "a1", "contact": "c1", "owner": "u1", "subject": "Review", "description": ""}
            | {"start": "2026-01-06T10:00:00Z", "minutes": 30}
        ],
    }
    about = {"name": "Test org", "product": "Rosters", "our_domain": "us.example", "first_day": "2026-01-01", "last_day": "2026-03-01"}
    (folder / "story.json").write_text(json.dumps(about))
    for name, rows in row_files.items():
        (folder / f"{name}.ndjson").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return folder


class ToSandbox(HTTPAdapter):
    """What a connector's endpoint override does: the https address of the org is answered by `url`."""

    def __init__(self, url: str) -> None:
        super().__init__(pool_maxsize=20)
        self._url = url

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        asked = urlsplit(str(request.url))
        request.url = f"{self._url}{asked.path}?{asked.query}"
        return super().send(request, *args, **kwargs)


def session(sandbox: Sandbox) -> requests.Session:
    session = requests.Session()
    session.mount("https://", ToSandbox(sandbox.url))
    return session


def client(sandbox: Sandbox) -> Client:
    known = sandbox.credentials
    return Salesforce(consumer_key=known.client_id, consumer_secret=known.client_secret, domain=sandbox.domain, session=session(sandbox), version="64.0")


def api(sandbox: Sandbox, version: str = "64.0") -> httpx.Client:
    """A plain HTTP client with a token, below /services/data/v64.0/."""
    headers = {"Authorization": f"Bearer {sandbox.tokens.new_token(sandbox.org.options)}"}
    return httpx.Client(base_url=f"{sandbox.url}/services/data/v{version}/", headers=headers, timeout=10, verify=False)


def soql(api: httpx.Client, text: str) -> list[dict[str, Any]]:
    return cast(list[dict[str, Any]], api.get("query", params={"q": text}).raise_for_status().json()["records"])


def refusal(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()[0]["errorCode"]


def task(key: str | None, sandbox: Sandbox, **fields: Any) -> dict[str, Any]:
    body = {"attributes": {"type": "Task"}, "Subject": "Ask first", "WhatId": sandbox.org.id_of("Account", "a1"), "ActivityDate": "2026-03-05"}
    return body | ({KEY: key} if key else {}) | fields


def upsert(sf: Client, rows: list[dict[str, Any]], **more: Any) -> list[dict[str, Any]]:
    return cast(list[dict[str, Any]], sf.restful(UPSERT, method="PATCH", json={"records": rows, **more}))


def told(raised: pytest.ExceptionInfo[Any]) -> Any:
    """The body of the answer that simple-salesforce made an exception of."""
    return raised.value.content


def code(raised: pytest.ExceptionInfo[Any]) -> str:
    return str(told(raised)[0]["errorCode"])


def names(sf: Client, rest: str) -> list[str]:
    return [row["Name"] for row in sf.query(f"SELECT Name FROM Account {rest}")["records"]]
