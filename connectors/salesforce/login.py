"""Four ways to an access token. Each asks once: a refusal is final for these secrets, everything else may pass."""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping
from html import escape
from typing import Any
from xml.parsers.expat import ExpatError

from requests import Session
from requests.exceptions import RequestException
from simple_salesforce.exceptions import SalesforceAuthenticationFailed
from simple_salesforce.login import SalesforceLogin

from connectors.context import Token
from connectors.errors import AuthFailed, ConnectorError, Misconfigured, Retriable
from connectors.salesforce.config import SalesforceConfig
from connectors.salesforce.transport import BoundedAdapter

SECONDS = 25.0
"""For connecting, for the answer and for its body each: other workers wait for the same token meanwhile."""
_HOST = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)*\.(salesforce\.com|salesforce\.mil|force\.com|sfcrmproducts\.cn)", re.IGNORECASE)
"""Whose server a token is ever sent to."""
_PASSING = frozenset(
    {
        *("server_error", "temporarily_unavailable", "rate_limit_exceeded", "unknown_error"),
        *("SERVER_UNAVAILABLE", "REQUEST_LIMIT_EXCEEDED", "UNKNOWN_EXCEPTION_CODE"),
    }
)
_TOO_OFTEN = re.compile(r"\brate (limit|exceeded)", re.IGNORECASE)

_ADVICE = {
    "invalid_grant": "Check that the app is enabled for the user, the user is active, and key and secret or certificate belong to the app.",
    "invalid_client": "Check consumer_key and consumer_secret of the app, and store them again.",
    "invalid_client_id": "Check consumer_key: no app of this org has it.",
    "invalid_app_access": "The app's policy does not admit the user. Give the user the app's permission set.",
    "inactive_user": "The connected user is inactive. Activate it, or connect another one.",
    "inactive_org": "The org is locked or closed.",
    "unsupported_grant_type": "The app does not allow this flow. Enable the flow on it that the connection's auth names.",
    "INVALID_LOGIN": "Check username, password and security_token; a new password makes a new security token. Too many wrong tries lock the user.",
    "LOGIN_MUST_USE_SECURITY_TOKEN": "This network is not trusted by the org: store the user's security_token, or trust the network in Salesforce.",
    "PASSWORD_LOCKOUT": "The user is locked after too many wrong passwords. Unlock it in Salesforce.",
    "UNSUPPORTED_API_VERSION": "SOAP login does not exist in this api_version. Set 64.0 or lower, or use an External Client App (auth=jwt) instead.",
    "INVALID_OPERATION": "The org has SOAP login switched off, as all orgs made since Winter '26 have. Use an External Client App (auth=jwt) instead.",
}
_USUAL = {"refresh_token": "The refresh token is spent, expired or revoked: connect again with a new one. The app may also have been changed or removed."}


