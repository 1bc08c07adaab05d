"""Every operation of the running app, read out of its own OpenAPI document, with what a request to it needs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any
from uuid import UUID

import psycopg
import pytest
from psycopg import sql

from service import invitations, keys, preferences
from service.api import create_app
from service.config import real_time
from service.signals import Preference
from service.store import suggestions, workspaces
from service.store.pool import transaction
from service.store.suggestions import Verdict
from tests import builders
from tests.filled import Filled, fill

MARK = "CANARYforeign"
"""In every text of a planted workspace that can hold it."""
_UUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    method: str
    path: str
    scopes: tuple[str, ...] | None
    """None where the document asks for no key."""
    parameters: tuple[Mapping[str, Any], ...]
    body: Mapping[str, Any] | None
    """Schema of the JSON body."""

    def __str__(self) -> str:
        return f"{self.method.upper()} {self.path}"

    @property
    def writes(self) -> bool:
        return self.method not in ("get", "head", "options")

    def named(self, where: str) -> list[tuple[str, Mapping[str, Any]]]:
        """Parameters in the path or the query, with their schemas."""
        return [(p["name"], p["schema"]) for p in self.parameters if p["in"] == where]

    @property
    def names_a_row(self) -> bool:
        """By its id, or by a number that it has in its workspace."""
        return any(_is_id(schema) or _resolved(schema).get("type") == "integer" for _, schema in self.named("path"))


@cache
def document() -> dict[str, Any]:
    return create_app().openapi()


def operations(described: Mapping[str, Any] | None = None) -> list[Operation]:
    paths = (described or document())["paths"]
    return [_operation(method, path, operation) for path, methods in paths.items() for method, operation in methods.items()]


def _operation(method: str, path: str, described: Mapping[str, Any]) -> Operation:
    asked = [scope for way in described.get("security", []) for scopes in way.values() for scope in scopes]
    content = described.get("requestBody", {}).get("content", {})
    return Operation(
        method=method,
        path=path,
        scopes=tuple(asked) if described.get("security") else None,
        parameters=tuple(described.get("parameters", [])),
        body=content["application/json"]["schema"] if content else None,
    )


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of one workspace, seen by the owner of the schema."""

    owner: psycopg.Connection[Any]
    workspace_id: UUID

    def id_of(self, name: str) -> str:
        """Any value of the column that a parameter is named after."""
        for table in self._tables(name):
            query = sql.SQL("SELECT {} FROM {} WHERE workspace_id = %s AND {} IS NOT NULL").format(*map(sql.Identifier, (name, table, name)))
            if row := self.owner.execute(query, [self.workspace_id]).fetchone():
                return str(row[0])
        return pytest.fail(f"no row of the planted workspace has a {name}: plant one, so that the walk can ask for it")

    def ids(self) -> set[str]:
        """Every id in every table."""
        return {found for text in self.texts().values() for found in _UUID.findall(text)}

    def texts(self) -> dict[str, str]:
        """Of each table all of its rows, in order, as one text."""
        query = "SELECT string_agg(to_jsonb(t)::text, '\n' ORDER BY to_jsonb(t)::text) FROM {} t WHERE workspace_id = %s"
        every = {table: self.owner.execute(sql.SQL(query).format(sql.Identifier(table)), [self.workspace_id]).fetchone() for table in self._tables()}
        return {table: row[0] for table, row in every.items() if row and row[0]}

    def _tables(self, column: str = "workspace_id") -> list[str]:
        query = """SELECT c.table_name FROM information_schema.columns c JOIN information_schema.tables t USING (table_schema, table_name)
                   WHERE c.table_schema = 'public' AND t.table_type = 'BASE TABLE' AND c.column_name = %s ORDER BY 1"""
        return [name for (name,) in self.owner.execute(query, [column])]


