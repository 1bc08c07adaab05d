"""Jobs that somebody waits for: one worker at a time, taken up again when that one is lost, watched as they go."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from service import flow, jobs, long_jobs
from service.config import real_time
from service.console import long_jobs as pages
from service.console import session
from service.console.session import COOKIE, LASTS, Session
from service.errors import Conflict, Unavailable
from service.long_jobs import MOST_TRIES, Ended, GoesOn, Tell, Work
from service.store import long_jobs as stored
from service.store.long_jobs import Job
from service.store.pool import transaction
from tests import builders
from tests.builders import NOW
from tests.client import TestClient

AT_ONCE = timedelta(seconds=-1)
"""A lease that has run out when it begins: that of a worker which has died."""


@pytest.fixture(autouse=True)
def no_message_is_left(servers: str) -> Iterator[None]:
    yield
    jobs.redis().delete(jobs.QUEUE)


def work(does: Callable[[Tell], Ended]) -> Mapping[str, Work]:
    return {"test": lambda workspace_id, about, now, tell: does(tell)}


def well(tell: Tell) -> Ended:
    tell("Half way", 1, 2)
    return Ended(said="All of it.", link="/console", label="Look")


def asked(workspace_id: UUID, **about: Any) -> UUID:
    return long_jobs.ask(workspace_id, "test", about, "ann")


def job_of(workspace_id: UUID, job_id: UUID) -> Job:
    found = long_jobs.find(workspace_id, job_id)
    assert found
    return found


def due(job_id: UUID) -> bool:
    with transaction() as db:
        return job_id in [j for _, j in stored.claim_due(db, 1000, timedelta(seconds=-1))]


def taken_by_one_that_dies(workspace_id: UUID, job_id: UUID) -> None:
    with transaction(workspace_id) as db:
        assert stored.take(db, job_id, AT_ONCE)


# What may not happen


def test_a_job_of_another_workspace_can_be_neither_found_nor_done(workspace: UUID):
    job_id = asked(workspace)
    stranger = builders.workspace()
    assert long_jobs.find(stranger, job_id) is None
    long_jobs.run(stranger, job_id, NOW, work(well))
    assert job_of(workspace, job_id).state == "queued"


def test_two_workers_never_do_one_job_at_once_and_none_does_it_after_its_end(workspace: UUID):
    job_id, begun = asked(workspace), []

    def counted(tell: Tell) -> Ended:
        begun.append(1)
        long_jobs.run(workspace, job_id, NOW, work(counted))
        return well(tell)

    long_jobs.run(workspace, job_id, NOW, work(counted))
    long_jobs.run(workspace, job_id, NOW, work(counted))
    assert begun == [1]


def test_a_worker_that_comes_back_after_another_took_over_writes_nothing_more(workspace: UUID):
    job_id = asked(workspace)

    def slow(tell: Tell) -> Ended:
        with transaction(workspace) as db:
            db.execute("UPDATE job SET lease_until = clock_timestamp() - interval '1 s' WHERE job_id = %s", [job_id])
        long_jobs.run(workspace, job_id, NOW, work(well))
        tell("I am still here", 1, 9)
        return Ended(said="Twice.")

    long_jobs.run(workspace, job_id, NOW, work(slow))
    assert (job_of(workspace, job_id).said, job_of(workspace, job_id).done) == ("All of it.", 1)


def test_a_fault_of_ours_shows_nothing_of_what_it_was_about(workspace: UUID):
    job_id = asked(workspace)

    def breaks(tell: Tell) -> Ended:
        raise RuntimeError("their words")

    with pytest.raises(RuntimeError):
        long_jobs.run(workspace, job_id, NOW, work(breaks))
    found = job_of(workspace, job_id)
    assert found.state == "failed"
    assert "their words" not in found.said
    assert "fault of ours" in found.said


def test_a_job_that_kills_its_worker_is_not_begun_for_ever(workspace: UUID):
    job_id = asked(workspace)
    for _ in range(MOST_TRIES):
        taken_by_one_that_dies(workspace, job_id)
    long_jobs.run(workspace, job_id, NOW, work(well))
    assert job_of(workspace, job_id).state == "failed"
    assert f"begun {MOST_TRIES} times" in job_of(workspace, job_id).said
    assert not due(job_id)


def test_a_kind_that_the_worker_does_not_know_fails_in_words(workspace: UUID):
    job_id = asked(workspace)
    long_jobs.run(workspace, job_id, NOW, {})
    assert "Update the worker" in job_of(workspace, job_id).said


# How it goes


def test_who_asks_for_the_same_while_it_is_under_way_gets_the_same_job(workspace: UUID):
    first = asked(workspace, connections=["a", "b"])
    assert asked(workspace, connections=["a", "b"]) == first
    assert asked(workspace, connections=["b"]) != first
    long_jobs.run(workspace, first, NOW, work(well))
    assert asked(workspace, connections=["a", "b"]) != first


def test_a_job_tells_how_far_it_is_and_how_it_ended(workspace: UUID):
    job_id, seen = asked(workspace), []

    def looks(tell: Tell) -> Ended:
        ended = well(tell)
        seen.append(job_of(workspace, job_id))
        return ended

    long_jobs.run(workspace, job_id, NOW, work(looks))
    assert [(j.state, j.said, j.done, j.total) for j in seen] == [("running", "Half way", 1, 2)]
    found = job_of(workspace, job_id)
    assert (found.state, found.said, found.made_by) == ("done", "All of it.", "ann")
    assert found.result == {"link": "/console", "label": "Look", "lines": []}


def test_the_job_of_a_worker_that_died_is_due_once_its_lease_is_over(workspace: UUID):
    job_id = asked(workspace)
    with transaction(workspace) as db:
        assert stored.take(db, job_id, long_jobs.LEASE)
    assert not due(job_id)
    with transaction(workspace) as db:
        db.execute("UPDATE job SET lease_until = clock_timestamp() WHERE job_id = %s", [job_id])
    assert due(job_id)
    long_jobs.run(workspace, job_id, NOW, work(well))
    assert job_of(workspace, job_id).state == "done"


def test_a_job_whose_time_is_up_is_rung_for_at_once_and_goes_on_as_often_as_it_needs(workspace: UUID):
    job_id, turns = asked(workspace), []

    def in_turns(tell: Tell) -> Ended:
        turns.append(1)
        if len(turns) <= MOST_TRIES + 1:
            raise GoesOn
        return well(tell)

    for _ in range(MOST_TRIES + 2):
        jobs.redis().delete(jobs.QUEUE)
        long_jobs.run(workspace, job_id, NOW, work(in_turns))
    assert job_of(workspace, job_id).state == "done"


@pytest.mark.parametrize("error", [Unavailable("The database is away."), jobs.out_of_time()()], ids=["database", "time limit"])
def test_what_passes_leaves_the_job_to_be_taken_up_again(workspace: UUID, error: Exception):
    job_id = asked(workspace)

    def interrupted(tell: Tell) -> Ended:
        raise error

    with pytest.raises(type(error)):
        long_jobs.run(workspace, job_id, NOW, work(interrupted))
    assert job_of(workspace, job_id).state == "running"
    assert due(job_id)


def test_what_a_person_must_mend_ends_it_with_the_sentence(workspace: UUID):
    job_id = asked(workspace)

    def refuses(tell: Tell) -> Ended:
        raise Conflict("crm is paused.")

    long_jobs.run(workspace, job_id, NOW, work(refuses))
    assert (job_of(workspace, job_id).state, job_of(workspace, job_id).said) == ("failed", "crm is paused.")


def test_a_job_whose_message_was_lost_is_rung_for_by_the_sweep(workspace: UUID):
    job_id = asked(workspace)
    jobs.redis().delete(jobs.QUEUE)
    with transaction(workspace) as db:
        db.execute("UPDATE job SET queued_at = clock_timestamp() - interval '1 min' WHERE job_id = %s", [job_id])
    flow.sweep()
    assert str(job_id) in str(_bodies())


def _bodies() -> list[str]:
    return [base64.b64decode(json.loads(message)["body"]).decode() for message in jobs.redis().lrange(jobs.QUEUE, 0, -1)]


# Watched


def browser(app: Any, workspace_id: UUID) -> TestClient:
    cookie = session.seal(Session(workspace_id, None), "console session", real_time() + LASTS)
    return TestClient(app, base_url="http://testserver", raise_server_exceptions=False, follow_redirects=False, cookies={COOKIE: cookie})


def test_its_changes_come_as_they_happen_and_the_stream_ends_with_the_job(app, workspace: UUID):
    job_id, go_on = asked(workspace), threading.Event()

    def waits(tell: Tell) -> Ended:
        tell("Half way", 1, 2)
        assert go_on.wait(20)
        return Ended(said="All of it.")

    worker = threading.Thread(target=long_jobs.run, args=(workspace, job_id, NOW, work(waits)))
    worker.start()
    threading.Timer(1.5, go_on.set).start()
    answer = browser(app, workspace).get(f"/console/jobs/{job_id}/events")
    worker.join()
    assert answer.headers["content-type"].startswith("text/event-stream")
    told = [json.loads(line.removeprefix("data: ")) for line in answer.text.splitlines() if line.startswith("data: ")]
    assert {"state": "running", "said": "Half way", "done": 1, "total": 2} in told
    assert told[-1]["state"] == "done"
    assert not pages._listening


def test_no_session_holds_more_streams_than_a_few(app, workspace: UUID, monkeypatch: pytest.MonkeyPatch):
    job_id = asked(workspace)
    client = browser(app, workspace)
    monkeypatch.setitem(pages._listening, Session(workspace, None), pages.MOST_STREAMS)
    answer = client.get(f"/console/jobs/{job_id}/events")
    assert answer.status_code == 429
    assert "too many jobs at once" in answer.text


def test_the_page_says_without_a_script_how_it_stands_and_where_to_look_at_its_end(app, workspace: UUID):
    job_id = asked(workspace)
    client = browser(app, workspace)
    before = client.get(f"/console/jobs/{job_id}").text
    assert "Waiting for a worker." in before
    assert "Load the page again</a>" in before
    long_jobs.run(workspace, job_id, NOW, work(lambda tell: Ended(said="All of it.", link="/console", label="Look", lines=("<b>row 3</b>: no date",))))
    after = client.get(f"/console/jobs/{job_id}").text
    assert '<a class="next" href="/console">Look</a>' in after
    assert "&lt;b&gt;row 3&lt;/b&gt;: no date" in after
    assert "progress.js" in before
    assert "progress.js" not in after
