"""What is on record, as sentences: notes get the words that they left out where that is sure, and else stay in one piece."""

from __future__ import annotations

import pytest

from service.critic.draft import Evidence
from service.drafting import Request
from service.drafting.facts import People, told
from service.drafting.material import Material


def said(kind: str, text: str) -> list[str]:
    return [fact.text for fact in told(Evidence(id="E1", type=kind, text=text), People("Ida Beck", "Kim Osei"))]


@pytest.mark.parametrize(
    ("kind", "text", "expected"),
    [
        (
            "ticket",
            "Ticket 418: siren stopped on 3 and 9 May; the log has a gap of 12 minutes.",
            ["the siren stopped on 3 and 9 May (ticket 418)", "the log has a gap of 12 minutes"],
        ),
        (
            "ticket",
            "Order 77: rope 12x40 delivered on 3 June; right rope arrived on 5 June.",
            ["rope 12x40 was delivered on 3 June", "the right rope arrived on 5 June"],
        ),
        ("contract", "Our terms: 30 percent at order, 70 percent after the test.", ["our terms are 30 percent at order, 70 percent after the test"]),
        ("quote", "From 40 boats on EUR 9 a boat; under 40 the fee is EUR 12.", ["our quote says: from 40 boats on EUR 9 a boat; under 40 the fee is EUR 12"]),
        (
            "ticket",
            "On 2 May the crew reported that the map was blank; answered on 4 May, not confirmed as solved.",
            ["on 2 May the crew reported that the map was blank", "it was answered on 4 May, not confirmed as solved"],
        ),
        ("ticket", "Ticket 9 of Sunday: status OK although the hall was cold.", ["our ticket 9 of Sunday says: status OK while the hall was cold"]),
        ("project", "The gate is planned for May; technician booked for Monday.", ["the gate is planned for May", "the technician is booked for Monday"]),
        ("contract", 'Plan "Harbour", renews on 1 May.', ['the contract says: Plan "Harbour", renews on 1 May']),
        ("product", "The lamp: 40 W, 2.1 kg, made in Turku.", ["the lamp: 40 W, 2.1 kg, made in Turku"]),
        ("project", "The app is finished but for the maps; these come in May.", ["the app is finished except for the maps", "these come in May"]),
        ("ticket", "Case 41: power unit of the robot failed; form refused.", ["the power unit of the robot failed (case 41)", "the form was refused"]),
        ("contract", "Contract ends on 31 May; the notice came in time.", ["the contract ends on 31 May", "the notice came in time"]),
        ("ticket", "The table is not loaded on Sundays. Still open on 20 May.", ["the table is not loaded on Sundays", "it was still open on 20 May"]),
        ("billing", "The lamp is billed under 'Harbour'.", []),
        ("ticket", "Ticket 12: — — —", []),
        ("project", "Move of the server: 4 May, owner Ida Beck", []),
    ],
)
def test_a_record_is_told_as_a_sentence_or_in_one_piece(kind: str, text: str, expected: list[str]) -> None:
    assert said(kind, text) == expected


def told_of(*pieces: tuple[str, str]) -> list[str]:
    evidence = tuple(Evidence(id=f"E{n}", type=kind, text=text) for n, (kind, text) in enumerate(pieces))
    material = Material(Request(id="r1", am_name="Ida Beck", recipient_name="Kim Osei", evidence=evidence, situation="frustration"))
    return [str(filling[0].parts[0]) for one in material.told() for filling in one.slots.values()]


def test_an_unpaid_bill_is_not_put_beside_a_complaint_that_does_not_speak_of_it() -> None:
    bill, trouble = ("billing", "Invoice 71 over EUR 900 is unpaid and due on 30 June."), ("ticket", "The wrong rope was delivered on 3 June.")
    assert not [text for text in told_of(("buyer_message", "Again the wrong rope. My crew lost two days."), trouble, bill) if "unpaid" in text]
    assert [text for text in told_of(("buyer_message", "Again the wrong rope. I won't pay the invoice."), trouble, bill) if "unpaid" in text]


def test_what_went_wrong_comes_before_what_else_is_known() -> None:
    found = told_of(
        ("buyer_message", "The siren failed twice in May. My crew lost two days."),
        ("project", "From May on, sirens are tested each Monday."),
        ("incident", "The siren did not start on 3 May."),
    )
    assert found == ["the siren did not start on 3 May", "from May on, sirens are tested each Monday"]
