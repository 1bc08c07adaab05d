"""What an admin deploys is what the connector asks for, and lets it neither send nor delete."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from xml.etree.ElementTree import Element, parse

import pytest

import connectors.salesforce
from connectors.salesforce.keys import LONGEST_KEY
from connectors.salesforce.readings import readings
from tests.connectors.salesforce.test_config import config

METADATA = Path(connectors.salesforce.__file__).parent / "metadata"
SOURCE = METADATA / "force-app/main/default"
VERDICTS = {"used", "edited", "not_now", "wrong_reading"}
NAMESPACE = "{http://soap.sforce.com/2006/04/metadata}"
EVERY_FILE = sorted(METADATA.rglob("*.xml"))
PERMISSION_SETS = sorted((SOURCE / "permissionsets").glob("*.xml"))
GRANTED = {"ActivitiesAccess", "ApiEnabled", "EditTask"}
"""User permissions that the integration holds, all of them."""
WITHOUT_OBJECT_PERMISSION = {"User", "Task", "Event", "EmailMessage"}
"""Seen by other means: users by everybody, the rest by Access Activities."""


def root(path: Path) -> Element:
    return parse(path).getroot()


def field(name: str | None) -> Element:
    return root(SOURCE / f"objects/Activity/fields/{name}.field-meta.xml")


def permissions(name: str) -> Element:
    return root(SOURCE / f"permissionsets/{name}.permissionset-meta.xml")


def text(element: Element, tag: str) -> str | None:
    return element.findtext(f"{NAMESPACE}{tag}")


def texts(element: Element, path: str) -> list[str | None]:
    return [e.text for e in element.findall("/".join(f"{NAMESPACE}{tag}" for tag in path.split("/")))]


def members(kind: str) -> set[str | None]:
    types = root(METADATA / "package.xml").findall(f"{NAMESPACE}types")
    return {m for t in types if text(t, "name") == kind for m in texts(t, "members")}


def granted_fields(name: str) -> dict[str | None, bool]:
    return {text(p, "field"): text(p, "editable") == "true" for p in permissions(name).findall(f"{NAMESPACE}fieldPermissions")}


def flags(path: Path) -> Iterator[tuple[str, str | None]]:
    for permission in root(path).findall(f"{NAMESPACE}objectPermissions"):
        yield from ((child.tag.removeprefix(NAMESPACE), child.text) for child in permission)


@pytest.mark.parametrize("path", PERMISSION_SETS, ids=lambda p: p.name.partition(".")[0])
def test_nothing_lets_anybody_send_delete_or_see_and_change_everything(path: Path) -> None:
    assert {value for name, value in flags(path) if name in ("allowCreate", "allowDelete", "allowEdit", "modifyAllRecords", "viewAllRecords")} <= {"false"}
    assert set(texts(root(path), "userPermissions/name")) <= GRANTED


def test_the_integration_may_write_tasks_and_read_the_rest() -> None:
    assert set(texts(permissions("Undertone_Integration"), "userPermissions/name")) == GRANTED
    editable = {name for name, may_edit in granted_fields("Undertone_Integration").items() if may_edit}
    assert editable == {f"Task.{name}" for name in ("Description", "WhatId", "WhoId", config().key_field)}


def test_every_object_that_is_read_may_be_read() -> None:
    every_source = config(renewal_source=("opportunity", "account", "contract"), renewal_date_field="Renewal__c")
    read = {r.table for r in readings(every_source)} - WITHOUT_OBJECT_PERMISSION
    assert read <= set(texts(permissions("Undertone_Integration"), "objectPermissions/object"))


def test_no_field_is_granted_that_every_user_sees_anyway_as_such_a_set_would_not_deploy() -> None:
    required = {"Id", "Name", "OwnerId", "LastName", "StageName", "CloseDate", "Subject", "Status", "Priority", "SystemModstamp", "IsDeleted"}
    granted = [name for path in PERMISSION_SETS for name in granted_fields(path.name.partition(".")[0])]
    assert not [name for name in granted if str(name).partition(".")[2] in required]
    assert len(granted) == len(set(granted)) + 2  # both sets name our two fields


def test_people_see_the_key_and_set_the_feedback() -> None:
    assert granted_fields("Undertone_People") == {f"Task.{config().feedback_field}": True, f"Task.{config().key_field}": False}


def test_the_list_of_what_is_to_do_goes_by_the_key_and_by_what_is_open() -> None:
    view = root(SOURCE / "objects/Task/listViews/Undertone_To_Do.listView-meta.xml")
    filters = [(text(f, "field"), text(f, "operation"), text(f, "value")) for f in view.findall(f"{NAMESPACE}filters")]
    assert filters == [(config().key_field, "notEqual", None), ("IS_CLOSED", "equals", "0")]
    assert text(view, "label") == "Undertone: to do"


def test_one_command_deploys_every_file_and_touches_no_layout() -> None:
    assert {p.relative_to(METADATA).parts[-2] for p in EVERY_FILE if p.name != "package.xml"} == {"fields", "listViews", "permissionsets"}
    assert members("CustomField") == {f"Activity.{p.name.partition('.')[0]}" for p in (SOURCE / "objects/Activity/fields").iterdir()}
    assert members("ListView") == {f"Task.{p.name.partition('.')[0]}" for p in (SOURCE / "objects/Task/listViews").iterdir()}
    assert members("PermissionSet") == {p.name.partition(".")[0] for p in PERMISSION_SETS}
    assert "sf project deploy start --manifest package.xml" in (METADATA / "README.md").read_text()


def test_everything_is_of_the_version_that_the_connector_speaks() -> None:
    project = json.loads((METADATA / "sfdx-project.json").read_text())
    assert project["sourceApiVersion"] == text(root(METADATA / "package.xml"), "version") == config().api_version
    assert [d["path"] for d in project["packageDirectories"]] == ["force-app"]


@pytest.mark.parametrize("path", EVERY_FILE, ids=lambda p: p.name)
def test_each_file_is_metadata_and_named_as_its_content_says(path: Path) -> None:
    element = root(path)
    assert element.tag.startswith(NAMESPACE)
    assert text(element, "fullName") in (None, path.name.partition(".")[0])


def test_the_key_field_can_guard_what_is_written() -> None:
    key = field(config().key_field)
    assert text(key, "fullName") == config().key_field
    assert [text(key, tag) for tag in ("type", "externalId", "unique", "length")] == ["Text", "true", "true", str(LONGEST_KEY)]


def test_the_feedback_field_offers_the_verdicts_that_are_understood() -> None:
    feedback = field(config().feedback_field)
    assert {v.findtext("{*}fullName") for v in feedback.iter() if v.tag.endswith("}value")} == VERDICTS
