"""Whatever happens on the other side and to the runner, after the last good run we hold what the other side shows."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.base import Stream
from connectors.errors import Retriable
from service import sweeps
from service.turn import Limits
from tests import builders, memory
from tests.memory import MINUTE, Killed, Sweepable, ticking

LAG, OVERLAP = 5 * MINUTE, 10 * MINUTE
KEYS = st.sampled_from([f"C{n}" for n in range(12)])
LATE = st.integers(0, 14)
"""Minutes after its stamp at which a row becomes visible: less than lag and overlap together, as a connector has to promise."""

SEEN_BY_STAMPS = st.one_of(
    st.tuples(st.just("write"), KEYS, LATE),
    st.tuples(st.just("bin"), KEYS, LATE),
    st.tuples(st.just("wait"), st.integers(1, 30)),
    st.tuples(st.just("pull")),
    st.tuples(st.just("turn"), st.integers(1, 4)),
    st.tuples(st.just("die"), st.integers(0, 3), st.sampled_from([Killed, RuntimeError, Retriable])),
)
BLIND = st.one_of(
    st.tuples(st.just("appear")),
    st.tuples(st.just("purge"), KEYS),
    st.tuples(st.just("hide"), KEYS),
    st.tuples(st.just("show"), KEYS),
    st.tuples(st.just("sweep")),
    st.tuples(st.just("die sweeping"), st.integers(0, 3)),
)


class Story:
    def __init__(self, *, swept: bool) -> None:
        stream = Stream(name="contacts", lag=LAG, overlap=OVERLAP, sweeps={"ids": timedelta(days=3650)} if swept else {})
        self.bench = memory.bench(builders.workspace(), stream, kind=Sweepable, page=3)
        self.number = 0

    @property
    def rows(self) -> dict[str, memory.Row]:
        return self.bench.shelf.rows.setdefault("contacts", {})

    def tell(self, *event: object) -> None:
        getattr(self, f"_{str(event[0]).replace(' ', '_')}")(*event[1:])

    def _write(self, key: str, late: int, *, deleted: bool = False) -> None:
        self.number += 1
        now = self.bench.shelf.now
        self.bench.shelf.put("contacts", key, now, value=f"v{self.number}", visible_at=now + late * MINUTE, deleted=deleted)

    def _bin(self, key: str, late: int) -> None:
        self._write(key, late, deleted=True)

    def _wait(self, minutes: int) -> None:
        self.bench.shelf.now += minutes * MINUTE

    def _pull(self) -> None:
        self.bench.pull()

    def _turn(self, pages: int) -> None:
        self.bench.pull(limits=Limits(turn=timedelta(seconds=pages), run=timedelta(seconds=pages + 2), clock=ticking(1.0)))

    def _die(self, page: int, how: type[BaseException], stream: str = "contacts") -> None:
        def trouble(name: str, number: int) -> None:
            if (name, number) == (stream, page):
                raise how

        self.bench.shelf.trouble = trouble
        with suppress(Killed):
            self.bench.pull()
        self.bench.kill_runner()
        self.bench.shelf.trouble = lambda stream, page: None

    def _appear(self) -> None:
        """With a stamp long past, as rows that were committed far too late have."""
        self.number += 1
        self.bench.shelf.put("contacts", f"A{self.number}", memory.NOW - timedelta(days=400), value=f"v{self.number}")

    def _purge(self, key: str) -> None:
        self.rows.pop(key, None)

    def _hide(self, key: str) -> None:
        if key in self.rows:
            self.rows[key].hidden = True

    def _show(self, key: str) -> None:
        if key in self.rows:
            self.rows[key].hidden = False

    def _sweep(self) -> None:
        sweeps.ask(self.bench.workspace, self.bench.connection, self.bench.shelf.now)
        self.bench.pull()

    def _die_sweeping(self, page: int) -> None:
        sweeps.ask(self.bench.workspace, self.bench.connection, self.bench.shelf.now)
        self._die(page, Killed, "contacts ids")

    def shown(self) -> dict[str, str]:
        return {k: r.value for k, r in self.bench.shelf.visible("contacts").items() if not r.deleted}


@pytest.mark.usefixtures("servers")
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(SEEN_BY_STAMPS, min_size=3, max_size=14))
def test_after_the_last_good_run_the_store_is_the_source(events: list[tuple[object, ...]]) -> None:
    story = Story(swept=False)
    for event in events:
        story.tell(*event)
    story.tell("wait", 20)
    story.tell("pull")
    assert story.bench.stored() == story.shown()


@pytest.mark.usefixtures("servers")
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.one_of(SEEN_BY_STAMPS, BLIND), min_size=3, max_size=14))
def test_after_the_last_sweep_it_is_so_whatever_stamps_could_not_tell(events: list[tuple[object, ...]]) -> None:
    story = Story(swept=True)
    story.tell("pull")
    for event in events:
        story.tell(*event)
    story.tell("wait", 20)
    story.tell("pull")
    story.tell("wait", 20)
    story.tell("sweep")
    assert story.bench.stored() == story.shown()
