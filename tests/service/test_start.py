"""From a sign-in link to the first suggestion of one's own files: who may not, what no file can do, and how problems are said."""

from __future__ import annotations

import io
import os
import random
import threading
import zipfile
from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from service import flow, long_jobs, uploads
from service.config import real_time, settings
from service.console import session
from service.console.session import COOKIE, LASTS, Session, sign_in_link
from service.store import audit_log, connections, suggestions
from service.store.pool import transaction
from tests.builders import NOW
from tests.chromium import NARROW, chromium
from tests.client import TestClient, key, serving

ADDRESS = "http://testserver"
SELF = {"Origin": ADDRESS}
ACCOUNTS = """account,name,website,owner,owner_email,renewal_date,arr,currency
acme,Acme Ltd,acme.example,Ann Berg,ann@vendor.example,2026-05-01,24000,EUR
birch,Birch Ltd,birch.example,Ann Berg,ann@vendor.example,next summer,12000,EUR
"""
USAGE = "account,metric,day,value\n" + "".join(f"acme,active_users,{NOW.date() - timedelta(days=n)},{40 if n > 20 else 14}\n" for n in range(120, 0, -1))
Given = tuple[str, bytes]


def letter(sender: str, to: str, on: date, body: str, number: int) -> str:
    at = datetime(on.year, on.month, on.day, 9)
    heads = {"From": sender, "To": to, "Date": f"{at:%a, %d %b %Y %H:%M:%S} +0000", "Message-ID": f"<{number}@t.example>", "Subject": "The new price"}
    return "".join(f"{n}: {v}\n" for n, v in heads.items()) + f"\n{body}\n"


def mailbox() -> bytes:
    kind = ["Thanks, the rosters work well for us.", "All fine here, thank you for the quick help."]
    chance = random.Random(1)
    said = [(NOW.date() - timedelta(days=7 * w), chance.choice(kind)) for w in range(25, 1, -1)]
    turned = "We had to explain the new price to our board twice, and it is far too expensive. We are looking at other vendors."
    said.append((NOW.date() - timedelta(days=4), turned))
    letters = [letter("Bo Lind <bo@acme.example>", "ann@vendor.example", on, body, n) for n, (on, body) in enumerate(said)]
    return "".join(f"From bo@acme.example Mon Mar  2 09:00:00 2026\n{text}\n" for text in letters).encode()


@pytest.fixture
def visit(app: Any, workspace: UUID, hold_clock: Callable[[datetime], None]) -> TestClient:
    hold_clock(NOW)
    return browser(app, Session(workspace, None))


def browser(app: Any, who: Session) -> TestClient:
    cookie = session.seal(who, "console session", real_time() + LASTS)
    return TestClient(app, base_url=ADDRESS, raise_server_exceptions=False, follow_redirects=False, cookies={COOKIE: cookie})


def give(client: TestClient, workspace_id: UUID, *, headers: Mapping[str, str] = SELF, token: str | None = None, ours: str = "", **files: Given) -> Any:
    form = {"token": session.form_token(Session(workspace_id, None)) if token is None else token, "our_domains": ours}
    return client.post("/console/start", data=form, files={**files, "nothing": ("", b"")}, headers=headers)


def folder(workspace_id: UUID) -> Path:
    return settings().home / "uploads" / str(workspace_id)


def kept(workspace_id: UUID) -> dict[str, bytes]:
    return {str(p.relative_to(folder(workspace_id))): p.read_bytes() for p in sorted(folder(workspace_id).rglob("*")) if p.is_file()}


def read(workspace_id: UUID, answer: Any) -> long_jobs.Job:
    assert answer.status_code == 303, answer.text
    job_id = UUID(answer.headers["location"].rpartition("/")[2])
    flow.job(workspace_id, job_id)
    found = long_jobs.find(workspace_id, job_id)
    assert found
    return found


def made(workspace_id: UUID) -> dict[str, connections.Connection]:
    with transaction(workspace_id) as db:
        return {c.name: c for c in connections.all_connections(db)}


# What may not happen


def test_nobody_without_the_scope_gives_files_and_nothing_is_kept_of_them(app, visit, workspace: UUID):
    secret = key(workspace, "read", "feedback")["Authorization"].removeprefix("Bearer ")
    reader = Session(workspace, secret[3:11])
    answer = browser(app, reader).post(
        "/console/start", data={"token": session.form_token(reader)}, files={"accounts": ("a.csv", ACCOUNTS.encode())}, headers=SELF
    )
    assert answer.status_code == 403
    assert not folder(workspace).exists()
    assert made(workspace) == {}
    assert "<form class" not in browser(app, reader).get("/console/start").text


