"""A draft is the same text with another name in it, whatever its recipient is called and wherever they write from."""

from __future__ import annotations

import pytest

from service.critic.draft import Evidence
from service.drafting import Drafted, Request, draft
from service.drafting.clauses import ranked
from service.drafting.masks import masked
from service.drafting.named import mentioned
from service.drafting.names import address
from service.drafting.render import text_of
from service.drafting.signed import below_names

NAMES = (
    "Kim Osei",
    "李 明",
    "أحمد حسن",
    "שרה לוי",
    "Ольга Петрова",
    "प्रिया शर्मा",
    "Mei-Ling O’Neill",
    "Jean-Luc d'Arc",
    "Grace Price",
    "Mark Will",
    "May June",
    "Will Mark",
    "Hope Black",
    "Ł Ōta",
    "Guðrún Þorsteinsdóttir",
)
SIGNED = (
    "\n\nKind regards,\n{first} {last}\n{address}\n{country}",
    "\n\n{first}\n{address}\n{country}",
    " {first}\n\n-- \n{first} {last}\n{address}\n{country}\n+1 555 0100",
    "\n\nThanks, {first}\nHead of Grounds\n{address}\n{country}",
)
PLACES = (("waterworks.example", "Kenya"), ("waterworks.co.jp", "United Arab Emirates"), ("hartwell.cn", "New Zealand"), ("w.us", "USA"))
MESSAGES = (
    (
        "en",
        "Hello Ida,\n\nThe pump log has gaps again this week. We re-enter the readings by hand every evening, and my crew is tired of it. When will it stop?",
    ),
    ("en", "Hi Ida, {first} here. Will the new price hold until May? In May our board has to decide, and it may well say no."),
    ("de", "Guten Tag,\n\nam Montag war das Dienstbuch schon wieder leer. Zwei Pfleger haben bis Mitternacht alles neu eingetragen. Das geht so nicht weiter."),
)
BESIDE = {
    "en": (
        ("ticket", "{first} {last} reported the gaps on 3 May. The sensor loses its clock at night."),
        ("crm_note", "{first} asked for a call. Ms {last} prefers mail."),
        ("offer", "sit with {first} for one evening"),
    ),
    "de": (("ticket", "Das Dienstbuch verliert Einträge, wenn zwei Geräte gleichzeitig speichern."), ("offer", "am Montagabend beim Abgleich dabei sein")),
}


def drafted(name: str, message: str, lang: str, place: tuple[str, str]) -> Drafted:
    return draft(asked(name, message, lang, place))


def asked(name: str, message: str, lang: str, place: tuple[str, str]) -> Request:
    first, last = name.split()
    slots = {"first": first, "last": last, "address": f"{'kim' if not first.isascii() else first.lower()}@{place[0]}", "country": place[1]}
    pieces = [("buyer_message", message), *BESIDE[lang]]
    evidence = tuple(Evidence(id=f"E{n}", type=kind, text=text.format(**slots)) for n, (kind, text) in enumerate(pieces))
    return Request(id="r1", lang=lang, am_name="Ida Beck", recipient_name=name, evidence=evidence)


def without(name: str, found: Drafted) -> tuple[object, ...]:
    assert found.written, found.reason
    first, last = name.split()
    texts = [w.text.replace(f"{first} {last}", "A B").replace(f" {last},", " B,").replace(f"{first},", "A,") for w in (found.written, *found.alternatives)]
    return found.handling, found.situation, found.subject, found.card, texts


