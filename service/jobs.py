"""The doorbell: jobs by name, rung through Celery. A message carries ids, never data; losing it costs seconds, since a sweep
rings again for whatever Postgres says is due."""

from __future__ import annotations

import logging
from datetime import timedelta
from functools import cache
from typing import Any

from celery import Celery
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from service.config import settings
from service.errors import SettingError

log = logging.getLogger("undertone.jobs")

PULL = "undertone.pull"
SCORE = "undertone.score"
PUSH = "undertone.push"
SWEEP = "undertone.sweep"
NAMES = (PULL, SCORE, PUSH, SWEEP)

QUEUE = "undertone"
SWEEP_EVERY = timedelta(seconds=5)
MOST_QUEUED = 40
"""A sweep rings no more than this many waiting jobs, or it would pile up its own backlog faster than workers drain it."""

TIME_LIMIT = 300


@cache
def celery() -> Celery:
    if settings().redis_url is None:
        message = "REDIS_URL is not set and no embedded server was started. Start through the `undertone` command, or set it."
        raise SettingError(message)
    app = Celery("undertone", broker=settings().redis_url)
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
    try:
        celery().send_task(job, kwargs={name: str(value) for name, value in ids.items()})
    except (OperationalError, RedisError):
        log.warning("doorbell out of reach, the sweep will ring again", extra={"job": job})
        return False
    return True


def waiting() -> int:
    """How many jobs wait in the queue. Raises RedisError when Redis cannot be reached."""
    with celery().connection_for_read() as connection:
        return int(connection.default_channel.client.llen(QUEUE))