@pytest.mark.parametrize(("headers", "token"), [({"Origin": "https://evil.example"}, None), (SELF, "guess")])
def test_no_other_site_gives_files_in_somebodys_name(visit, workspace: UUID, headers, token):
    assert give(visit, workspace, headers=headers, token=token, accounts=("a.csv", ACCOUNTS.encode())).status_code == 403
    assert not folder(workspace).exists()


def test_what_says_that_it_is_too_large_is_not_read(visit, workspace: UUID):
    sent = []

    def body():
        sent.append(1)
        yield b"x"

    headers = {**SELF, "Content-Type": "multipart/form-data; boundary=b", "Content-Length": str(uploads.MOST_BYTES + 100_000)}
    answer = visit.post("/console/start", content=body(), headers=headers)
    assert answer.status_code == 413
    assert "200,065,536 bytes" in answer.text
    assert not folder(workspace).exists()


def test_only_the_route_for_files_takes_more_than_a_few_kilobytes(visit, workspace: UUID):
    form = {"token": session.form_token(Session(workspace, None)), "reason": "x" * 70_000}
    assert visit.post("/console/sign-in", data=form, headers=SELF).status_code == 413


@pytest.mark.parametrize("name", ["../../../escaped.csv", "/etc/cron.d/x", "C:\\x.csv", "a\x00.csv", "accounts/../../x", ".csv"])
def test_no_name_of_a_file_is_used_as_a_path(visit, workspace: UUID, name):
    read(workspace, give(visit, workspace, accounts=(name, ACCOUNTS.encode())))
    assert list(kept(workspace)) == ["accounts/accounts.csv"]
    assert oct(folder(workspace).stat().st_mode)[-3:] in ("700", "755")


