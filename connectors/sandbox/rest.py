"""The REST API: which path answers what. Knows nothing of sockets; the server turns an Answer into bytes."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from connectors.sandbox import batch, describe, writes
from connectors.sandbox.counters import Kind
from connectors.sandbox.errors import Refusal, SeveralRows, not_found
from connectors.sandbox.org import Org, as_record, full_id
from connectors.sandbox.writes import Written

_BATCH_SIZE = re.compile(r"batchSize\s*=\s*(\d+)", re.IGNORECASE)
_LEAST_PAGE, _LARGEST_PAGE = 200, 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    method: str
    path: str
    """Still percent-encoded, so that an encoded slash stays inside its segment."""
    parameters: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    """Names in lower case."""
    body: bytes = b""
    version: str = describe.API_VERSION
    parts: tuple[str, ...] = ()
    """What the path's pattern caught, decoded."""

    def json(self) -> Any:
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError) as error:
            raise Refusal("JSON_PARSER_ERROR", f"Unexpected character at [line:1, column:{len(self.body)}]: the body is not JSON") from error

    def row(self) -> Mapping[str, Any]:
        body = self.json()
        if not isinstance(body, Mapping):
            raise Refusal("JSON_PARSER_ERROR", "The body must be an object")
        return body


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    status: int = 200
    body: Any = None
    """None: no content. Bytes go out as they are, anything else as JSON."""
    content_type: str = "application/json;charset=UTF-8"
    headers: Mapping[str, str] = field(default_factory=dict)


Handler = Callable[[Org, Request], Answer]


@dataclass(frozen=True, slots=True)
class Route:
    methods: str
    pattern: re.Pattern[str]
    path_class: str
    kind: Kind
    handler: Handler


def guarded(org: Org, handler: Handler, request: Request) -> Answer:
    """The handler's answer, or the refusal it raised as an answer."""
    try:
        return handler(org, request)
    except Refusal as refusal:
        return refused(org, refusal)
    except SeveralRows as several:
        org.counters.refuses("MULTIPLE_CHOICES")
        return Answer(status=300, body=several.addresses)


def refused(org: Org, refusal: Refusal) -> Answer:
    org.counters.refuses(refusal.code)
    return Answer(status=refusal.status, body=refusal.as_answer())


def _versions(_org: Org, _request: Request) -> Answer:
    return Answer(body=describe.versions())


def _resources(_org: Org, request: Request) -> Answer:
    return Answer(body=describe.resources(request.version))


def _limits(org: Org, _request: Request) -> Answer:
    return Answer(body=describe.limits(org))


def _global(org: Org, request: Request) -> Answer:
    return Answer(body=describe.everything(org, request.version))


def _about(org: Org, request: Request) -> Answer:
    about = describe.about(org.sobject(request.parts[0]), request.version)
    return Answer(body={"objectDescribe": about, "recentItems": []})


def _describe(org: Org, request: Request) -> Answer:
    return Answer(body=describe.in_full(org.sobject(request.parts[0]), request.version))


def _query(org: Org, request: Request) -> Answer:
    return Answer(body=org.query(_soql(request), deleted=False, version=request.version, page_size=_page_size(request)))


def _query_all(org: Org, request: Request) -> Answer:
    return Answer(body=org.query(_soql(request), deleted=True, version=request.version, page_size=_page_size(request)))


def _query_more(org: Org, request: Request) -> Answer:
    return Answer(body=org.query_more(request.parts[1], request.version))


def _read(org: Org, request: Request) -> Answer:
    sobject = org.sobject(request.parts[0])
    return Answer(body=as_record(sobject, org.row(sobject, request.parts[1]), request.version, _names(request.parameters.get("fields"))))


def _create(org: Org, request: Request) -> Answer:
    written = _counted(org, writes.create(org, org.sobject(request.parts[0]), request.row()))
    location = f"/services/data/v{request.version}/sobjects/{written.object}/{written.id}"
    return Answer(status=201, body={"id": written.id, "success": True, "errors": []}, headers={"Location": location})


def _update(org: Org, request: Request) -> Answer:
    _counted(org, writes.update(org, org.sobject(request.parts[0]), request.parts[1], request.row()))
    return Answer(status=204)


def _delete(org: Org, request: Request) -> Answer:
    _counted(org, writes.delete(org, org.sobject(request.parts[0]), request.parts[1]))
    return Answer(status=204)


def _read_by_key(org: Org, request: Request) -> Answer:
    sobject = org.sobject(request.parts[0])
    found = writes.with_key(org, sobject, writes.external_id(sobject, request.parts[1]), request.parts[2])
    if not found:
        raise not_found()
    if len(found) > 1:
        raise SeveralRows([f"/services/data/v{request.version}/sobjects/{sobject.name}/{row['Id']}" for row in found])
    return Answer(body=as_record(sobject, found[0], request.version, _names(request.parameters.get("fields"))))


