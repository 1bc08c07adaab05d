"""Drafts in German, French, Spanish and Portuguese: in that language alone, in the buyer's own words, and in the manner in which they write."""

from __future__ import annotations

import re

import pytest

from service.critic import lexicon as critic
from service.critic.draft import Evidence
from service.drafting import Drafted, Request, draft, grammar
from service.drafting.clauses import Clause
from service.drafting.engine import quoted
from service.drafting.facts import People
from service.drafting.lexicon import sentences_of, speaks, words
from service.drafting.quotable import ranked
from service.drafting.register import Address, address_of, after_comma
from service.drafting.render import MARKS
from service.drafting.statements import offer_phrase, told
from service.drafting.usage import UsageChange, usage_change
from tests.drafting.sets import SETS, Pieces

ALL = [(lang, n) for lang in SETS for n in range(3)]


def drafted(lang: str, pieces: Pieces, **more: object) -> Drafted:
    evidence = tuple(Evidence(id=f"E{n}", type=kind, text=text) for n, (kind, text) in enumerate(pieces, 1))
    given = {"id": "r1", "am_name": "Ida Beck", "recipient_name": "Kim Osei", **more}
    return draft(Request(lang=lang, evidence=evidence, **given))  # type: ignore[arg-type]


def ours(text: str, lang: str) -> str:
    """Without what stands in quotation marks."""
    before, after = MARKS[lang]
    return re.sub(rf"{before}.*?{after}", " ", text)


def clauses(text: str, lang: str) -> list[Clause]:
    return ranked("E1", text, [(0, len(text))], [], lang)


@pytest.mark.parametrize(("lang", "n"), ALL)
def test_no_draft_holds_a_word_of_another_language(lang: str, n: int) -> None:
    found = drafted(lang, SETS[lang][n])
    assert found.written, found.reason
    english = words("english") - critic.words("stop", lang) - {"for"}  # which is Portuguese as well
    for text in (w.text for w in (found.written, *found.alternatives)):
        spoken = {word.lower() for word in re.findall(r"[^\W\d_]+", ours(text, lang))}
        assert not spoken & english, text
        assert speaks(ours(text, lang), lang)
    assert found.subject
    assert speaks(found.subject, lang)


@pytest.mark.parametrize(("lang", "n"), ALL)
def test_each_draft_passes_every_rule_and_has_another_beside_it(lang: str, n: int) -> None:
    found = drafted(lang, SETS[lang][n])
    assert found.written
    assert [w.review.rules for w in (found.written, *found.alternatives)] == [()] * (1 + len(found.alternatives))
    assert found.alternatives


@pytest.mark.parametrize(("lang", "n"), ALL)
def test_quotations_stand_in_the_message_word_for_word_and_nothing_is_woven_in(lang: str, n: int) -> None:
    found = drafted(lang, SETS[lang][n])
    assert found.written
    before, after = MARKS[lang]
    for written in (found.written, *found.alternatives):
        said = quoted(written.segments)
        assert all(w.is_quoted for w in said)
        shown = re.findall(rf"{before}(.*?){after}", written.text)
        assert [s[1:] for s in shown] == [found.texts[w.evidence_id][w.start + 1 : w.end] for w in said]


@pytest.mark.parametrize("lang", SETS)
def test_a_draft_tells_what_is_known_and_makes_the_offer(lang: str) -> None:
    message, ticket, offer = SETS[lang][0]
    found = drafted(lang, (message, ticket, offer))
    assert found.written
    assert ticket[1][1:] in found.written.text
    assert offer[1][1:] in found.written.text


@pytest.mark.parametrize(
    ("lang", "message"),
    [
        ("es", "Las lecturas de la bomba faltan otra vez esta semana. Mi equipo las pasa a mano cada noche, y ya estamos hartos. ¿Cuándo se acaba esto?"),
        ("fr", "Depuis trois jours les horaires arrivent avec une heure de retard. Samedi, deux bus sont restés sans chauffeur au dépôt."),
    ],
)
def test_nobody_is_congratulated_on_a_complaint(lang: str, message: str) -> None:
    assert drafted(lang, (("buyer_message", message), SETS[lang][0][1])).situation != "positive_momentum"


