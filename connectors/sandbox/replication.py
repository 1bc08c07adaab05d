"""What changed and what was deleted in a span of time: getUpdated and getDeleted, with their limits."""

from __future__ import annotations

from datetime import datetime, timedelta

from connectors.sandbox import clock
from connectors.sandbox.errors import Refusal
from connectors.sandbox.org import Org
from connectors.sandbox.routing import Answer, Request, route
from connectors.sandbox.sql_columns import seen

_UPDATED_DAYS, _DELETED_DAYS = 30, 15
_SHORTEST = timedelta(minutes=1)
_MOST_IDS = 600_000


def _updated(org: Org, request: Request) -> Answer:
    start, end = _span(org, request, _UPDATED_DAYS)
    sobject = org.sobject(request.parts[0])
    where = seen(sobject, "t", deleted=False, now=org.clock.now())
    statement = f'SELECT t.Id FROM "{sobject.name}" t WHERE {where} AND t.SystemModstamp >= ? AND t.SystemModstamp < ? ORDER BY t.SystemModstamp'
    ids = [row_id for (row_id,) in org.tables.fetch(statement, (clock.wire(start), clock.wire(end)))]
    _check_number(len(ids))
    return Answer(body={"ids": ids, "latestDateCovered": clock.wire(_covered(org, end))})


def _deleted(org: Org, request: Request) -> Answer:
    start, end = _span(org, request, _DELETED_DAYS)
    sobject = org.sobject(request.parts[0])
    statement = "SELECT id, at FROM _deletion WHERE object = ? AND at >= ? AND at < ? ORDER BY at"
    rows = org.tables.fetch(statement, (sobject.name, clock.wire(start), clock.wire(end)))
    _check_number(len(rows))
    return Answer(
        body={
            "deletedRecords": [{"id": row_id, "deletedDate": at} for row_id, at in rows],
            "earliestDateAvailable": clock.wire(org.clock.now() - timedelta(days=_DELETED_DAYS)),
            "latestDateCovered": clock.wire(_covered(org, end)),
        }
    )


def _span(org: Org, request: Request, most_days: int) -> tuple[datetime, datetime]:
    """Start and end without their seconds. Raises Refusal: INVALID_REPLICATION_DATE."""
    start, end = (_time(request, name) for name in ("start", "end"))
    if start < org.clock.now() - timedelta(days=most_days):
        raise Refusal("INVALID_REPLICATION_DATE", f"startDate before org replication enabled date, or more than {most_days} days ago")
    if end - start < _SHORTEST:
        raise Refusal("INVALID_REPLICATION_DATE", "endDate must be at least one minute after startDate")
    return start, end


def _time(request: Request, name: str) -> datetime:
    text = request.parameters.get(name, "")
    try:
        return clock.parse(text).replace(second=0, microsecond=0)
    except ValueError as error:
        raise Refusal("INVALID_REPLICATION_DATE", f"{name} must be a time with its zone, such as 2026-03-02T09:00:00+00:00") from error


def _covered(org: Org, end: datetime) -> datetime:
    """Never later than the org's own time: what is asked of the future is not yet known."""
    return min(end, org.clock.now().replace(second=0, microsecond=0))


def _check_number(found: int) -> None:
    if found > _MOST_IDS:
        raise Refusal("EXCEEDED_ID_LIMIT", f"more than {_MOST_IDS} ids; choose a shorter span")


ROUTES = (
    route("GET", "/sobjects/*/updated", "updated", "read", _updated),
    route("GET", "/sobjects/*/deleted", "deleted", "read", _deleted),
)
