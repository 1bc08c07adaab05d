"""The mood chart of an account: who is not in it, and that those who are can be told apart."""

from __future__ import annotations

import colorsys
import re
from itertools import combinations
from pathlib import Path

import pytest

from service.console import assets, story
from service.store.pool import transaction
from tests.builders import NOW
from tests.filled import Filled, fill


def people_in(whose: Filled) -> list[str | None]:
    with transaction(whose.workspace_id) as db:
        found = story.charts(db, whose.account_id, NOW)
    assert found
    return list(found["mood"]["who"])


@pytest.mark.parametrize("ours_after_all", ["direction = 'out'", "automatic = true", "deleted = true"])
def test_nobody_of_our_side_and_no_machine_is_in_the_mood_also_where_that_came_out_later(workspace, ours_after_all):
    whose = fill(workspace, "Mooded")
    assert people_in(whose) == ["Bo Lind"]
    with transaction(workspace) as db:
        db.execute(f"UPDATE interaction SET {ours_after_all}")
    assert people_in(whose) == []


def test_who_is_no_contact_of_the_account_has_no_name_in_the_mood(workspace):
    whose = fill(workspace, "Mooded")
    with transaction(workspace) as db:
        db.execute("UPDATE interaction SET contact_id = NULL")
    assert people_in(whose) == [None]


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_people_in_the_mood_chart_are_told_apart_by_colour_and_stand_out_from_the_page(scheme):
    css = (Path(assets.__file__).parent / "static" / "console.css").read_text("utf-8")
    people = [re.findall(rf"--person-{n}: (#[0-9a-f]{{6}})", css)[scheme] for n in range(1, 6)]
    card = re.findall(r"--card: (#[0-9a-f]{6})", css)[scheme]
    hues = [colorsys.rgb_to_hls(*rgb(p))[0] * 360 for p in people]
    assert min(min(abs(a - b), 360 - abs(a - b)) for a, b in combinations(hues, 2)) >= 25
    assert min(min(abs(a - b), 360 - abs(a - b)) for a, b in combinations(hues[:3], 2)) >= 60
    for person in people:
        lighter, darker = sorted((luminance(person), luminance(card)), reverse=True)
        assert (lighter + 0.05) / (darker + 0.05) >= 3


def rgb(colour: str) -> tuple[float, float, float]:
    return int(colour[1:3], 16) / 255, int(colour[3:5], 16) / 255, int(colour[5:7], 16) / 255


def luminance(colour: str) -> float:
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in rgb(colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
