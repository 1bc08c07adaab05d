"""Whatever fails, in whatever order: no row lost, none twice, each suggestion one task, and what a person did stays done."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e import sequences
from tests.e2e.verdict import faults_of

SEEDS = 25


@pytest.mark.parametrize("mode", ["keyed", "guarded"])
@pytest.mark.parametrize("seed", range(SEEDS))
def test_a_sequence_of_failures_ends_with_everything_there_once(servers: str, tmp_path: Path, seed: int, mode: sequences.Mode) -> None:
    with sequences.world(tmp_path, seed, mode) as one:
        sequences.play(one)
        rounds = sequences.settle(one)
        assert faults_of(one, rounds) == {}
