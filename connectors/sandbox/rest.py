"""The REST API: what each path below a version answers."""

from __future__ import annotations

import re

from connectors.sandbox import describe, sobject_collections, writes
from connectors.sandbox.errors import Refusal, SeveralRows, not_found
from connectors.sandbox.identity import identity_url
from connectors.sandbox.org import Org, full_id
from connectors.sandbox.routing import Answer, Request, counted, names, route
from connectors.sandbox.writes import Writer

_BATCH_SIZE = re.compile(r"batchSize\s*=\s*(\d+)", re.IGNORECASE)
_ALLOW_SAVE = re.compile(r"allowSave\s*=\s*true", re.IGNORECASE)
_LEAST_PAGE, _LARGEST_PAGE = 200, 2_000
_ALLOW_SAVE_SINCE = 52


def _versions(_org: Org, _request: Request) -> Answer:
    return Answer(body=describe.versions())


def _resources(org: Org, request: Request) -> Answer:
    return Answer(body={**describe.resources(request.version), "identity": identity_url(org, request)})


def _limits(org: Org, _request: Request) -> Answer:
    return Answer(body=describe.limits(org))


def _global(org: Org, request: Request) -> Answer:
    return Answer(body=describe.everything(org, request.version))


def _about(org: Org, request: Request) -> Answer:
    sobject = org.sobject(request.parts[0])
    latest = org.tables.fetch(f'SELECT Id FROM "{sobject.name}" WHERE LastModifiedById = ? ORDER BY SystemModstamp DESC LIMIT 5', (org.user_id,))
    recent = [describe.recent(sobject, row_id, request.version) for (row_id,) in latest]
    return Answer(body={"objectDescribe": describe.about(sobject, request.version), "recentItems": recent})


def _describe(org: Org, request: Request) -> Answer:
    return Answer(body=describe.in_full(org, org.sobject(request.parts[0]), request.version))


def _query(org: Org, request: Request) -> Answer:
    return _asked(org, request, deleted=False)


def _query_all(org: Org, request: Request) -> Answer:
    return _asked(org, request, deleted=True)


def _asked(org: Org, request: Request, *, deleted: bool) -> Answer:
    text = request.parameters.get("q", "")
    if not text:
        raise Refusal("MALFORMED_QUERY", "A query string has to be specified")
    page = org.query(text, deleted=deleted, version=request.version, page_size=_page_size(request), most=_most(request))
    return _miscounted(request, Answer(body=page))


def _query_more(org: Org, request: Request) -> Answer:
    return _miscounted(request, Answer(body=org.query_more(request.parts[1], request.version, _most(request))))


def _most(request: Request) -> int | None:
    short = request.suffers("short_page")
    return short.size if short else None


def _miscounted(request: Request, answer: Answer) -> Answer:
    wrong = request.suffers("wrong_count")
    if wrong:
        answer.body["totalSize"] += wrong.size
    return answer


def _read(org: Org, request: Request) -> Answer:
    sobject = org.sobject(request.parts[0])
    return Answer(body=org.record(sobject, request.parts[1], request.version, names(request.parameters.get("fields"))))


def _create(org: Org, request: Request) -> Answer:
    written = counted(org, writes.create(writer(org, request), org.sobject(request.parts[0]), request.row()))
    location = f"/services/data/v{request.version}/sobjects/{written.object}/{written.id}"
    return Answer(status=201, body={"id": written.id, "success": True, "errors": []}, headers={"Location": location})


def _update(org: Org, request: Request) -> Answer:
    counted(org, writes.update(writer(org, request), org.sobject(request.parts[0]), request.parts[1], request.row()))
    return Answer(status=204)


def _delete(org: Org, request: Request) -> Answer:
    counted(org, writes.delete(writer(org, request), org.sobject(request.parts[0]), request.parts[1]))
    return Answer(status=204)


def _read_by_key(org: Org, request: Request) -> Answer:
    """By external id, or a single field or parent of the row with an id: the middle segment tells."""
    sobject = org.sobject(request.parts[0])
    external = sobject.field(request.parts[1])
    if external is None or not external.external_id:
        return _read_field(org, request)
    found = writes.with_key(org, sobject, external, request.parts[2])
    if not found:
        raise not_found()
    if len(found) > 1:
        raise SeveralRows([f"/services/data/v{request.version}/sobjects/{sobject.name}/{row['Id']}" for row in found])
    return Answer(body=org.record(sobject, found[0]["Id"], request.version, names(request.parameters.get("fields"))))


def _read_field(org: Org, request: Request) -> Answer:
    """Long text comes bare, anything else as a string of JSON; a relationship leads to the parent's row."""
    sobject = org.sobject(request.parts[0])
    name = request.parts[2]
    parent = sobject.parent(name)
    if parent is not None:
        parent_id = org.row(sobject, request.parts[1])[parent.name]
        target = next((org.schema[o.lower()] for o in parent.reference_to if o.lower() in org.schema and _is_of(org, o, parent_id)), None)
        if target is None:
            raise not_found()
        return Answer(body=org.record(target, parent_id, request.version))
    if sobject.field(name) is None:
        writes.external_id(sobject, request.parts[1])
        raise not_found()
    value = org.record(sobject, request.parts[1], request.version, [name])[str(getattr(sobject.field(name), "name", name))]
    return Answer(status=204) if value is None else Answer(body=value)


