"""How the fields and objects of the schema are written down: a kind of field with what is usual for it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from connectors.sandbox.schema import Field, SObject


def text(name: str, length: int, **more: Any) -> Field:
    return Field(name=name, type=more.pop("type", "string"), label=more.pop("label", name), length=length, **more)


def flag(name: str, **more: Any) -> Field:
    return Field(name=name, type="boolean", label=name, default=False, **more)


def number(name: str, **more: Any) -> Field:
    return Field(name=name, type=more.pop("type", "double"), label=more.pop("label", name), **more)


def day(name: str, **more: Any) -> Field:
    return Field(name=name, type="date", label=name, **more)


def time(name: str, **more: Any) -> Field:
    return Field(name=name, type="datetime", label=name, **more)


def to(name: str, *objects: str, **more: Any) -> Field:
    return Field(name=name, type="reference", label=name, length=18, reference_to=objects, relationship=name.removesuffix("Id"), **more)


def choice(name: str, values: Iterable[str], **more: Any) -> Field:
    return Field(name=name, type="picklist", label=more.pop("label", name), length=255, values=tuple(values), **more)


def sobject(name: str, prefix: str, *fields: Field, soft_delete: bool = True, **more: Any) -> SObject:
    audit = (
        time("CreatedDate"),
        to("CreatedById", "User"),
        time("LastModifiedDate"),
        to("LastModifiedById", "User"),
        time("SystemModstamp"),
    )
    head = (Field(name="Id", type="id", label="Record ID", length=18), *((flag("IsDeleted"),) if soft_delete else ()))
    every = (*head, *fields, *audit)
    return SObject(name=name, prefix=prefix, label=more.pop("label", name), fields={f.name.lower(): f for f in every}, **more)