@pytest.mark.parametrize("lang", SETS)
@pytest.mark.parametrize(("n", "name"), [(0, "Kim Osei"), (2, "Kim")])
def test_a_draft_addresses_them_as_they_write(lang: str, n: int, name: str) -> None:
    found = drafted(lang, SETS[lang][n])
    assert found.written
    greeting = found.written.text.split("\n", 1)[0]
    assert (name if lang != "pt" else "Kim") in greeting
    other = "formal" if n else "familiar"
    ids = {f.id for group in grammar.frames(lang).values() for f in group if f.address == other}
    if lang != "pt":
        assert ids.isdisjoint(s.frame for s in found.written.segments)


@pytest.mark.parametrize(
    ("own", "offers", "lang", "expected"),
    [
        ("Die Werte fehlen.", (), "de", "formal"),
        ("Kannst du das prüfen?", (), "de", "familiar"),
        ("Die Werte fehlen.", ("dir die Werte schicken",), "de", "familiar"),
        ("Können Sie das prüfen?", ("dir die Werte schicken",), "de", "formal"),
        ("Tu peux regarder ?", (), "fr", "familiar"),
        ("Pouvez-vous regarder ?", (), "fr", "formal"),
        ("¿Tú lo ves?", (), "es", "familiar"),
        ("¿Lo ve usted?", ("prepararte una lista",), "es", "formal"),
        ("you know how it is", (), "en", "formal"),
    ],
)
def test_the_address_is_theirs_and_formal_where_nothing_tells(own: str, offers: tuple[str, ...], lang: str, expected: Address) -> None:
    assert address_of(own, offers, lang) == expected


@pytest.mark.parametrize(
    ("text", "lang", "never"),
    [
        ("Wenn das so bleibt, kündigen wir den Vertrag.", "de", "kündigen wir den Vertrag"),
        ("Es stimmt nicht, wir haben die Rechnung bezahlt.", "de", "wir haben die Rechnung bezahlt"),
        ("Wir bleiben noch dabei, sofern die Werte stimmen.", "de", "Wir bleiben noch dabei"),
        ("Ihr Support ist ein Haufen Idioten, und wir warten.", "de", "Ihr Support ist ein Haufen Idioten"),
        ("Si cela continue, nous résilions le contrat.", "fr", "nous résilions le contrat"),
        ("Nous restons encore un an, à moins que le prix monte.", "fr", "Nous restons encore un an"),
        ("Si esto sigue así, dejamos el contrato.", "es", "dejamos el contrato"),
        ("Se isto continua, saímos do contrato.", "pt", "saímos do contrato"),
    ],
)
def test_no_quotation_turns_a_condition_or_a_denial_into_a_statement(text: str, lang: str, never: str) -> None:
    assert never not in [c.text for c in clauses(text, lang)]


def test_greetings_and_questions_are_not_quoted() -> None:
    text = "Guten Tag Frau Beck,\n\ndie Listen fehlen seit Montag. Wann kommen die Listen wieder?\n\nMit freundlichen Grüßen\nKim Osei"
    assert [c.text for c in clauses(text, "de")] == ["die Listen fehlen seit Montag"]


@pytest.mark.parametrize(
    ("text", "lang", "expected"),
    [
        ("Ich kann Ihnen das Protokoll schicken.", "de", "Ihnen das Protokoll schicken"),
        ("Am Montag das Protokoll zu schicken", "de", "am Montag das Protokoll schicken"),
        ("das Protokoll gemeinsam durchzugehen", "de", "das Protokoll gemeinsam durchgehen"),
        ("dir das Protokoll schicken", "de", None),
        ("ein Protokoll mit allen Werten", "de", None),
        ("send you the weekly log", "de", None),
        ("mit Kim das Protokoll durchgehen", "de", None),
        ("Frau Osei am Montag anrufen", "de", None),
        ("vous envoyer le journal", "fr", "vous envoyer le journal"),
        ("un journal complet", "fr", None),
        ("enviarle el registro", "es", "enviarle el registro"),
        ("el registro completo", "es", None),
        ("lhe enviar o registo", "pt", "lhe enviar o registo"),
        ("o registo completo", "pt", None),
    ],
)
def test_an_offer_is_made_where_it_reads_as_an_infinitive(text: str, lang: str, expected: str | None) -> None:
    assert offer_phrase(Evidence(id="E1", type="offer", text=text), People("Ida Beck", "Kim Osei"), lang, "formal") == expected


