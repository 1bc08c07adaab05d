"""The same verbs over HTTP: {"verb": "edit", "object_name": "Account", "row_id": "a1", ...}."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from connectors.sandbox import admin
from connectors.sandbox.errors import Refusal
from connectors.sandbox.org import Org

VERBS: Mapping[str, Callable[..., Any]] = {name: getattr(admin, name) for name in admin.__all__}


def carry_out(org: Org, body: Any) -> Any:
    """What the verb answers, None for most. Rows may be named by id or by the story's key. Raises ValueError saying what is wrong."""
    if not isinstance(body, Mapping) or body.get("verb") not in VERBS:
        message = f"verb must be one of {', '.join(sorted(VERBS))}"
        raise ValueError(message)
    verb = VERBS[str(body["verb"])]
    given = {name: value for name, value in body.items() if name != "verb"}
    try:
        inspect.signature(verb).bind(org, **given)
    except TypeError as error:
        message = f"{body['verb']}: {error}; it takes {inspect.signature(verb)}"
        raise ValueError(message) from error
    try:
        return verb(org, **_with_ids(org, str(given.get("object_name") or _OBJECT_OF.get(str(body["verb"]), "")), given))
    except Refusal as refusal:
        message = f"{body['verb']}: {refusal.message}"
        raise ValueError(message) from refusal
    except (KeyError, TypeError, AttributeError) as error:
        message = f"{body['verb']}: there is no {error}"
        raise ValueError(message) from error


def _with_ids(org: Org, object_name: str, given: Mapping[str, Any]) -> dict[str, Any]:
    named = {name: _id(org, object_name, given[name]) for name in ("row_id", "winner_id", "loser_id") if name in given}
    lists = {"row_ids": [_id(org, object_name, row) for row in given["row_ids"]]} if "row_ids" in given else {}
    return {**given, **named, **lists}


def _id(org: Org, object_name: str, name: str) -> str:
    sobject = org.everything[object_name.lower()]
    return str(name) if org.tables.get(sobject, str(name)) else org.id_of(sobject.name, str(name))


_OBJECT_OF = {"close_task": "Task", "deactivate_user": "User"}
