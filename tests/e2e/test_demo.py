"""The demo from its start to its end, as somebody types it who has just cloned the repository."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path


def test_the_demo_finds_what_was_planted_and_tells_it_before_it_ends():
    """Its own worker must not take from it what is due: then it would find nothing, and say so."""
    done = subprocess.run([Path(sys.executable).with_name("undertone"), "demo", "--once"], capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    assert "Suggest" in done.stdout
    assert not re.search(r"\b0/0\b", done.stdout), done.stdout
    found = [(int(n), int(planted)) for n, planted in re.findall(r"\b(\d+) of (\d+)\b", done.stdout)]
    assert len(found) > 4
    assert sum(n for n, _ in found) > sum(planted for _, planted in found) / 2, done.stdout
