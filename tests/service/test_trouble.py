"""How each connection stands, as sentences: what is not called trouble, then what is, since when, and what to do."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service import trouble
from service.store.conditions import Conditions, Stuck, SweepRow
from service.store.connections import Connection
from service.store.streams import StreamState
from service.trouble import LEVELS, doubtful, standing, troubles, unread
from tests.builders import NOW

CRM = UUID(int=1)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
CONNECTION = Connection(
    connection_id=CRM,
    connector="salesforce",
    name="the crm",
    config={},
    status="active",
    status_reason=None,
    status_since=NOW - 9 * DAY,
    push_approved_at=None,
    created_at=NOW - 30 * DAY,
)
EMAILS = StreamState(
    connection_id=CRM,
    name="emails",
    cursor_at=NOW - HOUR,
    cursor_key="",
    pulled_until=NOW - HOUR,
    succeeded_at=NOW - HOUR,
    fresh_seconds=2 * 86400,
    landed=1200,
    error=None,
)


def seen(connection: Connection = CONNECTION, *streams: StreamState, quarantined: int = 0, stuck: tuple[Stuck, ...] = ()) -> Conditions:
    kept = {CRM: quarantined} if quarantined else {}
    return Conditions(connections=[connection], streams=streams or [EMAILS], sweeps=(), quarantined=kept, stuck=stuck)


def kinds(conditions: Conditions, now: datetime = NOW) -> list[str]:
    return [t.kind for t in troubles(conditions, now)]


# What is no trouble


def test_what_is_read_on_time_is_no_trouble():
    assert troubles(seen(), NOW) == []
    assert standing([]) == "ok"


def test_an_error_that_may_pass_is_no_trouble_yet():
    young = replace(EMAILS, error="503", error_since=NOW - timedelta(minutes=59))
    assert kinds(seen(CONNECTION, young)) == []
    assert kinds(seen(CONNECTION, young), NOW + timedelta(minutes=2)) == ["failing"]


def test_a_stream_that_was_just_connected_is_not_stale():
    new = replace(EMAILS, succeeded_at=None, pulled_until=None, cursor_at=None)
    assert kinds(seen(replace(CONNECTION, created_at=NOW - HOUR), new)) == []
    assert kinds(seen(replace(CONNECTION, created_at=NOW - 3 * DAY), new)) == ["stale"]


def test_a_backfill_under_way_is_behind_and_not_stale():
    under_way = replace(EMAILS, succeeded_at=None, unfinished=True, landed=200_000)
    [found] = troubles(seen(CONNECTION, under_way), NOW)
    assert (found.kind, found.level) == ("behind", "wait")
    assert "200,000 rows so far, up to 2 Mar 2026" in found.sentence


def test_while_parked_nothing_is_called_failing():
    parked = replace(CONNECTION, parked_until=NOW + 5 * HOUR, parked_reason="80 % of today's calls are used")
    broken = replace(EMAILS, error="no more calls", error_since=NOW - 5 * HOUR)
    [found] = troubles(seen(parked, broken), NOW)
    assert (found.kind, found.level, found.until) == ("parked", "wait", NOW + 5 * HOUR)
    assert "80 % of today's calls are used. It goes on by itself." in found.sentence
    assert kinds(seen(parked, broken), NOW + 6 * HOUR) == ["failing"]


def test_what_follows_from_a_refused_login_is_not_told_a_second_time():
    refused = replace(CONNECTION, status="auth_failed", status_reason="The login was refused.")
    broken = replace(EMAILS, error="The login was refused.", error_since=NOW - 5 * DAY, succeeded_at=NOW - 9 * DAY, unfinished=True)
    assert kinds(seen(refused, broken)) == ["auth_failed"]


# What it says


@pytest.mark.parametrize("status", ["auth_failed", "misconfigured", "paused"])
def test_a_stopped_connection_is_told_with_reason_date_and_command(status):
    [found] = troubles(seen(replace(CONNECTION, status=status, status_reason="It said no")), NOW)
    assert (found.kind, found.level, found.since) == (status, "act", NOW - 9 * DAY)
    assert "since 21 Feb 2026, 09:00 UTC" in found.sentence
    assert "It said no. " in found.sentence
    command = "`undertone resume 'the crm'`" if status == "paused" else "`undertone connect salesforce --name 'the crm'`"
    assert command in found.sentence
    assert found.headline.startswith("the crm: ")


def test_streams_with_one_error_are_one_trouble_since_the_first():
    failed = [replace(EMAILS, name=name, error="Gone", error_since=NOW - n * DAY) for n, name in enumerate(("a", "b", "c", "d"), 2)]
    other = replace(EMAILS, name="e", error="Other", error_since=NOW - DAY)
    same, single = troubles(seen(CONNECTION, *failed, other), NOW)
    assert (same.streams, same.since, single.streams) == (("a", "b", "c", "d"), NOW - 5 * DAY, ("e",))
    assert "The streams a, b, c and 1 more of the crm cannot be read since 25 Feb 2026" in same.sentence


def test_what_is_stale_is_called_unknown_and_not_bad():
    [found] = troubles(seen(CONNECTION, replace(EMAILS, succeeded_at=NOW - 3 * DAY)), NOW)
    assert (found.kind, found.since) == ("stale", NOW - DAY)
    assert "has not been read since 27 Feb 2026, 09:00 UTC" in found.sentence
    assert "unknown by now, neither good nor bad" in found.sentence


def test_tasks_that_could_not_be_written_need_a_person():
    [found] = troubles(seen(stuck=(Stuck(connection_id=CRM, tasks=3, reason="The owner is inactive"), Stuck(connection_id=CRM, tasks=1, reason=None))), NOW)
    assert (found.kind, found.level) == ("blocked", "act")
    assert found.sentence.startswith("4 tasks could not be written to the crm")
    assert "The owner is inactive." in found.sentence


def test_missing_fields_and_quarantine_are_worth_a_look_and_no_alarm():
    hidden = replace(EMAILS, name="accounts", missing=("Seats__c", "ARR__c"))
    lacking, kept = troubles(seen(CONNECTION, hidden, quarantined=2), NOW)
    assert (lacking.kind, kept.kind, lacking.level, kept.level) == ("lacking", "quarantined", "note", "note")
    assert "accounts without Seats__c, ARR__c" in lacking.sentence
    assert "`undertone replay 'the crm'`" in kept.sentence


@pytest.mark.parametrize(("withheld", "kind", "level"), [(None, "uncompared", "note"), (900, "lost_sight", "act")])
def test_a_comparison_with_the_source_that_went_wrong_is_told_and_one_that_healed_is_not(withheld, kind, level):
    swept = SweepRow(
        connection_id=CRM, stream="accounts", kind="ids", started_at=None, done_at=NOW, lacking=1, vanished=2, stale=3, withheld=withheld, error="Said so"
    )  # fmt: skip
    [found] = troubles(replace(seen(), sweeps=[swept]), NOW)
    assert (found.kind, found.level, found.streams) == (kind, level, ("accounts",))
    assert found.sentence.endswith("Said so.")
    assert troubles(replace(seen(), sweeps=[replace(swept, error=None)]), NOW) == []


def test_the_gravest_comes_first_and_names_the_standing():
    hidden = replace(EMAILS, missing=("Seats__c",), succeeded_at=NOW - 3 * DAY)
    found = troubles(seen(CONNECTION, hidden, quarantined=1), NOW)
    assert [t.kind for t in found] == ["stale", "lacking", "quarantined"]
    assert standing(reversed(found)) == "stale"


# Whom to tell, and what not to conclude


@pytest.mark.parametrize(
    ("kind", "age", "told"), [("failing", 23 * HOUR, False), ("failing", 25 * HOUR, True), ("stale", 71 * HOUR, False), ("stale", 73 * HOUR, True)]
)
def test_what_may_mend_itself_is_told_to_the_owner_after_a_day(kind, age, told):
    stream = replace(EMAILS, error="x", error_since=NOW - age) if kind == "failing" else replace(EMAILS, succeeded_at=NOW - age)
    [found] = troubles(seen(CONNECTION, stream), NOW)
    assert (found.kind, trouble.needs_owner(found, NOW)) == (kind, told)


@pytest.mark.parametrize("kind", [k for k in LEVELS if LEVELS[k] != "act" or k == "blocked"])
def test_nobody_is_told_by_a_task_of_what_needs_no_owner(kind):
    found = trouble.Trouble(connection_id=CRM, connection="crm", kind=kind, sentence="", since=NOW - 90 * DAY)
    assert not trouble.needs_owner(found, NOW)


@pytest.mark.parametrize(
    "broken",
    [
        (CONNECTION, replace(EMAILS, succeeded_at=NOW - 3 * DAY)),
        (CONNECTION, replace(EMAILS, succeeded_at=None)),
        (CONNECTION, replace(EMAILS, error="x", error_since=NOW - 2 * HOUR)),
        (replace(CONNECTION, status="paused"), EMAILS),
        (replace(CONNECTION, status="auth_failed"), EMAILS),
    ],
    ids=["stale", "never read", "failing", "paused", "auth_failed"],
)
def test_no_silence_begins_while_mail_cannot_be_read(broken):
    feeds = unread([broken[0]], [broken[1]], NOW)
    assert feeds == {"mail"}
    assert doubtful(feeds) == {"silence", "unanswered_question"}


def test_a_stream_that_is_read_or_does_not_exist_is_no_reason_for_doubt():
    assert unread([CONNECTION], [EMAILS], NOW) == frozenset()
    assert unread([CONNECTION], [], NOW) == frozenset()
    assert doubtful(()) == frozenset()
    assert unread([CONNECTION], [replace(EMAILS, name="usage", succeeded_at=None)], NOW) == {"usage"}


ages = st.integers(min_value=-48, max_value=2000).map(lambda hours: NOW - hours * HOUR)
streams = st.builds(
    replace,
    st.just(EMAILS),
    name=st.sampled_from(["emails", "tasks", "usage", "users"]),
    succeeded_at=st.none() | ages,
    error=st.none() | st.sampled_from(["", "no", "Gone."]),
    error_since=st.none() | ages,
    unfinished=st.booleans(),
    missing=st.lists(st.sampled_from(["A", "B"]), max_size=2).map(tuple),
)
statuses = st.sampled_from(["active", "paused", "auth_failed", "misconfigured"])


@given(status=statuses, parked=st.none() | ages, rows=st.lists(streams, max_size=5, unique_by=lambda s: s.name), kept=st.integers(0, 3))
@settings(max_examples=150, deadline=None)
def test_every_trouble_is_a_whole_sentence_and_what_stops_a_feed_makes_it_unread(status, parked, rows, kept):
    connection = replace(CONNECTION, status=status, parked_until=parked)
    conditions = Conditions(connections=[connection], streams=rows, sweeps=[], quarantined={CRM: kept}, stuck=[])
    found = troubles(conditions, NOW)
    for t in found:
        assert "the crm" in t.sentence
        assert t.sentence.endswith((".", "`."))
        assert t.sentence.count("`") % 2 == 0
        assert "  " not in t.sentence
        assert "None" not in t.sentence + t.headline
    feeds = unread([connection], rows, NOW)
    for t in found:
        if t.kind in ("failing", "stale"):
            assert not {"emails", "tasks"} & set(t.streams) or "mail" in feeds
    assert status == "active" or not {"failing", "stale", "parked", "behind"} & {t.kind for t in found}
