"""Bulk API 2.0 query: jobs whose results are read in sets, in no order, and streamed so that no set is ever held."""

from __future__ import annotations

import base64
import binascii
import random
from collections.abc import Iterator

from connectors.sandbox import bulk_csv
from connectors.sandbox.bulk_jobs import Job, fate_of, format_of
from connectors.sandbox.errors import Refusal
from connectors.sandbox.org import Org
from connectors.sandbox.routing import Answer, Request, route
from connectors.sandbox.soql import Query
from connectors.sandbox.soql_parser import parse

_SNAPSHOT_ROWS, _SNAPSHOT_BYTES = 5_000, 20_000_000
"""Up to here the results are those of the moment the job was made. Larger ones are read when they are asked for."""


def _create(org: Org, request: Request) -> Answer:
    body = request.row()
    if body.get("operation") not in ("query", "queryAll"):
        raise Refusal("INVALIDJOB", "operation must be query or queryAll")
    delimiter, line_end = format_of(body)
    query = parse(str(body.get("query") or ""))
    plan = org.planner(deleted=body["operation"] == "queryAll").plan(_allowed(org, query))
    numbers = org.numbers(plan)
    if not query.order:
        # Which order it is must not matter to anybody; that it is another one than asked for does.
        random.Random(len(numbers)).shuffle(numbers)  # noqa: S311 - guards nothing
    job = Job(
        id=org.jobs.new_id(),
        kind="query",
        operation=str(body["operation"]),
        object=plan.sobject.name,
        version=request.version,
        made=org.clock.now(),
        made_by=org.user_id,
        delimiter=delimiter,
        line_end=line_end,
        state="UploadComplete",
        fate=fate_of(org.faults, plan.sobject.name),
        polls=org.options.bulk_polls,
        plan=plan,
        numbers=numbers,
    )
    job.lines = _snapshot(org, job)
    org.jobs.add(job)
    return Answer(body=job.as_json(full=False))


def _info(org: Org, request: Request) -> Answer:
    job = org.jobs.get("query", request.parts[0], org.clock.now())
    _go_on(job)
    return Answer(body=job.as_json())


def _every(org: Org, _request: Request) -> Answer:
    return Answer(body={"done": True, "records": [j.as_json(full=False) for j in org.jobs.every("query", org.clock.now())], "nextRecordsUrl": None})


def _change(org: Org, request: Request) -> Answer:
    job = org.jobs.get("query", request.parts[0], org.clock.now())
    if request.row().get("state") != "Aborted":
        raise Refusal("INVALIDJOBSTATE", "the state of a query job can be changed to Aborted only")
    if job.over:
        raise Refusal("INVALIDJOBSTATE", f"Aborting already {job.state} Job not allowed")
    job.state = "Aborted"
    return Answer(body=job.as_json(full=False))


def _delete(org: Org, request: Request) -> Answer:
    job = org.jobs.get("query", request.parts[0], org.clock.now())
    if job.state == "InProgress":
        raise Refusal("INVALIDJOBSTATE", "Deletion of InProgress Job not allowed")
    org.jobs.forget(job.id)
    return Answer(status=204)


def _results(org: Org, request: Request) -> Answer:
    job = org.jobs.get("query", request.parts[0], org.clock.now())
    if job.version != request.version:
        message = f"the job was made with API version {job.version}; ask for its results with the same one"
        raise Refusal("API_VERSION_MISMATCH", message, status=409)
    if job.state != "JobComplete":
        raise Refusal("INVALIDJOBSTATE", f"the results are not available: the job is {job.state}")
    start = _start(request.parameters.get("locator", ""), len(job.numbers))
    end = min(start + _most(org, request), len(job.numbers))
    short = request.suffers("short_page")
    if short and end - start > 1:
        end = start + min(short.size or (end - start) // 2, end - start - 1)
    rows = end - start if job.lines is not None else bulk_csv.count(org.tables, job, job.numbers[start:end])
    wrong = request.suffers("wrong_count")
    headers = {
        "Sforce-Locator": _locator(end) if end < len(job.numbers) else "null",
        "Sforce-NumberOfRecords": str(rows + (wrong.size if wrong else 0)),
    }
    return Answer(body=_body(org, job, start, end), content_type="text/csv", headers=headers)


def _body(org: Org, job: Job, start: int, end: int) -> Iterator[bytes]:
    yield bulk_csv.head(job)
    if job.lines is not None:
        yield b"".join(job.lines[start:end])
    else:
        yield from map(b"".join, bulk_csv.pieces(org.tables, job, job.numbers[start:end]))


def _allowed(org: Org, query: Query) -> Query:
    sobject = org.schema.get(query.object.lower())
    if sobject is not None and not sobject.bulk:
        raise Refusal("INVALIDENTITY", f"Entity '{sobject.name}' is not supported by the Bulk API.")
    if query.aggregates or query.group or query.counts:
        raise Refusal("API_ERROR", "Aggregate Relationships not supported in Bulk Query")
    if query.offset is not None:
        raise Refusal("API_ERROR", "OFFSET not supported in Bulk Query")
    if query.wildcard:
        raise Refusal("API_ERROR", "FIELDS() not supported in Bulk Query")
    return query


def _snapshot(org: Org, job: Job) -> list[bytes] | None:
    """The finished lines, if they are few: later changes do not show in them."""
    if len(job.numbers) > _SNAPSHOT_ROWS:
        return None
    held: list[bytes] = []
    for piece in bulk_csv.pieces(org.tables, job, job.numbers):
        held += piece
        if sum(map(len, held)) > _SNAPSHOT_BYTES:
            return None
    return held


def _go_on(job: Job) -> None:
    """A job comes on by being asked after: UploadComplete, InProgress, and at last its fate."""
    if job.over:
        return
    if job.polls > 0:
        job.polls -= 1
        job.state = "InProgress"
        return
    job.state = job.fate
    if job.fate == "JobComplete":
        job.processed = len(job.numbers)
    elif job.fate == "Failed":
        job.error = "InternalServerError : the job failed inside Salesforce"


def _most(org: Org, request: Request) -> int:
    given = request.parameters.get("maxRecords", "")
    if given and (not given.isdigit() or int(given) < 1):
        raise Refusal("INVALIDJOB", "maxRecords must be a number above 0")
    return min(int(given or org.options.bulk_page_rows), org.options.bulk_page_rows)


def _locator(at: int) -> str:
    return base64.urlsafe_b64encode(str(at).encode()).decode().rstrip("=")


def _start(locator: str, most: int) -> int:
    if not locator:
        return 0
    try:
        start = int(base64.urlsafe_b64decode(locator + "=" * (-len(locator) % 4)))
    except (ValueError, binascii.Error) as error:
        raise Refusal("INVALIDLOCATOR", "the locator is not one of this job") from error
    if not 0 < start < most:
        raise Refusal("INVALIDLOCATOR", "the locator is not one of this job")
    return start


ROUTES = (
    route("POST", "/jobs/query", "bulk_query_create", "read", _create),
    route("GET", "/jobs/query", "bulk_query_list", "read", _every),
    route("GET", "/jobs/query/*", "bulk_query_info", "read", _info),
    route("PATCH", "/jobs/query/*", "bulk_query_change", "read", _change),
    route("DELETE", "/jobs/query/*", "bulk_query_delete", "read", _delete),
    route("GET", "/jobs/query/*/results", "bulk_query_results", "read", _results),
)
