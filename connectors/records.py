"""What a source delivers, in words of the domain. Every time is aware and in UTC; every key is the source's own."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

import numpy as np
import numpy.typing as npt

InteractionKind = Literal["email", "call", "meeting", "chat", "note"]
Direction = Literal["in", "out", "internal", "unknown"]


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """A person on our side: may own accounts and receive tasks."""

    key: str
    name: str
    email: str | None
    active: bool = True
    manager_key: str | None = None
    modified_at: datetime | None = None
    deleted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    key: str
    name: str
    website: str | None = None
    owner_key: str | None = None
    region: str | None = None
    timezone: str | None = None
    seats: int | None = None
    arr: float | None = None
    currency: str | None = None
    modified_at: datetime | None = None
    deleted: bool = False
    merged_into_key: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    key: str
    account_key: str | None
    name: str | None
    email: str | None
    title: str | None = None
    opted_out: bool = False
    modified_at: datetime | None = None
    deleted: bool = False
    merged_into_key: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Opportunity:
    key: str
    account_key: str | None
    name: str
    type: str | None
    stage: str | None
    amount: float | None
    close_date: date | None
    is_closed: bool
    is_won: bool
    primary_contact_key: str | None = None
    modified_at: datetime | None = None
    deleted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Interaction:
    """One email, call, meeting, chat or note. `body` is raw text; quotes and signatures are removed later, by ml/text.py.

    Sides are told apart by address: `from_email`, `to_emails`, `cc_emails` are lower-case. `account_key` and
    `contact_key` are given where the source knows them; else the pull step finds the account by address.
    """

    key: str
    kind: InteractionKind
    direction: Direction
    occurred_at: datetime
    account_key: str | None = None
    contact_key: str | None = None
    from_email: str | None = None
    to_emails: tuple[str, ...] = ()
    cc_emails: tuple[str, ...] = ()
    subject: str = ""
    body: str = ""
    body_truncated: bool = False
    message_id: str | None = None
    in_reply_to: str | None = None
    automatic: bool = False
    """True for out-of-office replies, bounces, newsletters and invites: never scored, never a sign of life."""
    modified_at: datetime | None = None
    deleted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageRows:
    """Many values of usage as columns of one length: a row per (account, metric, day), days in the account's own calendar."""

    accounts: list[str]
    metrics: list[str]
    days: npt.NDArray[np.datetime64]
    values: npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageHours:
    """Usage by the hour, a row per (account, metric, quarter of an hour): the sum of what a source tells of it. `at`: UTC, datetime64[s]."""

    accounts: list[str]
    metrics: list[str]
    at: npt.NDArray[np.datetime64]
    values: npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskState:
    """A task of ours as the CRM shows it now."""

    key: str
    remote_id: str
    status: str | None
    is_closed: bool
    owner_key: str | None = None
    feedback: str | None = None
    edited_by_key: str | None = None
    """Who changed it last, ourselves included."""
    modified_at: datetime | None = None
    deleted: bool = False
    subject: str | None = None
    description: str | None = None
    """The texts as they stand there; given by a sink's lookup only."""


Record = User | Account | Contact | Opportunity | Interaction | UsageRows | UsageHours | TaskState


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected:
    """A row that could not become a record: where it stands and why. Never its content."""

    source_key: str
    reason: str
