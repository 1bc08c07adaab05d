"""What no evidence bears out is found; what follows from evidence is not taken for it."""

from __future__ import annotations

import pytest

from service.critic import Draft, Evidence
from service.critic.case import Case
from service.critic.draft import Marked
from service.critic.quantities import quantities, value

EVIDENCE = (
    Evidence(id="e1", type="buyer_message", text="Third time this month. The kitchen, the bar and the front desk wait, 12 people. I waited since Monday."),
    Evidence(id="e2", type="ticket", text="T-77, opened 3 May 09:10, two crews booked, owner Priya Nand, cause not yet known, status open"),
    Evidence(id="e3", type="usage", text="entries: 40 a week in April, 22 a week in May; plan 300 scans, 240 reached; outage 22:00-05:00"),
    Evidence(id="e4", type="quote", text="Q-61: 9,400 a year; smaller version 7,100; valid to 30 November"),
    Evidence(id="e5", type="tracking", text="opened 17 times by Rupert"),
)


def unsourced(text: str, lang: str = "en") -> list[str]:
    case = Case(Draft(id=1, text=text, lang=lang, evidence=EVIDENCE, recipient_name="Marit Oosterhuis", am_name="Callum Reyes"))
    return [text[u.start : u.end] for u in case.unsourced]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("It fell to 21 a week.", "21"),
        ("The case is T-78.", "T-78"),
        ("It was opened at 09:40.", "09:40"),
        ("It was opened in June.", "June"),
        ("The log stopped on Tuesday.", "Tuesday"),
        ("Could I come on Thursday?", "Thursday"),
        ("Rupert has it.", "Rupert"),
        ("Owner: Rupert.", "Rupert"),
        ("The quote says 9,500 a year.", "9,500"),
        ("It has run for six years.", "six"),
        ("31 scans are missing.", "31"),
        ("It went down by 50%.", "50"),
        ("The case is with Maria.", "Maria"),
        ("We fixed it.", "We fixed"),
        ("It has been resolved.", "has been resolved"),
        ("It stopped because of a loose cable.", "because of a"),
        ("It has not happened before.", "has not happened before"),
        ("I saw the page 17 times.", "17"),
    ],
)
def test_what_stands_in_no_evidence_is_found(text: str, found: str) -> None:
    assert found in unsourced(text)


@pytest.mark.parametrize(
    "text",
    [
        "It fell from 40 to 22 a week, which is 18 fewer, or 45% less.",
        "Of the 300 scans 240 were reached, so 60 are open.",
        "The three rooms wait: the kitchen, the bar and the front desk.",
        "T-77 was opened on 3 May at 9:10, and Priya Nand has it.",
        "For seven hours nothing was written, from 22:00 to 5:00.",
        "The two versions differ by 2,300.",
        "Twelve people, for a third time.",
        "On Monday you waited. Priya's crews are booked.",
        "I don't know the cause yet.",
        "One of both would do, for a first look.",
        "Nothing has been resolved until the cause is known, and I won't say it is fixed.",
        "Dear Marit, it's Callum. The PDF is attached.",
        "The quote runs to 30 November.",
    ],
)
def test_what_follows_from_evidence_is_not_flagged(text: str) -> None:
    assert unsourced(text) == []


def test_without_evidence_nothing_is_said_of_claims() -> None:
    assert Case(Draft(id=1, text="It fell to 21 on 3 June.")).unsourced == []


@pytest.mark.parametrize("written", ["9,400", "9.400", "9 400", "9400", "9’400"])
def test_a_number_is_the_same_however_its_thousands_are_set_apart(written: str) -> None:
    assert value(written) == 9400


@pytest.mark.parametrize(
    ("text", "lang", "values"),
    [
        ("twenty-five", "en", [25]),
        ("two hundred and twelve", "en", [212]),
        ("drei Fälle am 4. Mai", "de", [3, 4, 5]),
        ("quinze jours", "fr", [15]),
        ("mil doscientos", "es", [1000]),
        ("vinte e dois", "pt", [22]),
        ("may I come in May", "en", [5]),
    ],
)
def test_number_words_and_months_are_read_in_each_language(text: str, lang: str, values: list[float]) -> None:
    assert [q.value for q in quantities(text, lang)] == values


@pytest.mark.parametrize(
    ("text", "minutes"),
    [("five past nine", 545), ("a quarter to seven", 405), ("half past two", 150), ("at ten to six", 350)],
)
def test_a_time_that_is_spoken_out_is_the_same_as_one_in_figures(text: str, minutes: int) -> None:
    assert [(q.kind, q.value) for q in quantities(text, "en")] == [("time", minutes)]


def test_a_range_is_no_time() -> None:
    assert [q.kind for q in quantities("It takes ten to twelve weeks.", "en")] == ["word", "word"]


SHARES = (
    Evidence(id="e1", type="quote", text="Water is 0.55 a cubic metre; the old flat price was 50,400."),
    Evidence(id="e2", type="usage", text="35,000 cubic metres last year."),
)


def told(text: str, *, is_ours: bool = False) -> list[str]:
    case = Case(Draft(id="d", text=text, evidence=SHARES, marked=(Marked(0, len(text), "INFO"),) if is_ours else ()))
    return [text[u.start : u.end] for u in case.unsourced]


def test_a_product_that_a_person_shows_is_followed_and_none_in_a_draft_of_ours() -> None:
    text = "It is 35,000 at 0.55, so 19,250 and not 50,400."
    assert told(text) == []
    assert told(text, is_ours=True) == ["19,250"]


def test_a_day_that_comes_round_is_promised_by_a_draft_of_ours_only_where_evidence_has_it() -> None:
    assert told("I report on the water every Tuesday.") == []
    assert told("I report on the water every Tuesday.", is_ours=True) == ["Tuesday"]
    assert told("Any Tuesday would do.", is_ours=True) == []


def test_a_wrong_product_is_not_and_neither_is_one_that_nobody_shows() -> None:
    assert told("It is 35,000 at 0.55, so 19,650 and not 50,400.") == ["19,650"]
    assert told("You used 35,000 and will get 19,250 back.") == ["19,250"]


@pytest.mark.parametrize(("text", "values"), [("Store 2 measured 3.1. Shared rooms follow.", [2, 3.1]), ("It takes 3 minutes, thus 3 more.", [3, 3])])
def test_a_stop_behind_a_number_makes_no_date_and_thus_is_no_thursday(text: str, values: list[float]) -> None:
    found = quantities(text, "en")
    assert [q.value for q in found] == values
    assert {q.kind for q in found} == {"number"}
