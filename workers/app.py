"""The Celery application: `celery -A workers.app worker` and `celery -A workers.app beat`."""

from __future__ import annotations

import warnings

from celery.platforms import SecurityWarning

from service import jobs

# Against a superuser because a message might hold code: ours hold JSON and are read as nothing else.
warnings.filterwarnings("ignore", category=SecurityWarning)
app = jobs.celery()
app.conf.update(
    include=["workers.tasks", "workers.context"],
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    worker_prefetch_multiplier=1,
    worker_max_tasks_per_child=500,
    worker_cancel_long_running_tasks_on_connection_loss=True,
    worker_send_task_events=False,
    worker_hijack_root_logger=False,
    beat_schedule={
        "sweep": {
            "task": jobs.SWEEP,
            "schedule": jobs.SWEEP_EVERY,
            "options": {"expires": jobs.SWEEP_EVERY.total_seconds()},
        }
    },
)
