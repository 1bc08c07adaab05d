"""What an admin changes about the org itself: fields, choices, rules, who sees which field. Lasts as long as this process."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from connectors.sandbox.org import Org
from connectors.sandbox.rules import ValidationRule
from connectors.sandbox.schema import Field, FieldType, SObject


def add_field(
    org: Org,
    object_name: str,
    name: str,
    *,
    type: FieldType = "string",  # noqa: A002 - as the describe calls it
    length: int = 0,
    label: str | None = None,
    formula: str | None = None,
    rolled_up: bool = False,
    values: tuple[str, ...] = (),
    reference_to: tuple[str, ...] = (),
    required: bool = False,
) -> None:
    """A custom field, or with `formula` (another field's name, or "Account.Tier__c") one that is worked out whenever it is read;
    with `rolled_up` one that `recalculate` alone gives a value.

    Raises ValueError for a name that is taken or not a custom one, and for a formula that leads nowhere.
    """
    sobject = _object(org, object_name)
    if not name.endswith("__c") or sobject.field(name):
        message = f"{name} cannot be added to {sobject.name}: a custom field ends in __c, and its name must be free"
        raise ValueError(message)
    made = Field(
        name=name,
        type=type,
        label=label or name.removesuffix("__c").replace("_", " "),
        length=length or {"string": 255, "picklist": 255, "textarea": 32_000, "reference": 18}.get(type, 0),
        createable=formula is None and not rolled_up,
        updateable=formula is None and not rolled_up,
        required=required,
        values=tuple(values),
        reference_to=tuple(reference_to),
        relationship=f"{name.removesuffix('__c')}__r" if reference_to else None,
        default=False if type == "boolean" else None,
        formula=formula,
        rolled_up=rolled_up,
    )
    if formula is None:
        org.tables.add_column(sobject, made)
    else:
        _check_formula(org, sobject, formula)
    org.alter(sobject.with_field(made))


def drop_field(org: Org, object_name: str, name: str) -> None:
    """What it held is kept, as Salesforce keeps it for a while: adding it again brings it back."""
    sobject = _object(org, object_name)
    _field(sobject, name)
    org.alter(sobject.without_field(name))


def rename_field(org: Org, object_name: str, name: str, new_name: str) -> None:
    """The API name of a custom field changes; its values stay."""
    sobject = _object(org, object_name)
    held = _field(sobject, name)
    if held.stored:
        org.tables.rename_column(sobject, held.name, new_name)
    org.alter(sobject.without_field(name).with_field(replace(held, name=new_name)))


def change_field(org: Org, object_name: str, name: str, **changes: Any) -> None:
    """Another type, length, label, ...: whatever a Field has. Values that are there stay as they are."""
    sobject = _object(org, object_name)
    org.alter(sobject.with_field(replace(_field(sobject, name), **changes)))


def require_field(org: Org, object_name: str, name: str, *, required: bool = True) -> None:
    """From now on no row is written without it."""
    change_field(org, object_name, name, required=required)


def lose_unique(org: Org, object_name: str, name: str) -> None:
    """An external id stays one, but two rows may have the same."""
    change_field(org, object_name, name, unique=False)


def remove_choice(org: Org, object_name: str, name: str, value: str) -> None:
    """Rows that have the value keep it; no row can be given it."""
    sobject = _object(org, object_name)
    change_field(org, object_name, name, values=tuple(v for v in _field(sobject, name).values if v != value))
    _list_choices(org, sobject, name, value, visible=False)


def add_choice(org: Org, object_name: str, name: str, value: str) -> None:
    sobject = _object(org, object_name)
    change_field(org, object_name, name, values=(*_field(sobject, name).values, value))
    _list_choices(org, sobject, name, value, visible=True)


def hide_field(org: Org, object_name: str, name: str) -> None:
    """Field-level security takes the field from the connected user: it does not exist for it."""
    _field(_object(org, object_name), name)
    org.options = replace(org.options, hidden=org.options.hidden | {f"{_object(org, object_name).name}.{name}"})


def show_field(org: Org, object_name: str, name: str) -> None:
    org.options = replace(org.options, hidden=org.options.hidden - {f"{_object(org, object_name).name}.{name}"})


def add_validation_rule(org: Org, object_name: str, field: str, value: Any, message: str) -> None:
    """No row may be written whose `field` has `value`; with None, whose field is empty."""
    sobject = _object(org, object_name)
    org.validation_rules.append(ValidationRule(object=sobject.name, field=_field(sobject, field).name, value=value, message=message))


def drop_validation_rules(org: Org) -> None:
    org.validation_rules.clear()


def _object(org: Org, object_name: str) -> SObject:
    found = org.everything.get(object_name.lower())
    if found is None or not found.queryable:
        message = f"there is no object {object_name}"
        raise ValueError(message)
    return found


def _field(sobject: SObject, name: str) -> Field:
    found = sobject.field(name)
    if found is None:
        message = f"{sobject.name} has no field {name}"
        raise ValueError(message)
    return found


def _check_formula(org: Org, sobject: SObject, formula: str) -> None:
    relationship, dot, name = formula.rpartition(".")
    parent = sobject.parent(relationship) if dot else None
    target = org.everything.get(str(parent.joins).lower()) if parent else None if dot else sobject
    if target is None or target.field(name) is None:
        message = f"the formula {formula} leads to no field of {sobject.name} or of one parent of it"
        raise ValueError(message)


def _list_choices(org: Org, sobject: SObject, name: str, value: str, *, visible: bool) -> None:
    """TaskStatus and TaskPriority list the same choices as rows."""
    listed = org.everything.get(f"{sobject.name}{name}".lower())
    if listed is not None:
        org.tables.show(listed, [row["Id"] for row in org.tables.find(listed, "ApiName", value)], visible=visible)
