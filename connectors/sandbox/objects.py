"""The objects of the org, field by field. Names, types and lengths are Salesforce's; `__c` marks what an admin added."""

from __future__ import annotations

from typing import Any

from connectors.sandbox.field_kinds import choice as _choice
from connectors.sandbox.field_kinds import day as _day
from connectors.sandbox.field_kinds import flag as _flag
from connectors.sandbox.field_kinds import number as _number
from connectors.sandbox.field_kinds import sobject as _object
from connectors.sandbox.field_kinds import text as _text
from connectors.sandbox.field_kinds import time as _time
from connectors.sandbox.field_kinds import to as _to
from connectors.sandbox.schema import Schema, index

KEY = "Undertone_Key__c"
FEEDBACK = "Undertone_Feedback__c"
FEEDBACK_LABELS = {"used": "Used as it is", "edited": "Used with changes", "not_now": "Not now", "wrong_reading": "The reading was wrong"}

TASK_STATUSES = {"Not Started": False, "In Progress": False, "Completed": True, "Waiting on someone else": False, "Deferred": False}
"""Status and whether it closes the task."""
TASK_PRIORITIES = ("High", "Normal", "Low")
STAGES = ("Prospecting", "Qualification", "Proposal/Price Quote", "Negotiation/Review", "Closed Won", "Closed Lost")

_WRITABLE: dict[str, Any] = {"createable": True, "updateable": True}


_RECORD: dict[str, Any] = {"createable": True, "updateable": True, "deletable": True}
_WHAT = ("Account", "Opportunity", "Case", "Contract")
"""What an activity or a mail can be about."""

