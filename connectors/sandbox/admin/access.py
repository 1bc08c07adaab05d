"""What becomes of access and of what the org remembers: tokens, cursors, jobs, counters, time, options."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import timedelta
from typing import Any

from connectors.sandbox.org import Org
from connectors.sandbox.schema import Options


def revoke(org: Org) -> None:
    """An admin has taken the app's access away: no token works and none is given."""
    org.tokens.revoke()


def restore(org: Org) -> None:
    org.tokens.restore()


def expire(org: Org) -> None:
    """Every access token is dead; new ones are given."""
    org.tokens.expire()


def rotate(org: Org) -> str:
    """Another refresh token than before, which is the answer; the earlier ones are dead."""
    return org.tokens.rotate()


def forget_cursors(org: Org) -> None:
    """As after two days: every nextRecordsUrl is dead."""
    org.forget_cursors()


def forget_jobs(org: Org) -> None:
    """As after a week: the org knows no bulk job any more."""
    org.jobs.forget_all()


def reset_counters(org: Org) -> None:
    org.counters.reset()


def advance(org: Org, seconds: float) -> None:
    """The org's time goes on. Raises ValueError for an org that keeps the real time."""
    org.clock.advance(timedelta(seconds=seconds))


def set_options(org: Org, **changes: Any) -> None:
    """Any of the Options, by name; sets may be given as lists. Raises ValueError for one that is not there."""
    known = {f.name: f for f in fields(Options)}
    unknown = changes.keys() - known
    if unknown:
        message = f"there is no option {', '.join(sorted(unknown))}; there are {', '.join(known)}"
        raise ValueError(message)
    values: dict[str, Any] = {name: frozenset(value) if isinstance(value, list) else value for name, value in changes.items()}
    org.options = replace(org.options, **values)
