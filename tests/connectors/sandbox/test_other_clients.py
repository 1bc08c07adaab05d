"""Clients that we did not write: simple-salesforce as it comes, and any HTTP client without an adapter."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from simple_salesforce.api import Salesforce

from connectors.sandbox import Options, Sandbox, running
from connectors.sandbox.objects import KEY
from tests.connectors.sandbox import orgs
from tests.connectors.sandbox.orgs import Client

_NAMED_BY_HOST = Options(named_by_host=True)


@pytest.fixture
def by_host(story: Path) -> Iterator[Sandbox]:
    with running(story, now=orgs.NOW, options=_NAMED_BY_HOST) as started:
        yield started


def _login(sandbox: Sandbox, base: str, **headers: str) -> dict[str, Any]:
    known = sandbox.credentials
    form = {"grant_type": "client_credentials", "client_id": known.client_id, "client_secret": known.client_secret}
    answer: dict[str, Any] = httpx.post(f"{base}/services/oauth2/token", data=form, headers=headers, verify=False).raise_for_status().json()
    return answer


def test_a_client_over_plain_http_is_led_by_what_the_login_answers(by_host: Sandbox) -> None:
    for base in (by_host.url, by_host.url.replace("127.0.0.1", "localhost")):
        token = _login(by_host, base)
        assert token["instance_url"] == base
        with httpx.Client(headers={"Authorization": f"Bearer {token['access_token']}"}, base_url=token["instance_url"], verify=False) as http:
            who = http.get(token["id"]).json()
            assert who["id"] == token["id"]
            assert who["username"] == by_host.credentials.username
            query = http.get(who["urls"]["query"].replace("{version}", "64.0"), params={"q": "SELECT Id FROM EmailMessage LIMIT 3"}).json()
            assert query["totalSize"] == 3
            assert http.get("/services/oauth2/userinfo").json()["user_id"] == by_host.org.user_id


def test_a_client_that_asks_salesforces_host_is_led_back_to_it(by_host: Sandbox) -> None:
    for host, site in (("acme.my.salesforce.com", "acme.my"), ("login.salesforce.com", by_host.domain), ("test.salesforce.com", by_host.domain)):
        for headers in ({"Host": host}, {"X-Forwarded-Host": host}):
            assert _login(by_host, by_host.url, **headers)["instance_url"] == f"https://{site}.salesforce.com"


def test_an_org_can_keep_to_its_own_name(story: Path) -> None:
    with running(story, now=orgs.NOW, options=Options(named_by_host=False)) as sandbox:
        assert _login(sandbox, sandbox.url)["instance_url"] == f"https://{sandbox.domain}.salesforce.com"


@pytest.fixture
def bare(by_host: Sandbox) -> Client:
    return orgs.client(by_host)


def test_simple_salesforce_follows_the_name_it_is_given(by_host: Sandbox, bare: Client) -> None:
    assert f"https://{bare.sf_instance}" == by_host.url.replace("http:", "https:")
    made = bare.Task.create({"Subject": "Ask", KEY: "ut-1"})["id"]
    assert bare.Task.get_by_custom_id(KEY, "ut-1")["Id"] == made
    assert len(list(bare.query_all_iter("SELECT Id FROM EmailMessage"))) == orgs.MAILS
    assert bare.Task.upsert(f"{KEY}/ut-1", {"Subject": "Again"}) == 200
    assert bare.Task.metadata()["objectDescribe"]["name"] == "Task"
    assert bare.Task.updated(orgs.NOW.replace(hour=8), orgs.NOW.replace(hour=10))["ids"] == [made]
    assert bare.Task.delete(made) == 204
    assert [row["id"] for row in bare.Task.deleted(orgs.NOW.replace(hour=8), orgs.NOW.replace(hour=10))["deletedRecords"]] == [made]


def test_its_bulk_module_reads_and_writes(by_host: Sandbox, bare: Client) -> None:
    text = "".join(bare.bulk2.EmailMessage.query("SELECT Id, Subject, TextBody FROM EmailMessage", wait=0))
    assert text.count("“hello”") == orgs.MAILS
    told = bare.bulk2.Task.insert(records=[{"Subject": "a, b", KEY: "ut-1"}, {"Subject": "x" * 256, KEY: "ut-2"}], wait=0)
    assert (told[0]["numberRecordsTotal"], told[0]["numberRecordsFailed"]) == (2, 1)
    assert "STRING_TOO_LONG" in bare.bulk2.Task.get_failed_records(told[0]["job_id"])
    bare.bulk2.Task.upsert(records=[{"Subject": "c", KEY: "ut-1"}], external_id_field=KEY, wait=0)
    assert [row["Subject"] for row in bare.query(f"SELECT Subject FROM Task WHERE {KEY} = 'ut-1'")["records"]] == ["c"]
    saved = io.StringIO(bare.bulk2.Task.get_successful_records(told[0]["job_id"]))
    assert saved.readline().startswith('"sf__Id","sf__Created",')


def test_the_soap_login_still_works_up_to_version_64(by_host: Sandbox) -> None:
    known = by_host.credentials
    login: Any = {"username": known.username, "password": known.password, "security_token": known.security_token}
    sf: Any = Salesforce(**login, domain="login", session=orgs.session(by_host), version="64.0")
    assert sf.query("SELECT COUNT() FROM Account")["totalSize"] == 3