PLANTS = (
    # As the scorer leaves it, so that the ledger reads it, too.
    "UPDATE message_text SET own_starts = ARRAY[0], own_ends = ARRAY[length(body)] WHERE workspace_id = %(id)s",
    "UPDATE account SET website = %(mark)s, region = %(mark)s WHERE workspace_id = %(id)s",
    "UPDATE crm_user SET name = %(mark)s WHERE workspace_id = %(id)s",
    "UPDATE contact SET name = %(mark)s, title = %(mark)s WHERE workspace_id = %(id)s",
    "UPDATE opportunity SET name = %(mark)s, stage = %(mark)s WHERE workspace_id = %(id)s",
    "UPDATE usage_series SET metric = %(mark)s WHERE workspace_id = %(id)s",
    "UPDATE signal SET alternatives = ARRAY[%(mark)s] WHERE workspace_id = %(id)s",
    "UPDATE suggestion SET why_now = %(mark)s, plan = ARRAY[%(mark)s], alternatives = ARRAY[%(mark)s] WHERE workspace_id = %(id)s",
    "INSERT INTO policy (workspace_id, version, document, made_at, made_by, why)"
    " VALUES (%(id)s, 1, jsonb_build_object('lexicon', jsonb_build_array(jsonb_build_object('phrase', %(mark)s::text))), now(), %(mark)s, %(mark)s)",
    "UPDATE connection SET status_reason = %(mark)s WHERE workspace_id = %(id)s",
    "INSERT INTO job (workspace_id, kind, state, said, made_by, ended_at) VALUES (%(id)s, 'first_read', 'done', %(mark)s, %(mark)s, now())",
)


def plant(rows: Rows) -> None:
    """The mark in what filled.fill() leaves plain."""
    for statement in PLANTS:
        assert rows.owner.execute(statement, {"mark": MARK, "id": rows.workspace_id}).rowcount, statement


def planted(owner: psycopg.Connection[Any]) -> Filled:
    """A workspace that has a row for every operation to show, each with the mark."""
    found = fill(builders.workspace(), f"{MARK} Ltd")
    rows = Rows(owner, found.workspace_id)
    said = owner.execute("SELECT evidence_id FROM evidence WHERE workspace_id = %s AND interaction_id IS NOT NULL", [found.workspace_id]).fetchone()
    assert said
    preferences.state(found.workspace_id, found.contact_id, Preference(channel="email", evidence_id=said[0], stated_at=builders.NOW), "api")
    with transaction(found.workspace_id) as db:
        for verdict in _VERDICTS:
            suggestions.add_feedback(db, found.suggestion_id, verdict, "api", MARK, None, workspaces.next_change(db))
    invitations.add(found.workspace_id, f"{MARK} Ann", "am", "password", real_time())
    keys.create(found.workspace_id, f"{MARK} key", ["read"], real_time(), None)
    plant(rows)
    return found


_VERDICTS: tuple[Verdict, ...] = ("not_now", "edited")


def url(operation: Operation, rows: Rows) -> str:
    return operation.path.format(**{name: rows.id_of(name) if _is_id(schema) else example(schema, rows) for name, schema in operation.named("path")})


def filters(operation: Operation, rows: Rows) -> dict[str, str]:
    """Every filter by an id."""
    return {name: rows.id_of(name) for name, schema in operation.named("query") if _is_id(schema)}


def body(operation: Operation, rows: Rows) -> Any:
    """The least that the operation takes; None where it takes nothing."""
    return example(operation.body, rows) if operation.body is not None else None


def full_body(operation: Operation, rows: Rows) -> Any:
    """With every field, for what is to be spoilt; nothing where it takes nothing."""
    return example(operation.body, rows, whole=True) if operation.body is not None else {}


def example(schema: Mapping[str, Any], rows: Rows, name: str = "", *, whole: bool = False) -> Any:
    """The least value that a schema allows, or one of each field and list; ids are those of rows."""
    schema = _resolved(schema)
    if "enum" in schema or "const" in schema:
        return schema.get("const", schema.get("enum", [None])[0])
    if _is_id(schema):
        return rows.id_of(name)
    kind = schema.get("type")
    if kind == "object":
        fields = schema.get("properties", {}) if whole else schema.get("required", [])
        return {field: example(schema["properties"][field], rows, field, whole=whole) for field in fields}
    if kind == "array":
        return [example(schema["items"], rows, name, whole=whole)] * (1 if whole else schema.get("minItems", 0))
    if kind == "string":
        return "2026-04-01" if schema.get("format") == "date" else "a" * schema.get("minLength", 1)
    least = schema.get("minimum", 0)
    return int(least) if kind == "integer" else least


def _resolved(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    if "$ref" in schema:
        return _resolved(document()["components"]["schemas"][schema["$ref"].rpartition("/")[2]])
    choices = [s for s in schema.get("anyOf", []) if s.get("type") != "null"]
    return _resolved(choices[0]) if choices else schema


def _is_id(schema: Mapping[str, Any]) -> bool:
    return _resolved(schema).get("format") == "uuid"


def foreign(answer: Any, whose: Filled, theirs: set[str]) -> list[str]:
    """What an answer tells of a workspace: its mark, or an id of one of its rows."""
    told = answer.text + "\n".join(f"{name}: {value}" for name, value in answer.headers.items())
    return [text for text in {whose.mark, MARK, *theirs} if text in told]
