"""The suggestion as a place to work: what the critic finds in what a person types, that no word of it is kept, and what can be said of the suggestion."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from html import unescape
from typing import Any
from uuid import UUID

import psycopg
import pytest
from psycopg import sql

from service import desk, limits, policy
from service.config import real_time
from service.console import session, work
from service.console.session import Session
from service.playbook.pause import ANGRY
from service.store import corrections, suggestions
from service.store.pool import transaction
from service.store.readings import Emotion
from service.suggest import suggest
from tests import builders
from tests.builders import NOW
from tests.chromium import WIDE, chromium
from tests.client import TestClient, assert_problem, key
from tests.filled import Filled, fill, read_again
from tests.service.inside import Inside

Hold = Callable[[datetime], None]
FELT = "They feel alone with it."
MARK = "CANARYtyped"


@pytest.fixture(scope="module")
def filled(servers: str) -> Filled:
    return fill(builders.workspace(), "Ours")


@pytest.fixture(autouse=True)
def on_the_day(hold_clock: Hold) -> None:
    hold_clock(NOW)


@pytest.fixture
def am(app: Any, filled: Filled) -> Inside:
    return Inside(app, filled.workspace_id, "am")


@pytest.fixture
def ours(workspace: UUID) -> Filled:
    """Of the test's own, for what is said."""
    return fill(workspace, "Own")


def at(whose: Filled, action: str) -> str:
    return f"/console/suggestions/{whose.suggestion_id}/{action}"


def checked(am: Inside, whose: Filled, text: str) -> str:
    answer = am.say(at(whose, "check"), text=text, part="fragment")
    assert answer.status_code == 200
    return unescape(answer.text)


@pytest.mark.parametrize("action", ["check", "another"])
def test_whoever_types_too_quickly_waits_and_nobody_else_does_and_the_text_stays(app, ours, action):
    busy, calm = Inside(app, ours.workspace_id, "am"), Inside(app, ours.workspace_id, "am")
    answers = [busy.say(at(ours, "check"), text="Hi Bo.", part="fragment") for _ in range(limits.CRITIC.burst + 3)]
    assert [a.status_code for a in answers[: limits.CRITIC.burst]] == [200] * limits.CRITIC.burst
    late = busy.say(at(ours, action), text=MARK, part="fragment")
    assert late.status_code == 429
    assert int(late.headers["retry-after"]) >= 1
    assert "too many checks in a short time" in late.text
    assert MARK not in late.text
    page = busy.say(at(ours, action), text=f"{MARK} stays")
    assert page.status_code == 200
    assert f"{MARK} stays</textarea>" in page.text
    assert "too many checks" in page.text
    assert calm.say(at(ours, "check"), text="Hi Bo.", part="fragment").status_code == 200
    assert busy.get(f"/console/accounts/{ours.account_id}").status_code == 200


def draft_of(whose: Filled) -> str:
    with transaction(whose.workspace_id) as db:
        found = desk.read(db, row_of(whose))
    assert found is not None
    assert found.draft is not None
    return found.draft


def row_of(whose: Filled) -> suggestions.SuggestionRow:
    with transaction(whose.workspace_id) as db:
        found = suggestions.get(db, whose.suggestion_id)
    assert found is not None
    return found


# The critic beside the text


def test_words_that_the_buyer_never_wrote_are_found_in_quotation_marks_and_their_own_are_not(am, filled):
    said = checked(am, filled, 'Hi Bo,\n\nYou wrote that "we are about to sue your whole company". Is that right?')
    assert "Not like this:" in said
    assert '"we are about to sue your whole company"' in said
    assert "What stands in quotation marks is not what they wrote." in said
    theirs = checked(am, filled, 'Hi Bo,\n\nYou wrote that "it is hard to defend". Is that right?')
    assert "What stands in quotation marks is not what they wrote." not in theirs


def test_a_number_that_no_evidence_bears_out_is_found_and_one_that_the_suggestion_rests_on_is_not(am, filled):
    """41.2 active users is a figure of the second signal, which the draft was not made from."""
    assert "is in no evidence" in checked(am, filled, "Hi Bo,\n\nYou had 977 active users in January. Is that right?")
    assert "is in no evidence" not in checked(am, filled, "Hi Bo,\n\nYou had 41 active users a day. Is that right?")


def test_our_own_draft_unchanged_is_said_to_be_what_its_report_says(am, filled):
    said = checked(am, filled, draft_of(filled).replace("\n", "\r\n"))
    assert "It may go." in said
    assert "gives back what they said" in said


