"""What follows what: each step rings for the next. A ring that is lost is made up for by the sweep."""

from __future__ import annotations

import logging
from datetime import timedelta
from uuid import UUID

from redis.exceptions import RedisError

from service import jobs, long_jobs, notices
from service.config import now
from service.errors import Conflict, Refused
from service.job_kinds import KINDS
from service.pull import WORKER
from service.pull import pull as pull_step
from service.push import push as push_step
from service.score import score as score_step
from service.store import accounts, connections, outbox
from service.store import long_jobs as stored_jobs
from service.store.pool import transaction
from service.suggest import suggest

log = logging.getLogger("undertone.flow")

PATIENCE = timedelta(seconds=30)
"""Work that was rung for and not done is rung for again after this."""
WAITED_FOR = timedelta(seconds=10)
"""The same, for what somebody waits for."""


def pull(workspace_id: UUID, connection_id: UUID) -> None:
    try:
        pull_step(workspace_id, connection_id, now(), limits=WORKER)
    except Conflict:
        log.info("not pulled: the connection is paused", extra={"workspace": workspace_id, "connection": connection_id})
    jobs.ring(jobs.SCORE, workspace_id=workspace_id)


def score(workspace_id: UUID) -> None:
    score_step(workspace_id, now())
    suggest(workspace_id, now())
    with transaction(workspace_id) as db:
        ready = connections.ready_to_push(db)
    notices.post(workspace_id, now())
    for connection_id in ready:
        jobs.ring(jobs.PUSH, workspace_id=workspace_id, connection_id=connection_id)


def push(workspace_id: UUID, connection_id: UUID) -> None:
    try:
        push_step(workspace_id, connection_id)
    except (Conflict, Refused):
        log.info("not pushed: the connection is paused or not approved", extra={"workspace": workspace_id, "connection": connection_id})


def job(workspace_id: UUID, job_id: UUID) -> None:
    long_jobs.run(workspace_id, job_id, now(), KINDS)


def sweep() -> int:
    """Rings for what Postgres says is due, no more than the queue can take. Any number of sweeps may run at once."""
    try:
        room = jobs.MOST_QUEUED - jobs.waiting()
    except RedisError:
        return 0
    if room <= 0:
        return 0
    with transaction() as db:
        pushes = outbox.claim_due(db, room, PATIENCE)
        scores = accounts.claim_due_workspaces(db, now().date(), room, PATIENCE)
        pulls = connections.claim_due(db, room, PATIENCE * 20)
        asked = stored_jobs.claim_due(db, room, WAITED_FOR)
    for workspace_id, job_id in asked:  # somebody waits for these
        jobs.ring(jobs.JOB, workspace_id=workspace_id, job_id=job_id)
    for workspace_id, connection_id in pushes:
        jobs.ring(jobs.PUSH, workspace_id=workspace_id, connection_id=connection_id)
    for workspace_id in scores:
        jobs.ring(jobs.SCORE, workspace_id=workspace_id)
    for workspace_id, connection_id in pulls:
        jobs.ring(jobs.PULL, workspace_id=workspace_id, connection_id=connection_id)
    return len(asked) + len(pushes) + len(scores) + len(pulls)
