"""What every connector promises, as tests. A connector's own tests inherit `SourceSuite`, and `SinkSuite` if it writes.

    class TestMyCrm(SourceSuite):
        @pytest.fixture
        def world(self, tmp_path): yield MyWorld(tmp_path)

Needs pytest. `world` is a small outside with the connector on it: a server of its own, a folder, a stand-in for the CRM.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Protocol

import pytest

from connectors.base import Cursor, Page, Sink, Source, Stream, Sweeping, Task
from connectors.errors import ConnectorError
from connectors.records import UsageHours, UsageRows

CANARY = "zx81-private-words"
"""Stands in every text that `fill` writes, and may turn up in no reason, error or repr."""


class SourceWorld(Protocol):
    now: datetime
    """All that `fill` has written is older than this."""
    stream: str
    """The stream that the suite reads."""

    def source(self) -> Source:
        """A new one each time, as each run makes its own."""
        ...

    def fill(self, count: int) -> set[str]:
        """Adds so many rows to the stream, none older than those before, some with equal stamps; returns their keys."""
        ...

    def spoil(self) -> str:
        """Adds a row that cannot become a record, with CANARY in it; returns the text by which its rejection names it."""
        ...

    def broken(self) -> Source:
        """A source whose other side cannot be used: wrong credentials, or no such folder."""
        ...


class SinkWorld(Protocol):
    def sink(self) -> Sink: ...

    def task(self, key: str) -> Task: ...

    def count(self, key: str) -> int:
        """Tasks with this key on the other side, deleted ones not counted."""
        ...

    def writes(self) -> int:
        """Rows written on the other side so far."""
        ...

    def close(self, key: str) -> None:
        """A person closes the task."""
        ...

    def delete(self, key: str) -> None:
        """A person deletes the task."""
        ...

    def cut_after_write(self) -> None:
        """The next write is carried out and its answer never arrives."""
        ...


class SourceSuite:
    @pytest.fixture
    def world(self) -> SourceWorld:
        raise NotImplementedError

    # what must not happen

    def test_no_row_is_lost_when_a_run_ends_after_any_page(self, world: SourceWorld) -> None:
        wanted = world.fill(23)
        pages = self._read(world, Cursor())
        for seen in range(1, len(pages)):
            cursor = next((p.cursor for p in reversed(pages[:seen]) if p.cursor), Cursor())
            rest = self._read(world, cursor)
            assert wanted <= keys_of(pages[:seen]) | keys_of(rest)

    def test_a_second_run_from_the_last_cursor_loses_nothing_new(self, world: SourceWorld) -> None:
        world.fill(7)
        pages = self._read(world, Cursor())
        last = next((p.cursor for p in reversed(pages) if p.cursor), Cursor())
        added = world.fill(3)
        assert added <= keys_of(self._read(world, last))

    def test_reading_twice_gives_the_same_records(self, world: SourceWorld) -> None:
        world.fill(7)
        assert repr(records_of(self._read(world, Cursor()))) == repr(records_of(self._read(world, Cursor())))

    def test_a_row_that_cannot_be_read_is_named_and_takes_no_other_with_it(self, world: SourceWorld) -> None:
        wanted = world.fill(5)
        named = world.spoil()
        pages = self._read(world, Cursor())
        assert wanted <= keys_of(pages)
        rejected = [r for p in pages for r in p.rejected]
        assert any(named in r.source_key for r in rejected)
        assert not any(CANARY in r.reason or CANARY in r.source_key for r in rejected)

    def test_a_check_of_what_cannot_work_says_so_without_raising(self, world: SourceWorld) -> None:
        found = world.broken().check(world.now)
        assert any(f.level == "error" and f.message for f in found)

    def test_reading_what_cannot_work_raises_what_the_runner_knows(self, world: SourceWorld) -> None:
        with pytest.raises(ConnectorError) as raised:
            list(world.broken().read(world.stream, Cursor(), world.now))
        assert CANARY not in str(raised.value)

    def test_a_stream_that_is_not_there_is_refused_by_name(self, world: SourceWorld) -> None:
        with pytest.raises((ConnectorError, KeyError), match="no_such_stream"):
            list(world.source().read("no_such_stream", Cursor(), world.now))

    # what does

    def test_every_row_arrives_with_a_key_and_an_aware_time(self, world: SourceWorld) -> None:
        wanted = world.fill(9)
        records = records_of(self._read(world, Cursor()))
        assert wanted <= {key for r in records for key in record_keys(r)}
        assert all(is_aware(value) for r in records for value in times_of(r))

    def test_streams_have_names_of_their_own_and_discover_speaks_of_each(self, world: SourceWorld) -> None:
        source = world.source()
        names = [s.name for s in source.streams()]
        assert len(names) == len(set(names))
        assert {d.stream for d in source.discover()} == set(names)
        assert all(d.fields or d.problem for d in source.discover())

    def test_a_cursor_moves_forward_only(self, world: SourceWorld) -> None:
        world.fill(23)
        moments = [p.cursor.at for p in self._read(world, Cursor()) if p.cursor and p.cursor.at]
        assert moments == sorted(moments)

    def test_a_sweep_over_ids_sees_what_is_there_and_goes_on_where_it_stopped(self, world: SourceWorld) -> None:
        wanted = world.fill(12)
        source = world.source()
        if "ids" not in self._stream(world).sweeps:
            return
        assert isinstance(source, Sweeping)
        pages = list(source.sweep(world.stream, "ids", Cursor(), world.now))
        assert wanted <= {p.key for page in pages for p in page.present}
        middle = next((p.cursor for p in pages if p.cursor), Cursor())
        rest = {p.key for page in world.source().sweep(world.stream, "ids", middle, world.now) for p in page.present}  # type: ignore[attr-defined]
        assert wanted <= rest | {p.key for p in pages[0].present}

    @staticmethod
    def _stream(world: SourceWorld) -> Stream:
        return next(s for s in world.source().streams() if s.name == world.stream)

    @staticmethod
    def _read(world: SourceWorld, after: Cursor) -> list[Page]:
        return list(world.source().read(world.stream, replace(after), world.now))


class SinkSuite:
    @pytest.fixture
    def sinks(self) -> SinkWorld:
        raise NotImplementedError

    def test_a_plan_writes_nothing(self, sinks: SinkWorld) -> None:
        before = sinks.writes()
        assert [c.action for c in self._plan(sinks, "ut-a", "ut-b")] == ["create", "create"]
        assert sinks.writes() == before

    def test_the_same_task_twice_stands_there_once(self, sinks: SinkWorld) -> None:
        for _ in range(2):
            self._push(sinks, "ut-a")
        assert sinks.count("ut-a") == 1

    @pytest.mark.parametrize("end", ["close", "delete"])
    def test_what_a_person_ended_is_never_made_again(self, sinks: SinkWorld, end: str) -> None:
        self._push(sinks, "ut-a")
        getattr(sinks, end)("ut-a")
        before, count = sinks.writes(), sinks.count("ut-a")
        assert [c.action for c in self._plan(sinks, "ut-a")] == ["skip"]
        self._push(sinks, "ut-a")
        assert (sinks.writes(), sinks.count("ut-a")) == (before, count)

    def test_a_missing_answer_is_told_as_unknown_and_reading_the_key_settles_it(self, sinks: SinkWorld) -> None:
        sinks.cut_after_write()
        assert [o.status for o in self._push(sinks, "ut-a")] == ["unknown"]
        assert sinks.sink().lookup(["ut-a"])["ut-a"] is not None
        self._push(sinks, "ut-a")
        assert sinks.count("ut-a") == 1

    def test_outcomes_come_in_the_order_of_the_changes(self, sinks: SinkWorld) -> None:
        keys = [f"ut-{n}" for n in range(5)]
        assert [o.key for o in self._push(sinks, *keys)] == keys

    def test_a_key_that_is_not_there_is_looked_up_as_none(self, sinks: SinkWorld) -> None:
        assert dict(sinks.sink().lookup(["ut-nobody"])) == {"ut-nobody": None}

    @staticmethod
    def _plan(sinks: SinkWorld, *keys: str) -> Sequence[Any]:
        sink = sinks.sink()
        return sink.plan([sinks.task(k) for k in keys], sink.lookup(keys))

    @staticmethod
    def _push(sinks: SinkWorld, *keys: str) -> Sequence[Any]:
        sink = sinks.sink()
        changes = [c for c in sink.plan([sinks.task(k) for k in keys], sink.lookup(keys)) if c.action != "skip"]
        return sink.apply(changes) if changes else []


def records_of(pages: Sequence[Page]) -> list[Any]:
    return [record for page in pages for record in page.records]


def keys_of(pages: Sequence[Page]) -> set[str]:
    return {key for record in records_of(pages) for key in record_keys(record)}


def record_keys(record: Any) -> list[str]:
    """Usage comes in columns: there an account, metric and day are the key."""
    if isinstance(record, UsageRows):
        return [f"{a}|{m}|{d}" for a, m, d in zip(record.accounts, record.metrics, record.days.astype(str).tolist(), strict=True)]
    if isinstance(record, UsageHours):
        return [f"{a}|{m}|{at}" for a, m, at in zip(record.accounts, record.metrics, record.at.astype(str).tolist(), strict=True)]
    return [record.key]


_TIMES: Sequence[Callable[[Any], Any]] = (lambda r: getattr(r, "occurred_at", None), lambda r: getattr(r, "modified_at", None))


def times_of(record: Any) -> list[datetime]:
    return [found for time in _TIMES if (found := time(record)) is not None]


def is_aware(at: datetime) -> bool:
    return at.utcoffset() == timedelta(0)
