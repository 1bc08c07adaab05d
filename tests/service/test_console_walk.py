"""Each route of the console: nobody without a session, nothing of another workspace, no form from elsewhere. One added later is walked, too."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Literal, get_args, get_origin
from uuid import UUID

import psycopg
import pytest
from fastapi.dependencies.models import Dependant
from fastapi.routing import RouteContext, iter_route_contexts

from service.api import create_app
from service.config import real_time
from service.console import session
from service.console.session import COOKIE, LASTS, Session
from service.console.sign_in import FORM_COOKIE
from tests import builders, walk
from tests.client import TestClient
from tests.filled import Filled, fill
from tests.walk import MARK, Rows

ADDRESS = "http://testserver"
OURS = {"Origin": ADDRESS}
TOKEN = "t" * 43
OPEN = {
    *("/console/sign-in", "/console/sign-in/password", "/console/sign-in/invitation", "/console/sign-in/oidc", "/console/sign-in/oidc/callback"),
    *("/console/enter", "/console/assets/{name}", "/console/assets/plotly-{release}.js"),
}
"""All that is shown without a session: the way in, and files that hold no data."""
WITHOUT_TOKEN = {"/console/sign-out"}
"""What it does is no harm; the origin is asked for all the same."""

ROUTES = [r for r in iter_route_contexts(create_app().routes) if str(r.path).startswith("/console")]
PAGES = [r for r in ROUTES if "GET" in (r.methods or ())]
FORMS = [r for r in ROUTES if not {"GET", "HEAD", "OPTIONS"} & (r.methods or set())]


def each(routes: list[RouteContext]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("route", routes, ids=lambda r: str(r.path))


@pytest.fixture(scope="module")
def rows(servers: str) -> Iterator[Rows]:
    with psycopg.connect(servers, autocommit=True) as db:
        db.execute("SET row_security = off")
        yield Rows(db, walk.planted(db).workspace_id)


@pytest.fixture(scope="module")
def ours(servers: str) -> Filled:
    return fill(builders.workspace(), "Ours")


def browser(app: Any, workspace_id: UUID | None = None) -> TestClient:
    """With a session in that workspace, or with none; with the token of the sign-in page."""
    cookies = {FORM_COOKIE: TOKEN}
    if workspace_id:
        cookies[COOKIE] = session.seal(Session(workspace_id, None), "console session", real_time() + LASTS)
    return TestClient(app, base_url=ADDRESS, raise_server_exceptions=False, follow_redirects=False, cookies=cookies)


def url(route: RouteContext, rows: Rows) -> str:
    """Of a row of that workspace; of what is numbered there, the first."""
    return re.sub(r"{version}", "1", re.sub(r"{(\w+_id)}", lambda found: rows.id_of(found[1]), str(route.path)))


def form(route: RouteContext) -> dict[str, str]:
    """A value for each field of a form, without its token."""
    fields = _fields(route.dependant)
    return {f.alias: _value(f.field_info) for f in fields if f.alias != "token"}


def _value(field: Any) -> str:
    """An example; else the first of a choice; nothing where that may be; else a letter."""
    if field.examples:
        return str(field.examples[0])
    if get_origin(field.annotation) is Literal:
        return str(get_args(field.annotation)[0])
    return "" if type(None) in get_args(field.annotation) else "a"


def _fields(dependant: Dependant) -> list[Any]:
    return [*dependant.body_params, *(field for inner in dependant.dependencies for field in _fields(inner))]


def send(client: TestClient, route: RouteContext, rows: Rows, headers: Mapping[str, str], token: str = "") -> Any:
    [method] = route.methods or ()
    return client.request(method, url(route, rows), data={**form(route), **({"token": token} if token else {})}, headers=headers)


# Pages


@each([r for r in PAGES if r.path not in OPEN])
def test_no_page_is_shown_without_a_session(app, route, rows):
    answer = browser(app).get(url(route, rows))
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/console/sign-in")
    assert MARK not in answer.text


@each([r for r in PAGES if r.path not in OPEN])
def test_no_page_shows_a_byte_of_another_workspace(app, route, rows, ours):
    answer = browser(app, ours.workspace_id).get(url(route, rows))
    assert answer.status_code == (404 if "_id}" in str(route.path) else 200)
    assert MARK not in answer.text
    assert not [i for i in rows.ids() - Rows(rows.owner, ours.workspace_id).ids() if i in answer.text]


@each([r for r in PAGES if not str(r.path).startswith("/console/assets")])
def test_every_page_runs_under_a_policy_that_allows_no_script_but_our_own(app, route, rows):
    """The pages of the workspace that is full of marks, and the errors."""
    client = browser(app, rows.workspace_id)
    for answer in (client.get(url(route, rows)), browser(app).get(url(route, rows)), client.get("/console/nowhere")):
        policy = dict(part.strip().partition(" ")[::2] for part in answer.headers["content-security-policy"].split(";"))
        assert policy["default-src"] == "'none'"
        assert policy["base-uri"] == policy["frame-ancestors"] == "'none'"
        assert policy.get("script-src", "'self'") == policy.get("form-action", "'self'") == policy.get("connect-src", "'self'") == "'self'"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "no-store"
        tags = re.findall(r"<[a-z][^>]*>", re.sub(r"<script type=\"application/json\".*?</script>", "", answer.text, flags=re.S))
        assert [t for t in tags if re.search(r"\son\w+=|\sstyle=|javascript:", t) or (t.startswith("<script") and "src=" not in t)] == []


# Forms


@each(FORMS)
@pytest.mark.parametrize(
    "headers", [{}, {"Origin": "https://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}], ids=str
)
def test_no_form_of_another_site_does_anything_even_with_a_token_of_ours(app, route, rows, headers):
    before = rows.texts()
    answer = send(browser(app, rows.workspace_id), route, rows, headers, token_for(route, rows))
    assert answer.status_code == 403
    assert COOKIE not in answer.headers.get("set-cookie", "")
    assert rows.texts() == before


@each([r for r in FORMS if r.path not in WITHOUT_TOKEN])
@pytest.mark.parametrize("token", ["", "guess", "local.AAAA"])
def test_no_form_does_anything_without_its_token(app, route, rows, token):
    before = rows.texts()
    answer = send(browser(app, rows.workspace_id), route, rows, OURS, token)
    assert answer.status_code == 403
    assert COOKIE not in answer.headers.get("set-cookie", "")
    assert rows.texts() == before


@each([r for r in FORMS if r.path not in OPEN | WITHOUT_TOKEN])
def test_no_form_does_anything_with_the_token_of_another_session_or_without_a_session(app, route, rows, ours):
    before = rows.texts()
    assert send(browser(app, ours.workspace_id), route, rows, OURS, token_for(route, rows)).status_code == 403
    assert send(browser(app), route, rows, OURS, token_for(route, rows)).status_code == 303
    own = session.form_token(Session(ours.workspace_id, None))
    status = send(browser(app, ours.workspace_id), route, rows, OURS, own).status_code
    assert status == 404 if "_id}" in str(route.path) else status < 500
    assert rows.texts() == before


@each(FORMS)
def test_the_walk_sends_what_would_pass_from_a_page_of_ours(app, route, rows):
    """Else what is refused above might be refused for something else."""
    answer = send(browser(app, rows.workspace_id), route, rows, OURS, token_for(route, rows))
    assert answer.status_code not in (403, 422), answer.text


def token_for(route: RouteContext, rows: Rows) -> str:
    return TOKEN if route.path in OPEN else session.form_token(Session(rows.workspace_id, None))
