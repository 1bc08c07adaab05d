"""The worker's side: nothing but a translation of messages into calls."""

from __future__ import annotations

import ast
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

from service import flow, jobs
from service.config import now
from service.store import accounts, connections, streams, workspaces
from service.store.pool import transaction
from tests import builders


def test_no_task_body_is_longer_than_six_lines_and_none_imports_more_than_flow():
    source = Path(__file__).parent.parent.parent / "workers" / "tasks.py"
    tree = ast.parse(source.read_text())
    bodies = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    assert all((node.end_lineno or 0) - node.lineno <= 6 for node in bodies)


def test_every_job_has_a_task_and_every_task_is_a_job(servers):
    from workers import tasks  # noqa: F401 - registers them
    from workers.app import app

    assert {name for name in app.tasks if name.startswith("undertone.")} == set(jobs.NAMES)


def test_a_worker_that_dies_gives_its_message_back(servers):
    from workers.app import app

    assert app.conf.task_acks_late
    assert app.conf.task_reject_on_worker_lost
    assert app.conf.worker_prefetch_multiplier == 1
    assert app.conf.task_time_limit < app.conf.broker_transport_options["visibility_timeout"] / 2


def test_what_nobody_rang_for_is_found_by_the_sweep_once(servers):
    workspace_id = uuid4()
    with transaction(workspace_id) as db:
        workspaces.create(db, workspace_id, f"sweep {workspace_id}")
        builders.account(db, builders.connection(db))
        accounts.mark_all_due(db)
    jobs.redis().delete(jobs.QUEUE)
    assert flow.sweep() > 0
    waiting = jobs.waiting()
    assert waiting > 0
    flow.sweep()
    assert jobs.waiting() == waiting, "what has been rung for is not rung for again at once"
    jobs.redis().delete(jobs.QUEUE)


def test_a_full_queue_is_not_filled_further(servers):
    workspace_id = uuid4()
    with transaction(workspace_id) as db:
        workspaces.create(db, workspace_id, f"full {workspace_id}")
        builders.account(db, builders.connection(db))
        accounts.mark_all_due(db)
    jobs.redis().rpush(jobs.QUEUE, *["x"] * jobs.MOST_QUEUED)
    try:
        assert flow.sweep() == 0
    finally:
        jobs.redis().delete(jobs.QUEUE)


def test_a_paused_connection_is_left_alone(servers):
    workspace_id = builders.workspace()
    with transaction(workspace_id) as db:
        connection_id = builders.connection(db)
        connections.set_status(db, connection_id, "paused", "for a test")
    flow.pull(workspace_id, connection_id)
    flow.push(workspace_id, connection_id)
    with transaction(workspace_id) as db:
        assert streams.states(db) == []
    assert now() + timedelta(0)
