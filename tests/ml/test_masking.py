"""A message reads the same whoever writes it, for whom and from where: names of all kinds, also such as are ordinary words."""

from __future__ import annotations

import pytest

from ml import reader
from ml.reader import Reader, Reading
from ml.sentence_tokens import Said

PEOPLE = ("Anna", "Hope", "Will", "Grace Young", "Mark Strong", "Dr. Sommer", "Ngozi Okonkwo", "O'Brien", "J. P. Morrow", "Max Power", "Mrs Patel")
PARTICLES = ("Anna", "bin Salman", "al-Rashid", "de la Cruz", "van der Berg", "di Stefano")
OTHER_LETTERS = ("Anna", "王伟", "محمد علي", "יעל כהן")
COMPANIES = (
    "Acme",
    "First Choice",
    "Boring",
    "SAP",
    "3M",
    "Good Hope Ltd",
    "Problem Solvers Inc",
    "Risk Partners",
    "Zorn KG",
    "Delight",
    "Booking.com",
    "eBay",
    "Dvořák a spol.",
    "Meyer gmbh",
)
PLACES = ("Berlin", "Essen", "Halle", "Hof", "Nice", "Hope", "the Netherlands", "USA", "St. Gallen", "New York", "Stoke-on-Trent", "Boring", "Weil am Rhein")


@pytest.fixture(scope="module")
def read() -> Reader:
    return reader.load()


def _said(reading: Reading) -> tuple[object, ...]:
    return reading.sentiment, reading.situations, reading.emotions, reading.churn_risk, reading.priority


@pytest.mark.parametrize(
    ("template", "names"),
    [
        ("Hi {}, thanks for the invoice. We will pay it on Friday.", PEOPLE),
        ("{} asked me to send you the signed form. Please confirm.", PEOPLE),
        ("The export failed twice this week.\nRegards,\n{}", PEOPLE),
        ("{} is furious about the outage of last night.", (*PARTICLES, "El Salvador")),
        ("I spoke with {} yesterday, and they think that it is too expensive.", (*PARTICLES, *OTHER_LETTERS)),
        ("Thanks {}! The new report is just what we needed.", PARTICLES),
        ("We are still waiting for {} to call us back about the rollout.", OTHER_LETTERS),
        ("Bitte schicken Sie den Vertrag an {} im dritten Stock.", PEOPLE),
        ("{} has not answered us since Monday, and the audit is next week.", COMPANIES),
        ("Before you we worked with {}, and they let us down badly.", COMPANIES),
        ("Bei {} gab es so etwas nie.", COMPANIES),
        ("{} nos ofrece lo mismo por la mitad.", COMPANIES),
        ("We moved the team in {} to your tool last month and they like it.", PLACES),
        ("{} is the only site where the scanner still works.", PLACES),
        ("Unser Werk in {} ist mit der Umstellung überfordert.", PLACES),
        ("L'équipe de {} est ravie du nouvel écran.", [place for place in PLACES if not place.startswith("the ")]),
    ],
)
def test_another_name_in_the_same_place_changes_no_verdict(read, template, names):
    readings = read.read([template.format(name) for name in names])
    assert {_said(reading) for reading in readings} == {_said(readings[0])}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Nothing has changed since. Great news, though!", ("nothing", "great", "news")),
        ("This is NOT what we asked for.", ("not",)),
        ("Finance and Legal have to sign.", ("finance", "legal")),
        ("Der Bericht war gut, und die Rechnung ist bezahlt.", ("bericht", "rechnung")),
        ("Der Support hat nicht geantwortet, seitdem herrscht Stillstand.", ("support", "nicht")),
        ("Boring stuff, honestly.", ("stuff", "honestly")),
    ],
)
def test_ordinary_words_are_not_taken_for_names(read, text, words):
    from ml.tokens import checksum

    kept = set(Said.of([text], read.model.masker).whole.hashes.tolist())
    assert {word for word in words if checksum(word) not in kept} == set()


def test_a_signature_above_takes_nothing_from_the_next_message(read):
    signed, curt = "The import works again.\nBest regards\nAnna", "Perfect"
    assert read.read([signed, curt])[1] == read.read([curt])[0]
