"""Can Undertone work with this org? One sentence for each thing that was looked at, with what to do where something is missing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from connectors.base import Finding
from connectors.errors import ConnectorError, Misconfigured, StreamUnavailable
from connectors.salesforce import mapping, soql
from connectors.salesforce.client import Client
from connectors.salesforce.config import LAST_SOAP_VERSION, SalesforceConfig
from connectors.salesforce.faults import Refused, error_of
from connectors.salesforce.keys import Lack, key_field
from connectors.salesforce.readings import LAG, Reading, missing_fields, readings, selection
from connectors.salesforce.schema import Schema

SECONDS = 18.0
"""After which a slow org is looked at no further."""
_SPAN = timedelta(days=90)
_NEARLY_USED = 0.8
_SKEW = timedelta(minutes=1)
_MUST_SEE = frozenset({"users", "accounts", "contacts"})
_ROLES = "OpportunityContactRole"
_COUNTED = ("Account", "Contact", "Opportunity", "Task", "Event")
_WARN_BEFORE = timedelta(days=183)
_SOAP_ENDS = "Summer '27"
_UNSUPPORTED: Mapping[int, tuple[str, date]] = {30: ("Summer '25", date(2025, 6, 1)), 40: ("Summer '27", date(2027, 6, 1))}
"""API versions up to this one, and from which release on they are not supported any more (Salesforce's API End-of-Life Policy)."""


@dataclass(frozen=True, slots=True)
class _Look:
    client: Client
    schema: Schema
    config: SalesforceConfig
    now: datetime


def findings(client: Client, schema: Schema, config: SalesforceConfig, now: datetime, *, seconds: float = SECONDS) -> list[Finding]:
    look = _Look(client, schema, config, now)
    found: list[Finding] = []
    with client.within(seconds):
        try:
            for step in _STEPS:
                found += step(look)
        except Refused as refused:
            found.append(Finding(level="error", about="Salesforce", message=str(error_of(refused.fault, "Salesforce"))))
        except ConnectorError as error:
            # The login, the network or the whole API: what follows would only repeat it.
            found.append(_too_slow() if client.time_is_over else Finding(level="error", about="Salesforce", message=str(error)))
    return found


def _too_slow() -> Finding:
    message = f"the org answers too slowly: not everything was looked at within {SECONDS:.0f} seconds. Check again later."
    return Finding(level="warning", about="Salesforce", message=message)


def _limits(look: _Look) -> Iterator[Finding]:
    limits = look.client.get("limits")
    try:
        daily = limits["DailyApiRequests"]
        most, left = int(daily["Max"]), int(daily["Remaining"])
    except (KeyError, TypeError, ValueError):
        yield Finding(level="warning", about="Salesforce", message="signed in, but the org does not say how many API requests are left today")
        return
    used = 1 - left / most if most else 1.0
    if used >= _NEARLY_USED:
        message = f"signed in, but {used:.0%} of today's {most:,} API requests are used. Find out which system uses them, or raise the org's limit."
        yield Finding(level="warning", about="Salesforce", message=message)
        return
    yield Finding(level="ok", about="Salesforce", message=f"signed in ({look.config.auth}); {left:,} of today's {most:,} API requests are left")


def _soap(look: _Look) -> Iterator[Finding]:
    if look.config.auth == "soap":
        message = (
            f"signed in by username and password (SOAP), which Salesforce retires with {_SOAP_ENDS}, does not offer in API {LAST_SOAP_VERSION + 1}.0 and "
            "above, and has switched off in orgs made since Winter '26. Set up an External Client App (auth=jwt or client_credentials) before that."
        )
        yield Finding(level="warning", about="login", message=message)


def _clock(look: _Look) -> Iterator[Finding]:
    said = look.client.said_at
    if said is None:
        return
    skew = said - look.now
    if abs(skew) <= _SKEW:
        yield Finding(level="ok", about="clock", message="this machine's clock and the org's agree")
        return
    way = "behind" if skew > timedelta(0) else "ahead of"
    message = (
        f"this machine's clock is {_spoken(abs(skew))} {way} the org's. Reading stays {_spoken(LAG)} behind the present, so more than that costs rows or "
        "freshness. Set the clock by a time server."
    )
    yield Finding(level="warning", about="clock", message=message)


def _spoken(span: timedelta) -> str:
    minutes = round(span.total_seconds() / 60)
    return f"{minutes:,} minutes" if minutes != 1 else "1 minute"


def _version(look: _Look) -> Iterator[Finding]:
    """Of the API: offered by this org, and for how long Salesforce stands by it."""
    config, offered = look.config, look.client.versions()
    if offered and config.api_version not in offered:
        message = f"the org does not offer API version {config.api_version}; it offers {offered[0]} to {offered[-1]}. Set api_version on the connection."
        raise Misconfigured(message)
    release, ends = next((end for last, end in _UNSUPPORTED.items() if config.version <= last), ("", None))
    if ends is None or look.now.date() < ends - _WARN_BEFORE:
        yield Finding(level="ok", about="API version", message=f"{config.api_version} is offered and supported")
        return
    verb = "does not support" if look.now.date() >= ends else "will not support"
    message = f"Salesforce {verb} API version {config.api_version} from {release} on. Set a newer api_version on the connection, for example 64.0."
    yield Finding(level="warning", about="API version", message=message)


def _objects(look: _Look) -> Iterator[Finding]:
    for reading in readings(look.config):
        yield _object(reading, look.schema, look.config)


def _object(reading: Reading, schema: Schema, config: SalesforceConfig) -> Finding:
    try:
        chosen = selection(reading, config, schema)
    except StreamUnavailable as error:
        level = "error" if reading.name in _MUST_SEE else "warning"
        return Finding(level=level, about=reading.table, message=f"{reading.name} cannot be read; {error}")  # type: ignore[arg-type]
    missing = missing_fields(reading, config, chosen.columns)
    if missing:
        fields = ", ".join(missing)
        message = f"{reading.name} are read without {fields}, which the connected user cannot see. Give it read access, or map other fields."
        return Finding(level="warning", about=reading.table, message=message)
    return Finding(level="ok", about=reading.table, message=f"{reading.name} can be read, with all fields")


def _roles(look: _Look) -> Iterator[Finding]:
    try:
        look.schema.table(_ROLES)
    except StreamUnavailable:
        message = "who decides on a renewal stays unknown: contact roles cannot be read. Give the connected user read access to opportunities and contacts."
        yield Finding(level="warning", about=_ROLES, message=message)
        return
    yield Finding(level="ok", about=_ROLES, message="the primary contact of each opportunity can be read")


def _tasks(look: _Look) -> Iterator[Finding]:
    """May tasks be written, and what decides between the keyed and the guarded way of writing them."""
    config = look.config
    name = f"Task.{config.key_field}" if config.key_field else "Task"
    try:
        table = look.schema.table("Task")
    except StreamUnavailable as error:
        yield Finding(level="warning", about=name, message=f"no task can be written; {error}")
        return
    barred = [f for f in ("Subject", "Description", "WhatId", "OwnerId") if not ((column := table.column(f)) and column.createable)]
    if not (table.createable and table.updateable) or barred:
        which = f" ({', '.join(barred)})" if barred else ""
        message = f"no task can be written: the connected user may not create and edit tasks{which}. Give its permission set the right to."
        yield Finding(level="warning", about="writing tasks", message=message)
    else:
        yield Finding(level="ok", about="writing tasks", message="the connected user may create and edit tasks")
    field = key_field(table, config)
    if field.way == "keyed":
        yield Finding(level="ok", about=name, message="tasks are written by a unique key, so that none is ever made twice")
        return
    yield Finding(level="warning", about=name, message=f"{_WHY[field.lack or 'missing']} Tasks are written one at a time, each after a search. {_MEND}")


_MEND = "Deploy connectors/salesforce/metadata (a text field of 40 characters: External ID, Unique), and give the connected user edit access."
_WHY: Mapping[Lack, str] = {
    "missing": "the key field does not exist, or is hidden from the connected user.",
    "not_external": "the key field is no External ID.",
    "not_unique": "the key field is not marked Unique, so the org would take two tasks with one key.",
    "too_short": "the key field holds fewer than 40 characters.",
    "read_only": "the connected user may not write the key field.",
}


def _rows(look: _Look) -> Iterator[Finding]:
    counts = {table: look.client.count(f"SELECT COUNT() FROM {table}") for table in _COUNTED if _is_there(look.schema, table)}
    told = ", ".join(f"{table} {count:,}" for table, count in counts.items())
    if counts.get("Account") == 0:
        message = f"the connected user sees no account ({told}). Give it View All on Account, or widen the org's sharing."
        yield Finding(level="warning", about="rows", message=message)
        return
    yield Finding(level="ok", about="rows", message=f"the connected user sees: {told}")


def _is_there(schema: Schema, table: str) -> bool:
    try:
        schema.table(table)
    except StreamUnavailable:
        return False
    return True


def _mail(look: _Look) -> Iterator[Finding]:
    if not _is_there(look.schema, "EmailMessage"):
        return
    count = look.client.count(f"SELECT COUNT() FROM EmailMessage WHERE MessageDate >= {soql.moment(look.now - _SPAN)}")
    if count:
        yield Finding(level="ok", about="EmailMessage", message=f"{count:,} emails in the last 90 days")
        return
    message = (
        "0 emails in the last 90 days: does the org use Einstein Activity Capture? Its mail is not stored as records. "
        "Turn on Sync Email as Salesforce Activity, or connect the mailboxes as well; until then silence says nothing."
    )
    yield Finding(level="warning", about="EmailMessage", message=message)


def _mapping(look: _Look) -> Iterator[Finding]:
    if _is_there(look.schema, "Account"):
        yield from mapping.preview(look.client, look.schema, look.config, look.now)


_STEPS: tuple[Callable[[_Look], Iterator[Finding]], ...] = (_limits, _soap, _clock, _version, _objects, _roles, _tasks, _mail, _rows, _mapping)
