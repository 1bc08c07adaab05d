"""What is read of the org: for each stream an object, and which of its fields holds what."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta

from connectors.base import Stream, Sweep
from connectors.errors import StreamUnavailable
from connectors.records import Rejected
from connectors.salesforce.config import SalesforceConfig
from connectors.salesforce.schema import Schema, Table

LAG = timedelta(minutes=5)
"""Rows become visible a little after their own stamp."""
OVERLAP = timedelta(minutes=10)
_IDS: Mapping[Sweep, timedelta] = {"ids": timedelta(days=7)}
_IDS_AND_FORMULAS: Mapping[Sweep, timedelta] = {**_IDS, "formulas": timedelta(days=1)}

Fields = Mapping[str, str | None]

_BASE: Fields = {"modified_at": "SystemModstamp"}
_RECYCLED: Fields = {**_BASE, "deleted": "IsDeleted"}
_BODIES = 200
"""Rows a page where each may hold a long text: the least that Salesforce allows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """`needed`: attributes without which the stream cannot be read at all. `deletes`: read from the recycle bin as well.
    `most_rows`: of a page. `kept`: attributes and what they must be for a row to become a record, as far as a query can tell."""

    name: str
    table: str
    fields: Callable[[SalesforceConfig], Fields]
    needed: frozenset[str]
    deletes: bool = True
    most_rows: int = 2_000
    sweeps: Mapping[Sweep, timedelta] = field(default_factory=dict)
    kept: Callable[[Fields], str] = lambda columns: ""

    @property
    def stream(self) -> Stream:
        return Stream(name=self.name, lag=LAG, overlap=OVERLAP, sweeps=self.sweeps)


def _users(_: SalesforceConfig) -> Fields:
    return {**_BASE, "name": "Name", "email": "Email", "active": "IsActive", "manager_key": "ManagerId", "user_type": "UserType"}


def _accounts(config: SalesforceConfig) -> Fields:
    return {
        **_RECYCLED,
        "name": "Name",
        "website": "Website",
        "owner_key": "OwnerId",
        "region": config.region_field,
        "country": "BillingCountry",
        "timezone": config.timezone_field,
        "seats": config.seats_field,
        "arr": config.arr_field,
        "currency": "CurrencyIsoCode",
        "merged_into_key": "MasterRecordId",
        "renewal_date": config.renewal_date_field,
    }


def _contacts(_: SalesforceConfig) -> Fields:
    return {
        **_RECYCLED,
        "account_key": "AccountId",
        "name": "Name",
        "email": "Email",
        "title": "Title",
        "opted_out": "HasOptedOutOfEmail",
        "merged_into_key": "MasterRecordId",
    }


def _opportunities(config: SalesforceConfig) -> Fields:
    return {
        **_RECYCLED,
        "account_key": "AccountId",
        "name": "Name",
        "type": config.opportunity_type_field,
        "stage": "StageName",
        "amount": "Amount",
        "close_date": "CloseDate",
        "is_closed": "IsClosed",
        "is_won": "IsWon",
    }


def _emails(_: SalesforceConfig) -> Fields:
    return {
        **_RECYCLED,
        "from_email": "FromAddress",
        "to_emails": "ToAddress",
        "cc_emails": "CcAddress",
        "subject": "Subject",
        "body": "TextBody",
        "headers": "Headers",
        "incoming": "Incoming",
        "occurred_at": "MessageDate",
        "created_at": "CreatedDate",
        "status": "Status",
        "draft": "IsPrivateDraft",
        "related_key": "RelatedToId",
        "parent_key": "ParentId",
        "message_id": "MessageIdentifier",
        "in_reply_to": "ReplyToEmailMessage.MessageIdentifier",
    }


_ACTIVITY: Fields = {
    **_RECYCLED,
    "account_key": "AccountId",
    "contact_key": "WhoId",
    "subject": "Subject",
    "body": "Description",
    "day": "ActivityDate",
    "created_at": "CreatedDate",
}


def _tasks(config: SalesforceConfig) -> Fields:
    return {
        **_ACTIVITY,
        "owner_key": "OwnerId",
        "edited_by_key": "LastModifiedById",
        "status": "Status",
        "is_closed": "IsClosed",
        "subtype": "TaskSubtype",
        "call_type": "CallType",
        "call_seconds": "CallDurationInSeconds",
        "completed_at": "CompletedDateTime",
        "recurring": "IsRecurrence",
        "task_key": config.key_field,
        "feedback": config.feedback_field,
    }


def _events(_: SalesforceConfig) -> Fields:
    return {
        **_ACTIVITY,
        "starts_at": "StartDateTime",
        "all_day": "IsAllDayEvent",
        "recurring": "IsRecurrence",
        "child": "IsChild",
        "private": "IsPrivate",
    }


def _contracts(_: SalesforceConfig) -> Fields:
    return {**_RECYCLED, "account_key": "AccountId", "number": "ContractNumber", "renewal_date": "EndDate", "state": "StatusCode", "status": "Status"}