def test_a_sentence_of_ours_keeps_its_move_when_another_is_added(filled):
    with transaction(filled.workspace_id) as db:
        found = desk.read(db, row_of(filled))
    assert found is not None
    before, after = desk.review(found, found.draft or ""), desk.review(found, (found.draft or "").replace("\n\n", "\n\nPlease send me the list. ", 1))
    assert set(before.moves) <= set(after.moves)
    assert "ASK" in after.moves


def test_the_place_of_a_finding_counts_characters_and_one_line_break_as_one(am, filled):
    text = 'Hi Bo \U0001f642,\n\nYou wrote "we will sue". Is that right?'
    said = checked(am, filled, text.replace("\n", "\r\n"))
    places = [text[int(start) : int(end)] for start, end in re.findall(r'data-start="(\d+)" data-end="(\d+)"', said)]
    assert any("we will sue" in place for place in places)


def test_without_a_script_the_same_answer_stands_in_the_page_with_what_was_typed(am, filled):
    text = unescape(am.say(at(filled, "check"), text=f'Hi Bo,\n\nYou said "{MARK} never". <b>&').text)
    assert "Not like this:" in text
    assert f'Hi Bo,\n\nYou said "{MARK} never". <b>&</textarea>' in text


def test_nothing_that_is_typed_is_kept_or_logged(am, filled, servers, caplog):
    with caplog.at_level(logging.DEBUG):
        for action in ("check", "another"):
            for part in ("page", "fragment"):
                assert am.say(at(filled, action), text=f'You wrote "{MARK}".', part=part).status_code == 200
    assert MARK not in caplog.text
    with psycopg.connect(servers) as owner:
        owner.execute("SET row_security = off")
        tables = owner.execute("SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'").fetchall()
        found = [
            name
            for (name,) in tables
            if owner.execute(sql.SQL("SELECT FROM {} t WHERE to_jsonb(t)::text LIKE %s").format(sql.Identifier(name)), [f"%{MARK}%"]).fetchone()
        ]
    assert found == []


def test_another_draft_is_another_and_passes_the_critic(am, filled):
    answer = unescape(am.say(at(filled, "another"), text="", part="fragment").text)
    other = re.search(r'id="other-text">(.*?)</div>', answer, re.S)
    assert other
    ours = {s for s in re.split(r"(?<=[.?!])\s+", draft_of(filled)) if len(s.split()) > 4}
    assert other[1] != draft_of(filled)
    assert len([s for s in ours if s in other[1]]) <= len(ours) / 2  # what they wrote may be told back in the same words
    assert "Not like this:" not in checked(am, filled, other[1])


def test_whoever_may_only_read_has_the_critic_and_can_say_nothing(app, filled):
    analyst = Inside(app, filled.workspace_id, "analyst")
    assert "Not like this:" in checked(analyst, filled, 'You said "never again".')
    assert analyst.say(at(filled, "feedback"), verdict="used").status_code == 403
    page = analyst.get(f"/console/accounts/{filled.account_id}").text
    assert "What came of it?" not in page
    assert 'id="critic"' in page


def test_a_text_that_is_too_long_or_holds_a_nul_is_refused_in_words(am, filled):
    for text in ("a" * 40_001, "a\x00b"):
        assert am.say(at(filled, "check"), text=text).status_code == 422


# What can be said


def test_an_angry_message_wants_the_line_first_and_the_page_says_so(app, ours):
    read_again(ours, "test-2", emotions=(Emotion(name="anger", confidence=ANGRY, alternative="reported_not_felt"),))
    suggest(ours.workspace_id, NOW)
    am = Inside(app, ours.workspace_id, "am")
    refused = am.say(at(ours, "feedback"), verdict="edited", felt="  ")
    assert refused.status_code == 422
    assert "say in one line" in refused.text
    assert row_of(ours).feedback is None
    assert am.say(at(ours, "feedback"), verdict="edited", felt=FELT).headers["location"] == f"/console/accounts/{ours.account_id}#suggestion"
    assert row_of(ours).feedback == "edited"


@pytest.mark.parametrize(("verdict", "days"), [("not_now", 0), ("not_now", -1), ("not_now", 91), ("used", 5), ("wrong_reading", 5)])
def test_a_snooze_is_of_not_now_and_of_1_to_90_days(app, filled, verdict, days):
    until = (NOW.date() + timedelta(days=days)).isoformat()
    api = TestClient(app, raise_server_exceptions=False)
    answer = api.post(f"/v1/suggestions/{filled.suggestion_id}/feedback", json={"verdict": verdict, "until": until}, headers=key(filled.workspace_id))
    assert "1 day" not in assert_problem(answer, 409)
    assert Inside(app, filled.workspace_id, "am").say(at(filled, "feedback"), verdict=verdict, until=until).status_code == 422
    assert row_of(filled).feedback is None


