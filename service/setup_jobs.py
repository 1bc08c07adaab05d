"""Jobs of setting up a connection: the check in plain words, and the dry run of a push. Both read only."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from connectors.errors import ConnectorError
from service import connect
from service.connect import known, ready
from service.errors import Conflict
from service.long_jobs import Ended, Tell
from service.push import preview
from service.store.pool import transaction


def check(workspace_id: UUID, about: Mapping[str, Any], now: datetime, tell: Tell) -> Ended:
    """`about.connection`. The findings are kept: the steps of the set-up go by them."""
    connection_id = UUID(about["connection"])
    with transaction(workspace_id) as db:
        connection = known(db, connection_id)
    tell(f"Looking at {connection.name}")
    try:
        findings = connect.check(workspace_id, connection, now)
    except ConnectorError as error:
        raise Conflict(str(error)) from None
    levels = Counter(f.level for f in findings)
    said = f"{levels['ok']} fine, {levels['warning']} to look at, {levels['error']} that stop it."
    told = [{"level": f.level, "about": f.about, "message": f.message} for f in findings]
    return Ended(said=said, link=f"/console/connections/{connection_id}", label="Back to the steps", more={"findings": told})


def dry_run(workspace_id: UUID, about: Mapping[str, Any], now: datetime, tell: Tell) -> Ended:  # noqa: ARG001 - what waits is judged by the CRM as it is
    """`about.connection`. Counts what a push would do now; asks the CRM and writes nothing. Keeps numbers alone: the tasks quote people."""
    connection_id = UUID(about["connection"])
    with transaction(workspace_id) as db:
        connection = ready(db, connection_id)
    tell(f"Asking {connection.name} what stands there")
    try:
        changes = preview(workspace_id, connection_id)
    except ConnectorError as error:
        raise Conflict(str(error)) from None
    count = Counter(c.action for c in changes)
    said = f"{count['create']} to create, {count['update']} to update, {count['skip']} to leave as they are. Nothing was written."
    lines = tuple(f"{number} left as they are: {reason}" for reason, number in Counter(c.reason for c in changes if c.action == "skip" and c.reason).items())
    return Ended(said=said, link=f"/console/connections/{connection_id}", label="Back to the steps", lines=lines, more={"count": dict(count)})