_USER = _object(
    "User",
    "005",
    _text("Username", 80),
    _text("FirstName", 40),
    _text("LastName", 80),
    _text("Name", 121),
    _text("Email", 128, type="email"),
    _flag("IsActive"),
    _to("ManagerId", "User"),
    _choice("UserType", ["Standard"]),
    _choice("TimeZoneSidKey", ["Europe/Berlin"]),
    soft_delete=False,
)
_ACCOUNT = _object(
    "Account",
    "001",
    _to("MasterRecordId", "Account"),
    _text("Name", 255, required=True, **_WRITABLE),
    _text("Website", 255, type="url", **_WRITABLE),
    _text("Industry", 255, **_WRITABLE),
    _text("BillingCountry", 80, **_WRITABLE),
    _choice("BillingCountryCode", [], **_WRITABLE),
    _to("OwnerId", "User", **_WRITABLE),
    _to("ParentId", "Account", **_WRITABLE),
    _choice("CurrencyIsoCode", ["EUR", "USD", "GBP", "CHF"], **_WRITABLE),
    _number("Seats__c", label="Seats", **_WRITABLE),
    _number("ARR__c", type="currency", label="ARR", **_WRITABLE),
    **_RECORD,
)
_CONTACT = _object(
    "Contact",
    "003",
    _to("MasterRecordId", "Contact"),
    _to("AccountId", "Account", **_WRITABLE),
    _text("FirstName", 40, **_WRITABLE),
    _text("LastName", 80, required=True, **_WRITABLE),
    _text("Name", 121),
    _text("Email", 80, type="email", **_WRITABLE),
    _text("Title", 128, **_WRITABLE),
    _flag("HasOptedOutOfEmail", **_WRITABLE),
    _to("OwnerId", "User", **_WRITABLE),
    **_RECORD,
)
_OPPORTUNITY = _object(
    "Opportunity",
    "006",
    _to("AccountId", "Account", **_WRITABLE),
    _text("Name", 120, required=True, **_WRITABLE),
    _choice("Type", ["New Business", "Existing Business", "Renewal"], **_WRITABLE),
    _choice("StageName", STAGES, required=True, **_WRITABLE),
    _number("Amount", type="currency", **_WRITABLE),
    _choice("CurrencyIsoCode", ["EUR", "USD", "GBP", "CHF"], **_WRITABLE),
    _day("CloseDate", required=True, **_WRITABLE),
    _flag("IsClosed"),
    _flag("IsWon"),
    _to("OwnerId", "User", **_WRITABLE),
    **_RECORD,
)
_ROLE = _object(
    "OpportunityContactRole",
    "00K",
    _to("OpportunityId", "Opportunity", required=True, createable=True),
    _to("ContactId", "Contact", required=True, **_WRITABLE),
    _choice("Role", ["Decision Maker", "Economic Buyer", "Executive Sponsor", "Business User", "Evaluator", "Influencer", "Other"], **_WRITABLE),
    _flag("IsPrimary", **_WRITABLE),
    **_RECORD,
)
_TASK = _object(
    "Task",
    "00T",
    _to("WhoId", "Contact", **_WRITABLE),
    _to("WhatId", *_WHAT, **_WRITABLE),
    _text("Subject", 255, **_WRITABLE),
    _day("ActivityDate", **_WRITABLE),
    _choice("Status", TASK_STATUSES, required=True, restricted=True, default="Not Started", **_WRITABLE),
    _choice("Priority", TASK_PRIORITIES, required=True, restricted=True, default="Normal", **_WRITABLE),
    _flag("IsHighPriority"),
    _to("OwnerId", "User", "Group", required=True, **_WRITABLE),
    _text("Description", 32_000, type="textarea", label="Comments", **_WRITABLE),
    _to("AccountId", "Account"),
    _flag("IsClosed"),
    _flag("IsArchived"),
    _flag("IsRecurrence"),
    _choice("TaskSubtype", ["Task", "Email", "Call", "ListEmail"], restricted=True, default="Task", createable=True),
    _choice("CallType", ["Internal", "Inbound", "Outbound"], restricted=True, **_WRITABLE),
    _number("CallDurationInSeconds", type="int", **_WRITABLE),
    _time("CompletedDateTime"),
    _text(KEY, 40, label="Undertone Key", external_id=True, unique=True, **_WRITABLE),
    _choice(FEEDBACK, FEEDBACK_LABELS, label="Undertone Feedback", restricted=True, **_WRITABLE),
    **_RECORD,
)
_EVENT = _object(
    "Event",
    "00U",
    _to("WhoId", "Contact", **_WRITABLE),
    _to("WhatId", *_WHAT, **_WRITABLE),
    _text("Subject", 255, **_WRITABLE),
    _text("Location", 255, **_WRITABLE),
    _flag("IsAllDayEvent", **_WRITABLE),
    _time("ActivityDateTime"),
    _day("ActivityDate"),
    _number("DurationInMinutes", type="int", required=True, **_WRITABLE),
    _time("StartDateTime", required=True, **_WRITABLE),
    _time("EndDateTime"),
    _text("Description", 32_000, type="textarea", **_WRITABLE),
    _to("AccountId", "Account"),
    _to("OwnerId", "User", required=True, **_WRITABLE),
    _flag("IsPrivate", **_WRITABLE),
    _flag("IsArchived"),
    _flag("IsChild"),
    _flag("IsRecurrence"),
    _choice("EventSubtype", ["Event"]),
    **_RECORD,
)
_EMAIL = _object(
    "EmailMessage",
    "02s",
    _to("ParentId", "Case"),
    _to("ActivityId", "Task"),
    _text("TextBody", 131_072, type="textarea"),
    _text("HtmlBody", 131_072, type="textarea"),
    _text("Headers", 32_000, type="textarea"),
    _text("Subject", 3_000),
    _text("FromName", 1_000),
    _text("FromAddress", 1_000, type="email"),
    _text("ToAddress", 4_000),
    _text("CcAddress", 4_000),
    _text("BccAddress", 4_000),
    _flag("Incoming"),
    _flag("HasAttachment"),
    _choice("Status", ["0", "1", "2", "3", "4", "5"]),
    _time("MessageDate"),
    _to("RelatedToId", *_WHAT),
    _text("MessageIdentifier", 765),
    _text("ThreadIdentifier", 765),
    _to("ReplyToEmailMessageId", "EmailMessage"),
    _flag("IsPrivateDraft"),
)
_STATUS = _object(
    "TaskStatus",
    "01Z",
    _text("MasterLabel", 255),
    _text("ApiName", 255),
    _number("SortOrder", type="int"),
    _flag("IsDefault"),
    _flag("IsClosed"),
    soft_delete=False,
    bulk=False,
)
_PRIORITY = _object(
    "TaskPriority",
    "01Y",
    _text("MasterLabel", 255),
    _text("ApiName", 255),
    _number("SortOrder", type="int"),
    _flag("IsDefault"),
    _flag("IsHighPriority"),
    soft_delete=False,
    bulk=False,
)
_ORGANIZATION = _object(
    "Organization",
    "00D",
    _text("Name", 80),
    _flag("IsSandbox"),
    _text("InstanceName", 5),
    _text("OrganizationType", 40),
    _text("TimeZoneSidKey", 40),
    soft_delete=False,
)
_CASE = _object(
    "Case",
    "500",
    _text("CaseNumber", 30),
    _to("AccountId", "Account", **_WRITABLE),
    _to("ContactId", "Contact", **_WRITABLE),
    _to("ParentId", "Case", **_WRITABLE),
    _text("Subject", 255, **_WRITABLE),
    _text("Description", 32_000, type="textarea", **_WRITABLE),
    _choice("Status", ["New", "Working", "Escalated", "Closed"], default="New", **_WRITABLE),
    _choice("Priority", ["High", "Medium", "Low"], default="Medium", **_WRITABLE),
    _choice("Origin", ["Email", "Phone", "Web"], **_WRITABLE),
    _flag("IsClosed"),
    _to("OwnerId", "User", "Group", **_WRITABLE),
    **_RECORD,
)
_CONTRACT = _object(
    "Contract",
    "800",
    _to("AccountId", "Account", required=True, **_WRITABLE),
    _text("ContractNumber", 30),
    _choice("Status", ["Draft", "In Approval Process", "Activated"], default="Draft", **_WRITABLE),
    _day("StartDate", **_WRITABLE),
    _day("EndDate"),
    _number("ContractTerm", type="int", label="Contract Term (months)", **_WRITABLE),
    _to("OwnerId", "User", **_WRITABLE),
    **_RECORD,
)
_GROUP = _object(
    "Group",
    "00G",
    _text("Name", 40),
    _text("DeveloperName", 80),
    _choice("Type", ["Queue", "Regular", "Role"]),
    _text("Email", 255, type="email"),
    soft_delete=False,
)
_TASK_RELATION = _object(
    "TaskRelation",
    "0RT",
    _to("TaskId", "Task"),
    _to("RelationId", "Contact", "Account", "Opportunity", "Case", "Contract"),
    _flag("IsWhat"),
    _to("AccountId", "Account"),
    bulk=False,
)
_EMAIL_RELATION = _object(
    "EmailMessageRelation",
    "0Jk",
    _to("EmailMessageId", "EmailMessage"),
    _to("RelationId", "Contact", "User"),
    _choice("RelationType", ["FromAddress", "ToAddress", "CcAddress", "BccAddress", "OtherAddress"]),
    _text("RelationAddress", 320, type="email"),
    _text("RelationObjectType", 40),
    bulk=False,
)
_NAME = _object(
    "Name",
    "000",
    _text("Name", 255),
    _text("FirstName", 40),
    _text("LastName", 80),
    _text("Type", 40),
    _text("Email", 128),
    _text("Username", 80),
    _text("Title", 128),
    _flag("IsActive"),
    soft_delete=False,
    queryable=False,
)

_RECORDS = (_USER, _ACCOUNT, _CONTACT, _OPPORTUNITY, _ROLE, _TASK, _EVENT, _EMAIL, _CASE, _CONTRACT, _GROUP, _TASK_RELATION, _EMAIL_RELATION)
SCHEMA: Schema = index((*_RECORDS, _STATUS, _PRIORITY, _ORGANIZATION, _NAME))
