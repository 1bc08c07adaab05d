"""axe-core over every page of the console, in both themes, wide and narrow: nothing serious. A page added later is looked at, too."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from itertools import product
from typing import Any, Literal
from urllib.parse import urlsplit

import psycopg
import pytest

from service import invitations
from service.config import real_time
from service.console import session
from service.console.session import COOKIE, LASTS, Session, invitation_link
from tests import walk
from tests.chromium import NARROW, WIDE, chromium
from tests.client import serving
from tests.service.test_console_walk import OPEN, PAGES, url
from tests.walk import Rows

THEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
GRAVE = ("serious", "critical")
SHOWN = list({r.endpoint: r for r in PAGES if not str(r.path).startswith("/console/assets")}.values())
PROVIDER = {"UNDERTONE_OIDC_ISSUER": "http://127.0.0.1:9", "UNDERTONE_OIDC_CLIENT_ID": "undertone", "UNDERTONE_OIDC_CLIENT_SECRET": "secret"}
"""Which never answers: the page that says so is looked at, too."""
RUN = 'async () => (await axe.run(document, {resultTypes: ["violations"]})).violations'
"""By the browser's debugging channel, not as a script of the page: its policy stays in force."""


@pytest.fixture(scope="module")
def rows(servers: str) -> Iterator[Rows]:
    with psycopg.connect(servers, autocommit=True) as db:
        db.execute("SET row_security = off")
        yield Rows(db, walk.planted(db).workspace_id)


@pytest.fixture(scope="module")
def invited(rows: Rows) -> str:
    """An invitation's page, which the walk without a code does not come to."""
    link = urlsplit(invitation_link(invitations.add(rows.workspace_id, "Bo Lind", "revops", "password", real_time())))
    return f"{link.path}?{link.query}"


@pytest.fixture(scope="module")
def visits(rows: Rows) -> Iterator[dict[bool, Any]]:
    """A tab of somebody who may do everything, and one of somebody who is not signed in."""
    held = session.seal(Session(rows.workspace_id, None), "console session", real_time() + LASTS)
    with serving(environ={**os.environ, **PROVIDER}) as address, chromium() as opened:
        signed_in = opened.new_context(base_url=address)
        signed_in.add_cookies([{"name": COOKIE, "value": held, "url": f"{address}/console"}])
        yield {True: signed_in.new_page(), False: opened.new_context(base_url=address).new_page()}


def grave(tab: Any, path: str) -> list[str]:
    """What axe finds, a line each; what is folded away is unfolded first."""
    from axe_playwright_python.base import AXE_SCRIPT

    found: list[str] = []
    if not tab.request.get(path).headers["content-type"].startswith("text/html"):
        return found  # a file, or what a script reads
    tab.goto(path)
    tab.evaluate("document.querySelectorAll('details').forEach(d => { d.open = true })")
    tab.evaluate(AXE_SCRIPT)
    for theme, size in product(THEMES, (WIDE, NARROW)):
        tab.set_viewport_size(size)
        tab.emulate_media(color_scheme=theme)
        found += [f"{path}, {theme}, {size['width']}: {line}" for v in tab.evaluate(RUN) if v["impact"] in GRAVE for line in _lines(v)]
    return found


def _lines(violation: dict[str, Any]) -> Sequence[str]:
    return [f"{violation['id']} ({violation['impact']}): {node['html'][:200]}: {node['failureSummary']}" for node in violation["nodes"]]


@pytest.mark.browser
@pytest.mark.parametrize("route", [*SHOWN, None], ids=lambda r: str(r.path) if r else "a page that is not there")
def test_no_page_shuts_anybody_out(visits, rows, route):
    path = url(route, rows) if route else "/console/nowhere"
    assert "\n".join(grave(visits[route is None or route.path not in OPEN], path)) == ""


@pytest.mark.browser
def test_an_invitation_shuts_nobody_out(visits, invited):
    assert "\n".join(grave(visits[False], invited)) == ""
    assert visits[False].locator("#password").count() == 1


@pytest.mark.browser
def test_it_would_find_a_field_without_a_label_and_grey_on_grey(visits):
    from axe_playwright_python.base import AXE_SCRIPT

    tab = visits[False]
    tab.emulate_media(color_scheme="light")
    tab.goto("/console/sign-in")
    tab.evaluate("document.querySelector('label').remove(); document.querySelector('h1').style.color = '#ddd'")
    tab.evaluate(AXE_SCRIPT)
    assert {v["id"] for v in tab.evaluate(RUN) if v["impact"] in GRAVE} >= {"label", "color-contrast"}
