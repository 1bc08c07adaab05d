"""A connector's settings as fields of a form, made from its model; secrets beside them, which are never shown again."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from types import NoneType
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from connectors import registry
from service.field_mapping import names
from service.guide import Guide

_LONG = frozenset({"private_key"})
"""Secrets of many lines."""
_ALSO: Mapping[str, str] = {"password": "security_token"}
"""A secret that may go with another."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """`value`: as it stands in the form. `kind` secret and text are never filled in. `choices`: of a list."""

    name: str
    label: str
    kind: Literal["text", "number", "choice", "secret", "long secret"]
    value: str = ""
    hint: str = ""
    required: bool = False
    choices: Sequence[str] = ()
    stored: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigForm:
    """`first`: what has to be said; `more`: what may be left as it is."""

    first: Sequence[Input]
    more: Sequence[Input]


def form_of(connector: str, guide: Guide, config: Mapping[str, Any], stored: Collection[str] = ()) -> ConfigForm:
    """Without the fields of the other side: they have a page of their own, with examples."""
    fields = _fields(connector)
    inputs = {name: _input(name, field, guide, config) for name, field in fields.items()}
    inputs = {name: i for name, i in inputs.items() if name not in names()}
    first = [i for name, i in inputs.items() if i.required or name in guide.questions or (guide.secrets and name == "auth")]
    wanted = guide.secret_for(config)
    secrets = [_secret(name, guide, stored) for name in dict.fromkeys(guide.secrets.values())]
    also = [_secret(_ALSO[s.name], guide, stored) for s in secrets if s.name in _ALSO]
    return ConfigForm(
        first=[*first, *(s for s in secrets if s.name == wanted)],
        more=[*(i for i in inputs.values() if i not in first), *(s for s in [*secrets, *also] if s.name != wanted)],
    )


def changed(connector: str, guide: Guide, config: Mapping[str, Any], sent: Mapping[str, str]) -> dict[str, Any]:
    """The settings that were sent with another value than the form showed. One that was emptied is none where there can be none."""
    found: dict[str, Any] = {}
    for name, field in _fields(connector).items():
        value = sent.get(name, "").strip()
        if name not in sent or (value == _input(name, field, guide, config).value and name in {**config, **_given_by_default(field, name)}):
            continue
        if value:
            found[name] = value
        elif NoneType in get_args(field.annotation):
            found[name] = None
    return found


def _given_by_default(field: FieldInfo, name: str) -> dict[str, Any]:
    return {} if field.is_required() else {name: field.default}


def secrets_of(guide: Guide, sent: Mapping[str, str]) -> dict[str, str]:
    """Those that were typed in; an empty field keeps what is stored."""
    known = {*guide.secrets.values(), *_ALSO.values()}
    return {name: value.strip() for name, value in sent.items() if name in known and value.strip()}


def _fields(connector: str) -> Mapping[str, FieldInfo]:
    model = registry.connector(connector).config_model
    return model.model_fields if issubclass(model, BaseModel) else {}


def _input(name: str, field: FieldInfo, guide: Guide, config: Mapping[str, Any]) -> Input:
    default = "" if field.default in (PydanticUndefined, None) else field.default
    value = config.get(name, default)
    choices = [str(c) for c in get_args(_bare(field.annotation))] if get_origin(_bare(field.annotation)) is Literal else []
    return Input(
        name=name,
        label=guide.questions.get(name, name.replace("_", " ").capitalize()),
        kind="choice" if choices else "number" if _bare(field.annotation) in (int, float) else "text",
        value=", ".join(map(str, value)) if isinstance(value, (list, tuple)) else "" if value is None else str(value),
        hint=" ".join((field.description or "").split()),
        required=field.is_required(),
        choices=["", *choices] if NoneType in get_args(field.annotation) else choices,
    )


def _bare(annotation: Any) -> Any:
    """Without `| None`."""
    others = [a for a in get_args(annotation) if a is not NoneType]
    return others[0] if NoneType in get_args(annotation) and len(others) == 1 else annotation


def _secret(name: str, guide: Guide, stored: Collection[str]) -> Input:
    for_auth = " or ".join(auth for auth, secret in guide.secrets.items() if secret == name)
    hint = f"For auth {for_auth}." if for_auth else "Goes with the password."
    kind: Literal["secret", "long secret"] = "long secret" if name in _LONG else "secret"
    return Input(name=name, label=name.replace("_", " ").capitalize(), kind=kind, hint=hint, stored=name in stored)