def _upsert(org: Org, request: Request) -> Answer:
    sobject = org.sobject(request.parts[0])
    key_field = writes.external_id(sobject, request.parts[1])
    update_only = request.parameters.get("updateOnly", "").lower() == "true"
    written = _counted(org, writes.upsert(org, sobject, key_field, request.parts[2], request.row(), update_only=update_only))
    if not written.created and float(request.version) < 46:
        return Answer(status=204)
    return Answer(status=201 if written.created else 200, body={"id": written.id, "success": True, "errors": [], "created": written.created})


def _create_rows(org: Org, request: Request) -> Answer:
    return Answer(body=batch.create(org, request.json()))


def _update_rows(org: Org, request: Request) -> Answer:
    return Answer(body=batch.update(org, request.json()))


def _delete_rows(org: Org, request: Request) -> Answer:
    row_ids = _names(request.parameters.get("ids"))
    return Answer(body=batch.delete(org, row_ids, all_or_none=request.parameters.get("allOrNone", "").lower() == "true"))


def _upsert_rows(org: Org, request: Request) -> Answer:
    sobject = org.sobject(request.parts[0])
    return Answer(body=batch.upsert(org, sobject, writes.external_id(sobject, request.parts[1]), request.json()))


def _read_rows(org: Org, request: Request) -> Answer:
    """By list of ids; a row that is not there is null in its place."""
    body = request.row() if request.method == "POST" else request.parameters
    row_ids, names = _names(body.get("ids")), _names(body.get("fields"))
    sobject = org.sobject(request.parts[0])
    if not names:
        raise Refusal("MISSING_ARGUMENT", "fields is required")
    found = [org.tables.get(sobject, full_id(row_id)) for row_id in row_ids]
    return Answer(body=[None if row is None or row.get("IsDeleted") else as_record(sobject, row, request.version, names) for row in found])


def _names(given: Any) -> list[str]:
    if isinstance(given, list):
        return [str(name) for name in given]
    return [name.strip() for name in (given or "").split(",") if name.strip()]


def _soql(request: Request) -> str:
    text = request.parameters.get("q", "")
    if not text:
        raise Refusal("MALFORMED_QUERY", "A query string has to be specified")
    return text


def _page_size(request: Request) -> int | None:
    """Salesforce clamps what the client asks for, and need not keep to it."""
    asked = _BATCH_SIZE.search(request.headers.get("sforce-query-options", ""))
    return min(max(int(asked[1]), _LEAST_PAGE), _LARGEST_PAGE) if asked else None


def _counted(org: Org, written: Written) -> Written:
    org.counters.wrote(written.object, written.action)
    return written


def _route(methods: str, path: str, path_class: str, kind: Kind, handler: Handler) -> Route:
    return Route(methods, re.compile(path.replace("*", "([^/]+)") + "/?"), path_class, kind, handler)


ROUTES = (
    _route("GET", "", "resources", "read", _resources),
    _route("GET", "/limits", "limits", "read", _limits),
    _route("GET", "/sobjects", "describe_global", "read", _global),
    _route("GET", "/(query|queryAll)/*", "query_more", "read", _query_more),
    _route("GET", "/query", "query", "read", _query),
    _route("GET", "/queryAll", "query_all", "read", _query_all),
    _route("GET", "/sobjects/*/describe", "describe", "read", _describe),
    _route("GET", "/sobjects/*", "describe_object", "read", _about),
    _route("POST", "/sobjects/*", "create", "write", _create),
    _route("GET", "/sobjects/*/*", "read", "read", _read),
    _route("PATCH", "/sobjects/*/*", "update", "write", _update),
    _route("DELETE", "/sobjects/*/*", "delete", "write", _delete),
    _route("GET", "/sobjects/*/*/*", "read_by_key", "read", _read_by_key),
    _route("PATCH", "/sobjects/*/*/*", "upsert", "write", _upsert),
    _route("POST", "/composite/sobjects", "collection_create", "write", _create_rows),
    _route("PATCH", "/composite/sobjects", "collection_update", "write", _update_rows),
    _route("DELETE", "/composite/sobjects", "collection_delete", "write", _delete_rows),
    _route("GET POST", "/composite/sobjects/*", "collection_read", "read", _read_rows),
    _route("PATCH", "/composite/sobjects/*/*", "collection_upsert", "write", _upsert_rows),
)
VERSIONS = _route("GET", "", "versions", "read", _versions)