@pytest.mark.parametrize(("lang", "message"), MESSAGES)
def test_nothing_but_the_name_differs(lang: str, message: str) -> None:
    expected = [without(NAMES[0], drafted(NAMES[0], message + signature, lang, PLACES[0])) for signature in SIGNED]
    for n, name in enumerate(NAMES):
        at = n % len(SIGNED)
        assert without(name, drafted(name, message + SIGNED[at], lang, PLACES[(n // len(SIGNED)) % len(PLACES)])) == expected[at], name


@pytest.mark.parametrize("name", NAMES)
def test_what_is_shown_has_the_name_and_points_into_what_was_given(name: str) -> None:
    request = asked(name, MESSAGES[1][1] + SIGNED[0], "en", PLACES[0])
    found = draft(request)
    assert found.written
    assert found.texts == {e.id: e.text for e in request.evidence}
    assert text_of(found.written.segments, found.texts) == found.written.text
    assert name.split(maxsplit=1)[0] in found.written.text
    assert not [stand_in for stand_in in masked(request).real if stand_in in found.written.text]
    assert all(0 <= f.start <= f.end <= len(found.written.text) for f in found.written.review.findings)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("Will this hold until May? In May we decide, and May Will signs.", ["May", "Will"]),
        ("Dear May,\nwe met in May. Will said so, May's desk is free on 3 May.", ["May", "Will", "May"]),
        ("Will you wait? Will will not.", ["Will"]),
        ("The board met.\n\nwill", ["Will"]),
        ("MAY WILL\nHead of Grounds", ["May", "Will"]),
        ("Willow and Maya waited for Mayfair.", []),
    ],
)
def test_a_name_that_is_a_word_is_a_name_where_one_would_stand(text: str, names: list[str]) -> None:
    assert [part for part, _, _ in mentioned(text, ["May", "Will"], "en")] == names


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("The gate is stuck.\n\nKim Osei\nWaterworks\nNairobi", "The gate is stuck.\n\nKim Osei"),
        ("The gate is stuck.\n\n李 明\nwater@w.cn\nChina", "The gate is stuck.\n\n李 明"),
        ("The gate is stuck.\nKim\n\nIs the pump next?", "The gate is stuck.\nKim\n\nIs the pump next?"),
        ("The gate is stuck.\nKim\nWaterworks\n> We will look into it.\n> Ida", "The gate is stuck.\nKim\n> We will look into it.\n> Ida"),
        ("Kim,\nthe gate is stuck.", "Kim,\nthe gate is stuck."),
    ],
)
def test_what_stands_below_the_name_is_no_part_of_a_message(text: str, left: str) -> None:
    for start, end in reversed(below_names(text, ["Kim", "Osei", "李", "明"])):
        text = text[:start] + text[end:]
    assert text == left


def test_a_name_in_any_script_can_be_greeted() -> None:
    assert address("प्रिया शर्मा", is_formal=False) == ("प्रिया", None)
    assert address("Kim\u202e Osei", is_formal=False) == (None, None)


@pytest.mark.parametrize("name", ["Ayla Demirel", "Ayla Ferro", "Ayla Okoye", "Ayla Lindt"])
def test_somebody_else_of_the_same_surname_changes_nothing(name: str) -> None:
    message = "Hello Ida, the pump log has been empty twice since Monday. In our laboratory Mrs. Ferro counts the samples by hand until six. {signed}"
    request = asked(name, message.replace("{signed}", "\n\n{first} {last}"), "en", PLACES[0])
    other = asked("Ayla Kern", message.replace("{signed}", "\n\n{first} {last}"), "en", PLACES[0])
    assert without(name, drafted_of(request)) == without("Ayla Kern", drafted_of(other))


def drafted_of(request: Request) -> Drafted:
    return draft(request)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("Our director Mr. Osei waits for it.", []),
        ("We asked Dr Osei twice.\n\nKim Osei", ["Kim", "Osei"]),
        ("Dear Mrs. Osei,\nthe gate is stuck.", ["Osei"]),
        ("> From: Ms. Osei\n> The gate is stuck.", ["Osei"]),
        ("This is Mrs. Osei of the waterworks.", ["Osei"]),
    ],
)
def test_whom_they_name_by_title_in_a_sentence_is_somebody_else(text: str, names: list[str]) -> None:
    assert [part for part, _, _ in mentioned(text, ["Kim", "Osei"], "en", is_theirs=True)] == names


@pytest.mark.parametrize("title", ["Mr.", "Mrs.", "Ms.", "Dr.", "St."])
def test_the_stop_of_a_title_ends_no_quotation(title: str) -> None:
    text = f"We lost two days because {title} Adair had no key"
    found = ranked("E1", text, [(0, len(text))], [])
    assert found
    assert not [c.text for c in found if c.text.endswith(title.rstrip("."))]
