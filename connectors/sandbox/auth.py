"""The OAuth 2.0 token endpoint: client credentials, JWT bearer and refresh, and the tokens it has given out."""

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
from connectors.sandbox.schema import Options

Seconds = Callable[[], float]
JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """What the org accepts. The defaults open nothing but this play org; `public_key` (PEM) is needed for the JWT grant alone."""

    client_id: str = "undertone-sandbox"
    client_secret: str = "undertone-sandbox-secret"  # noqa: S105 - guards nothing: a play org on loopback
    username: str = "undertone.integration@sandbox.example"
    refresh_token: str = "undertone-sandbox-refresh"  # noqa: S105
    public_key: str | None = None


class Tokens:
    """`seconds` is a clock of the real world, not of the story: clients sign and expire by the real one."""

    def __init__(self, credentials: Credentials, seconds: Seconds) -> None:
        self._credentials = credentials
        self._seconds = seconds
        self._lock = threading.Lock()
        self._ends: dict[str, float] = {}
        self._refresh = {credentials.refresh_token}
        self._revoked = False

    def grant(self, form: Mapping[str, str], authorization: str, options: Options) -> dict[str, Any]:
        """The answer of /services/oauth2/token. Raises TokenRefused."""
        kind = form.get("grant_type")
        if kind not in ("client_credentials", "refresh_token", JWT_BEARER):
            raise TokenRefused("unsupported_grant_type", "grant type not supported")
        if kind == JWT_BEARER:
            self._check_assertion(form.get("assertion", ""), options)
        else:
            self._check_client(form, authorization)
        if self._revoked:
            raise TokenRefused("invalid_grant", "expired access/refresh token")
        rotated = self._use_refresh_token(form.get("refresh_token", ""), options) if kind == "refresh_token" else {}
        return {**self._new_token(options), **rotated}

    def check(self, authorization: str) -> None:
        """Raises Refusal: INVALID_SESSION_ID."""
        scheme, _, token = authorization.partition(" ")
        with self._lock:
            ends = self._ends.get(token)
        if scheme not in ("Bearer", "OAuth") or ends is None or ends <= self._seconds():
            raise invalid_session()

    def expire(self) -> None:
        """Every access token given out so far is dead."""
        with self._lock:
            self._ends.clear()

    def revoke(self) -> None:
        """An admin has taken the access away: no token works and none is given."""
        self.expire()
        self._revoked = True

    def _new_token(self, options: Options) -> dict[str, Any]:
        token = f"00D5gS000000001!{secrets.token_urlsafe(48)}"
        now = self._seconds()
        with self._lock:
            self._ends[token] = now + options.token_seconds
        site = f"https://{options.domain}.salesforce.com"
        return {
            "access_token": token,
            "scope": "api",
            "instance_url": site,
            "id": f"{site}/id/00D5gS000000001EAA/0055gS000000001AAA",
            "token_type": "Bearer",
            "issued_at": str(int(now * 1000)),
            "api_instance_url": site,
        }

    def _check_client(self, form: Mapping[str, str], authorization: str) -> None:
        client_id, client_secret = _basic(authorization) or (form.get("client_id", ""), form.get("client_secret", ""))
        if not _same(client_id, self._credentials.client_id):
            raise TokenRefused("invalid_client_id", "client identifier invalid")
        if not _same(client_secret, self._credentials.client_secret):
            raise TokenRefused("invalid_client", "invalid client credentials")

    def _check_assertion(self, assertion: str, options: Options) -> None:
        import jwt  # costs a tenth of a second, and only this grant needs it

        if self._credentials.public_key is None:
            raise TokenRefused("invalid_client", "no certificate is registered for this app")
        audience = ["https://login.salesforce.com", "https://test.salesforce.com", f"https://{options.domain}.salesforce.com"]
        try:
            claims = jwt.decode(
                assertion, self._credentials.public_key, algorithms=["RS256"], audience=audience, options={"require": ["exp", "iss", "sub", "aud"]}
            )
        except jwt.ExpiredSignatureError as error:
            raise TokenRefused("invalid_grant", "token expired") from error
        except jwt.InvalidAudienceError as error:
            raise TokenRefused("invalid_grant", "audience is invalid") from error
        except jwt.PyJWTError as error:
            raise TokenRefused("invalid_grant", "invalid assertion") from error
        if not _same(str(claims["iss"]), self._credentials.client_id):
            raise TokenRefused("invalid_client_id", "client identifier invalid")
        if claims["sub"] != self._credentials.username:
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
