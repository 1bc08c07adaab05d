"""kill -9 in the middle of a push, of whoever takes part in it: every suggestion becomes exactly one task, and none is stuck."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e import kills

ROUNDS = 2
"""`./dev prove` makes two hundred."""


def test_a_plain_create_under_kills_makes_duplicates(tmp_path: Path):
    """The control: if this made none, the test below could not fail."""
    wanted, made = kills.plain_create_under_kills(tmp_path, ROUNDS)
    assert made > wanted


@pytest.mark.timeout(540)
def test_no_kill_makes_a_task_twice_loses_one_or_leaves_one_stuck():
    with kills.rig() as rig:
        in_the_middle = kills.run(rig, ROUNDS, seed=1)
        assert rig.settle() == {"done": len(rig.made)}
        assert {s: n for s, n in rig.tasks_per_suggestion().items() if n != 1} == {}
        assert len(rig.made) == ROUNDS * len(kills.VICTIMS) * kills.A_ROUND
        assert in_the_middle > ROUNDS * len(kills.VICTIMS) / 2
