"""What the org says about itself: versions, limits, objects, fields."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from connectors.sandbox.objects import FEEDBACK_LABELS
from connectors.sandbox.schema import Field, SObject

if TYPE_CHECKING:
    from connectors.sandbox.org import Org

API_VERSION = "64.0"
OLDEST, NEWEST = 50, 67
_SOAP_TYPES = {"boolean": "xsd:boolean", "int": "xsd:int", "double": "xsd:double", "currency": "xsd:double", "date": "xsd:date", "datetime": "xsd:dateTime"}
_PLURALS = {"Opportunity": "Opportunities", "Case": "Cases"}


def versions() -> list[dict[str, str]]:
    return [{"label": f"v{n}", "url": f"/services/data/v{n}.0", "version": f"{n}.0"} for n in range(OLDEST, NEWEST + 1)]


def resources(version: str) -> dict[str, str]:
    names = ("sobjects", "query", "queryAll", "limits", "composite", "jobs", "recent")
    return {name: f"/services/data/v{version}/{name}" for name in names}


def limits(org: Org) -> dict[str, Any]:
    most = org.options.daily_limit
    jobs = len(org.jobs.every("query", org.clock.now()))
    return {
        "DailyApiRequests": {"Max": most, "Remaining": max(0, most - org.counters.used)},
        "DailyBulkV2QueryJobs": {"Max": 10_000, "Remaining": max(0, 10_000 - jobs)},
        "DailyBulkV2QueryFileStorageMB": {"Max": 976_562, "Remaining": 976_562},
        "ConcurrentAsyncGetReportInstances": {"Max": 200, "Remaining": 200},
    }


def everything(org: Org, version: str) -> dict[str, Any]:
    return {"encoding": "UTF-8", "maxBatchSize": 200, "sobjects": [about(o, version) for o in org.schema.values() if o.queryable]}


def about(sobject: SObject, version: str) -> dict[str, Any]:
    """The object without its fields, as the global describe lists it."""
    base = f"/services/data/v{version}/sobjects/{sobject.name}"
    return {
        "name": sobject.name,
        "label": sobject.label,
        "labelPlural": plural(sobject.name),
        "keyPrefix": sobject.prefix,
        "custom": sobject.name.endswith("__c"),
        "createable": sobject.createable,
        "updateable": sobject.updateable,
        "deletable": sobject.deletable,
        "undeletable": sobject.deletable,
        "queryable": True,
        "retrieveable": True,
        "replicateable": True,
        "searchable": False,
        "layoutable": True,
        "urls": {"sobject": base, "describe": f"{base}/describe", "rowTemplate": f"{base}/{{ID}}"},
    }


def in_full(org: Org, sobject: SObject, version: str) -> dict[str, Any]:
    children = [
        {"childSObject": child.name, "field": f.name, "relationshipName": child_name(child, f), "cascadeDelete": False}
        for child in org.schema.values()
        if child.queryable
        for f in child.fields.values()
        if sobject.name in f.reference_to
    ]
    return {**about(sobject, version), "fields": [_field(f) for f in sobject.fields.values()], "recordTypeInfos": [], "childRelationships": children}


def recent(sobject: SObject, row_id: str, version: str) -> dict[str, Any]:
    return {"attributes": {"type": sobject.name, "url": f"/services/data/v{version}/sobjects/{sobject.name}/{row_id}"}, "Id": row_id}


def child_name(child: SObject, f: Field) -> str | None:
    """What a parent calls its rows of `child` that point at it by `f`; None where it has no name for them."""
    return plural(child.name) if f.createable and f.name in ("AccountId", "WhatId", "ContactId", "WhoId", "OpportunityId") else None


def plural(name: str) -> str:
    return _PLURALS.get(name, f"{name}s")


def _field(f: Field) -> dict[str, Any]:
    return {
        "name": f.name,
        "label": f.label,
        "type": f.type,
        "soapType": "tns:ID" if f.type in ("id", "reference") else _SOAP_TYPES.get(f.type, "xsd:string"),
        "length": f.length,
        "byteLength": f.length * 3,
        "custom": f.custom,
        "createable": f.createable,
        "updateable": f.updateable,
        "nillable": not f.required and f.type not in ("boolean", "id"),
        "defaultedOnCreate": f.default is not None or f.name == "OwnerId",
        "filterable": f.filterable,
        "sortable": f.filterable,
        "groupable": f.filterable and f.type not in ("double", "currency", "datetime"),
        "aggregatable": f.filterable,
        "calculated": f.calculated,
        "calculatedFormula": f.formula,
        "externalId": f.external_id,
        "idLookup": f.external_id or f.type == "id",
        "unique": f.unique,
        "caseSensitive": False,
        "restrictedPicklist": f.restricted,
        "picklistValues": [_choice(f, value) for value in f.values],
        "referenceTo": list(f.reference_to),
        "relationshipName": f.relationship,
        "polymorphicForeignKey": len(f.reference_to) > 1,
    }


def _choice(f: Field, value: str) -> dict[str, Any]:
    return {"active": True, "defaultValue": value == f.default, "label": FEEDBACK_LABELS.get(value, value), "value": value}
