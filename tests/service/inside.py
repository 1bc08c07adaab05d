"""Browsers without a screen for tests of pages: signed in with a session of a workspace, with the token of its forms."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from service import keys
from service.config import real_time
from service.console import session
from service.console.session import COOKIE, LASTS, Session
from tests.client import TestClient

ADDRESS = "http://testserver"
OURS = {"Origin": ADDRESS}


class Inside(TestClient):
    """`say` sends a form as a page of ours would."""

    def __init__(self, app: Any, workspace_id: UUID, role: keys.Role | None = None) -> None:
        prefix = keys.create(workspace_id, "test", keys.ROLES[role], real_time(), None)[3:11] if role else None
        self.session = Session(workspace_id, prefix)
        sealed = session.seal(self.session, "console session", real_time() + LASTS)
        super().__init__(app, base_url=ADDRESS, raise_server_exceptions=False, follow_redirects=False, cookies={COOKIE: sealed})

    def say(self, address: str, **fields: str) -> Any:
        return self.post(address, data={"token": session.form_token(self.session), **fields}, headers=OURS)