def packed(*members: tuple[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return file.getvalue()


BAD = {
    "a workbook": (("accounts", "a.xlsx", b"PK\x03\x04" + b"x" * 50), "is a workbook or an archive, not text. Save it as CSV"),
    "no account column": (("accounts", "a.csv", b"color,size\nred,3\n"), "has no column account"),
    "no accounts at all": (("usage", "u.csv", USAGE.encode()), "Choose the file with your accounts"),
    "usage without a metric": (("usage", "u.csv", b"account,day\nacme,2026-01-01\n"), "has no column metric or value"),
    "mail that is none": (("mail", "m.pst", b"!BDN\x00\x01"), "neither an .mbox nor an .eml file"),
    "a damaged zip": (("mail", "m.zip", packed(("a.eml", b"x" * 500))[:60]), "is damaged or locked"),
    "a zip without mail": (("mail", "m.zip", packed(("../../a.txt", b"x"))), "holds no .eml and no .mbox"),
}


@pytest.mark.parametrize("what", BAD)
def test_a_file_that_cannot_be_used_is_said_in_words_and_changes_nothing(visit, workspace: UUID, what):
    (field, name, content), said = BAD[what]
    files = {"accounts": ("a.csv", ACCOUNTS.encode()), field: (name, content)} if what != "no accounts at all" else {field: (name, content)}
    answer = give(visit, workspace, **files)
    assert answer.status_code == 400
    assert said in answer.text.replace("&#39;", "'")
    assert kept(workspace) == {}
    assert made(workspace) == {}


FORM = "multipart/form-data; boundary=b"
BODIES = [
    (b'--b\r\nContent-Disposition: form-data; name="token"\r\n\r\nx', FORM),
    (b"x", FORM),
    (b"x", "multipart/form-data"),
    (b"--b\r\n" + b'Content-Disposition: form-data; name="x"\r\n\r\n\r\n--b\r\n' * 50, FORM),
    (b"{}", "application/json"),
    (b"token=%00", "application/x-www-form-urlencoded"),
    (b"", ""),
]
CONTENTS = [b"", b"\x00" * 50, b"\x1f\x8bxx", b"PK\x03\x04", b"account\n\x00\n", b"\xff\xfea\x00", b'{"account":"\\u0000"}', b"account\n" + b"x" * 300]


def test_no_body_and_no_content_of_a_file_is_a_fault_of_ours(visit, workspace: UUID):
    for body, kind in BODIES:
        assert 400 <= visit.post("/console/start", content=body, headers={**SELF, "Content-Type": kind}).status_code < 500, body
    for content in CONTENTS:
        for field in ("accounts", "contacts", "usage", "mail"):
            files: dict[str, Given] = {"accounts": ("a.csv", b"account\nA\n"), field: ("x", content)}
            assert give(visit, workspace, ours="v.example\x00", **files).status_code < 500, (field, content)
            assert give(visit, workspace, ours="v.example", **files).status_code < 500, (field, content)


def test_a_bad_second_upload_leaves_the_first_in_its_place(visit, workspace: UUID):
    read(workspace, give(visit, workspace, accounts=("a.csv", ACCOUNTS.encode())))
    assert give(visit, workspace, accounts=("a.csv", b"color\nred\n")).status_code == 400
    assert kept(workspace) == {"accounts/accounts.csv": ACCOUNTS.encode()}


def test_a_zip_that_unpacks_to_more_than_it_may_is_given_up(tmp_path: Path):
    target = tmp_path / "x"
    with pytest.raises(uploads.BadInput, match="too large once it is unpacked"):
        uploads._copy(io.BytesIO(b"x" * 3_000_000), target, most=2_000_000)
    assert target.stat().st_size <= 2_000_000


def test_whose_mail_is_ours_is_asked_for_where_the_files_do_not_say(visit, workspace: UUID):
    plain = b"account,website\nacme,acme.example\n"
    answer = give(visit, workspace, accounts=("a.csv", plain), mail=("m.mbox", mailbox()))
    assert answer.status_code == 400
    assert "Fill in the mail domain of your company" in answer.text
    assert give(visit, workspace, accounts=("a.csv", plain), mail=("m.mbox", mailbox()), ours="vendor.example").status_code == 303


# How it goes


def test_one_press_leads_to_the_most_pressing_suggestion_and_says_which_lines_were_left_out(visit, workspace: UUID):
    usage = USAGE + "acme,active_users,yesterday,5\nnobody,active_users,2026-02-01,5\n"
    files = {"accounts": ("a.csv", ACCOUNTS.encode()), "mail": ("m.mbox", mailbox()), "usage": ("u.csv", usage.encode())}
    job = read(workspace, give(visit, workspace, **files))
    assert job.state == "done", job.said
    assert job.result
    with transaction(workspace) as db:
        [opened] = suggestions.open_suggestions(db)
        log = audit_log.listing(db, 10)
    assert job.result["link"] == f"/console/accounts/{opened.account_id}#suggestion"
    assert visit.get(job.result["link"]).status_code == 200
    assert set(job.result["lines"]) == {
        "accounts.csv, line 3: renewal_date is not a date like 2026-03-31; the account is read without it",
        "usage.csv, line 122: the day is missing or not a date like 2026-03-31",
        "nobody: no account has this key or name, or several have the name; its usage waits until the account is known",
    }
    assert made(workspace)["uploaded mail"].config["our_domains"] == ["vendor.example"]
    assert sorted(e.subject for e in log if e.action == "make connection") == ["uploaded accounts", "uploaded mail", "uploaded usage"]


def test_messages_in_a_zip_are_read_and_what_else_lies_in_it_is_not(visit, workspace: UUID):
    content = letter("bo@acme.example", "ann@vendor.example", NOW.date() - timedelta(days=3), "All fine here.", 1).encode()
    archive = packed(("../../evil.eml", content), ("x/virus.exe", b"MZ"))
    job = read(workspace, give(visit, workspace, accounts=("a.csv", ACCOUNTS.encode()), mail=("m.zip", archive)))
    assert job.state == "done", job.said
    with transaction(workspace) as db:
        assert db.execute("SELECT count(*) FROM interaction").fetchone() == (1,)
    assert sorted(kept(workspace)) == ["accounts/accounts.csv", "mail/mail-00000-00000.eml"]


def test_a_second_upload_takes_the_place_of_the_first_and_reads_what_is_new(visit, workspace: UUID):
    read(workspace, give(visit, workspace, accounts=("a.csv", ACCOUNTS.encode()), usage=("u.csv", USAGE.encode())))
    more = '{"account": "acme", "metric": "logins", "day": "2026-02-20", "value": 3}\n'
    job = read(workspace, give(visit, workspace, usage=("u.ndjson", more.encode())))
    assert job.state == "done", job.said
    assert sorted(kept(workspace)) == ["accounts/accounts.csv", "usage/usage.ndjson"]
    with transaction(workspace) as db:
        assert {m for (m,) in db.execute("SELECT metric FROM usage_series")} == {"active_users", "logins"}


def test_a_mended_file_that_is_given_again_empties_the_quarantine_of_what_is_well(visit, workspace: UUID):
    read(workspace, give(visit, workspace, accounts=("a.csv", ACCOUNTS.encode()), usage=("u.csv", (USAGE + "acme,active_users,soon,5\n").encode())))
    mended = ACCOUNTS.replace("next summer", "2026-07-01")
    job = read(workspace, give(visit, workspace, accounts=("a.csv", mended.encode()), usage=("u.csv", USAGE.encode())))
    assert job.state == "done", job.said
    with transaction(workspace) as db:
        assert db.execute("SELECT source_key, reason FROM quarantine").fetchall() == []


def test_a_file_that_is_given_again_with_the_same_fault_still_shows_it(visit, workspace: UUID):
    for _ in range(2):
        read(workspace, give(visit, workspace, accounts=("a.csv", ACCOUNTS.encode())))
    with transaction(workspace) as db:
        assert db.execute("SELECT source_key FROM quarantine").fetchall() == [("accounts.csv:3",)]


def test_the_quarantine_of_uploaded_files_names_the_line_and_sends_one_to_the_form(visit, workspace: UUID):
    read(workspace, give(visit, workspace, accounts=("a.csv", ACCOUNTS.encode())))
    page = visit.get(f"/console/connections/{made(workspace)['uploaded accounts'].connection_id}").text
    shown = page[page.index('id="quarantine"') :]
    assert "accounts.csv, line 3" in shown
    assert "renewal_date is not a date like 2026-03-31; the account is read without it." in shown
    assert 'Mend the line in your own file and <a href="/console/start">give it again</a>' in shown


def test_without_a_file_of_contacts_the_mail_says_what_people_are_called_and_with_one_it_does_not(visit, workspace: UUID):
    def names() -> list[str]:
        with transaction(workspace) as db:
            return [name for (name,) in db.execute("SELECT name FROM contact WHERE NOT deleted ORDER BY name")]

    files = {"accounts": ("a.csv", ACCOUNTS.encode()), "mail": ("m.mbox", mailbox())}
    read(workspace, give(visit, workspace, **files))
    assert names() == ["Bo Lind"]
    read(workspace, give(visit, workspace, accounts=("a.csv", ACCOUNTS.encode())))
    assert names() == ["Bo Lind"]
    read(workspace, give(visit, workspace, contacts=("c.csv", b"email,name,account\nbo@acme.example,Robert Lind,acme\n")))
    assert names() == ["Robert Lind"]


def test_accounts_none_of_which_can_be_used_end_the_reading_with_the_line(visit, workspace: UUID):
    job = read(workspace, give(visit, workspace, accounts=("a.csv", b"account,name\n,Acme\n")))
    assert job.state == "failed"
    assert "accounts.csv, line 2: the account is missing" in job.said


def test_the_link_that_serve_prints_leads_there_and_nowhere_else(app, workspace: UUID):
    client = TestClient(app, base_url=ADDRESS, follow_redirects=False)
    link = sign_in_link(workspace, real_time(), "/console/start").partition("/console")[2]
    assert client.get(f"/console{link}").headers["location"] == "/console/start"
    for elsewhere in ("https://evil.example", "//evil.example", "/v1/export"):
        there = sign_in_link(workspace, real_time(), elsewhere).partition("/console")[2]
        assert client.get(f"/console{there}").headers["location"] == "/console"


def test_an_empty_list_of_accounts_offers_it(visit):
    assert '<a href="/console/start">' in visit.get("/console").text


# In a real browser

A_FILE = 3
"""Clicks to choose one: the field, the file, the dialog's button."""


@pytest.fixture
def tab(servers: str) -> Iterator[Any]:
    with serving(environ={**os.environ, "UNDERTONE_NOW": NOW.isoformat()}) as address, chromium() as opened:
        yield opened.new_page(viewport=NARROW, base_url=address)


@pytest.mark.browser
def test_a_newcomer_comes_from_the_link_to_a_suggestion_with_twelve_clicks_and_the_page_follows_by_itself(tab, workspace: UUID, tmp_path: Path, hold_clock):
    hold_clock(NOW)
    said: list[str] = []
    tab.on("pageerror", lambda error: said.append(str(error)))
    tab.on("console", lambda message: said.append(message.text))
    tab.goto(f"/console{sign_in_link(workspace, real_time(), '/console/start').partition('/console')[2]}")
    clicks = 1
    for field, content in {"accounts": ACCOUNTS.encode(), "mail": mailbox(), "usage": USAGE.encode()}.items():
        (tmp_path / field).write_bytes(content)
        tab.set_input_files(f"#{field}", tmp_path / field)
        clicks += A_FILE
    tab.click("text=Read these files")
    tab.wait_for_selector("[data-said]")
    job_id = UUID(tab.url.rpartition("/")[2])
    worker = threading.Thread(target=flow.job, args=(workspace, job_id))
    worker.start()
    tab.wait_for_selector("a.next", timeout=60_000)  # the page follows by itself
    worker.join()
    tab.click("a.next")
    clicks += 2
    assert clicks <= 12
    assert tab.inner_text("#suggestion h2").startswith("Suggestion: ")
    assert "None is open" not in tab.inner_text("#suggestion")
    assert tab.evaluate("document.documentElement.scrollWidth") <= 390
    assert said == []
