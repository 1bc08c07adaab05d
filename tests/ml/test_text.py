"""Whose words are kept: never another person's, and always exactly as they stand in the message."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ml.text import MAX_CHARS, own_text, sentences

THEIRS = "We raised the price and that is final."

ATTRIBUTIONS = {
    "gmail": "On Mon, Mar 3, 2025 at 10:12 AM Anna Berg <anna@x.com> wrote:",
    "gmail, wrapped": "On Mon, Mar 3, 2025 at 10:12 AM Anna Berg via Some Long Group\n<anna-berg-long-address@example.com> wrote:",
    "gmail, wrapped twice": "On Mon, Mar 3, 2025 at 10:12 AM Anna Berg\n<anna@x.com>\nwrote:",
    "apple": "On 3 Mar 2025, at 10:12, Anna Berg <anna@x.com> wrote:",
    "yahoo": "--- On Mon, 3/3/25, Anna Berg <anna@x.com> wrote:",
    "soft line break": "On Mar 3, 2025, at 4:19 PM, Anna <anna@x.com> wr=\note:",
    "outlook": "From: Anna Berg <anna@x.com>\nSent: Monday, March 3, 2025 10:12 AM\nTo: Bob\nSubject: Re: offer",
    "outlook, bold": "**From:** Anna Berg <anna@x.com>\n**Sent:** Monday, 3 March 2025\n**To:** Bob\n**Subject:** offer",
    "outlook, below a rule": "________________________________\nFrom: Anna Berg <anna@x.com>\nSent: Monday\nTo: Bob\nSubject: offer",
    "outlook, one line": "From: Anna Berg <anna@x.com> Sent: Monday, 3 March 2025 10:12 To: Bob Subject: offer",
    "outlook, spaced": "From: Anna Berg <anna@x.com>\n\nSent: Monday, March 3, 2025\n\nTo: Bob\n\nSubject: offer",
    "original message": "-----Original Message-----\nFrom: Anna\nSent: yesterday\nTo: Bob",
    "original message, thunderbird": "-------- Original Message --------\nSubject: offer\nDate: Mon, 3 Mar 2025\nFrom: Anna",
    "forward": "---------- Forwarded message ---------\nFrom: Anna Berg <anna@x.com>\nDate: Mon, Mar 3, 2025",
    "forward, apple": "Begin forwarded message:\n\nFrom: Anna Berg <anna@x.com>",
    "de": "Am Mo., 3. März 2025 um 10:12 Uhr schrieb Anna Berg <anna@x.com>:",
    "de, wrapped": "Am Mo., 3. März 2025 um 10:12 Uhr schrieb Anna Berg <\nanna@x.com>:",
    "de, outlook": "Von: Anna Berg <anna@x.com>\nGesendet: Montag, 3. März 2025\nAn: Bob\nBetreff: AW: Angebot",
    "de, original": "-----Ursprüngliche Nachricht-----\nVon: Anna",
    "fr": "Le lun. 3 mars 2025 à 10:12, Anna Berg <anna@x.com> a écrit :",
    "fr, outlook": "De : Anna Berg <anna@x.com>\nEnvoyé : lundi 3 mars 2025\nÀ : Bob\nObjet : RE: offre",
    "fr, original": "-----Message d'origine-----\nDe : Anna",
    "es": "El lun, 3 mar 2025 a las 10:12, Anna Berg (<anna@x.com>) escribió:",
    "es, outlook": "De: Anna Berg <anna@x.com>\nEnviado el: lunes, 3 de marzo de 2025\nPara: Bob\nAsunto: RE: oferta",
    "pt": "Em seg., 3 de mar. de 2025 às 10:12, Anna Berg <anna@x.com> escreveu:",
    "pt, outlook": "De: Anna Berg <anna@x.com>\nEnviada: segunda-feira, 3 de março de 2025\nPara: Bob\nAssunto: proposta",
    "it": "Il giorno lun 3 mar 2025 alle ore 10:12 Anna Berg <anna@x.com> ha scritto:",
    "it, outlook": "Da: Anna Berg <anna@x.com>\nInviato: lunedì 3 marzo 2025\nA: Bob\nOggetto: offerta",
    "nl": "Op ma 3 mrt 2025 om 10:12 schreef Anna Berg <anna@x.com>:",
    "da": "Den 24. nov. 2025 kl. 10.00 skrev Anna Berg <anna@x.com>:",
    "sv": "Den fre 28 feb. 2025 10:15Anna Berg <anna@x.com> skrev:",
    "pl": "Dnia 28 lutego 2025 14:00 Anna Berg <anna@x.com> napisał(a):",
    "fi": "ma 3.3.2025 klo 10.12 Anna Berg (anna@x.com) kirjoitti:",
    "ru": '02.04.2025 14:20 пользователь "Anna" <\nanna@x.com> написал:',
    "ja": "2025年3月3日(月) 9:00 Anna Berg <anna@x.com>:",
    "zh": "发件人: Anna Berg <anna@x.com>\n发送时间: 2025年3月3日\n收件人: Bob\n主题: offer",
    "pt, date behind": "Anna Berg <anna@x.com> escreveu (segunda,\n3/03/2025 à(s) 10:12):",
    "no verb": "Thu, 26 Jun 2025 14:00:51 +0400 от Anna Berg <anna@x.com>:",
}


@pytest.mark.parametrize("attribution", ATTRIBUTIONS.values(), ids=ATTRIBUTIONS)
@pytest.mark.parametrize("quote", [THEIRS, f"> {THEIRS}"], ids=["bare", "marked"])
def test_nobody_elses_words_are_kept(attribution, quote):
    assert own_text(f"Hello Anna,\n\nthat does not work for us.\n\n{attribution}\n\n{quote}\n").text == "Hello Anna,\n\nthat does not work for us."


@pytest.mark.parametrize("attribution", ATTRIBUTIONS.values(), ids=ATTRIBUTIONS)
def test_windows_line_ends_change_nothing(attribution):
    body = f"Hello Anna,\nno.\n\n{attribution}\n\n{THEIRS}".replace("\n", "\r\n")
    assert own_text(body).text == "Hello Anna,\r\nno."


def test_answers_between_quotes_are_kept_in_order():
    body = f"Answers below.\n\nOn Mon, Mar 3, 2025 Anna <a@x.com> wrote:\n> Can you sign?\nNot until legal is done.\n\n> {THEIRS}\n\nNo, it is too high."
    assert own_text(body).text == "Answers below.\nNot until legal is done.\nNo, it is too high."


def test_the_tail_of_a_quoted_line_that_was_broken_is_theirs():
    body = "No.\n\n> We have raised the price for all of our customers this year and that is\nfinal now\n> for you too."
    assert own_text(body).text == "No."


def test_a_forward_without_a_word_has_no_own_text():
    assert own_text(f"---------- Forwarded message ---------\nFrom: Anna <a@x.com>\nDate: today\n\n{THEIRS}").text == ""


SIGNATURES = {
    "delimiter": "-- \nBob Miller\nAcme",
    "title and phone": "Bob Miller | Procurement Lead\nAcme Inc.\n123 Main Street\nM: +1 555 123 4567\nwww.acme.com",
    "phone only": "Bob Miller\n+44 20 7946 0000",
    "email": "Bob Miller\nbob@acme.com",
    "github": "—\nYou are receiving this because you are subscribed to this thread.",
    "phone's own": "Sent from my iPhone",
    "outlook's own": "Get Outlook for iOS<https://aka.ms/o0ukef>",
    "notice": "CONFIDENTIALITY NOTICE: This email and any attachments are confidential and intended solely for the addressee.\n"
    "If you received it in error, delete it.",
    "notice, de": "Diese E-Mail enthält vertrauliche Informationen. Sind Sie nicht der richtige Adressat, löschen Sie sie.",
    "list": "_______________________________________________\nusers mailing list\nusers@lists.x.com",
    "dash": "-Bob Miller\nCFO, Acme Inc.\n+44 20 7946 0000",
    "labels that say nothing": "Bob Miller\nQuality Matters\nThe Old Mill 12\nT: +44 20 7946 0000\nwww.acme.com",
}


@pytest.mark.parametrize("signature", SIGNATURES.values(), ids=SIGNATURES)
def test_a_signature_is_not_own_text(signature):
    assert own_text(f"Hello Anna,\n\nwe move on Friday.\n\n{signature}\n").text == "Hello Anna,\n\nwe move on Friday."


@pytest.mark.parametrize("closing", ["Best regards,", "Thanks,", "Viele Grüße", "Cordialement,", "Un saludo,", "Com os melhores cumprimentos,", "Cheers"])
def test_the_sign_off_is_own_and_the_name_that_begins_a_block_is_not(closing):
    assert own_text(f"We move on Friday.\n\n{closing}\nBob Miller\nCFO\nT: +44 20 7946 0000").text == f"We move on Friday.\n\n{closing}"


SIGNED = ["Best regards,\nBob", "Best regards,\n\nBob Miller", "Viele Grüße\nBob Miller", "Thanks,\nYour procurement team", "-Bob Miller", "/Bob", "Bob Miller"]
BELOW = {
    "nothing": "",
    "a delimiter": "\n\n-- \nBob Miller\nAcme Inc.",
    "a phone's own line": "\nSent from my iPhone",
    "a quote": f"\n\nOn 3 Mar 2025, Anna <a@x.com> wrote:\n> {THEIRS}",
    "a notice": "\n\nThis e-mail is confidential and intended only for the addressee.",
    "a list": "\n\n_______________________________________________\nusers mailing list\nusers@lists.x.com",
}


@pytest.mark.parametrize("below", BELOW.values(), ids=BELOW)
@pytest.mark.parametrize("signed", SIGNED)
def test_a_name_alone_is_the_writers(signed, below):
    assert own_text(f"We move on Friday.\n\n{signed}{below}").text == f"We move on Friday.\n\n{signed}"


@pytest.mark.parametrize(
    ("signature", "kept"),
    [
        ("Bob\n\nBob Miller | Care\nAcme Inc.\n+44 20 7946 0000", "\nBob"),
        ("\nBob Miller\n\nCFO\n\nAcme Inc.\n\nT: +44 20 7946 0000", ""),
        ("Bob\nBob Miller\nhttps://acme.com", ""),
        ("Bob Miller\nhttps://acme.com", ""),
        ("Bob Miller\nQuality Matters", "\nBob Miller"),
    ],
)
def test_only_a_name_that_stands_apart_from_its_contact_data_stays(signature, kept):
    assert own_text(f"We move on Friday.\n\nBest regards,\n{signature}").text == f"We move on Friday.\n\nBest regards,{kept}"


OUTLOOK = "From: Anna Berg <anna@x.com>\nSent: Monday\nTo: Bob\nSubject: offer"


def test_answers_that_bear_the_announced_mark_are_kept():
    body = f"My answers are below, marked [BM].\n\n{OUTLOOK}\n\nCan you sign?\n[BM] Not yet.\n{THEIRS}"
    assert own_text(body).text == "My answers are below, marked [BM].\n[BM] Not yet."


@pytest.mark.parametrize(
    "body",
    [
        f"Anna's answers are marked [AB].\n\n{OUTLOOK}\n\n[AB] {THEIRS}",
        f"My answers are below.\n\n{OUTLOOK}\n\n[AB] {THEIRS}",
        f"My answers are marked [AB].\n\n{OUTLOOK}\n\nHello.\n\n{OUTLOOK}\n\n[AB] {THEIRS}",
        f"My answers start with >>.\n\n{OUTLOOK}\n\n> Why?\n>> {THEIRS}",
        f"My answers start with >>.\n\n{OUTLOOK}\n\n>>> {THEIRS}",
        f"You said:\n> {THEIRS}\n\nOn 3 Mar 2025, Anna <a@x.com> wrote:\n> Hello",
        "This fails:\n> make offer --all\n\nOn 3 Mar 2025, Anna <a@x.com> wrote:\n> Call\n> make offer --all",
        "My view of this:\n> nothing new since monday\n\nNo.\n\nOn 3 Mar 2025, Anna <a@x.com> wrote:\n> Hello",
        "It fails.\n\nOn 3 Mar 2025, Anna <a@x.com> wrote:\n> Do this:\n> make offer --all\n\n> Bye",
        f"See below:\n\nFrom: Anna Berg\nSent: Monday\nTo: Bob\nSubject: offer\n\n{THEIRS}",
        f"See below:\n\nVon: Anna Berg <anna@x.com>\nAn: Bob\n\n{THEIRS}",
    ],
)
def test_no_exception_for_own_lines_lets_anothers_through(body):
    kept = own_text(body).text
    assert kept
    assert THEIRS not in kept
    assert "make offer" not in kept
    assert "nothing new" not in kept


def test_commands_behind_a_prompt_are_own():
    own = "Do it like this:\n\n> cd shop\n> make offer --all\n\nThen call me."
    assert own_text(f"{own}\n\nOn 3 Mar 2025, Anna <a@x.com> wrote:\n> How?").text == own


@pytest.mark.parametrize("names", ["From: the depot\nTo: the shop\nDate: 12 May", "Von: Lager 2\nAn: Laden\nBetreff: nur die Nummer"])
def test_a_list_of_from_and_to_that_the_writer_introduces_is_own(names):
    own = f"The label always says:\n\n{names}\n\nThe rest is for customs."
    assert own_text(f"{own}\n\n{OUTLOOK}\n\n{THEIRS}").text == own


@pytest.mark.parametrize(
    "top",
    ["FW: Offer 4711", "From: Bob Miller", 'FW: Offer 4711\nThis is a follow-up to your previous request #12 "Offer"'],
)
def test_what_a_program_wrote_on_top_is_not_own(top):
    assert own_text(f"{top}\nHello Anna,\nno.").text == "Hello Anna,\nno."


def test_a_postscript_below_the_signature_is_own():
    assert (
        own_text("Fine.\n\nBest regards,\nBob Miller\nCFO\n\nP.S. The training was excellent.").text
        == "Fine.\n\nBest regards,\nP.S. The training was excellent."
    )


KEPT = {
    "thanks that opens": "Thanks,\nI will check the figures tomorrow and tell you.",
    "a list": "Our blockers:\n- Price\n- Security review\n- Legal\n\nPlease advise.",
    "a numbered list": "Questions:\n1. When?\n2. Who?",
    "places": "Two things:\nFrom: Lisbon\nTo: Porto\nWe leave on Friday and will send the boxes.",
    "a day": "On Tuesday we agreed on 4 seats.\nThen your colleague told us: the price is final.",
    "sent from a desk": "Here is another one.\n\nSent from my desk, which is much easier than from my phone.",
    "dashes in a sentence": "And here is a fix -- this is no signature.\n\nIt works.",
    "one word": "No.",
    "confidential": "The contract is confidential, please do not forward it.",
}


@pytest.mark.parametrize("body", KEPT.values(), ids=KEPT)
def test_words_that_look_like_marks_are_kept(body):
    assert own_text(body).text == body


def test_the_gateways_banner_is_not_own():
    body = "CAUTION: This email originated from outside of the organization. Do not click links.\n\nHi Anna,\n\nwe cannot sign this."
    assert own_text(body).text == "Hi Anna,\n\nwe cannot sign this."


def test_html_nobody_converted_is_failed_and_empty():
    own = own_text("<html><body><p>We cannot sign this.</p></body></html>")
    assert (own.text, own.spans, own.quote_strip) == ("", (), "failed")


def test_a_long_body_is_cut_and_says_so():
    own = own_text("word " * MAX_CHARS)
    assert own.quote_strip == "cut"
    assert own.spans[0][1] <= MAX_CHARS


MAIL = st.lists(
    st.sampled_from(
        [
            *ATTRIBUTIONS.values(),
            *SIGNATURES.values(),
            "Best regards,",
            "Bob Miller",
            "",
            "  ",
            "> quoted",
            "We wait. And you?",
            "- item",
            "\tx\u200b",
            "\xa0no\r",
            "é🚀",
            "\x1f",
        ]
    )
    | st.text(max_size=40),
    max_size=12,
).map("\n".join)


@settings(max_examples=150, deadline=None)
@given(MAIL)
def test_every_span_is_verbatim_ascending_and_disjoint(body):
    own = own_text(body)
    assert own.text == "\n".join(body[start:end] for start, end in own.spans)
    ends = [0]
    for start, end in own.spans:
        assert ends[-1] <= start < end <= len(body)
        assert body[start:end].strip()
        ends.append(end)


@settings(max_examples=100, deadline=None)
@given(MAIL)
def test_sentences_hold_all_that_is_not_blank(text):
    spans = sentences(text)
    covered = "".join(text[start:end] for start, end in spans)
    assert "".join(covered.split()) == "".join(text.split())
    assert all(a_end <= b_start for (_, a_end), (b_start, _) in pairwise(spans))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Hi Anna,\nthe price is 4.5 percent higher. Why?", ["Hi Anna,", "the price is 4.5 percent higher.", "Why?"]),
        ("Dr. Weber asked, e.g. for invoices at 5 p.m. today.", ["Dr. Weber asked, e.g. for invoices at 5 p.m. today."]),
        (
            "We keep going back and forth on this clause and\nnobody wants to give way.",
            ["We keep going back and forth on this clause and\nnobody wants to give way."],
        ),
        ("Our list:\n- price\n- legal", ["Our list:", "- price", "- legal"]),
        ("ok. thanks", ["ok.", "thanks"]),
        ("Your side says no. We wait. See no. 5 of the list.", ["Your side says no.", "We wait.", "See no. 5 of the list."]),
        ("Acme Corp. has paid. We have not.", ["Acme Corp. has paid.", "We have not."]),
        ("Thanks,\nI will look.", ["Thanks,", "I will look."]),
    ],
)
def test_sentences_end_where_the_writer_ended_them(text, expected):
    assert [text[start:end] for start, end in sentences(text)] == expected


def test_a_line_of_name_and_company_is_no_own_text_and_a_line_with_bars_in_a_sentence_is() -> None:
    assert own_text("Gave them the number.\n\nAda\n\nAda Lund | Northwind Foods | Controller\n").text == "Gave them the number."
    assert own_text("Use the path A | B | C for this.\nThen press Save.").text == "Use the path A | B | C for this.\nThen press Save."
