"""Sweeps: rows that were missed, rows that vanished, values that change without a stamp. Nothing is lost by one, whenever it is killed."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from connectors.base import Stream
from connectors.errors import Retriable
from connectors.records import Contact, Interaction, Record
from service import sweeps as sweeping
from service.store import accounts, landing, sweeps
from service.store.pool import transaction
from service.turn import Limits
from tests import builders, memory
from tests.memory import MINUTE, NOW, Killed, Sweepable, ticking

LONG_AGO = NOW - timedelta(days=30)
WEEK = timedelta(days=7)
CONTACTS = Stream(name="contacts", lag=5 * MINUTE, overlap=10 * MINUTE, sweeps={"ids": WEEK, "formulas": timedelta(days=1)})
IDS = Stream(name="contacts", lag=5 * MINUTE, overlap=10 * MINUTE, sweeps={"ids": WEEK})


def swept(workspace: UUID, *, rows: int = 35, stream: Stream = IDS, kind: type[memory.Source] = Sweepable) -> memory.Bench:
    """A stream that has been read; nothing about it has changed since."""
    bench = memory.bench(workspace, stream, kind=kind)
    for n in range(rows):
        bench.shelf.put("contacts", f"C{n:03d}", LONG_AGO + n * MINUTE, value=f"v{n}")
    bench.pull()
    return bench


def drift(bench: memory.Bench) -> tuple[Any, ...]:
    """lacking, vanished, stale of the sweep over ids, and when it was done."""
    with transaction(bench.workspace) as db:
        [row] = db.execute(
            "SELECT lacking, vanished, stale, done_at, withheld, error FROM sweep WHERE connection_id = %s AND kind = 'ids'", [bench.connection]
        ).fetchall()
    return tuple(row)


def upset(bench: memory.Bench) -> None:
    """As reading by stamps cannot see: one row appears with an old stamp, one disappears, one moves its stamp a little."""
    bench.shelf.put("contacts", "missed", LONG_AGO, value="was missed")
    del bench.shelf.rows["contacts"]["C003"]
    bench.shelf.put("contacts", "C004", LONG_AGO + 4 * MINUTE + timedelta(seconds=1), value="differs")


def test_a_sweep_is_not_due_before_its_time(workspace: UUID) -> None:
    bench = swept(workspace)
    upset(bench)
    bench.pull(NOW + timedelta(days=6))
    assert bench.shelf.fetched == []
    assert "C003" in bench.stored()


def test_drift_is_healed_and_said_as_numbers(workspace: UUID) -> None:
    bench = swept(workspace)
    upset(bench)
    bench.pull(NOW + WEEK)
    assert bench.stored() == {k: r.value for k, r in bench.shelf.rows["contacts"].items()}
    assert drift(bench) == (1, 1, 1, NOW + WEEK, None, None)
    assert sorted(bench.shelf.fetched) == ["C003", "C004", "missed"], "what is as it was is not fetched"


def test_the_next_sweep_counts_from_zero(workspace: UUID) -> None:
    bench = swept(workspace)
    upset(bench)
    bench.pull(NOW + WEEK)
    bench.pull(NOW + 2 * WEEK)
    assert drift(bench) == (0, 0, 0, NOW + 2 * WEEK, None, None)


def test_a_sweep_can_be_asked_for(workspace: UUID) -> None:
    bench = swept(workspace)
    upset(bench)
    assert sweeping.ask(workspace, bench.connection, NOW) == 1
    bench.pull(NOW + MINUTE)
    assert drift(bench)[:3] == (1, 1, 1)


@pytest.mark.parametrize("where", ["contacts ids", "contacts fetch"])
def test_a_sweep_killed_half_way_goes_on_and_loses_no_count(workspace: UUID, where: str) -> None:
    bench = swept(workspace)
    upset(bench)
    hits = []

    def dies(stream: str, page: int) -> None:
        if stream == where and not hits and (page > 1 or where == "contacts fetch"):
            hits.append(page)
            raise Killed

    bench.shelf.trouble = dies
    with pytest.raises(Killed):
        bench.pull(NOW + WEEK)
    bench.kill_runner()
    bench.pull(NOW + WEEK + MINUTE)
    assert bench.stored() == {k: r.value for k, r in bench.shelf.rows["contacts"].items()}
    assert drift(bench)[:3] == (1, 1, 1)


def test_a_sweep_that_is_cut_by_the_end_of_its_turn_resumes_at_its_page(workspace: UUID) -> None:
    bench = swept(workspace, rows=100)
    upset(bench)
    asked: list[int] = []
    bench.shelf.trouble = lambda stream, page: asked.append(page) if stream == "contacts ids" else None
    for n in range(20):
        report = bench.pull(NOW + WEEK + n * MINUTE, limits=Limits(turn=timedelta(seconds=2), run=timedelta(seconds=1000), clock=ticking(1.0)))
        if not report.unfinished:
            break
    assert drift(bench)[:3] == (1, 1, 1)
    assert len(asked) <= 11, "no page of ids is read twice"


def test_an_unfinished_sweep_makes_the_connection_due_at_once(workspace: UUID) -> None:
    from service.store import connections

    bench = swept(workspace, rows=100)
    bench.pull(NOW + WEEK, limits=Limits(turn=timedelta(seconds=2), run=timedelta(seconds=1000), clock=ticking(1.0)))
    with transaction() as db:
        assert (workspace, bench.connection) in connections.claim_due(db, 1000, timedelta(0))


def test_what_is_written_while_the_sweep_runs_is_left_alone(workspace: UUID) -> None:
    """A row that was made after the sweep had passed its place is not taken for one that vanished, nor one that was changed for a stale one."""
    bench = swept(workspace)

    def meanwhile(stream: str, page: int) -> None:
        if stream == "contacts ids" and page == 2:
            bench.shelf.trouble = lambda stream, page: None
            with transaction(workspace) as db:
                landing.land(db, bench.connection, Contact, [memory.contact("A-new", memory.Row(NOW + WEEK)), memory.contact("C001", memory.Row(NOW + WEEK))])

    bench.shelf.trouble = meanwhile
    bench.shelf.put("contacts", "B-new", NOW + WEEK - 2 * MINUTE)
    bench.pull(NOW + WEEK)
    assert "A-new" in bench.stored()
    assert bench.shelf.fetched == [], "what the stream has not come to yet is not missed"
    assert drift(bench)[:3] == (0, 0, 0)


def test_a_row_that_the_sweep_overlooked_and_that_is_there_is_not_deleted(workspace: UUID) -> None:
    bench = swept(workspace)
    row = bench.shelf.rows["contacts"]["C003"]
    row.hidden = True

    def back(stream: str, page: int) -> None:
        row.hidden = row.hidden and (stream, page) != ("contacts ids", 1)

    bench.shelf.trouble = back
    bench.pull(NOW + WEEK)
    assert bench.shelf.fetched == ["C003"]
    assert "C003" in bench.stored()
    assert drift(bench)[:3] == (0, 0, 0)


def test_an_unshared_row_goes_and_comes_back_when_it_is_shared_again(workspace: UUID) -> None:
    bench = swept(workspace)
    bench.shelf.rows["contacts"]["C003"].hidden = True
    bench.pull(NOW + WEEK)
    assert "C003" not in bench.stored()
    assert "C003" in bench.stored(deleted=True), "reversible: nothing is lost of it"
    bench.shelf.rows["contacts"]["C003"].hidden = False
    bench.pull(NOW + 2 * WEEK)
    assert bench.stored()["C003"] == "v3"
    assert drift(bench)[:3] == (1, 0, 0)


def test_when_most_rows_are_out_of_sight_nothing_is_deleted_and_somebody_is_told(workspace: UUID) -> None:
    bench = swept(workspace, rows=220)
    for n in range(150):
        bench.shelf.rows["contacts"][f"C{n:03d}"].hidden = True
    report = bench.pull(NOW + WEEK)
    assert len(bench.stored()) == 220
    assert drift(bench)[4] == 150
    assert "150 rows of contacts" in report.errors[0]
    bench.pull(NOW + 2 * WEEK)
    assert len(bench.stored()) == 70, "what two sweeps say is true"
    assert drift(bench) == (0, 150, 0, NOW + 2 * WEEK, None, None)


def test_rows_of_which_nothing_is_kept_are_fetched_once_and_are_no_drift(workspace: UUID) -> None:
    """Drafts, open tasks: they are there, and no record is made of them."""
    bench = swept(workspace)
    bench.shelf.put("contacts", "draft", LONG_AGO, broken=True)
    bench.pull(NOW + WEEK)
    bench.pull(NOW + 2 * WEEK)
    assert bench.shelf.fetched == ["draft"]
    assert drift(bench)[:3] == (0, 0, 0)
    bench.pull(NOW + 11 * WEEK)
    assert bench.shelf.fetched == ["draft", "draft"], "after two months it is looked at again"


def test_a_failing_sweep_leaves_its_stream_well_and_says_why(workspace: UUID) -> None:
    bench = swept(workspace)

    def away(stream: str, page: int) -> None:
        if stream == "contacts ids":
            raise Retriable("It is away.")

    bench.shelf.trouble = away
    report = bench.pull(NOW + WEEK)
    assert report.errors == ["contacts (ids): It is away."]
    assert bench.stream().error is None
    assert drift(bench)[5] == "It is away."


def test_computed_values_are_refreshed_without_a_stamp_having_moved(workspace: UUID) -> None:
    bench = swept(workspace, stream=CONTACTS)
    bench.shelf.rows["contacts"]["C007"].computed = "now 12"
    bench.pull(NOW + timedelta(hours=23))
    assert title(bench, "C007") is None
    bench.pull(NOW + timedelta(days=1))
    assert title(bench, "C007") == "now 12"


def title(bench: memory.Bench, key: str) -> str | None:
    with transaction(bench.workspace) as db:
        [(found,)] = db.execute("SELECT title FROM contact WHERE connection_id = %s AND key = %s", [bench.connection, key]).fetchall()
    return str(found) if found is not None else None


class Listing(memory.Source):
    """With sweeps, and without single rows."""

    sweep = Sweepable.sweep


def test_without_single_rows_the_stream_is_read_anew(workspace: UUID) -> None:
    bench = swept(workspace, kind=Listing)
    upset(bench)
    bench.pull(NOW + WEEK)
    bench.pull(NOW + WEEK + MINUTE)
    assert bench.stored() == {k: r.value for k, r in bench.shelf.rows["contacts"].items()}
    asked = len(bench.shelf.asked)
    bench.pull(NOW + 2 * WEEK)
    bench.pull(NOW + 2 * WEEK + MINUTE)
    assert all(c.at is not None for _, c in bench.shelf.asked[asked:]), "once"


def a_note(stream: str, key: str, row: memory.Row) -> Record:
    return Interaction(
        key=key,
        kind="note" if stream == "notes" else "call",
        direction="out",
        occurred_at=row.stamp,
        account_key="A1",
        modified_at=row.stamp,
        deleted=row.deleted,
    )


def test_an_account_whose_exchange_vanished_is_due_to_be_scored(workspace: UUID) -> None:
    bench = memory.bench(workspace, Stream(name="notes", sweeps={"ids": WEEK}), kind=Sweepable, record=a_note)
    with transaction(workspace) as db:
        account_id = builders.account(db, bench.connection)
    bench.shelf.put("notes", "N1", LONG_AGO)
    bench.pull()
    with transaction(workspace) as db:
        accounts.due(db, 100)
    bench.shelf.rows["notes"].clear()
    bench.pull(NOW + WEEK)
    with transaction(workspace) as db:
        assert accounts.due(db, 100) == [account_id]
        assert db.execute("SELECT deleted FROM interaction WHERE connection_id = %s", [bench.connection]).fetchall() == [(True,)]


def test_what_another_stream_delivered_is_not_taken_for_vanished(workspace: UUID) -> None:
    bench = memory.bench(workspace, Stream(name="notes", sweeps={"ids": WEEK}), Stream(name="calls"), kind=Sweepable, record=a_note)
    bench.shelf.put("notes", "N1", LONG_AGO)
    bench.shelf.put("calls", "P1", LONG_AGO)
    bench.pull()
    bench.pull(NOW + WEEK)
    with transaction(workspace) as db:
        assert db.execute("SELECT count(*) FROM interaction WHERE connection_id = %s AND deleted", [bench.connection]).fetchall() == [(0,)]


@pytest.mark.parametrize("covers", [frozenset(), frozenset({"note"})])
def test_a_kind_that_two_streams_deliver_is_judged_only_by_one_that_covers_it(workspace: UUID, covers: frozenset[Any]) -> None:
    bench = memory.bench(
        workspace,
        Stream(name="notes", sweeps={"ids": WEEK}, covers=covers),
        Stream(name="old notes"),
        kind=Sweepable,
        record=lambda stream, key, row: a_note("notes", key, row),
    )
    bench.shelf.put("notes", "N1", LONG_AGO)
    bench.shelf.put("old notes", "N2", LONG_AGO)
    bench.pull()
    bench.pull(NOW + WEEK)
    with transaction(workspace) as db:
        gone = db.execute("SELECT key FROM interaction WHERE connection_id = %s AND deleted", [bench.connection]).fetchall()
    assert gone == ([("N2",)] if covers else [])


def test_a_sweep_of_another_workspace_is_not_touched(workspace: UUID) -> None:
    bench, other = swept(workspace), swept(builders.workspace())
    upset(bench)
    bench.pull(NOW + WEEK)
    assert drift(other)[3] is None
    with transaction(other.workspace) as db:
        assert sweeps.ask(db, bench.connection, None, None, NOW) == 0
