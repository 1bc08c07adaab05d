"""OpenID Connect: the code flow with PKCE, state and nonce, up to the subject that the provider vouches for. Nothing else is asked or believed."""

from __future__ import annotations

import hmac
import logging
import secrets
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

from service.config import Settings, is_this_machine
from service.errors import Unauthenticated, Unavailable

if TYPE_CHECKING:
    from authlib.integrations.requests_client import OAuth2Session
    from joserfc.jwk import KeySet
    from joserfc.jwt import Token

T = TypeVar("T")
log = logging.getLogger("undertone.oidc")

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
"""Signatures by a private key of the provider. Neither none nor HS256, whose key would be one of ours."""
SECONDS = 5
"""That one answer of the provider may take."""
_LEEWAY = 60
"""Seconds by which its clock may differ from ours."""
_KNOWN_FOR = timedelta(hours=1)
_LOOK_AGAIN = timedelta(minutes=1)
"""What does not verify makes the provider's keys be read anew, in case it has changed them; not more often than this."""
_REST = timedelta(seconds=5)
"""For so long a provider that did not answer is not asked again: who knocks meanwhile should not wait in line."""
_ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri")


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    issuer: str
    client_id: str
    client_secret: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Going:
    """Somebody on their way to the provider. Whoever comes back must bring what their own browser was given."""

    state: str
    nonce: str
    verifier: str


def configured(given: Settings) -> Provider | None:
    if given.oidc_issuer is None or given.oidc_client_id is None or given.oidc_client_secret is None:
        return None
    return Provider(issuer=given.oidc_issuer, client_id=given.oidc_client_id, client_secret=given.oidc_client_secret)


def begin(provider: Provider, redirect_uri: str, now: datetime) -> tuple[str, Going]:
    """Where to send the browser, and what to keep in it. Raises Unavailable while the provider does not say where that is."""
    going = Going(state=secrets.token_urlsafe(32), nonce=secrets.token_urlsafe(32), verifier=secrets.token_urlsafe(48))
    said = _KNOWN.metadata(provider, now)
    with _session(provider, said, redirect_uri) as session:
        address, _ = session.create_authorization_url(
            said["authorization_endpoint"], state=going.state, code_verifier=going.verifier, nonce=going.nonce, response_type="code"
        )
    return str(address), going


def finish(provider: Provider, redirect_uri: str, going: Going, answer: Mapping[str, str], now: datetime) -> str:
    """The subject. `answer`: what the browser was sent back with. Raises Unauthenticated, in the same words whatever is wrong with it."""
    said = _KNOWN.metadata(provider, now)
    if not hmac.compare_digest(answer.get("state", "").encode(), going.state.encode()):
        raise _refused("state")
    if answer.get("iss", provider.issuer) != provider.issuer:
        raise _refused("iss of the answer")
    if "code" not in answer:
        raise _refused("no code")
    token = _exchange(provider, said, redirect_uri, answer["code"], going)
    return _subject(provider, token, going, now)


def _exchange(provider: Provider, said: Mapping[str, Any], redirect_uri: str, code: str, going: Going) -> Mapping[str, Any]:
    from authlib.common.errors import AuthlibBaseError
    from requests.exceptions import RequestException

    try:
        with _session(provider, said, redirect_uri) as session:
            found: Mapping[str, Any] = session.fetch_token(said["token_endpoint"], code=code, code_verifier=going.verifier, allow_redirects=False)
    except RequestException as error:
        raise _away("took no code") from error
    except (AuthlibBaseError, ValueError) as error:
        raise _refused(f"code: {type(error).__name__}") from None
    return found


def _subject(provider: Provider, token: Mapping[str, Any], going: Going, now: datetime) -> str:
    """Of an ID token that the provider signed for us, for this sign-in and for now."""
    from authlib.oidc.core import CodeIDToken
    from joserfc.errors import JoseError

    signed = _verified(provider, token.get("id_token"), now)
    options = {"iss": {"essential": True, "value": provider.issuer}, "aud": {"essential": True, "value": provider.client_id}, "sub": {"essential": True}}
    claims = CodeIDToken(signed.claims, signed.header, options, {"nonce": going.nonce, "client_id": provider.client_id, **_access_token(token)})
    try:
        claims.validate(now=int(now.timestamp()), leeway=_LEEWAY)
    except (JoseError, ValueError, TypeError) as error:
        raise _refused(f"claim {getattr(error, 'claim', type(error).__name__)}") from None
    subject = claims["sub"]
    if not isinstance(subject, str):
        raise _refused("claim sub")
    return subject


