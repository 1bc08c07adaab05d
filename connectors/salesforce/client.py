"""One conversation with one org: simple-salesforce with our own login, one refresh a call, timeouts and bounded retries.

Not for sharing between threads: each pull and each push makes its own.
"""

from __future__ import annotations

import random
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from requests.exceptions import ConnectTimeout, RequestException
from simple_salesforce.api import Salesforce
from simple_salesforce.exceptions import SalesforceAuthenticationFailed, SalesforceError, SalesforceExpiredSession
from simple_salesforce.login import SalesforceLogin
from urllib3.exceptions import NewConnectionError

from connectors.errors import Misconfigured, Retriable, UnknownOutcome
from connectors.salesforce.config import SalesforceConfig
from connectors.salesforce.faults import Refused, fault_of_answer
from connectors.salesforce.transport import CONNECT_SECONDS, session

BACKOFF_SECONDS = (0.5, 2.0, 5.0, 10.0)
"""Between the at most five tries of one call; each is shortened at random, so that many workers do not return together."""
WRITE_SECONDS = 50.0
"""A write is waited for less than a pushed row is leased, so that its answer is never missed by the one who asked."""
MOST_ROWS = 2_000
_LATER = timedelta(minutes=2)
_PASSING_LOGIN_ERRORS = frozenset({"server_error", "temporarily_unavailable", "rate_limit_exceeded", "unknown_error"})


class _Passing(Exception):
    """It may pass. `maybe_done`: the request may have been carried out all the same."""

    def __init__(self, message: str, *, maybe_done: bool) -> None:
        super().__init__(message)
        self.maybe_done = maybe_done


@dataclass(frozen=True, slots=True)
class Answer:
    """One page of a query. `total` is what the org says the whole query has; `following` leads to the next page."""

    rows: list[dict[str, Any]]
    total: int
    following: str | None


class Client:
    def __init__(self, config: SalesforceConfig, secrets: Mapping[str, str], *, pause: Callable[[float], None] = time.sleep) -> None:
        self._config = config
        self._secrets = secrets
        self._pause = pause
        self._http = session(config.endpoint)
        self._org: Any = None
        self._locked_out: str | None = None

    @property
    def usage(self) -> tuple[int, int] | None:
        """(used, allowed) API requests of the whole org today, as of the last answer."""
        found = self._org.api_usage.get("api-usage") if self._org else None
        return (found.used, found.total) if found and found.total > 0 else None

    def get(self, path: str) -> Any:
        """`path` below /services/data/v64.0/."""
        return self._call(lambda org: org.restful(path), write=False)

    def write(self, method: str, path: str, body: Mapping[str, Any]) -> Any:
        """Sent once. Raises UnknownOutcome where it may have been carried out and the answer is missing."""
        return self._call(lambda org: org.restful(path, method=method, json=body, timeout=(CONNECT_SECONDS, WRITE_SECONDS)), write=True)

    def count(self, soql: str) -> int:
        return _answer(self._call(lambda org: org.query(soql), write=False)).total

    def rows(self, soql: str, *, deleted: bool = False) -> Iterator[dict[str, Any]]:
        for answer in self.pages(soql, deleted=deleted):
            yield from answer.rows

    def pages(self, soql: str, *, deleted: bool = False, most_rows: int = MOST_ROWS) -> Iterator[Answer]:
        """Until the org says that there is no more: a page may be short for reasons of its own. `deleted`: also from the recycle bin."""
        headers = {"Sforce-Query-Options": f"batchSize={most_rows}"}
        answer = _answer(self._call(lambda org: org.query(soql, include_deleted=deleted, headers=headers), write=False))
        yield answer
        while answer.following:
            url = answer.following
            answer = _answer(self._call(lambda org, url=url: org.query_more(url, identifier_is_url=True, headers=headers), write=False))
            yield answer

    def _call(self, ask: Callable[..., Any], *, write: bool) -> Any:
        for wait in (*BACKOFF_SECONDS, None):
            try:
                return self._with_token(ask)
            except _Passing as passing:
                if write and passing.maybe_done:
                    message = f"{passing} The write was sent and its answer is missing; it is read back before anything is written again."
                    raise UnknownOutcome(message) from None
                if wait is None:
                    message = f"{passing} It is tried again later."
                    raise Retriable(message, wait=_LATER) from None
            self._pause(wait * random.uniform(0.5, 1.0))  # noqa: S311 - spreads retries, guards nothing
        raise AssertionError

    def _with_token(self, ask: Callable[..., Any]) -> Any:
        """Replayed once with a new token and the same headers. simple-salesforce's own refresh drops them, and may never end."""
        for _ in range(2):
            try:
                self._org = self._org or self._logged_in()
                return _asked(ask, self._org)
            except SalesforceExpiredSession:
                self._org = None
        raise self._lock_out("Salesforce refuses every token it has just given out. Check the connected user and the app's policies in Salesforce.")

    def _logged_in(self) -> Any:
        if self._locked_out:
            raise Misconfigured(self._locked_out)
        token, host = self._login()
        return Salesforce(session_id=token, instance_url=f"https://{host}", version=self._config.api_version, session=self._http)

    def _login(self) -> tuple[str, str]:
        # simple-salesforce prints the app's key as a warning where the user has not approved the app; we say it in the error.
        with warnings.catch_warnings(action="ignore", category=UserWarning):
            try:
                token, host = SalesforceLogin(session=self._http, consumer_key=self._config.consumer_key, **self._credentials())
            except SalesforceAuthenticationFailed as error:
                raise self._login_refused(error) from None
            except RequestException as error:
                raise _Passing(_unreachable(self._config, error), maybe_done=False) from None
            except (AttributeError, KeyError, TypeError):
                message = "Salesforce answered the login with something that is no token."
                raise _Passing(message, maybe_done=False) from None
        if not token or not host:
            message = "Salesforce answered the login without a token."
            raise _Passing(message, maybe_done=False)
        return token, host.rstrip("/")

    def _credentials(self) -> dict[str, Any]:
        c = self._config
        if c.auth == "jwt":
            return {"username": str(c.username), "privatekey": self._private_key(), "instance_url": c.domain, "domain": c.token_audience}
        return {"consumer_secret": self._secret("consumer_secret"), "domain": c.domain}

    def _private_key(self) -> str:
        from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
        from cryptography.hazmat.primitives.serialization import load_pem_private_key

        pem = self._secret("private_key")
        try:
            usable = isinstance(load_pem_private_key(pem.encode(), password=None), RSAPrivateKey)
        except (ValueError, TypeError):
            usable = False
        if not usable:
            raise self._lock_out("This connection's private_key is no RSA key in PEM form without a password. Store the key of the app's certificate.")
        return pem

    def _secret(self, name: str) -> str:
        value = self._secrets.get(name)
        if not value:
            raise self._lock_out(f"This connection has no {name}. Connect again with --secret {name}.")
        return value

    def _login_refused(self, error: Any) -> Exception:
        code, said = error.code, str(error.auth_message or "")[:500].lower()
        if isinstance(code, int) or code in _PASSING_LOGIN_ERRORS or "rate" in said:
            return _Passing("Salesforce's login does not answer properly at the moment.", maybe_done=False)
        if "approved" in said:
            return self._lock_out(
                "The user has not approved the app. In Salesforce, let its policy admit approved users, and give the user its permission set."
            )
        known = code if code in _LOGIN_ADVICE else None
        return self._lock_out(f"Salesforce refused the login ({known or 'unknown reason'}). {_LOGIN_ADVICE.get(code, _LOGIN_ADVICE['invalid_grant'])}")

    def _lock_out(self, message: str) -> Misconfigured:
        """From now on this client asks for no more tokens: repeated refused logins can lock the user."""
        self._locked_out = message
        return Misconfigured(message)


