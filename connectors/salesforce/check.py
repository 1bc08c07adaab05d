"""Can Undertone work with this org? One sentence for each thing that was looked at, with what to do where something is missing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from connectors.base import Finding
from connectors.errors import ConnectorError, StreamUnavailable
from connectors.salesforce import soql
from connectors.salesforce.client import Client
from connectors.salesforce.config import SalesforceConfig
from connectors.salesforce.faults import Refused, error_of
from connectors.salesforce.keys import Lack, key_field
from connectors.salesforce.readings import READINGS, Reading, missing_fields, selection
from connectors.salesforce.schema import Schema

_SPAN = timedelta(days=90)
_NEARLY_USED = 0.8
_MUST_SEE = frozenset({"users", "accounts", "contacts"})
_ROLES = "OpportunityContactRole"


def findings(client: Client, schema: Schema, config: SalesforceConfig, now: datetime) -> list[Finding]:
    found: list[Finding] = []
    try:
        found.append(_limits(client))
        for reading in READINGS.values():
            found += _object(reading, schema, config)
        found.append(_roles(schema))
        found.append(_key(schema, config))
        found += _mail(client, schema, now)
        found.append(_renewals(client, schema, config, now))
    except ConnectorError as error:
        # The login, the network or the whole API: what follows would only repeat it.
        found.append(Finding(level="error", about="Salesforce", message=str(error)))
    return found


def _limits(client: Client) -> Finding:
    try:
        daily = client.get("limits")["DailyApiRequests"]
    except Refused as refused:
        raise error_of(refused.fault, "Salesforce") from None
    most, left = daily["Max"], daily["Remaining"]
    used = 1 - left / most if most else 1.0
    if used >= _NEARLY_USED:
        message = f"signed in, but {used:.0%} of today's {most:,} API requests are used. Find out which system uses them, or raise the org's limit."
        return Finding(level="warning", about="Salesforce", message=message)
    return Finding(level="ok", about="Salesforce", message=f"signed in; {left:,} of today's {most:,} API requests are left")


def _object(reading: Reading, schema: Schema, config: SalesforceConfig) -> Iterator[Finding]:
    try:
        chosen = selection(reading, config, schema)
    except StreamUnavailable as error:
        yield Finding(level="error" if reading.name in _MUST_SEE else "warning", about=reading.table, message=f"{reading.name} cannot be read; {error}")
        return
    missing = missing_fields(reading, config, chosen.columns)
    if missing:
        fields = ", ".join(missing)
        message = f"{reading.name} are read without {fields}, which the connected user cannot see. Give it read access, or map other fields."
        yield Finding(level="warning", about=reading.table, message=message)
        return
    yield Finding(level="ok", about=reading.table, message=f"{reading.name} can be read, with all fields")


def _roles(schema: Schema) -> Finding:
    try:
        schema.table(_ROLES)
    except StreamUnavailable:
        message = "who decides on a renewal stays unknown: contact roles cannot be read. Give the connected user read access to opportunities and contacts."
        return Finding(level="warning", about=_ROLES, message=message)
    return Finding(level="ok", about=_ROLES, message="the primary contact of each opportunity can be read")


def _key(schema: Schema, config: SalesforceConfig) -> Finding:
    """What decides between the keyed and the guarded way of writing tasks."""
    name = f"Task.{config.key_field}" if config.key_field else "Task"
    try:
        field = key_field(schema.table("Task"), config)
    except StreamUnavailable as error:
        return Finding(level="warning", about=name, message=f"no task can be written; {error}")
    if field.way == "keyed":
        return Finding(level="ok", about=name, message="tasks are written by a unique key, so that none is ever made twice")
    return Finding(level="warning", about=name, message=f"{_WHY[field.lack or 'missing']} Tasks are written one at a time, each after a search. {_MEND}")


_MEND = "Deploy connectors/salesforce/metadata (a text field of 40 characters: External ID, Unique), and give the connected user edit access."
_WHY: Mapping[Lack, str] = {
    "missing": "the key field does not exist, or is hidden from the connected user.",
    "not_external": "the key field is no External ID.",
    "not_unique": "the key field is not marked Unique, so the org would take two tasks with one key.",
    "too_short": "the key field holds fewer than 40 characters.",
    "read_only": "the connected user may not write the key field.",
}


def _mail(client: Client, schema: Schema, now: datetime) -> Iterator[Finding]:
    try:
        schema.table("EmailMessage")
    except StreamUnavailable:
        return
    count = client.count(f"SELECT COUNT() FROM EmailMessage WHERE MessageDate >= {soql.moment(now - _SPAN)}")
    if count:
        yield Finding(level="ok", about="EmailMessage", message=f"{count:,} emails in the last 90 days")
        return
    message = (
        "0 emails in the last 90 days: does the org use Einstein Activity Capture? Its mail is not stored as records. "
        "Turn on Sync Email as Salesforce Activity, or connect the mailboxes as well; until then silence says nothing."
    )
    yield Finding(level="warning", about="EmailMessage", message=message)


def _renewals(client: Client, schema: Schema, config: SalesforceConfig, now: datetime) -> Finding:
    """Where renewal dates live, counted."""
    counts = []
    field = config.renewal_date_field
    if field and schema.table("Account").can_read(field):
        number = client.count(f"SELECT COUNT() FROM Account WHERE {field} >= {now.date().isoformat()}")
        counts.append((number, f"{number:,} accounts have a {field} that lies ahead"))
    try:
        counts.append(_renewal_opportunities(client, schema, config))
    except StreamUnavailable:
        counts.append((0, "opportunities cannot be read"))
    message = "; ".join(text for _, text in counts)
    if any(number for number, _ in counts):
        return Finding(level="ok", about="renewals", message=message)
    advice = "Say where renewal dates live: renewal_types (values of the opportunity type) or renewal_date_field (a date on Account)."
    return Finding(level="warning", about="renewals", message=f"no renewal is found ({message}). {advice}")


def _renewal_opportunities(client: Client, schema: Schema, config: SalesforceConfig) -> tuple[int, str]:
    table, kind = schema.table("Opportunity"), config.opportunity_type_field
    if not (kind and config.renewal_types and table.can_read(kind) and table.can_read("IsClosed")):
        return 0, "the type of opportunities cannot be read"
    listed = next(soql.lists(config.renewal_types))
    number = client.count(f"SELECT COUNT() FROM Opportunity WHERE IsClosed = false AND {kind} IN {listed}")
    return number, f"{number:,} open opportunities are renewals ({kind}: {', '.join(config.renewal_types)})"
