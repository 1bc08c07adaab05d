"""Bulk API 2.0 ingest: a CSV of rows to insert, update, upsert or delete, each with an outcome of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from connectors.sandbox import bulk_csv, writes
from connectors.sandbox.bulk_jobs import Job, fate_of, format_of
from connectors.sandbox.errors import Refusal, SeveralRows
from connectors.sandbox.org import Org
from connectors.sandbox.routing import Answer, Request, counted, route
from connectors.sandbox.schema import Field, SObject
from connectors.sandbox.writes import Writer, Written

_OPERATIONS = ("insert", "update", "upsert", "delete", "hardDelete")
_SET_TO_NOTHING = "#N/A"
_RESULTS = {"successfulResults": ("sf__Id", "sf__Created"), "failedResults": ("sf__Id", "sf__Error"), "unprocessedrecords": ()}


def _create(org: Org, request: Request) -> Answer:
    body = request.row()
    if body.get("operation") not in _OPERATIONS:
        raise Refusal("INVALIDJOB", f"operation must be one of {', '.join(_OPERATIONS)}")
    delimiter, line_end = format_of(body)
    sobject = org.schema.get(str(body.get("object") or "").lower())
    if sobject is None or not sobject.bulk or not sobject.queryable:
        raise Refusal("INVALIDENTITY", f"Entity '{body.get('object')}' is not supported by the Bulk API.")
    key_field = writes.external_id(sobject, str(body.get("externalIdFieldName") or "")).name if body["operation"] == "upsert" else ""
    job = Job(
        id=org.jobs.new_id(),
        kind="ingest",
        operation=str(body["operation"]),
        object=sobject.name,
        version=request.version,
        made=org.clock.now(),
        made_by=org.user_id,
        delimiter=delimiter,
        line_end=line_end,
        state="Open",
        fate=fate_of(org.faults, sobject.name),
        polls=org.options.bulk_polls,
        key_field=key_field,
    )
    org.jobs.add(job)
    return Answer(body=job.as_json(full=False))


def _upload(org: Org, request: Request) -> Answer:
    job = _job(org, request)
    if job.state != "Open" or job.uploaded:
        raise Refusal("INVALIDJOBSTATE", f"job {job.id} takes no (more) data: it is {job.state}")
    job.uploaded = request.body
    return Answer(status=201)


def _change(org: Org, request: Request) -> Answer:
    job, wanted = _job(org, request), request.row().get("state")
    if wanted == "Aborted" and not job.over:
        job.state = "Aborted"
    elif wanted == "UploadComplete" and job.state == "Open":
        job.state = "UploadComplete"
        _carry_out(org, job)
    else:
        raise Refusal("INVALIDJOBSTATE", f"a job that is {job.state} cannot become {wanted}")
    return Answer(body=job.as_json(full=False))


def _info(org: Org, request: Request) -> Answer:
    job = _job(org, request)
    if job.state in ("UploadComplete", "InProgress"):
        job.polls -= 1
        job.state = job.fate if job.polls < 0 else "InProgress"
    return Answer(body=job.as_json())


def _every(org: Org, _request: Request) -> Answer:
    return Answer(body={"done": True, "records": [j.as_json(full=False) for j in org.jobs.every("ingest", org.clock.now())], "nextRecordsUrl": None})


def _delete(org: Org, request: Request) -> Answer:
    job = _job(org, request)
    if job.state == "InProgress":
        raise Refusal("INVALIDJOBSTATE", "Deletion of InProgress Job not allowed")
    org.jobs.forget(job.id)
    return Answer(status=204)


def _results(org: Org, request: Request) -> Answer:
    job, which = _job(org, request), request.parts[1]
    if not job.over:
        raise Refusal("INVALIDJOBSTATE", f"the results are not available: the job is {job.state}")
    return Answer(body=bulk_csv.table(job, _RESULTS[which], job.outcomes.get(which, [])), content_type="text/csv")


def _job(org: Org, request: Request) -> Job:
    return org.jobs.get("ingest", request.parts[0], org.clock.now())


def _carry_out(org: Org, job: Job) -> None:
    """Rows of a job that is doomed stay unprocessed, as does a file that cannot be read."""
    try:
        header, *rows = bulk_csv.read(job)
    except Refusal as refusal:
        job.fate, job.error = "Failed", f"{refusal.code} : {refusal.message}"
        return
    job.header, job.outcomes = header, {name: [] for name in _RESULTS}
    if job.fate != "JobComplete":
        job.outcomes["unprocessedrecords"] = rows
        job.error = "InternalServerError : the job failed inside Salesforce" if job.fate == "Failed" else ""
        return
    writer = Writer(org=org, user_id=org.user_id)
    for row in rows:
        _one(writer, job, row)
    job.processed = len(rows)


def _one(writer: Writer, job: Job, row: list[str]) -> None:
    org = writer.org
    try:
        written = counted(org, _written(writer, job, org.sobject(job.object), row))
        job.outcomes["successfulResults"].append([written.id, str(written.created).lower(), *row])
    except (Refusal, SeveralRows) as error:
        refusal = error if isinstance(error, Refusal) else Refusal("DUPLICATE_EXTERNAL_ID", f"more than one record found: {error.addresses}")
        org.counters.refuses(refusal.code)
        job.failed += 1
        job.outcomes["failedResults"].append(["", f"{refusal.code}:{refusal.message}:{','.join(refusal.fields)} --", *row])


def _written(writer: Writer, job: Job, sobject: SObject, row: list[str]) -> Written:
    values = {name: _value(sobject, name, text) for name, text in zip(job.header, row, strict=True) if text != ""}
    row_id = str(values.pop("Id", None) or values.pop("id", None) or "")
    if job.operation == "insert":
        return writes.create(writer, sobject, values)
    if job.operation == "upsert":
        key = str(next((values.pop(name) for name in list(values) if name.lower() == job.key_field.lower()), ""))
        if not key:
            raise Refusal("MISSING_ARGUMENT", f"{job.key_field} not specified")
        return writes.upsert(writer, sobject, writes.external_id(sobject, job.key_field), key, values)
    if not row_id:
        raise Refusal("MISSING_ARGUMENT", "Id not specified")
    if job.operation == "update":
        return writes.update(writer, sobject, row_id, values)
    return (writes.hard_delete if job.operation == "hardDelete" else writes.delete)(writer, sobject, row_id)


def _value(sobject: SObject, name: str, text: str) -> Any:
    found = sobject.field(name)
    if text == _SET_TO_NOTHING or found is None:
        return None if text == _SET_TO_NOTHING else text
    convert = _CONVERT.get(found.type)
    try:
        return convert(text) if convert else text
    except (ValueError, KeyError) as error:
        raise _wrong(found, text) from error


def _wrong(found: Field, text: str) -> Refusal:
    return Refusal("INVALID_TYPE_ON_FIELD_IN_RECORD", f"{found.label}: value not of required type: {text[:40]}", fields=(found.name,))


_CONVERT: Mapping[str, Callable[[str], Any]] = {
    "boolean": lambda text: {"true": True, "1": True, "false": False, "0": False}[text.lower()],
    "int": int,
    "double": float,
    "currency": float,
}

ROUTES = (
    route("POST", "/jobs/ingest", "bulk_ingest_create", "write", _create),
    route("GET", "/jobs/ingest", "bulk_ingest_list", "read", _every),
    route("PUT", "/jobs/ingest/*/batches", "bulk_ingest_upload", "write", _upload),
    route("GET", "/jobs/ingest/*", "bulk_ingest_info", "read", _info),
    route("PATCH", "/jobs/ingest/*", "bulk_ingest_change", "write", _change),
    route("DELETE", "/jobs/ingest/*", "bulk_ingest_delete", "write", _delete),
    *(route("GET", f"/jobs/ingest/*/({name})", "bulk_ingest_results", "read", _results) for name in _RESULTS),
)
