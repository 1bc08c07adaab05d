"""What a connector is lent for one run: its settings and secrets, a token that all workers share, and a share of the other side's daily calls."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """An access token and the host that takes it. `replaced`: secrets that the login has exchanged for new ones, by name; the old ones are dead."""

    value: str = field(repr=False)
    host: str
    replaced: Mapping[str, str] = field(default_factory=dict, repr=False)


Login = Callable[[Mapping[str, str]], Token]
"""Asks the other side for a token, given the secrets as they are now. Raises AuthFailed when they are refused."""


class Tokens(Protocol):
    def get(self, login: Login, *, dead: Token | None = None) -> Token:
        """The token that is in use. `dead`: the caller saw this one refused, so `login` is asked for another, by one worker
        for all. Raises AuthFailed without asking where these secrets have been refused before."""
        ...


class Budget(Protocol):
    """How many calls may still be made: a share of what the other side allows all its clients in a day, and a share for one run."""

    def take(self, calls: int = 1) -> None:
        """Before the call. Raises Parked when the share is used up."""
        ...

    def seen(self, used: int, allowed: int) -> None:
        """What the other side itself said of its day, after a call."""
        ...


class PrivateTokens:
    """For one connector object alone, with nothing behind it: a script, a test, a check."""

    def __init__(self, secrets: Mapping[str, str]) -> None:
        self._secrets = dict(secrets)
        self._token: Token | None = None

    def get(self, login: Login, *, dead: Token | None = None) -> Token:
        if self._token is None or self._token is dead:
            self._token = login(self._secrets)
            self._secrets |= self._token.replaced
        return self._token


class Unlimited:
    def take(self, calls: int = 1) -> None:
        pass

    def seen(self, used: int, allowed: int) -> None:
        pass


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    config: Mapping[str, Any]
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    tokens: Tokens
    budget: Budget = field(default_factory=Unlimited)


def alone(config: Mapping[str, Any], secrets: Mapping[str, str] | None = None) -> Context:
    """A context without a runner behind it."""
    return Context(config=config, secrets=secrets or {}, tokens=PrivateTokens(secrets or {}))
