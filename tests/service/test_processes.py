"""Child processes: what ends by itself is started again, what will not stay up is said."""

from __future__ import annotations

import sys
import time

import pytest

from service import processes
from service.errors import Unavailable
from service.processes import Child

BRIEF = Child("brief", (sys.executable, "-c", "print('here', flush=True)"))
LASTING = Child("lasting", (sys.executable, "-c", "import time; time.sleep(600)"))


def ended(family, child):
    family.members[child].wait(20)


def test_a_child_that_will_not_stay_up_is_not_started_for_ever_and_named(tmp_path):
    with pytest.raises(Unavailable, match=r"The brief process ended 5 times.*brief\.log"), processes.started([BRIEF, LASTING], tmp_path) as family:
        for second in range(20):
            ended(family, BRIEF)
            family.mend(float(second))
    assert (tmp_path / "brief.log").read_text().count("here") == processes.MOST_ENDS
    assert family.members[LASTING].poll() is not None


def test_a_child_that_ended_is_started_again_and_the_others_are_left_alone(tmp_path):
    with processes.started([BRIEF, LASTING], tmp_path) as family:
        before = family.members[LASTING].pid
        ended(family, BRIEF)
        family.mend(time.monotonic())
        ended(family, BRIEF)
        assert (tmp_path / "brief.log").read_text().count("here") == 2
        assert family.members[LASTING].pid == before


def test_ends_long_ago_do_not_count(tmp_path):
    with processes.started([BRIEF], tmp_path) as family:
        for hour in range(2 * processes.MOST_ENDS):
            ended(family, BRIEF)
            family.mend(hour * 3600.0)
