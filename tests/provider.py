"""An OIDC provider on a port of this machine, which signs in whom the test names, and on demand lies in every way that we know of."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey

CLIENT, SECRET = "undertone-test", "the-clients-secret-of-thirty-two-bytes"
_KEYS = [RSAKey.generate_key(2048, parameters={"kid": kid}) for kid in ("one", "one", "two")]
FIRST, SWAPPED, SECOND = _KEYS
"""SWAPPED calls itself by the name of FIRST."""


@dataclass(slots=True)
class Provider:
    issuer: str
    subject: str = "ann-at-the-provider"
    claims: dict[str, Any] = field(default_factory=dict)
    """Over those that are right; None leaves one out."""
    key: RSAKey = field(default_factory=lambda: FIRST)
    published: tuple[RSAKey, ...] = (FIRST,)
    sign: str = "RS256"
    metadata: dict[str, Any] = field(default_factory=dict)
    """Over what is right of what it says of itself."""
    answer: Mapping[str, Any] | None = None
    """Instead of what the token endpoint would say."""
    asked: dict[str, dict[str, str]] = field(default_factory=dict)
    """By code: what the browser came with. A code goes when it is used."""

    def described(self) -> dict[str, Any]:
        ways = {"authorization_endpoint": "/authorize", "token_endpoint": "/token", "jwks_uri": "/keys"}
        return {"issuer": self.issuer, **{name: f"{self.issuer}{path}" for name, path in ways.items()}, **self.metadata}

    def authorize(self, asked: dict[str, str]) -> str:
        """Where the browser is sent back to."""
        code = secrets.token_urlsafe(16)
        self.asked[code] = asked
        return f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state'], 'iss': self.issuer})}"

    def exchange(self, form: dict[str, str], login: str) -> tuple[int, Mapping[str, Any]]:
        asked = self.asked.pop(form.get("code", ""), None)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(form.get("code_verifier", "").encode()).digest()).decode().rstrip("=")
        if login != f"{CLIENT}:{SECRET}":
            return 401, {"error": "invalid_client"}
        if asked is None or asked["code_challenge"] != challenge or asked["redirect_uri"] != form.get("redirect_uri"):
            return 400, {"error": "invalid_grant"}
        return 200, self.answer if self.answer is not None else {"access_token": "x", "token_type": "Bearer", "id_token": self.token(asked["nonce"])}

    def token(self, nonce: str) -> str:
        now = int(time.time())
        right = {"iss": self.issuer, "sub": self.subject, "aud": CLIENT, "iat": now, "exp": now + 300, "nonce": nonce}
        claims = {name: value for name, value in (right | self.claims).items() if value is not None}
        if self.sign == "none":
            return ".".join(_encoded(part) for part in ({"alg": "none"}, claims)) + "."
        key = OctKey.import_key(SECRET) if self.sign == "HS256" else self.key
        return jwt.encode({"alg": self.sign, "kid": self.key.kid}, claims, key, algorithms=[self.sign])


def _encoded(part: Mapping[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")


@contextmanager
def running() -> Iterator[Provider]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            if parts.path == "/authorize":
                self.send_response(303)
                self.send_header("Location", provider.authorize({name: values[0] for name, values in parse_qs(parts.query).items()}))
                self.end_headers()
            elif parts.path == "/keys":
                self.say(200, {"keys": [key.as_dict(private=False) for key in provider.published]})
            else:
                self.say(200, provider.described())

        def do_POST(self) -> None:
            form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
            login = base64.b64decode(self.headers.get("Authorization", "").removeprefix("Basic ")).decode()
            self.say(*provider.exchange({name: values[0] for name, values in form.items()}, login))

        def say(self, status: int, value: Mapping[str, Any]) -> None:
            body = json.dumps(value).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        provider = Provider(issuer=f"http://127.0.0.1:{server.server_port}")
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        try:
            yield provider
        finally:
            server.shutdown()
