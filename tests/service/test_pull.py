"""The runner, whatever the connector: what may be lost, doubled or starved (nothing), and what it says when it cannot go on."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from connectors.base import Cursor, Page, Stream
from connectors.errors import AuthFailed, Misconfigured, Parked, Retriable, StreamUnavailable
from connectors.records import Contact
from service.errors import Conflict
from service.pull import WORKER, beginning
from service.store import connections, streams
from service.store.pool import transaction
from service.store.streams import Lease
from service.turn import Limits
from tests import builders, memory
from tests.memory import MINUTE, NOW, Killed, Sweepable, ticking

LONG_AGO = NOW - timedelta(days=30)


def filled(workspace: UUID, rows: int = 95, **options: Any) -> memory.Bench:
    bench = memory.bench(workspace, **options)
    for n in range(rows):
        bench.shelf.put("contacts", f"C{n:03d}", LONG_AGO + n * MINUTE, value=f"v{n}")
    return bench


def dies_on(page: int, how: BaseException, stream: str = "contacts") -> Callable[[str, int], None]:
    def trouble(name: str, number: int) -> None:
        if (name, number) == (stream, page):
            raise how

    return trouble


@pytest.mark.parametrize("how", [Killed(), RuntimeError("a bug"), Retriable("away")], ids=["kill", "bug", "away"])
def test_dying_on_any_page_leaves_no_gap_and_refetches_one_page_at_most(workspace: UUID, how: BaseException) -> None:
    bench = filled(workspace)
    for page in range(10):
        bench.shelf.trouble = dies_on(1, how) if page else dies_on(0, how)
        try:
            bench.pull()
        except Killed:
            bench.kill_runner()
    bench.shelf.trouble = lambda stream, page: None
    bench.pull()
    assert bench.stored() == {k: r.value for k, r in bench.shelf.rows["contacts"].items()}
    assert bench.shelf.served <= 10 + 10, "each death may cost one page"


def test_a_kill_in_the_middle_of_a_page_leaves_nothing_of_it(workspace: UUID) -> None:
    bench = filled(workspace, 30)

    def half(stream: str, key: str, row: memory.Row) -> Contact:
        if key == "C015":
            raise Killed
        return memory.contact(key, row)

    bench.shelf.record = half
    with pytest.raises(Killed):
        bench.pull()
    assert sorted(bench.stored()) == [f"C{n:03d}" for n in range(10)]
    bench.shelf.record = lambda stream, key, row: memory.contact(key, row)
    bench.pull()
    assert len(bench.stored()) == 30


def test_a_stale_worker_cannot_write(workspace: UUID) -> None:
    """It is held up on a page until another has taken the stream over and read on."""
    bench = filled(workspace, 30)

    def overtaken(stream: str, page: int) -> None:
        if page == 1:
            bench.shelf.trouble = lambda stream, page: None
            bench.kill_runner()
            bench.shelf.rows["contacts"]["C012"].value = "newer"
            bench.pull()
            bench.shelf.rows["contacts"]["C012"].value = "older"

    bench.shelf.trouble = overtaken
    report = bench.pull()
    assert report.errors == ["contacts: another run took this stream over"]
    assert bench.stored()["C012"] == "newer"
    assert bench.stream().error is None


def test_of_two_runners_at_once_one_reads(workspace: UUID) -> None:
    bench = filled(workspace, 30)
    inside, go_on = threading.Event(), threading.Event()

    def wait(stream: str, page: int) -> None:
        if page == 1:
            inside.set()
            go_on.wait(10)

    bench.shelf.trouble = wait
    first = threading.Thread(target=bench.pull)
    first.start()
    assert inside.wait(10)
    second = memory.Bench(bench.workspace, bench.connection, memory.Shelf(bench.shelf.streams, bench.shelf.rows))
    assert second.pull().errors == ["contacts: another run is reading this stream"]
    assert second.shelf.served == 0
    go_on.set()
    first.join(10)
    assert len(bench.stored()) == 30


def test_rows_with_one_stamp_across_pages_all_arrive_once(workspace: UUID) -> None:
    bench = memory.bench(workspace, page=20)
    for n in range(500):
        bench.shelf.put("contacts", f"C{n:03d}", LONG_AGO)
    bench.shelf.trouble = dies_on(3, Killed())
    with pytest.raises(Killed):
        bench.pull()
    bench.shelf.trouble = lambda stream, page: None
    bench.pull()
    assert len(bench.stored()) == 500
    assert bench.stream().landed == 500
    before = bench.stream().landed
    bench.pull(NOW + MINUTE)
    assert bench.stream().landed == before, "a second look changes nothing"


def test_a_row_that_becomes_visible_late_arrives_by_the_next_run(workspace: UUID) -> None:
    bench = filled(workspace, 5)
    bench.shelf.put("contacts", "on time", NOW - 6 * MINUTE)
    bench.shelf.put("contacts", "late", NOW - 7 * MINUTE, visible_at=NOW + 3 * MINUTE)
    bench.pull()
    assert "late" not in bench.stored()
    bench.pull(NOW + 5 * MINUTE)
    assert "late" in bench.stored()


def test_a_late_row_is_not_lost_by_a_window_that_was_cut_and_finished_much_later(workspace: UUID) -> None:
    bench = filled(workspace, 15)
    bench.shelf.put("contacts", "Z", NOW - 6 * MINUTE)
    bench.shelf.put("contacts", "late", NOW - 8 * MINUTE, visible_at=NOW + 2 * MINUTE)
    for n in range(20):
        bench.shelf.put("contacts", f"Y{n:02d}", NOW - 6 * MINUTE)
    bench.shelf.trouble = dies_on(3, Killed())
    with pytest.raises(Killed):
        bench.pull()
    bench.shelf.trouble = lambda stream, page: None
    bench.shelf.put("contacts", "new", NOW + timedelta(hours=4))
    bench.pull(NOW + timedelta(hours=5))
    assert "late" not in bench.stored(), "its place had been passed"
    bench.pull(NOW + timedelta(hours=6))
    assert "late" in bench.stored()


def test_a_new_window_reaches_back_and_a_resumed_one_does_not(workspace: UUID) -> None:
    bench = filled(workspace, 30)
    bench.shelf.trouble = dies_on(2, Retriable("away"))
    bench.pull()
    bench.shelf.trouble = lambda stream, page: None
    bench.pull()
    bench.pull(NOW + MINUTE)
    last = LONG_AGO + 29 * MINUTE
    assert [cursor for _, cursor in bench.shelf.asked] == [Cursor(), Cursor(at=LONG_AGO + 19 * MINUTE, key="C019"), Cursor(at=last - 10 * MINUTE)]


def test_a_place_in_a_job_is_never_reached_back_from() -> None:
    cursor = Cursor(at=NOW, resume="job1@30")
    assert beginning(Lease(fence=1, cursor=cursor, window_until=None, reread_from=None), 10 * MINUTE) == cursor


class Export(memory.Source):
    """An export job: unordered rows; only the place within the job moves until the last page."""

    def read(self, stream: str, after: Cursor, until: datetime):
        self.shelf.asked.append((stream, after))
        done = int(after.resume.rpartition("@")[2]) if after.resume else 0
        found = sorted(self.shelf.visible(stream).items(), reverse=True)
        for number in range(done, len(found), 10):
            self.shelf.trouble(stream, number // 10)
            self.shelf.served += 1
            is_last = number + 10 >= len(found)
            cursor = Cursor(at=until) if is_last else Cursor(at=after.at, key=after.key, resume=f"job1@{number + 10}")
            yield Page(records=[memory.contact(k, r) for k, r in found[number : number + 10]], cursor=cursor)


def test_an_export_goes_on_at_its_page_and_its_cursor_moves_with_the_last_one(workspace: UUID) -> None:
    bench = filled(workspace, 50, kind=Export)
    bench.shelf.trouble = dies_on(3, Killed())
    with pytest.raises(Killed):
        bench.pull()
    bench.shelf.trouble = lambda stream, page: None
    bench.pull()
    assert [c.resume for _, c in bench.shelf.asked] == ["", "job1@30"]
    assert bench.shelf.served == 5
    assert len(bench.stored()) == 50
    bench.pull(NOW + MINUTE)
    assert bench.shelf.asked[-1][1] == Cursor(at=NOW - 15 * MINUTE), "the overlap reaches back only from a cursor without a place in a job"


def two_streams(workspace: UUID) -> memory.Bench:
    bench = memory.bench(workspace, Stream(name="large"), Stream(name="small"))
    for n in range(100):
        bench.shelf.put("large", f"L{n:03d}", LONG_AGO + n * MINUTE)
    bench.shelf.put("small", "S1", LONG_AGO)
    return bench


def test_a_long_backfill_does_not_starve_a_small_stream(workspace: UUID) -> None:
    bench = two_streams(workspace)
    report = bench.pull(limits=Limits(turn=timedelta(seconds=5), run=timedelta(seconds=1000), clock=ticking(1.0)))
    assert report.unfinished
    assert bench.stream("large").unfinished
    assert len(bench.stored()) < 100
    assert "S1" in bench.stored()
    assert bench.state().status == "active"
    with transaction() as db:
        assert (workspace, bench.connection) in connections.claim_due(db, 1000, timedelta(minutes=10)), "what is unfinished is due again at once"


def test_turn_by_turn_everything_is_read_and_nothing_twice(workspace: UUID) -> None:
    bench = two_streams(workspace)
    for _ in range(30):
        report = bench.pull(limits=Limits(turn=timedelta(seconds=3), run=timedelta(seconds=1000), clock=ticking(1.0)))
        if not report.unfinished:
            break
    assert len(bench.stored()) == 101
    assert not bench.stream("large").unfinished
    assert bench.shelf.served <= 11 + 10, "a turn begins with the row that the last one ended with"


def test_a_run_that_is_over_reads_first_next_time_what_it_did_not_reach(workspace: UUID) -> None:
    bench = two_streams(workspace)
    limits = Limits(turn=timedelta(seconds=1000), run=timedelta(seconds=4), clock=ticking(1.0))
    bench.pull(limits=limits)
    assert "S1" not in bench.stored()
    bench.pull(limits=Limits(turn=timedelta(seconds=1000), run=timedelta(seconds=4), clock=ticking(1.0)))
    assert "S1" in bench.stored()


def test_in_a_worker_a_stream_waits_for_its_own_time(workspace: UUID) -> None:
    bench = filled(workspace, 5)
    bench.pull(limits=WORKER)
    asked = len(bench.shelf.asked)
    bench.pull(NOW + MINUTE, limits=WORKER)
    assert len(bench.shelf.asked) == asked
    bench.pull(NOW + MINUTE)
    assert len(bench.shelf.asked) == asked + 1, "a person does not wait"


@pytest.mark.parametrize("how", [Retriable("It is away."), StreamUnavailable("No permission."), Parked("Used up."), KeyError("a bug")])
def test_one_streams_trouble_does_not_stop_the_others(workspace: UUID, how: Exception) -> None:
    bench = two_streams(workspace)
    bench.shelf.trouble = dies_on(0, how, "large")
    bench.pull()
    assert list(bench.stored()) == ["S1"]
    assert bench.stream("small").succeeded_at == NOW


def test_a_failing_stream_says_why_and_since_when_and_waits_longer_the_longer_it_fails(workspace: UUID) -> None:
    bench = two_streams(workspace)
    bench.shelf.trouble = dies_on(0, Retriable("It is away.", wait=timedelta(minutes=40)), "large")
    bench.pull()
    first = bench.stream("large")
    assert first.error == "It is away."
    assert first.error_since is not None
    bench.pull(NOW + MINUTE)
    assert bench.stream("large").error_since == first.error_since
    with transaction(workspace) as db:
        assert not streams.standings(db, bench.connection)["large"].due
        db.execute("UPDATE stream SET error_since = now() - interval '2 hours', next_at = NULL WHERE name = 'large'")
    bench.shelf.trouble = dies_on(0, Retriable("It is away."), "large")
    bench.pull(NOW + 2 * MINUTE)
    with transaction(workspace) as db:
        [(pause,)] = db.execute("SELECT next_at - clock_timestamp() FROM stream WHERE name = 'large'").fetchall()
    assert timedelta(minutes=29) < pause < timedelta(minutes=31), "a quarter of the time for which it has failed"
    bench.shelf.trouble = lambda stream, page: None
    bench.pull(NOW + 3 * MINUTE)
    assert (bench.stream("large").error, bench.stream("large").error_since) == (None, None)


def test_a_bug_of_a_connector_is_told_without_its_words(workspace: UUID) -> None:
    bench = two_streams(workspace)
    bench.shelf.trouble = dies_on(0, KeyError("bo@acme.example"), "large")
    bench.pull()
    error = bench.stream("large").error or ""
    assert "KeyError" in error
    assert "acme" not in error


@pytest.mark.parametrize(("how", "status"), [(AuthFailed("The login is refused."), "auth_failed"), (Misconfigured("A field is gone."), "misconfigured")])
def test_what_needs_a_person_stops_the_connection_and_says_so(workspace: UUID, how: Exception, status: str) -> None:
    bench = two_streams(workspace)
    bench.shelf.trouble = dies_on(0, how, "large")
    report = bench.pull()
    assert report.errors == [f"connection: {how}"]
    assert (bench.state().status, bench.state().status_reason) == (status, str(how))
    assert bench.shelf.served == 0, "the other streams are not tried with it"
    with pytest.raises(Conflict, match="connect again"):
        bench.pull()


def test_a_run_that_began_before_somebody_connected_again_does_not_stop_the_new_connection(workspace: UUID) -> None:
    bench = two_streams(workspace)

    def reconnected(stream: str, page: int) -> None:
        with transaction(workspace) as db:
            connections.create(db, "memory", bench.state().name, {})
        raise AuthFailed("The old secret is refused.")

    bench.shelf.trouble = reconnected
    bench.pull()
    assert bench.state().status == "active"


def test_parked_it_keeps_its_cursor_says_why_and_goes_on_alone(workspace: UUID) -> None:
    bench = filled(workspace, 50)
    bench.shelf.trouble = dies_on(3, Parked("4,000 of 5,000 calls are used.", wait=timedelta(hours=1)))
    report = bench.pull(limits=WORKER)
    assert (report.parked, report.errors) == ("4,000 of 5,000 calls are used.", [])
    assert bench.state().parked_reason == "4,000 of 5,000 calls are used."
    assert bench.state().status == "active"
    assert bench.stream().error is None
    with transaction() as db:
        assert (workspace, bench.connection) not in connections.claim_due(db, 1000, timedelta(0))
    served = bench.shelf.served
    assert bench.pull(limits=WORKER).parked
    assert bench.shelf.served == served, "a parked connection is not asked"
    bench.shelf.trouble = lambda stream, page: None
    with transaction(workspace) as db:
        db.execute("UPDATE connection SET parked_until = now() - interval '1 second' WHERE connection_id = %s", [bench.connection])
    with transaction() as db:
        assert (workspace, bench.connection) in connections.claim_due(db, 1000, timedelta(0))
    bench.pull(limits=WORKER)
    assert len(bench.stored()) == 50
    assert bench.shelf.served - served <= 3
    assert (bench.state().parked_until, bench.state().parked_reason) == (None, None)


def test_a_parked_connection_is_not_pushed_to(workspace: UUID) -> None:
    bench = filled(workspace, 1)
    with transaction(workspace) as db:
        connections.approve_push(db, bench.connection, NOW)
        assert connections.ready_to_push(db) == [bench.connection]
        connections.park(db, bench.connection, timedelta(hours=1), "Used up.")
        assert connections.parked(db, bench.connection) == "Used up."
        assert connections.ready_to_push(db) == []


def test_fields_that_cannot_be_seen_are_noted_at_each_run(workspace: UUID) -> None:
    bench = filled(workspace, 1, missing=("Seats__c",))
    bench.pull()
    assert bench.stream().missing == ["Seats__c"]
    bench.shelf.missing = ()
    bench.pull()
    assert bench.stream().missing == []


def test_a_stream_that_the_source_offers_no_more_is_not_stale_for_ever(workspace: UUID) -> None:
    bench = memory.bench(workspace, Stream(name="contacts"), Stream(name="extra"))
    bench.pull()
    with transaction(workspace) as db:
        assert streams.lease(db, bench.connection, streams.GUARD, MINUTE) is not None
    bench.shelf.streams = [Stream(name="contacts")]
    bench.pull()
    with transaction(workspace) as db:
        assert [s.name for s in streams.states(db)] == ["contacts", "push"]


def test_calls_are_counted_per_stream(workspace: UUID) -> None:
    bench = filled(workspace, 30)
    report = bench.pull()
    assert [s.calls for s in report.streams] == [3]
    assert bench.stream().calls == 3


def test_a_poisoned_record_is_set_aside_and_the_rest_of_its_page_lands(workspace: UUID) -> None:
    """One that no connector noticed and the database refuses."""
    bench = filled(workspace, 40)
    bench.shelf.record = lambda stream, key, row: Contact(
        key=key, account_key=None, name="x", email=None, modified_at=datetime(1066, 1, 1, tzinfo=NOW.tzinfo) if key in ("C007", "C031") else row.stamp
    )
    report = bench.pull()
    assert len(bench.stored()) == 38
    assert report.streams[0].rejected == 2
    assert sorted(bench.quarantined()) == ["C007", "C031"]
    assert "contact_modified_at_check" in bench.quarantined()["C007"]


def test_of_one_workspace_only_a_few_pulls_are_on_their_way_and_the_others_come_first(servers: str) -> None:
    crowded, other = builders.workspace(), builders.workspace()
    with transaction(crowded) as db:
        mine = {connections.create(db, "memory", f"c{n}", {}) for n in range(8)}
        db.execute("UPDATE connection SET next_pull_at = now() - interval '1 day'")
    with transaction(other) as db:
        theirs = connections.create(db, "memory", "c", {})
    with transaction() as db:
        claimed = connections.claim_due(db, 1000, timedelta(minutes=10))
        again = connections.claim_due(db, 1000, timedelta(minutes=10))
    assert (other, theirs) in claimed
    assert len([c for w, c in claimed if w == crowded]) == 3
    assert not [c for w, c in again if w == crowded], "three are on their way"
    with transaction(crowded) as db:
        connections.schedule_pull(db, next(c for w, c in claimed if w == crowded), timedelta(hours=1))
    with transaction() as db:
        assert len([c for w, c in connections.claim_due(db, 1000, timedelta(minutes=10)) if w == crowded]) == 1
    assert len(mine) == 8


def test_asked_for_a_row_of_the_quarantine_is_read_again_by_the_next_pull(workspace: UUID) -> None:
    from service.quarantine import replay

    bench = filled(workspace, 20, kind=Sweepable)
    for key in ("C003", "C004", "C005"):
        bench.shelf.rows["contacts"][key].broken = True
    bench.pull()
    assert sorted(bench.quarantined()) == ["C003", "C004", "C005"]
    bench.shelf.rows["contacts"]["C003"].broken = False
    del bench.shelf.rows["contacts"]["C005"]
    assert replay(workspace, bench.connection, "contacts", "C003") == 1
    bench.pull(NOW + MINUTE)
    assert bench.shelf.fetched == ["C003"]
    assert "C003" in bench.stored()
    assert replay(workspace, bench.connection) == 2
    bench.pull(NOW + 2 * MINUTE)
    assert bench.quarantined() == {"C004": "it is broken"}, "what is gone leaves, what is still broken stays"
    bench.pull(NOW + 3 * MINUTE)
    assert bench.shelf.fetched == ["C003", "C004", "C005"], "asked once, read once"


def test_a_source_without_single_rows_is_read_again_from_its_start(workspace: UUID) -> None:
    from service.quarantine import replay

    bench = filled(workspace, 30)
    for key in ("C003", "C004"):
        bench.shelf.rows["contacts"][key].broken = True
    bench.pull()
    bench.shelf.rows["contacts"]["C003"].broken = False
    assert replay(workspace, bench.connection, "contacts") == 2
    bench.shelf.trouble = dies_on(2, Retriable("away"))
    bench.pull(NOW + MINUTE)
    bench.shelf.trouble = lambda stream, page: None
    bench.pull(NOW + 2 * MINUTE)
    assert [c.at for _, c in bench.shelf.asked[1:]] == [None, LONG_AGO + 19 * MINUTE], "once from the start, then on"
    assert len(bench.stored()) == 29
    assert list(bench.quarantined()) == ["C004"]


def test_a_row_that_lands_leaves_the_quarantine_unasked(workspace: UUID) -> None:
    bench = filled(workspace, 5)
    bench.shelf.rows["contacts"]["C003"].broken = True
    bench.pull()
    bench.shelf.put("contacts", "C003", NOW - 6 * MINUTE)
    bench.pull(NOW + MINUTE)
    assert bench.quarantined() == {}