def _verified(provider: Provider, raw: object, now: datetime) -> Token:
    from joserfc import jwt
    from joserfc.errors import JoseError

    if not isinstance(raw, str):
        raise _refused("no ID token")
    try:
        return jwt.decode(raw, _KNOWN.keys(provider, now, _KNOWN_FOR), algorithms=ALGORITHMS)
    except (JoseError, ValueError):
        keys = _KNOWN.keys(provider, now, _LOOK_AGAIN)
    try:
        return jwt.decode(raw, keys, algorithms=ALGORITHMS)
    except (JoseError, ValueError) as error:
        raise _refused(f"signature: {type(error).__name__}") from None


def _access_token(token: Mapping[str, Any]) -> dict[str, str]:
    given = token.get("access_token")
    return {"access_token": given} if isinstance(given, str) else {}


def _session(provider: Provider, said: Mapping[str, Any], redirect_uri: str) -> OAuth2Session:
    from authlib.integrations.requests_client import OAuth2Session

    ways = said.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
    return OAuth2Session(
        provider.client_id,
        provider.client_secret,
        scope="openid",  # neither a name nor an address: nothing here rests on them
        redirect_uri=redirect_uri,
        code_challenge_method="S256",
        token_endpoint_auth_method="client_secret_basic" if "client_secret_basic" in ways else "client_secret_post",
        default_timeout=SECONDS,
    )


class _Known:
    """What the provider says of itself, kept for a while."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._metadata: dict[str, tuple[datetime, dict[str, Any]]] = {}
        self._keys: dict[str, tuple[datetime, KeySet]] = {}
        self._away: dict[str, datetime] = {}

    def metadata(self, provider: Provider, now: datetime) -> dict[str, Any]:
        with self._lock:
            since = self._away.get(provider.issuer)
            if since is not None and timedelta() <= now - since < _REST:
                raise _away("did not answer a moment ago")
            try:
                return _kept(self._metadata, provider, now, _KNOWN_FOR, _metadata)
            except Unavailable:
                self._away[provider.issuer] = now
                raise

    def keys(self, provider: Provider, now: datetime, oldest: timedelta) -> KeySet:
        """Read anew where they have been kept for so long."""
        address = self.metadata(provider, now)["jwks_uri"]
        with self._lock:
            return _kept(self._keys, provider, now, oldest, lambda _: _keys(address))


def _kept(kept: dict[str, tuple[datetime, T]], provider: Provider, now: datetime, oldest: timedelta, read: Callable[[Provider], T]) -> T:
    at, found = kept.get(provider.issuer, (None, None))
    if at is None or found is None or not timedelta() <= now - at < oldest:
        found = read(provider)
        kept[provider.issuer] = now, found
    return found


_KNOWN = _Known()


def _metadata(provider: Provider) -> dict[str, Any]:
    found = _read(f"{provider.issuer.rstrip('/')}/.well-known/openid-configuration")
    if found.get("issuer") != provider.issuer:
        raise _away("calls itself by another name than UNDERTONE_OIDC_ISSUER")
    if not all(_is_safe(found.get(name)) for name in _ENDPOINTS):
        raise _away(f"names no safe address for one of {', '.join(_ENDPOINTS)}")
    return found


def _keys(address: str) -> KeySet:
    from joserfc.errors import JoseError
    from joserfc.jwk import KeySet

    try:
        return KeySet.import_key_set(_read(address))  # type: ignore[arg-type]  # whatever it holds is looked at there
    except (JoseError, ValueError, KeyError, TypeError) as error:
        raise _away("has no keys that can be read") from error


def _read(address: str) -> dict[str, Any]:
    import requests

    try:
        answer = requests.get(address, timeout=SECONDS, allow_redirects=False)
        answer.raise_for_status()
        found = answer.json()
    except requests.RequestException as error:
        raise _away(f"did not answer ({type(error).__name__})") from error
    if not isinstance(found, dict):
        raise _away("answered what is no description")
    return found


def _is_safe(address: object) -> bool:
    if not isinstance(address, str):
        return False
    parts = urlsplit(address)
    return parts.scheme == "https" or (parts.scheme == "http" and is_this_machine(parts.hostname))


def _away(what: str) -> Unavailable:
    log.warning("oidc provider cannot be used", extra={"error_type": what})
    return Unavailable("The sign-in provider cannot be used right now. Try again in a few seconds; whoever runs Undertone finds the reason in the log.")


def _refused(why: str) -> Unauthenticated:
    """`why` is for the log of this machine, and holds nothing that was sent."""
    log.warning("oidc sign-in refused", extra={"error_type": why})
    return Unauthenticated("The provider's answer cannot be used, or is for another sign-in. Sign in once more.")