def _all(*conditions: tuple[str, str]) -> Callable[[Fields], str]:
    """Those whose attribute can be read."""
    return lambda columns: " AND ".join(f"{columns[attribute]} {test}" for attribute, test in conditions if columns.get(attribute))


def _kept_tasks(columns: Fields) -> str:
    """Ours, and what somebody has done. Without a field for our key, ours are told by their description alone, which no query can do."""
    key = columns.get("task_key")
    done = _all(("is_closed", "= true"), ("subtype", "!= 'Email'"), ("subtype", "!= 'ListEmail'"), ("recurring", "= false"))(columns)
    return f"({key} != null OR ({done}))" if key else ""


_STAMP = frozenset({"modified_at"})
_KEPT_EMAILS = _all(("draft", "= false"), ("status", "!= '5'"))
_KEPT_EVENTS = _all(("recurring", "= false"), ("child", "= false"), ("private", "= false"))

READINGS: Mapping[str, Reading] = {
    reading.name: reading
    for reading in (
        Reading(name="users", table="User", fields=_users, needed=_STAMP | {"name"}, deletes=False),
        Reading(name="accounts", table="Account", fields=_accounts, needed=_STAMP | {"name"}, sweeps=_IDS_AND_FORMULAS),
        Reading(name="contacts", table="Contact", fields=_contacts, needed=_STAMP, sweeps=_IDS),
        Reading(name="opportunities", table="Opportunity", fields=_opportunities, needed=_STAMP | {"name", "is_closed", "is_won"}, sweeps=_IDS_AND_FORMULAS),
        Reading(name="contracts", table="Contract", fields=_contracts, needed=_STAMP | {"renewal_date", "status"}),
        Reading(
            name="emails",
            table="EmailMessage",
            fields=_emails,
            needed=_STAMP | {"occurred_at", "from_email"},
            most_rows=_BODIES,
            sweeps=_IDS,
            kept=_KEPT_EMAILS,
        ),
        Reading(name="tasks", table="Task", fields=_tasks, needed=_STAMP | {"is_closed"}, sweeps=_IDS, kept=_kept_tasks),
        Reading(name="events", table="Event", fields=_events, needed=_STAMP, sweeps=_IDS, kept=_KEPT_EVENTS),
    )
}
"""In the order in which they are read: whom a row names is there before the row."""


def readings(config: SalesforceConfig) -> list[Reading]:
    """Those that these settings ask for. Contracts are looked at only where renewal dates live there; what they become is swept with opportunities."""
    return [r for r in READINGS.values() if r.name != "contracts" or "contract" in config.renewal_source]


_OFTEN_ABSENT = frozenset(
    {
        *("country", "currency", "user_type", "headers", "draft", "parent_key", "recurring", "child", "private", "completed_at", "call_type"),
        *("call_seconds", "state"),
    }
)
"""Fields that many orgs do not have; without them something is read differently, and nothing is missing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """What of a reading this user can see. `columns`: attribute to field. `unread`: attributes that have no readable field."""

    columns: Mapping[str, str]
    unread: frozenset[str]
    missing: tuple[Rejected, ...]

    @property
    def fields(self) -> list[str]:
        return list(dict.fromkeys(("Id", *self.columns.values())))

    def among(self, fields: Collection[str]) -> Selection:
        """As rows tell it that hold only these fields."""
        held = {a: f for a, f in self.columns.items() if f in fields}
        return replace(self, columns=held, unread=self.unread | (self.columns.keys() - held.keys()))


def selection(reading: Reading, config: SalesforceConfig, schema: Schema) -> Selection:
    """Raises StreamUnavailable if the object or a field that everything hangs on cannot be seen."""
    table = schema.table(reading.table)
    wanted = reading.fields(config)
    readable = {a: schema.readable(table, f) for a, f in wanted.items() if f}
    columns = {a: f for a, f in readable.items() if f}
    lost = sorted(reading.needed - columns.keys())
    if lost:
        message = f"{reading.table}.{wanted[lost[0]]} is hidden from the connected user. Give its permission set read access to the field."
        raise StreamUnavailable(message)
    return Selection(columns=columns, unread=frozenset(wanted.keys() - columns.keys()), missing=tuple(_missing(reading, config, columns, table)))


def missing_fields(reading: Reading, config: SalesforceConfig, columns: Mapping[str, str]) -> list[str]:
    """Fields that are named in the settings or belong to every org, and that this user cannot see."""
    return [f for a, f in reading.fields(config).items() if f and a not in columns and a not in _OFTEN_ABSENT]


def _missing(reading: Reading, config: SalesforceConfig, columns: Mapping[str, str], table: Table) -> list[Rejected]:
    """Said in the quarantine, because a run goes on without them. Default names that an org never had are said by the check alone."""
    defaults = {f for f in reading.fields(_DEFAULTS).values() if f and f.endswith("__c")}
    reason = "the field cannot be read: it is hidden from the connected user or was renamed. What was read of it before stays as it was"
    return [Rejected(source_key=f"{table.name}.{field}", reason=reason) for field in missing_fields(reading, config, columns) if field not in defaults]


_DEFAULTS = SalesforceConfig(domain="any.my", consumer_key="any")
