"""Who gets in: client credentials, JWT bearer, refresh and (legacy) the SOAP login, and the tokens that were given out."""

from __future__ import annotations

import base64
import binascii
import hmac
import secrets
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from connectors.sandbox.errors import TokenRefused, invalid_session
from connectors.sandbox.ids import record_id
from connectors.sandbox.schema import Options

Seconds = Callable[[], float]
JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
ORG_ID = record_id("00D", 1)
LONGEST_ASSERTION = 300
"""Seconds: an assertion that would be good for longer is refused."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """What the org accepts. The defaults open nothing but this play org; `public_key` (PEM) is needed for the JWT grant alone,
    `password` and `security_token` for the SOAP login alone."""

    client_id: str = "undertone-sandbox"
    client_secret: str = "undertone-sandbox-secret"  # noqa: S105 - guards nothing: a play org on loopback
    username: str = "undertone.integration@sandbox.example"
    refresh_token: str = "undertone-sandbox-refresh"  # noqa: S105
    password: str = "undertone-sandbox-password"  # noqa: S105
    security_token: str = "undertone-sandbox-token"  # noqa: S105
    public_key: str | None = None


class Tokens:
    """`seconds` is a clock of the real world, not of the story: clients sign and expire by the real one. `skew` is how far the org's is ahead of it."""

    def __init__(self, credentials: Credentials, seconds: Seconds) -> None:
        self.credentials = credentials
        self.skew: Seconds = lambda: 0.0
        self._seconds = seconds
        self._lock = threading.Lock()
        self._ends: dict[str, float] = {}
        self._refresh = {credentials.refresh_token}
        self._revoked = False

    def grant(self, form: Mapping[str, str], authorization: str, options: Options, *, site: str, user_id: str) -> dict[str, Any]:
        """The answer of /services/oauth2/token; `site` is the org's address for this client. Raises TokenRefused."""
        kind = form.get("grant_type")
        if kind == "password":
            raise TokenRefused("unsupported_grant_type", "username-password flow is blocked for this org; use client credentials or JWT bearer")
        if kind not in ("client_credentials", "refresh_token", JWT_BEARER):
            raise TokenRefused("unsupported_grant_type", "grant type not supported")
        if kind == JWT_BEARER:
            self._check_assertion(form.get("assertion", ""), options, site)
        else:
            self.check_client(form, authorization)
        if self._revoked:
            raise TokenRefused("invalid_grant", "expired access/refresh token")
        rotated = self._use_refresh_token(form.get("refresh_token", ""), options) if kind == "refresh_token" else {}
        return {
            "access_token": self.new_token(options),
            "scope": "api",
            "instance_url": site,
            "id": f"{site}/id/{ORG_ID}/{user_id}",
            "token_type": "Bearer",
            "issued_at": str(int(self._now() * 1000)),
            "api_instance_url": site,
            **rotated,
        }

    def log_in(self, username: str, password: str, options: Options) -> str:
        """The session of a SOAP login. Raises TokenRefused."""
        known = self.credentials
        if self._revoked or not _same(username, known.username) or not _same(password, known.password + known.security_token):
            raise TokenRefused("INVALID_LOGIN", "Invalid username, password, security token; or user locked out.")
        return self.new_token(options)

    def new_token(self, options: Options) -> str:
        token = f"{ORG_ID[:15]}!{secrets.token_urlsafe(48)}"
        with self._lock:
            self._ends[token] = self._now() + options.token_seconds
        return token

    def check(self, token: str) -> None:
        """Raises Refusal: INVALID_SESSION_ID."""
        if self.ends(token) is None:
            raise invalid_session()

    def ends(self, token: str) -> float | None:
        """When a live access token will end; None for any other."""
        with self._lock:
            ends = self._ends.get(token)
        return ends if ends is not None and ends > self._now() else None

    def take_back(self, token: str) -> bool:
        """Whether there was such an access or refresh token. With a refresh token go the access tokens, too."""
        with self._lock:
            if token in self._refresh:
                self._refresh.discard(token)
                self._ends.clear()
                return True
            return self._ends.pop(token, None) is not None

    def expire(self) -> None:
        """Every access token given out so far is dead."""
        with self._lock:
            self._ends.clear()

    def rotate(self) -> str:
        """Another refresh token, and every earlier one is dead."""
        with self._lock:
            fresh = secrets.token_urlsafe(32)
            self._refresh = {fresh}
        return fresh

    def revoke(self) -> None:
        """An admin has taken the access away: no token works and none is given."""
        self.expire()
        self._revoked = True

    def restore(self) -> None:
        self._revoked = False

    def check_client(self, form: Mapping[str, str], authorization: str) -> None:
        """Raises TokenRefused."""
        client_id, client_secret = _basic(authorization) or (form.get("client_id", ""), form.get("client_secret", ""))
        if not _same(client_id, self.credentials.client_id):
            raise TokenRefused("invalid_client_id", "client identifier invalid")
        if not _same(client_secret, self.credentials.client_secret):
            raise TokenRefused("invalid_client", "invalid client credentials")

    def _now(self) -> float:
        return self._seconds() + self.skew()

    def _check_assertion(self, assertion: str, options: Options, site: str) -> None:
        import jwt  # costs a tenth of a second, and only this grant needs it

        if self.credentials.public_key is None:
            raise TokenRefused("invalid_client", "no certificate is registered for this app")
        audience = ["https://login.salesforce.com", "https://test.salesforce.com", f"https://{options.domain}.salesforce.com", site]
        checks = {"require": ["exp", "iss", "sub", "aud"], "verify_exp": False, "verify_iat": False, "verify_nbf": False}
        try:
            claims = jwt.decode(assertion, self.credentials.public_key, algorithms=["RS256"], audience=audience, options=checks)  # type: ignore[arg-type]
            ends = int(claims["exp"])
        except jwt.InvalidAudienceError as error:
            raise TokenRefused("invalid_grant", "audience is invalid") from error
        except (jwt.PyJWTError, ValueError, TypeError) as error:
            raise TokenRefused("invalid_grant", "invalid assertion") from error
        if not self._now() < ends <= self._now() + LONGEST_ASSERTION:
            raise TokenRefused("invalid_grant", "token expired" if ends <= self._now() else "assertion is valid for too long")
        if not _same(str(claims["iss"]), self.credentials.client_id):
            raise TokenRefused("invalid_client_id", "client identifier invalid")
        if claims["sub"] != self.credentials.username:
            raise TokenRefused("invalid_grant", "user hasn't approved this consumer")

    def _use_refresh_token(self, token: str, options: Options) -> dict[str, str]:
        with self._lock:
            if token not in self._refresh:
                raise TokenRefused("invalid_grant", "expired access/refresh token")
            if not options.rotate_refresh_token:
                return {}
            fresh = secrets.token_urlsafe(32)
            self._refresh = {fresh}
            return {"refresh_token": fresh}


def _basic(authorization: str) -> tuple[str, str] | None:
    scheme, _, encoded = authorization.partition(" ")
    if scheme != "Basic":
        return None
    try:
        name, _, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return name, secret


def _same(given: str, wanted: str) -> bool:
    return hmac.compare_digest(given.encode(), wanted.encode())
