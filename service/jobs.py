"""The doorbell: jobs by name, rung through Celery. A message carries ids, never data; losing it costs seconds, since a sweep
rings again for whatever Postgres says is due."""

from __future__ import annotations

import logging
from datetime import timedelta
from functools import cache
from typing import TYPE_CHECKING, Any

from service.config import settings
from service.errors import SettingError

if TYPE_CHECKING:
    from celery import Celery
    from redis import Redis

log = logging.getLogger("undertone.jobs")

PULL = "undertone.pull"
SCORE = "undertone.score"
PUSH = "undertone.push"
JOB = "undertone.job"
SWEEP = "undertone.sweep"
NAMES = (PULL, SCORE, PUSH, JOB, SWEEP)

QUEUE = "undertone"
SWEEP_EVERY = timedelta(seconds=5)
MOST_QUEUED = 40
"""A sweep rings no more than this many waiting jobs, or it would pile up its own backlog faster than workers drain it."""

TIME_LIMIT = 300
REDIS_PATIENCE = 2.0
"""Seconds after which Redis counts as out of reach: a caller never waits for a doorbell."""


@cache
def celery() -> Celery:
    """Imported when first used: most commands never ring."""
    from celery import Celery

    app = Celery("undertone", broker=_url())
    app.conf.update(
        task_default_queue=QUEUE,
        task_ignore_result=True,
        task_serializer="json",
        accept_content=["json"],
        task_publish_retry=False,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        # The hard limit stays under half the visibility timeout: a task that still runs is never handed out a second time.
        task_time_limit=TIME_LIMIT,
        task_soft_time_limit=TIME_LIMIT - 30,
        broker_transport_options={
            "visibility_timeout": 3 * TIME_LIMIT,
            # kombu looks for lost messages every interval x throttle seconds; its own 10 x 10 means a wait of minutes.
            "unacked_restore_interval": 5,
            "unacked_restore_throttle": 1,
            "socket_timeout": 30,
            "socket_connect_timeout": 5,
            "socket_keepalive": True,
            "health_check_interval": 25,
        },
    )
    return app


def ring(job: str, **ids: Any) -> bool:
    """False when Redis cannot be reached: the work is stored, and a later sweep rings for it."""
    from kombu.exceptions import OperationalError
    from redis.exceptions import RedisError

    try:
        redis().ping()
        celery().send_task(job, kwargs={name: str(value) for name, value in ids.items()})
    except (OperationalError, RedisError):
        log.warning("doorbell out of reach, the sweep will ring again", extra={"job": job})
        return False
    return True


def out_of_time() -> type[Exception]:
    """What is raised in a task shortly before its time limit."""
    from celery.exceptions import SoftTimeLimitExceeded

    error: type[Exception] = SoftTimeLimitExceeded
    return error


def waiting() -> int:
    """How many jobs wait in the queue. Raises RedisError when Redis cannot be reached."""
    return int(redis().llen(QUEUE))


def redis() -> Redis:
    """Without retries: kombu's own would go on for as long as Redis is away."""
    return _client(_url())


@cache
def _client(url: str) -> Redis:
    from redis import Redis
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    return Redis.from_url(url, socket_timeout=REDIS_PATIENCE, socket_connect_timeout=REDIS_PATIENCE, retry=Retry(NoBackoff(), 0))


def _url() -> str:
    url = settings().redis_url
    if url is None:
        message = "REDIS_URL is not set and no embedded server was started. Start through the `undertone` command, or set it."
        raise SettingError(message)
    return url