_LOGIN_ADVICE = {
    "invalid_grant": "Check that the app is enabled for the user, the user is active, and key and secret or certificate belong to the app.",
    "invalid_client": "Check consumer_key and consumer_secret of the app, and store them again.",
    "invalid_client_id": "Check consumer_key: no app of this org has it.",
    "invalid_app_access": "The app's policy does not admit the user. Give the user the app's permission set.",
    "inactive_user": "The connected user is inactive. Activate it, or connect another one.",
    "inactive_org": "The org is locked or closed.",
    "unsupported_grant_type": "The app does not allow this flow. Enable client credentials or JWT bearer on it, as the connection's auth says.",
}


def _asked(ask: Callable[..., Any], org: Any) -> Any:
    try:
        return ask(org)
    except SalesforceExpiredSession:
        raise
    except SalesforceError as error:
        raise _refusal(error) from None
    except RequestException as error:
        message = f"Salesforce did not answer ({type(error).__name__})."
        raise _Passing(message, maybe_done=not _never_sent(error)) from None
    except ValueError:
        message = "Salesforce answered with something that is no JSON."
        raise _Passing(message, maybe_done=True) from None


def _refusal(error: Any) -> Exception:
    fault = fault_of_answer(error.status, error.content)
    if fault.code in ("SERVER_UNAVAILABLE", "CONCURRENT_REQUESTS"):
        return _Passing(f"Salesforce: {fault.sentence}", maybe_done=False)
    if error.status >= 500 or error.status == 429:
        message = f"Salesforce failed with HTTP {error.status}."
        return _Passing(message, maybe_done=error.status != 429)
    return Refused(fault)


def _never_sent(error: RequestException) -> bool:
    reason = getattr(error.args[0], "reason", None) if error.args else None
    return isinstance(error, ConnectTimeout) or isinstance(reason, NewConnectionError)


def _unreachable(config: SalesforceConfig, error: RequestException) -> str:
    return f"{config.domain}.salesforce.com cannot be reached ({type(error).__name__}). Check the connection's domain and the network."


def _answer(body: Any) -> Answer:
    """Raises Retriable for a body that is not a query's: a proxy's, or one that was cut."""
    try:
        rows, total, done = body["records"], body["totalSize"], body["done"]
        following = None if done else body["nextRecordsUrl"]
    except (KeyError, TypeError):
        rows, total, following = None, 0, None
    well_formed = isinstance(rows, list) and isinstance(total, int) and all(isinstance(r, dict) for r in rows)
    if not well_formed or (following and not str(following).startswith("/services/data/")):
        message = "Salesforce answered a query with a body that is no query result."
        raise Retriable(message, wait=_LATER)
    return Answer(rows, total, following)