class Login:
    """What `Context.tokens` calls, with the secrets as they are at that moment. Raises AuthFailed when they are refused, Misconfigured when they
    are incomplete, Retriable when there was no answer."""

    def __init__(self, config: SalesforceConfig, http: Session, transport: BoundedAdapter) -> None:
        self._config = config
        self._http = http
        self._transport = transport

    def __call__(self, secrets: Mapping[str, str]) -> Token:
        try:
            with self._transport.at_most(SECONDS):
                return self._refreshed(secrets) if self._config.auth == "refresh_token" else self._by_library(secrets)
        except SalesforceAuthenticationFailed as error:
            raise self._refusal(error.code, error.auth_message) from None
        except RequestException as error:
            raise Retriable(_unreachable(self._config, error)) from None
        except (AttributeError, KeyError, TypeError, ValueError, ExpatError):
            message = "Salesforce answered the login with something that is no token."
            raise Retriable(message) from None

    def _by_library(self, secrets: Mapping[str, str]) -> Token:
        # simple-salesforce prints the app's key as a warning where the user has not approved the app; we say it in the error.
        with warnings.catch_warnings(action="ignore", category=UserWarning):
            value, host = SalesforceLogin(session=self._http, **self._credentials(secrets))
        return _token(value, host, {})

    def _credentials(self, secrets: Mapping[str, str]) -> dict[str, Any]:
        c = self._config
        if c.auth == "jwt":
            known = {"username": str(c.username), "privatekey": _private_key(secrets), "instance_url": c.domain, "domain": c.token_audience}
            return {"consumer_key": c.consumer_key, **known}
        if c.auth == "soap":
            login = {"username": str(c.username), "password": _secret(secrets, "password"), "domain": c.domain, "sf_version": c.api_version}
            # The library puts the token into its XML as it is.
            return {**login, "security_token": escape(secrets.get("security_token", ""))}
        return {"consumer_key": c.consumer_key, "consumer_secret": _secret(secrets, "consumer_secret"), "domain": c.domain}

    def _refreshed(self, secrets: Mapping[str, str]) -> Token:
        """Where the app rotates refresh tokens, the answer holds the next one and the old one is dead: it has to be kept before anything else."""
        c = self._config
        form = {"grant_type": "refresh_token", "client_id": c.consumer_key, "refresh_token": _secret(secrets, "refresh_token")}
        if secrets.get("consumer_secret"):
            form["client_secret"] = secrets["consumer_secret"]
        answer = self._http.post(f"https://{c.domain}.salesforce.com/services/oauth2/token", data=form)
        if answer.status_code >= 500 or answer.status_code == 429:
            raise SalesforceAuthenticationFailed(answer.status_code, "")
        said = answer.json()
        if answer.status_code != 200:
            raise SalesforceAuthenticationFailed(said["error"], said.get("error_description"))
        new = said.get("refresh_token")
        replaced = {"refresh_token": new} if isinstance(new, str) and new and new != secrets["refresh_token"] else {}
        return _token(said["access_token"], said["instance_url"].removeprefix("https://"), replaced)

    def _refusal(self, code: object, said: str) -> ConnectorError:
        if not isinstance(code, str) or code in _PASSING or _TOO_OFTEN.search(said[:500]):
            message = "Salesforce's login does not answer properly at the moment."
            return Retriable(message)
        if "approved" in said[:500].lower():
            message = "The user has not approved the app. In Salesforce, let its policy admit approved users, and give the user its permission set."
            return AuthFailed(message)
        usual = _USUAL.get(self._config.auth, _ADVICE["invalid_grant"])
        advice = usual if code == "invalid_grant" else _ADVICE.get(code, usual)
        return AuthFailed(f"Salesforce refused the login ({code if code in _ADVICE else 'unknown reason'}). {advice}")


def _token(value: object, host: object, replaced: Mapping[str, str]) -> Token:
    if not isinstance(value, str) or not isinstance(host, str) or not value or not host:
        message = "Salesforce answered the login without a token."
        raise Retriable(message)
    bare = host.rstrip("/")
    if not _HOST.fullmatch(bare):
        message = "Salesforce's login names a server that is none of Salesforce's; no token is sent there. Check the connection's domain."
        raise Misconfigured(message)
    return Token(value=value, host=bare, replaced=replaced)


def _private_key(secrets: Mapping[str, str]) -> str:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    pem = _secret(secrets, "private_key")
    try:
        usable = isinstance(load_pem_private_key(pem.encode(), password=None), RSAPrivateKey)
    except (ValueError, TypeError):
        usable = False
    if not usable:
        message = "This connection's private_key is no RSA key in PEM form without a password. Store the key of the app's certificate."
        raise Misconfigured(message)
    return pem


def _secret(secrets: Mapping[str, str], name: str) -> str:
    value = secrets.get(name)
    if not value:
        message = f"This connection has no {name}. Connect again with --secret {name}."
        raise Misconfigured(message)
    return value


def _unreachable(config: SalesforceConfig, error: RequestException) -> str:
    return f"{config.domain}.salesforce.com cannot be reached ({type(error).__name__}). Check the connection's domain and the network."
