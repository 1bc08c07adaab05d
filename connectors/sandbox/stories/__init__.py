"""Stories that the sandbox can serve. The truth beside a story is for tests and the demo's last table alone."""

from __future__ import annotations

import json
from datetime import UTC, datetime, time
from pathlib import Path

DEMO = Path(__file__).parent / "tidewise"


def last_moment(story: Path) -> datetime:
    """The evening of the story's last day: what the demo and the tests take for now."""
    last_day = json.loads((story / "story.json").read_text("utf-8"))["last_day"]
    return datetime.combine(datetime.fromisoformat(last_day), time(20), UTC)