def test_a_snooze_is_told_by_page_and_api_until_something_else_is_said(app, ours):
    am, api, header = Inside(app, ours.workspace_id, "am"), TestClient(app), key(ours.workspace_id)
    until = NOW.date() + timedelta(days=9)
    assert am.say(at(ours, "feedback"), verdict="not_now", until=until.isoformat(), note="Their audit ends first.").status_code == 303
    page = am.get(f"/console/accounts/{ours.account_id}").text
    assert "Not now, until 11 Mar 2026" in page
    assert "Their audit ends first." in page
    [listed] = api.get("/v1/suggestions", headers=header).json()["items"]
    assert listed["snoozed_until"] == until.isoformat()
    assert api.post(f"/v1/suggestions/{ours.suggestion_id}/feedback", json={"verdict": "edited"}, headers=header).status_code == 201
    assert api.get(f"/v1/suggestions/{ours.suggestion_id}", headers=header).json()["snoozed_until"] is None
    with transaction(ours.workspace_id) as db:
        assert db.execute("SELECT count(*) FROM feedback WHERE snoozed_until = %s", [until]).fetchone() == (1,)


def test_what_they_meant_instead_becomes_a_correction_of_the_message(app, ours):
    am = Inside(app, ours.workspace_id, "am")
    said = {"verdict": "wrong_reading", "note": "They asked how to split the bill.", "about": "timing_concern", "mood": "0"}
    assert am.say(at(ours, "feedback"), **said).status_code == 303
    with transaction(ours.workspace_id) as db:
        found = corrections.current(db, [ours.interaction_id])[ours.interaction_id]
    assert {c.label: c.corrected for c in found} == {"situations": ["timing_concern"], "sentiment": 0}
    assert row_of(ours).said_why == "They asked how to split the bill."


def test_a_correction_goes_with_wrong_reading_alone_and_nothing_is_kept_of_what_was_refused(app, ours):
    am = Inside(app, ours.workspace_id, "am")
    assert am.say(at(ours, "feedback"), verdict="not_now", mood="0").status_code == 422
    with transaction(ours.workspace_id) as db:
        assert corrections.current(db, [ours.interaction_id]) == {}
    assert row_of(ours).feedback is None


def test_what_we_see_is_told_in_its_parts():
    text = "What we see: a. b. What it may mean: c. How sure we are of it: quite sure (0.9), from one message. Also: D. Also: E."
    assert work.seen(text) == [
        ("What we see:", "a. b."),
        ("What it may mean:", "c."),
        ("How sure we are of it:", "quite sure (0.9), from one message."),
        ("Also:", "D. E."),
    ]
    assert work.seen("Plain words.") == [("", "Plain words.")]


# In a real browser


@pytest.fixture
def tab(served: str) -> Iterator[Any]:
    with chromium() as opened:
        yield opened.new_page(viewport=WIDE, base_url=served)


@pytest.mark.browser
def test_in_a_browser_the_critic_speaks_while_somebody_types_and_a_click_marks_the_words(tab, filled):
    said: list[str] = []
    tab.on("console", lambda message: said.append(message.text))
    tab.on("pageerror", lambda error: said.append(str(error)))
    code = session.seal(Session(filled.workspace_id, None), "console link", real_time() + timedelta(minutes=5))
    tab.goto(f"/console/enter?code={code}")
    tab.goto(f"/console/accounts/{filled.account_id}")
    assert tab.is_visible("h1")
    assert tab.locator("#suggestion h2").bounding_box()["y"] < 900
    tab.fill("#text", 'Hi Bo \U0001f642,\n\nYou wrote "we will sue you all". Is that right?')
    tab.locator("#critic .blocks button.words", has_text=re.compile('^"we will sue you all"$')).click()
    assert tab.evaluate("(b => b.value.slice(b.selectionStart, b.selectionEnd))(document.getElementById('text'))") == '"we will sue you all"'
    tab.click("[data-another]")
    tab.click("[data-take]")
    tab.wait_for_selector("#critic .verdict:not(.blocks)")
    assert "we will sue" not in tab.input_value("#text")
    tab.click("[data-copy]")
    tab.wait_for_selector("#copied:has-text('Copied')")
    assert said == []


def test_the_critic_beside_the_draft_knows_the_words_of_the_team(app, ours):
    policy.change(ours.workspace_id, {"lexicon": [{"phrase": "touch base", "say_instead": "talk"}]}, "ann", "", None, NOW)
    assert 'Say "talk" instead.' in checked(Inside(app, ours.workspace_id, "am"), ours, "Could we touch base on Friday?")
