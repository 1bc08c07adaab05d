"""Around each task: log lines carry its job and id, a forked child opens its own database pool, and Celery's own log setup stays out."""

from __future__ import annotations

import logging
from typing import Any

from celery import signals

from service import log
from service.config import settings
from service.store import pool

said = logging.getLogger("undertone.workers")


@signals.setup_logging.connect
def set_up_logging(**_: Any) -> None:
    log.set_up(settings().log_level)


@signals.worker_ready.connect
def tell_worker(**_: Any) -> None:
    said.info("worker ready")


@signals.beat_init.connect
def tell_beat(**_: Any) -> None:
    said.info("scheduler started")


@signals.worker_process_init.connect
def open_own_pool(**_: Any) -> None:
    pool.close()


@signals.task_prerun.connect
def bind(task_id: str, task: Any, **_: Any) -> None:
    log.context.set({"job": task.name, "job_id": task_id})


@signals.task_postrun.connect
def unbind(**_: Any) -> None:
    log.context.set({})