@pytest.mark.parametrize(
    ("text", "lang", "expected"),
    [
        ("Der Vertrag verlängert sich am 1. Juli um ein Jahr.", "de", ["Der Vertrag verlängert sich am 1. Juli um ein Jahr."]),
        ("Le relevé part à 6 heures. Kim Osei l'a reçu.", "fr", ["le relevé part à 6 heures."]),
        ("The log stops in the night.", "de", []),
        ("Vertraulich, nur intern: die Marge ist hoch.", "de", []),
        ("El sensor falla, pero el registro sigue.", "es", ["el sensor falla y el registro sigue."]),
    ],
)
def test_facts_are_passed_on_whole_or_left_out(text: str, lang: str, expected: list[str]) -> None:
    assert [f.text for f in told(Evidence(id="E1", type="ticket", text=text), People("Ida Beck", "Kim Osei"), lang)] == expected


@pytest.mark.parametrize(
    ("text", "lang", "expected"),
    [
        ("Logins: 40 im April, 22 im Mai.", "de", UsageChange("Logins", "40", "22", "im Mai")),
        ("Connexions : 40 en avril, 22 en mai.", "fr", UsageChange("Connexions", "40", "22", "en mai")),
        ("Accesos al panel: 1.240 en abril, 610 en mayo.", "es", UsageChange("Accesos al panel", "1.240", "610", "en mayo")),
        ("Acessos: 40 em abril, 22 em maio.", "pt", UsageChange("Acessos", "40", "22", "em maio")),
        ("Weekly logins: 40 in April, 22 in May.", "de", None),
        ("Die Logins gingen im Mai zurück.", "de", None),
    ],
)
def test_a_change_in_use_is_read_from_a_plain_list(text: str, lang: str, expected: UsageChange | None) -> None:
    assert usage_change(text, lang) == expected


def test_what_is_on_file_in_english_stays_out_of_a_german_draft() -> None:
    message = SETS["de"][0][0]
    found = drafted("de", (message, ("ticket", "The duty log loses entries when two devices save at once."), ("offer", "sit in on the sync on Monday")))
    assert found.written
    assert "duty" not in found.written.text
    assert "sync" not in found.written.text


def test_titles_of_the_language_stand_before_the_surname() -> None:
    found = drafted("de", SETS["de"][0], recipient_name="Dr. Anna Weber")
    assert found.written
    assert found.written.text.startswith("Guten Tag Dr. Weber,")


def test_figures_that_contradict_each_other_make_no_draft_in_any_language() -> None:
    found = drafted("de", (("usage", "Logins: 40 im April, 22 im Mai."), ("usage", "Logins: 40 im April, 61 im Mai.")))
    assert found.written is None


@pytest.mark.parametrize(("lang", "text"), [("de", "Das werden Sie noch bereuen, ich weiß, wo Sie wohnen."), ("es", "Sé dónde vive y lo va a pagar.")])
def test_a_threat_is_answered_by_a_person(lang: str, text: str) -> None:
    assert drafted(lang, (("buyer_message", text),)).handling == "escalate_no_draft"


def test_german_goes_on_in_lower_case_after_the_comma_of_a_greeting() -> None:
    openings = grammar.openings("de")
    assert after_comma("Bevor ich etwas sage", openings) == "bevor ich etwas sage"
    assert after_comma("Sie schreiben", openings) == "Sie schreiben"
    assert after_comma("Logins: von 40 auf 22", openings) == "Logins: von 40 auf 22"


def test_a_german_ordinal_ends_no_sentence_and_a_number_does() -> None:
    assert len(sentences_of("Es gilt ab dem 3. Mai. Bis dahin bleibt alles.", "de")) == 2
    assert len(sentences_of("Auf dem Plan stehen 34. Wir zählen 31.", "de")) == 2
