"""Who asks not to be written to: taken for it by a list of phrases alone, held back for it, and never recorded as their wish before a person says so."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service import preferences
from service.playbook.stop_requests import stop_requests
from service.score import score
from service.signals import Preference, Signal
from service.store import accounts, signals, suggestions
from service.store.pool import transaction
from service.suggest import suggest
from service.task import tasks_of
from tests import builders
from tests.builders import NOW

ASKS = [
    "Please stop writing to me.",
    "Stop emailing us.",
    "Can you stop sending us these emails?",
    "Please do not contact me again.",
    "Don’t contact me.",
    "Take me off your mailing list.",
    "Please remove my address from your list.",
    "Unsubscribe me, please.",
    "I no longer wish to be contacted.",
    "We do not want to receive any more emails.",
    "Leave us alone.",
    "No more emails, please.",
    "Schreiben Sie mir bitte nicht mehr.",
    "Bitte schicken Sie uns keine weiteren E-Mails.",
    "Nehmen Sie mich bitte aus Ihrem Verteiler.",
    "Ich möchte nicht mehr kontaktiert werden.",
    "Lassen Sie uns in Ruhe.",
    "Ne nous écrivez plus.",
    "Arrêtez de m’envoyer des mails.",
    "Retirez-moi de votre liste.",
    "Je ne souhaite plus être contacté.",
    "Dejen de escribirme.",
    "No nos escriban más.",
    "Denme de baja.",
    "No quiero recibir más correos.",
    "Parem de me escrever.",
    "Não nos contactem mais.",
    "Deixem-nos em paz.",
]
ASKS_NOT = [
    "Please don't stop writing to us, we like the notes.",
    "The planner should stop sending us invoices twice.",
    "If this goes on, stop writing to us.",
    "Our director told me to stop emailing us the list.",
    "Please stop the export, it is writing to the wrong folder.",
    "Do not write to us about clause 9 on Friday, call instead.",
    "Can you take Anna off your list?",
    "The system keeps sending me emails.",
    "Customers ask us to stop writing to them.",
    "We do not want to hear that again.",
    "Leave us a line when it works.",
    "No more messages appear in the log, please check.",
    "Schreiben Sie mir bitte bis Freitag.",
    "Wenn das so weitergeht, schreiben Sie uns nicht mehr.",
    "Kontaktieren Sie uns nicht mehr als nötig per Telefon.",
    "Nous ne souhaitons plus utiliser ce module.",
    "Si cela continue, ne nous écrivez plus.",
    "No queremos que nos cobren dos veces.",
    "Não queremos mais esta função.",
]
BODY = "Hello Ann,\n\nwe have moved on. Please stop writing to me.\n\nOn 1 March 2026 Ann Berg wrote:\n> Leave us alone, they say.\n"


@pytest.fixture(autouse=True)
def on_the_day(hold_clock: Callable[[datetime], None]) -> None:
    hold_clock(NOW)


def asked(workspace: UUID, body: str = BODY, **fields: Any) -> UUID:
    """The contact of an account has written this, and everything has been scored. Returns the contact."""
    with transaction(workspace) as db:
        crm = builders.connection(db)
        account_id = builders.account(db, crm)
        builders.land_emails(db, crm, [builders.email("M1", **{"contact_key": "C-A1", "from_email": None, "body": body, **fields})])
        (contact,) = accounts.contacts(db, [account_id])
    score(workspace, NOW)
    return contact.contact_id


def requests(workspace: UUID) -> list[Signal]:
    with transaction(workspace) as db:
        return [r.signal for r in signals.current(db) if r.signal.kind == "stop_request" and r.signal.state == "open"]


def only(workspace: UUID) -> suggestions.SuggestionRow:
    with transaction(workspace) as db:
        (row,) = suggestions.open_suggestions(db)
    return row


@pytest.mark.parametrize("text", ASKS_NOT)
def test_what_asks_for_something_else_is_not_taken_for_it(text):
    assert stop_requests(text) == []


@pytest.mark.parametrize("text", ASKS)
def test_a_plain_request_is_heard_in_five_languages(text):
    assert stop_requests(f"Hello. {text}\nBest, Kim") == [(7, 7 + len(text))]


@given(st.text(max_size=300))
def test_whatever_a_buyer_writes_nothing_raises_and_spans_lie_in_the_text(text):
    assert all(0 <= start < end <= len(text) for start, end in stop_requests(text))


@pytest.mark.parametrize(
    "fields", [{"direction": "out", "contact_key": None, "from_email": "ann@vendor.example"}, {"automatic": True}], ids=["ours", "automatic"]
)
def test_our_own_mail_and_machine_mail_ask_for_nothing(workspace: UUID, fields):
    asked(workspace, **fields)
    assert requests(workspace) == []


def test_what_they_quote_is_not_their_request(workspace: UUID):
    asked(workspace, body="Thanks, all is well here.\n\nOn 1 March 2026 Ann Berg wrote:\n> Please stop writing to me.\n")
    assert requests(workspace) == []


def test_the_request_is_no_preference_before_a_person_says_so(workspace: UUID):
    contact = asked(workspace)
    suggest(workspace, NOW)
    assert preferences.stated(workspace, contact) is None


def test_restraint_is_the_suggestion_and_their_words_are_its_reason(workspace: UUID):
    asked(workspace)
    suggest(workspace, NOW)
    row = only(workspace)
    assert (row.lead_kind, row.handling, row.draft) == ("stop_request", "human_review", None)
    assert row.no_draft_reason == "they asked on 2 March, in their own words, not to be written to"
    task = tasks_of(workspace, [row.suggestion_id])[row.suggestion_id].task
    assert task.subject == "Acme: asked not to be written to before renewal"
    assert '2 March: "Please stop writing to me."' in task.description
    assert "1. Do not write to them" in task.description
    assert "undertone preferences" in task.description


def test_nothing_else_is_drafted_for_them_while_nobody_has_answered_it(workspace: UUID):
    contact = asked(workspace)
    with transaction(workspace) as db:
        (request,) = [r.signal for r in signals.current(db) if r.signal.kind == "stop_request"]
        later = NOW + timedelta(days=40)
        signals.append(db, [builders.signal(request.account_id, contact_id=contact, detected_at=later.date())], "m", 10**6)
    suggest(workspace, later)
    row = only(workspace)
    assert row.lead_kind == "price_objection"
    assert row.no_draft_reason == "they asked on 2 March, in their own words, not to be written to"


@pytest.mark.parametrize("opted_out", [True, False])
def test_once_a_person_has_said_what_they_want_the_matter_is_closed(workspace: UUID, opted_out):
    contact = asked(workspace, "Good morning. Please stop writing to me.")
    suggest(workspace, NOW)
    said = requests(workspace)[0].evidence[0].id
    preferences.state(workspace, contact, Preference(opted_out=opted_out, evidence_id=_stored(workspace, said), stated_at=NOW + timedelta(hours=1)), "api")
    suggest(workspace, NOW + timedelta(hours=1))
    with transaction(workspace) as db:
        (row,) = suggestions.listing(db, account_id=None, state=None, after=None, most=9)
    assert (row.state, row.close_reason) == ("closed", "contradicted")


def test_a_second_request_after_that_counts_again(workspace: UUID):
    contact = asked(workspace)
    preferences.state(workspace, contact, Preference(opted_out=False, stated_at=NOW - timedelta(hours=1)), "api")
    suggest(workspace, NOW)
    assert only(workspace).lead_kind == "stop_request"


def test_scoring_once_more_writes_nothing_new(workspace: UUID):
    asked(workspace)
    before = requests(workspace)
    with transaction(workspace) as db:
        accounts.mark_all_due(db)
    assert score(workspace, NOW).signals == 0
    assert requests(workspace) == before


def _stored(workspace: UUID, evidence_id: UUID) -> UUID:
    with transaction(workspace) as db:
        assert evidence_id in signals.evidence_by_ids(db, [evidence_id])
    return evidence_id
