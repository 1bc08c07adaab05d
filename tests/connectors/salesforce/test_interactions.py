"""Whose side a mail is on, what an activity stands for, and whose words are never taken for the customer's."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.records import Interaction, Record, TaskState
from connectors.salesforce.interactions import KEY_LINE, Ours, Surroundings, email, event, key_in, ours, task
from connectors.salesforce.readings import READINGS
from connectors.salesforce.row import Row, UnusableRow
from tests.connectors.salesforce.conftest import NOW, Bench
from tests.connectors.salesforce.test_config import config

STAMPS = {"SystemModstamp": "2026-03-02T08:00:00.000+0000", "CreatedDate": "2026-03-01T08:00:00.000+0000"}
OURS = ours(["ann@vendor.example", "helper@gmail.com"], [])


def row(stream: str, **values: Any) -> Row:
    columns = {a: f for a, f in READINGS[stream].fields(config()).items() if f}
    return Row({"Id": "02s5gS000000001ABA", **STAMPS, **values}, columns)


def mail(*, html: str = "", **values: Any) -> Interaction:
    given = {"FromAddress": "bo@acme.example", "ToAddress": "ann@vendor.example", "MessageDate": "2026-03-02T07:00:00.000+0000", "Incoming": True}
    (made,) = email(row("emails", **{**given, **values}), Surroundings(ours=OURS, html={"02s5gS000000001ABA": html}))
    assert isinstance(made, Interaction)
    return made


def done(**values: Any) -> list[Record]:
    return task(row("tasks", Id="00T5gS000000001EBA", **{"IsClosed": True, "ActivityDate": "2026-03-02", **values}))


@pytest.mark.parametrize(
    ("sender", "to", "incoming", "side"),
    [
        ("bo@acme.example", "ann@vendor.example", True, "in"),
        ("ann@vendor.example", "bo@acme.example", False, "out"),
        ("ann@vendor.example", "bo@acme.example", True, "out"),
        ("Ann@Vendor.Example", "mo@vendor.example; kim@eu.vendor.example", False, "internal"),
        ("ann@vendor.example", "mo@vendor.example", True, "internal"),
        ("helper@gmail.com", "bo@acme.example", True, "out"),
        ("somebody.else@gmail.com", "ann@vendor.example", True, "in"),
        ("notifications@crm.example", "bo@acme.example", False, "out"),
        ("bo@acme.example", "ann@vendor.example", None, "in"),
        ("ann@vendor.example", "bo@acme.example", None, "out"),
        ("", "bo@acme.example", False, "out"),
    ],
)
def test_the_side_is_the_senders(sender: str, to: str, incoming: bool | None, side: str) -> None:
    assert mail(FromAddress=sender, ToAddress=to, Incoming=incoming).direction == side


def test_our_mail_is_ours_though_the_org_took_it_for_the_customers() -> None:
    assert mail(FromAddress="ann@vendor.example", ToAddress="bo@acme.example", Incoming=True).direction != "in"


def test_a_mail_provider_never_becomes_our_domain() -> None:
    assert "gmail.com" not in OURS.domains
    assert "helper@gmail.com" in OURS
    assert "stranger@gmail.com" not in OURS
    assert "x@sub.vendor.example" in OURS
    assert "x@notvendor.example" not in Ours(domains=frozenset({"vendor.example"}))


@pytest.mark.parametrize("draft", [{"Status": "5"}, {"IsPrivateDraft": True}])
def test_a_draft_was_never_sent(draft: dict[str, Any]) -> None:
    assert email(row("emails", FromAddress="ann@vendor.example", MessageDate="2026-03-02T07:00:00.000+0000", **draft), Surroundings()) == []


@pytest.mark.parametrize("values", [{"FromAddress": "", "Incoming": True}, {"FromAddress": None, "ToAddress": None, "Incoming": False}])
def test_a_mail_that_names_nobody_is_set_aside(values: dict[str, Any]) -> None:
    with pytest.raises(UnusableRow, match="no address"):
        mail(**values)


def test_addresses_are_taken_apart_however_they_are_joined() -> None:
    made = mail(ToAddress="Ann@Vendor.example; Lind, Bo <bo@acme.example>, x@y.example", CcAddress='"A; B" <c@d.example>;;nonsense')
    assert made.to_emails == ("ann@vendor.example", "bo@acme.example", "x@y.example")
    assert made.cc_emails == ("c@d.example",)


def test_a_mail_is_known_by_its_message_id() -> None:
    assert mail(MessageIdentifier=" <a@b> ").message_id == "<a@b>"
    assert mail(Headers="Message-ID: <c@d>\r\nIn-Reply-To: <e@f>\r\n").message_id == "<c@d>"
    assert mail(Headers="In-Reply-To: <e@f>\n").in_reply_to == "<e@f>"
    assert mail(ReplyToEmailMessage={"MessageIdentifier": "<g@h>"}).in_reply_to == "<g@h>"
    assert mail(ReplyToEmailMessage=None, MessageIdentifier="none").message_id is None


@pytest.mark.parametrize("values", [{"Headers": "Auto-Submitted: auto-replied\n"}, {"Subject": "Automatic reply: Rosters"}])
def test_a_machines_mail_is_marked(values: dict[str, Any]) -> None:
    assert mail(**values).automatic
    assert not mail().automatic


def test_html_is_read_where_there_is_no_plain_text() -> None:
    assert mail(html="<p>We do not renew.</p><blockquote>old</blockquote>").body == "We do not renew."
    assert mail(TextBody="plain", html="<p>html</p>").body == "plain"


def test_a_long_body_is_cut_and_says_so() -> None:
    made = mail(TextBody="x" * 131_072)
    assert (len(made.body), made.body_truncated) == (64_000, True)
    assert not mail(TextBody="short").body_truncated


def test_a_deleted_mail_brings_no_words_back() -> None:
    made = mail(TextBody="private", Subject="private", IsDeleted=True)
    assert (made.deleted, made.body, made.subject) == (True, "", "")


def test_a_mail_on_an_opportunity_belongs_to_its_account(bench: Bench) -> None:
    bench.email(RelatedToId=bench.id_of("Opportunity", "renewal"))
    assert bench.records("emails")[0].account_key == bench.id_of("Account", "acme")


def test_a_mail_that_answers_another_knows_which(bench: Bench) -> None:
    first = bench.email(MessageIdentifier="<1@acme.example>")
    bench.email(MessageIdentifier="<2@vendor.example>", ReplyToEmailMessageId=first, FromAddress="ann@vendor.example", ToAddress="bo@acme.example")
    assert [m.in_reply_to for m in bench.records("emails")] == [None, "<1@acme.example>"]


def test_a_logged_call_is_a_call_on_its_day() -> None:
    (made,) = done(TaskSubtype="Call", CallType="Outbound", Subject="Call", Description="Bo is unhappy", WhoId="0035gS000000001ABA", AccountId="001x")
    assert isinstance(made, Interaction)
    assert (made.kind, made.direction, made.contact_key, made.account_key) == ("call", "out", "0035gS000000001ABA", "001x")
    assert made.occurred_at == datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("values", "at"),
    [
        ({"CompletedDateTime": "2026-03-02T16:20:00.000+0000"}, datetime(2026, 3, 2, 16, 20, tzinfo=UTC)),
        ({"CompletedDateTime": "2026-03-09T16:20:00.000+0000"}, datetime(2026, 3, 2, 12, tzinfo=UTC)),
        ({"CompletedDateTime": "2026-03-09T16:20:00.000+0000", "ActivityDate": None}, datetime(2026, 3, 9, 16, 20, tzinfo=UTC)),
        ({"ActivityDate": None}, datetime(2026, 3, 1, 8, tzinfo=UTC)),
    ],
)
def test_a_call_happened_on_its_day_though_it_was_logged_later(values: dict[str, Any], at: datetime) -> None:
    (made,) = done(TaskSubtype="Call", **values)
    assert isinstance(made, Interaction)
    assert made.occurred_at == at


def test_our_notes_of_a_customers_call_are_never_the_customers_words() -> None:
    (made,) = done(TaskSubtype="Call", CallType="Inbound", Subject="Bo furious", Description="He hates us")
    assert isinstance(made, Interaction)
    assert (made.direction, made.subject, made.body) == ("in", "", "")


@pytest.mark.parametrize(
    "values",
    [
        {"TaskSubtype": "Email", "Description": "To: bo@acme.example"},
        {"TaskSubtype": "ListEmail"},
        {"TaskSubtype": "Call", "IsClosed": False},
        {"TaskSubtype": "Task", "Description": "to do", "IsClosed": False},
        {"TaskSubtype": "Task", "Description": None},
        {"TaskSubtype": "Call", "IsRecurrence": True},
    ],
)
def test_what_was_not_done_or_is_mail_already_is_no_interaction(values: dict[str, Any]) -> None:
    assert done(**values) == []


def test_a_finished_task_with_words_is_a_note_of_ours() -> None:
    (made,) = done(TaskSubtype="Task", Description="Talked to Bo at the fair")
    assert isinstance(made, Interaction)
    assert (made.kind, made.direction) == ("note", "internal")


@pytest.mark.parametrize("values", [{"Undertone_Key__c": "ut-abc"}, {"Description": f"Words.\n\n{KEY_LINE}ut-abc\r\n"}])
def test_our_own_task_is_a_state_and_never_a_note(values: dict[str, Any]) -> None:
    (made,) = done(Status="Completed", Undertone_Feedback__c="Not now", OwnerId="005x", **values)
    assert isinstance(made, TaskState)
    assert (made.key, made.is_closed, made.feedback, made.status, made.owner_key) == ("ut-abc", True, "not_now", "Completed", "005x")


@pytest.mark.parametrize("text", ["", None, "Undertone key:", f"{KEY_LINE}UT-1", f"{KEY_LINE}ut-abc\nmore", f"x {KEY_LINE}ut-abc", f"{KEY_LINE}ut-a b"])
def test_a_key_is_read_from_the_last_line_only(text: str | None) -> None:
    assert key_in(text) is None


def test_a_meeting_is_at_its_start() -> None:
    (made,) = event(row("events", StartDateTime="2026-03-05T14:30:00.000+0000", ActivityDate="2026-03-05", Subject="Review"))
    assert isinstance(made, Interaction)
    assert (made.kind, made.occurred_at) == ("meeting", datetime(2026, 3, 5, 14, 30, tzinfo=UTC))


def test_a_meeting_of_a_whole_day_keeps_its_day() -> None:
    (made,) = event(row("events", IsAllDayEvent=True, StartDateTime="2026-03-05T00:00:00.000+0000", ActivityDate="2026-03-05"))
    assert isinstance(made, Interaction)
    assert made.occurred_at == datetime(2026, 3, 5, 12, tzinfo=UTC)


@pytest.mark.parametrize("values", [{"IsRecurrence": True}, {"IsChild": True}, {"IsPrivate": True}])
def test_heads_of_series_copies_and_private_meetings_are_left_alone(values: dict[str, Any]) -> None:
    assert event(row("events", StartDateTime="2026-03-05T14:30:00.000+0000", **values)) == []


_VALUES = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=30), st.lists(st.none(), max_size=2), st.just({"x": 1}))


@given(stream=st.sampled_from(["emails", "tasks", "events"]), data=st.data())
def test_whatever_a_row_holds_it_becomes_a_record_or_says_why_not(stream: str, data: st.DataObject) -> None:
    make = {"emails": lambda r: email(r, Surroundings(ours=OURS)), "tasks": task, "events": event}[stream]
    fields = [f for f in READINGS[stream].fields(config()).values() if f and "." not in f]
    raw = data.draw(st.fixed_dictionaries({}, optional=dict.fromkeys([*fields, "Id"], _VALUES)))
    try:
        made = make(row(stream, **raw))
    except UnusableRow as problem:
        assert str(problem)
    else:
        assert all(isinstance(r, Interaction | TaskState) for r in made)
        assert all(r.occurred_at < NOW + timedelta(days=40_000) for r in made if isinstance(r, Interaction))


def test_the_state_of_a_task_holds_nothing_that_a_database_refuses() -> None:
    (made,) = done(Undertone_Key__c="ut-a\x00b", Status="Waiting\x00 \ud800", Undertone_Feedback__c="Not\x00 now", LastModifiedById="005")
    assert isinstance(made, TaskState)
    assert (made.key, made.status, made.feedback) == ("ut-ab", "Waiting ?", "not_now")
