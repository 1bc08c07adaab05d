"""Whatever fails, in whatever order: no row lost, none twice, each suggestion one task, and what a person did stays done."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e import sequences
from tests.e2e.verdict import faults_of
from tests.e2e.worker import Workers

SEEDS = 5
"""Of each mode; `./dev prove` plays a thousand sequences."""


@pytest.fixture(scope="module")
def workers(servers: str) -> Iterator[Workers]:
    started = Workers.start()
    yield started
    started.stop()


@pytest.mark.parametrize("mode", ["keyed", "guarded"])
@pytest.mark.parametrize("seed", range(SEEDS))
def test_a_sequence_of_failures_ends_with_everything_there_once(workers: Workers, tmp_path: Path, seed: int, mode: sequences.Mode) -> None:
    with sequences.world(tmp_path, workers, seed, mode) as one:
        sequences.play(one)
        rounds = sequences.settle(one)
        assert faults_of(one, rounds) == {}