def _is_of(org: Org, object_name: str, row_id: str | None) -> bool:
    return bool(row_id) and str(row_id).startswith(org.schema[object_name.lower()].prefix)


def _upsert(org: Org, request: Request) -> Answer:
    sobject = org.sobject(request.parts[0])
    key_field = writes.external_id(sobject, request.parts[1])
    update_only = request.parameters.get("updateOnly", "").lower() == "true"
    written = counted(org, writes.upsert(writer(org, request), sobject, key_field, request.parts[2], request.row(), update_only=update_only))
    if not written.created and float(request.version) < 46:
        return Answer(status=204)
    return Answer(status=201 if written.created else 200, body={"id": written.id, "success": True, "errors": [], "created": written.created})


def _create_rows(org: Org, request: Request) -> Answer:
    return Answer(body=sobject_collections.create(writer(org, request), request.json()))


def _update_rows(org: Org, request: Request) -> Answer:
    return Answer(body=sobject_collections.update(writer(org, request), request.json()))


def _delete_rows(org: Org, request: Request) -> Answer:
    row_ids = names(request.parameters.get("ids"))
    all_or_none = request.parameters.get("allOrNone", "").lower() == "true"
    return Answer(body=sobject_collections.delete(writer(org, request), row_ids, all_or_none=all_or_none))


def _upsert_rows(org: Org, request: Request) -> Answer:
    sobject = org.sobject(request.parts[0])
    return Answer(body=sobject_collections.upsert(writer(org, request), sobject, writes.external_id(sobject, request.parts[1]), request.json()))


def _read_rows(org: Org, request: Request) -> Answer:
    """By list of ids; a row that is not there is null in its place."""
    body = request.row() if request.method == "POST" else request.parameters
    row_ids, wanted = names(body.get("ids")), names(body.get("fields"))
    sobject = org.sobject(request.parts[0])
    if not wanted:
        raise Refusal("MISSING_ARGUMENT", "fields is required")
    found = [org.tables.get(sobject, full_id(row_id)) for row_id in row_ids]
    live = [row is not None and not row.get("IsDeleted") and org.tables.is_shared(sobject, row["Id"]) for row in found]
    return Answer(body=[org.record(sobject, row["Id"], request.version, wanted) if row and there else None for row, there in zip(found, live, strict=True)])


def _recent(_org: Org, _request: Request) -> Answer:
    """What a person looked at in the user interface: the integration user has looked at nothing."""
    return Answer(body=[])


def _search(_org: Org, _request: Request) -> Answer:
    raise Refusal("FUNCTIONALITY_NOT_ENABLED", "Search (SOSL) is not enabled in this org; use a query", status=403)


def writer(org: Org, request: Request) -> Writer:
    """The connected user, with what the request's headers allow."""
    allowed = _ALLOW_SAVE.search(request.headers.get("sforce-duplicate-rule-header", "")) and float(request.version) >= _ALLOW_SAVE_SINCE
    return Writer(org=org, user_id=org.user_id, allow_save=bool(allowed))


def _page_size(request: Request) -> int | None:
    """Salesforce clamps what the client asks for, and need not keep to it."""
    asked = _BATCH_SIZE.search(request.headers.get("sforce-query-options", ""))
    return min(max(int(asked[1]), _LEAST_PAGE), _LARGEST_PAGE) if asked else None


ROUTES = (
    route("GET HEAD", "", "resources", "read", _resources),
    route("GET HEAD", "/limits", "limits", "read", _limits),
    route("GET", "/recent", "recent", "read", _recent),
    route("GET POST", "/(?:search|parameterizedSearch)", "search", "read", _search),
    route("GET HEAD", "/sobjects", "describe_global", "read", _global),
    route("GET", "/(query|queryAll)/*", "query_more", "read", _query_more),
    route("GET HEAD", "/query", "query", "read", _query),
    route("GET HEAD", "/queryAll", "query_all", "read", _query_all),
    route("GET HEAD", "/sobjects/*/describe", "describe", "read", _describe),
    route("GET HEAD", "/sobjects/*", "describe_object", "read", _about),
    route("POST", "/sobjects/*", "create", "write", _create),
    route("GET HEAD", "/sobjects/*/*", "read", "read", _read),
    route("PATCH", "/sobjects/*/*", "update", "write", _update),
    route("DELETE", "/sobjects/*/*", "delete", "write", _delete),
    route("GET HEAD", "/sobjects/*/*/*", "read_by_key", "read", _read_by_key),
    route("PATCH", "/sobjects/*/*/*", "upsert", "write", _upsert),
    route("POST", "/composite/sobjects", "collection_create", "write", _create_rows),
    route("PATCH", "/composite/sobjects", "collection_update", "write", _update_rows),
    route("DELETE", "/composite/sobjects", "collection_delete", "write", _delete_rows),
    route("GET POST", "/composite/sobjects/*", "collection_read", "read", _read_rows),
    route("PATCH", "/composite/sobjects/*/*", "collection_upsert", "write", _upsert_rows),
)
VERSIONS = route("GET", "", "versions", "read", _versions)
