"""/composite/tree: rows and the rows under them, all created or none."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connectors.sandbox import writes
from connectors.sandbox.describe import child_name
from connectors.sandbox.errors import Refusal
from connectors.sandbox.org import Org
from connectors.sandbox.rest import writer
from connectors.sandbox.routing import Answer, Request, counted, route
from connectors.sandbox.schema import SObject
from connectors.sandbox.sobject_collections import type_of
from connectors.sandbox.writes import Writer

MOST_ROWS, DEEPEST = 200, 5
Node = Mapping[str, Any]
Made = list[dict[str, Any]]


class _Failed(Exception):
    def __init__(self, results: Made) -> None:
        super().__init__()
        self.results = results


def _tree(org: Org, request: Request) -> Answer:
    body = request.row()
    sobject = org.sobject(request.parts[0])
    nodes = body.get("records")
    if not isinstance(nodes, list) or not nodes or not all(isinstance(n, Mapping) for n in nodes):
        raise Refusal("JSON_PARSER_ERROR", "records must be a list of records")
    made: Made = []
    try:
        with org.counters.all_or_none(), org.tables.transaction():
            for node in nodes:
                _plant(writer(org, request), sobject, node, {}, made, 1)
    except _Failed as failed:
        return Answer(status=400, body={"hasErrors": True, "results": failed.results})
    return Answer(status=201, body={"hasErrors": False, "results": made})


def _plant(writer: Writer, sobject: SObject, node: Node, parent: Mapping[str, str], made: Made, depth: int) -> None:
    about = node.get("attributes")
    name = str(about.get("referenceId") or "") if isinstance(about, Mapping) else ""
    fields = {k: v for k, v in node.items() if not (isinstance(v, Mapping) and isinstance(v.get("records"), list))}
    try:
        if not name or any(m["referenceId"] == name for m in made):
            raise Refusal("INVALID_INPUT", "each record needs a referenceId of its own in its attributes")
        if depth > DEEPEST or len(made) >= MOST_ROWS:
            raise Refusal("EXCEEDED_ID_LIMIT", f"a tree has at most {MOST_ROWS} records on {DEEPEST} levels")
        if type_of(node).lower() != sobject.name.lower():
            raise Refusal("INVALID_TYPE", f"a record of type {type_of(node)} stands where {sobject.name} is expected")
        written = counted(writer.org, writes.create(writer, sobject, {**fields, **parent}))
        made.append({"referenceId": name, "id": written.id})
        children = {relationship: _child(writer.org, sobject, relationship) for relationship in node.keys() - fields.keys()}
    except Refusal as refusal:
        writer.org.counters.refuses(refusal.code)
        raise _Failed([{"referenceId": name, "errors": [refusal.as_row_error()]}]) from refusal
    for relationship, (child, field) in children.items():
        for below in node[relationship]["records"]:
            _plant(writer, child, below if isinstance(below, Mapping) else {}, {field: written.id}, made, depth + 1)


def _child(org: Org, sobject: SObject, relationship: str) -> tuple[SObject, str]:
    """The object under a child relationship such as Contacts, and its field that points at the parent."""
    for child in org.schema.values():
        for f in child.fields.values():
            if child.queryable and sobject.name in f.reference_to and (child_name(child, f) or "").lower() == relationship.lower() and f.createable:
                return child, f.name
    raise Refusal("INVALID_FIELD", f"No such relationship '{relationship}' on sobject of type {sobject.name}")


ROUTES = (route("POST", "/composite/tree/*", "composite_tree", "write", _tree),)
