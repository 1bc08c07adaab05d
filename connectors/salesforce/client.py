"""One conversation with one org: simple-salesforce with the runner's token and budget, one renewal a call, timeouts and bounded retries.

Not for sharing between threads: each pull and each push makes its own.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

from requests import Response
from requests.exceptions import ConnectTimeout, JSONDecodeError, RequestException
from simple_salesforce.api import Salesforce
from simple_salesforce.exceptions import SalesforceError, SalesforceExpiredSession
from simple_salesforce.util import exception_handler
from urllib3.exceptions import NewConnectionError

from connectors.context import Context, Token
from connectors.errors import AuthFailed, Parked, Retriable, UnknownOutcome
from connectors.jitter import jitter
from connectors.salesforce.config import SalesforceConfig
from connectors.salesforce.faults import Fault, Refused, TooBig, fault_of_answer
from connectors.salesforce.login import Login
from connectors.salesforce.transport import CONNECT_SECONDS, BodyTooBig, BoundedAdapter, adapter, session

BACKOFF_SECONDS = (0.5, 2.0, 5.0, 10.0)
"""Between the at most five tries of one call; each is shortened at random, so that many workers do not return together."""
WRITE_SECONDS = 50.0
"""A write is waited for less than a pushed row is leased, so that its answer is never missed by the one who asked."""
MOST_ROWS = 2_000
_LATER = timedelta(minutes=2)
_HOUR = timedelta(hours=1)
_LONGEST_PAUSE = 30.0
"""Seconds. Whoever asks for more patience is asked again by a later run."""
_DEAD_TOKEN = frozenset({"INVALID_SESSION_ID", "INVALID_AUTH_HEADER", "INVALID_JWT_FORMAT"})
_NOBODYS = frozenset({400, 403, 405, 407, 408})
"""Statuses for which Salesforce itself gives a reason in JSON."""
_USAGE = re.compile(r"(?:^|[;\s])api-usage=(\d+)/(\d+)")
_REFUSES_ALL = "Salesforce refuses every token it has just given out. Check the connected user and the app's policies in Salesforce."

Ask = Callable[[Any], Any]
"""One request through a simple_salesforce.Salesforce."""


class _Passing(Exception):
    """It may pass. `maybe_done`: the request may have been carried out all the same. `seconds`: how long the other side asks us to wait."""

    def __init__(self, message: str, *, maybe_done: bool, seconds: float = 0.0) -> None:
        super().__init__(message)
        self.maybe_done = maybe_done
        self.seconds = seconds


class _DeadToken(Exception):
    pass


@dataclass(frozen=True, slots=True)
class Answer:
    """One page of a query. `total` is what the org says the whole query has; `following` leads to the next page."""

    rows: list[dict[str, Any]]
    total: int
    following: str | None


class Client:
    """`said_at`: the org's own clock, as of its last answer."""

    def __init__(
        self, config: SalesforceConfig, context: Context, *, pause: Callable[[float], None] = time.sleep, transport: BoundedAdapter | None = None
    ) -> None:
        self._config = config
        self._tokens = context.tokens
        self._budget = context.budget
        self.pause = pause
        self._transport = transport or adapter(config.endpoint)
        self._http = session(self._transport)
        self._http.hooks["response"].append(self._heard)
        self._login = Login(config, self._http, self._transport)
        self._locked_out: str | None = None
        self._headers: Mapping[str, str] = {}

    @property
    def said_at(self) -> datetime | None:
        try:
            at = parsedate_to_datetime(self._headers.get("Date", ""))
        except ValueError:
            return None
        return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)

    def within(self, seconds: float) -> AbstractContextManager[None]:
        """No call inside is waited for, or tried again, beyond that."""
        return self._transport.at_most(seconds)

    @property
    def time_is_over(self) -> bool:
        return self._transport.left <= 0

    def get(self, path: str, *, version: str | None = None) -> Any:
        """`path` below /services/data/v64.0/."""
        return self._call(lambda org: org.restful(path), version=version)

    def versions(self) -> list[str]:
        """Of the API, as the org offers them."""
        offered = self._call(lambda org: org.query_more("/services/data", identifier_is_url=True))
        return [str(v["version"]) for v in offered if isinstance(v, dict) and "version" in v] if isinstance(offered, list) else []

    def write(self, method: str, path: str, body: Mapping[str, Any]) -> Any:
        """Sent once. Raises UnknownOutcome where it may have been carried out and the answer is missing."""
        headers = {"Sforce-Duplicate-Rule-Header": "allowSave=true"} if self._config.duplicate_rules == "save" else {}
        timeout = (CONNECT_SECONDS, WRITE_SECONDS)
        return self._call(lambda org: org.restful(path, method=method, json=body, headers=headers, timeout=timeout), write=True)

    def post(self, path: str, body: Mapping[str, Any]) -> Any:
        """Sent again where the answer is missing: for what does no harm when it is done twice."""
        return self._call(lambda org: org.restful(path, method="POST", json=body))

    def delete(self, path: str, *, version: str | None = None) -> None:
        self._call(lambda org: org.restful(path, method="DELETE"), version=version)

    def download(self, path: str, parameters: Mapping[str, str], *, version: str | None = None) -> Response:
        """An answer whose body is still to be taken, piece by piece; the caller closes it."""
        return self._call(lambda org: _opened(org, path, parameters), version=version)  # type: ignore[no-any-return]

    def count(self, soql: str, *, deleted: bool = False) -> int:
        return _answer(self._call(lambda org: org.query(soql, include_deleted=deleted))).total

    def rows(self, soql: str, *, deleted: bool = False) -> Iterator[dict[str, Any]]:
        for answer in self.pages(soql, deleted=deleted):
            yield from answer.rows

    def pages(self, soql: str, *, deleted: bool = False, most_rows: int = MOST_ROWS) -> Iterator[Answer]:
        """Until the org says that there is no more: a page may be short for reasons of its own. `deleted`: also from the recycle bin."""
        headers = {"Sforce-Query-Options": f"batchSize={most_rows}"}
        yield from self.pages_from(self._call(lambda org: org.query(soql, include_deleted=deleted, headers=headers)), headers)

    def pages_from(self, body: Any, headers: Mapping[str, str] | None = None) -> Iterator[Answer]:
        """That of a query's result, and those that follow it. Raises Retriable for a body that is none."""
        answer = _answer(body)
        yield answer
        while answer.following:
            url = answer.following
            answer = _answer(self._call(lambda org, url=url: org.query_more(url, identifier_is_url=True, headers=headers or {})))
            yield answer

    def _call(self, ask: Callable[..., Any], *, write: bool = False, version: str | None = None) -> Any:
        for wait in (*BACKOFF_SECONDS, None):
            try:
                return self._with_token(ask, version or self._config.api_version)
            except _Passing as passing:
                if write and passing.maybe_done:
                    message = f"{passing} The write was sent and its answer is missing; it is read back before anything is written again."
                    raise UnknownOutcome(message) from None
                if wait is None or passing.seconds > _LONGEST_PAUSE or wait > self._transport.left:
                    message = f"{passing} It is tried again later."
                    raise Retriable(message, wait=max(_LATER, timedelta(seconds=passing.seconds))) from None
                self.pause(max(wait * jitter(), passing.seconds))
        raise AssertionError

    def _with_token(self, ask: Ask, version: str) -> Any:
        """Replayed once with a new token and the same headers. simple-salesforce's own refresh drops them, and may never end."""
        dead = None
        for _ in range(2):
            token = self._token(dead)
            try:
                return self._asked(ask, _org(token, version, self._http))
            except _DeadToken:
                dead = token
        raise self._lock_out(_REFUSES_ALL)

    def _token(self, dead: Token | None) -> Token:
        if self._locked_out:
            raise AuthFailed(self._locked_out)
        try:
            return self._tokens.get(self._login, dead=dead)
        except AuthFailed as refused:
            raise self._lock_out(str(refused)) from None
        except Retriable as failing:
            raise _Passing(str(failing), maybe_done=False) from None

    def _lock_out(self, message: str) -> AuthFailed:
        """From now on this client asks for no more tokens: repeated refused logins can lock the user."""
        self._locked_out = message
        return AuthFailed(message)

    def _asked(self, ask: Ask, org: Any) -> Any:
        self._budget.take()
        try:
            return ask(org)
        except SalesforceExpiredSession:
            raise _DeadToken from None
        except SalesforceError as error:
            raise self._refusal(error) from None
        except BodyTooBig as error:
            message = f"Salesforce's answer cannot be held: {error}."
            raise TooBig(message) from None
        except (JSONDecodeError, TypeError, ValueError):
            message = "Salesforce answered with something that is no JSON."
            raise _Passing(message, maybe_done=True) from None
        except RequestException as error:
            message = f"Salesforce did not answer ({type(error).__name__})."
            raise _Passing(message, maybe_done=not _never_sent(error)) from None

    def _refusal(self, error: Any) -> Exception:
        fault = fault_of_answer(error.status, error.content)
        if fault.code in _DEAD_TOKEN:
            return _DeadToken()
        if fault.code == "REQUEST_LIMIT_EXCEEDED" and error.status != 429:
            return Parked(f"Salesforce: {fault.sentence}", wait=_HOUR)
        return self._passing(fault, error) or Refused(fault)

    def _passing(self, fault: Fault, error: Any) -> _Passing | None:
        if fault.code in ("SERVER_UNAVAILABLE", "CONCURRENT_REQUESTS"):
            return _Passing(f"Salesforce: {fault.sentence}", maybe_done=False, seconds=self._asked_to_wait())
        if error.status >= 500 or error.status == 429:
            message = f"Salesforce failed with HTTP {error.status}."
            return _Passing(message, maybe_done=error.status != 429, seconds=self._asked_to_wait())
        if error.status in _NOBODYS and not isinstance(error.content, list | dict):
            message = f"Something between here and Salesforce answered with HTTP {error.status} and a page."
            return _Passing(message, maybe_done=False)
        if 300 < error.status < 400:
            message = f"Salesforce points to another address (HTTP {error.status}): it is under maintenance, or the org's My Domain has changed."
            return _Passing(f"{message} If this lasts, check the connection's domain.", maybe_done=False)
        return None

    def _asked_to_wait(self) -> float:
        """Seconds."""
        said = self._headers.get("Retry-After", "")
        return float(said) if said.isdecimal() and len(said) < 6 else 0.0

    def _heard(self, response: Response, *_: Any, **__: Any) -> None:
        self._headers = response.headers
        usage = _USAGE.search(response.headers.get("Sforce-Limit-Info", ""))
        if usage and int(usage[2]) > 0:
            self._budget.seen(int(usage[1]), int(usage[2]))


def _org(token: Token, version: str, http: Any) -> Any:
    org = Salesforce(session_id=token.value, instance_url=f"https://{token.host}", version=version, session=http, object_pairs_hook=None)
    del org.headers["X-PrettyPrint"]  # it would fill every answer with blanks
    return org


def _opened(org: Any, path: str, parameters: Mapping[str, str]) -> Response:
    answer: Response = org.session.get(f"{org.base_url}{path}", headers=org.headers, params=parameters, stream=True)
    if answer.status_code >= 300:
        exception_handler(answer)
    return answer


def _never_sent(error: RequestException) -> bool:
    reason = getattr(error.args[0], "reason", None) if error.args else None
    return isinstance(error, ConnectTimeout) or isinstance(reason, NewConnectionError)


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
