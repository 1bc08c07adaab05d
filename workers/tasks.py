"""Each task turns a message into one call. Calling one as a plain function runs it without a broker."""

from __future__ import annotations

from uuid import UUID

from celery import shared_task

from service import flow, jobs


@shared_task(name=jobs.PULL)
def pull(*, workspace_id: str, connection_id: str) -> None:
    flow.pull(UUID(workspace_id), UUID(connection_id))


@shared_task(name=jobs.SCORE)
def score(*, workspace_id: str) -> None:
    flow.score(UUID(workspace_id))


@shared_task(name=jobs.PUSH)
def push(*, workspace_id: str, connection_id: str) -> None:
    flow.push(UUID(workspace_id), UUID(connection_id))


@shared_task(name=jobs.JOB)
def job(*, workspace_id: str, job_id: str) -> None:
    flow.job(UUID(workspace_id), UUID(job_id))


@shared_task(name=jobs.SWEEP)
def sweep() -> None:
    flow.sweep()
