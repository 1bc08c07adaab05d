"""One message: whose words may not be lost, and whose may not be taken for another's."""

from __future__ import annotations

import base64
import os
from datetime import UTC, datetime, timedelta, timezone
from email import message_from_bytes
from email.headerregistry import Address
from email.message import EmailMessage
from email.mime.message import MIMEMessage
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from email.policy import SMTP, SMTPUTF8

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from connectors.mail_files.parse import UnreadableMail, named_writer
from tests.connectors.letters import HEAD, mail, parsed


class TestWhoWrote:
    def test_a_name_that_shows_our_address_does_not_make_a_customers_mail_ours(self):
        for sender in (
            '"ann@ours.example" <bo@theirs.example>',
            "ann@ours.example <bo@theirs.example>",
            "=?utf-8?q?ann=40ours=2Eexample?= <bo@theirs.example>",
        ):
            found = parsed(mail(From=sender))
            assert (found.from_email, found.direction) == ("bo@theirs.example", "in")

    def test_a_customers_mail_through_our_group_is_the_customers(self):
        raw = mail(
            From="'Bo Ek' via Support <support@ours.example>",
            X_Original_From="Bo Ek <bo@theirs.example>",
            List_Id="support.ours.example",
            List_Post="<mailto:support@ours.example>",
        )
        found = parsed(raw)
        assert (found.from_email, found.direction, found.automatic) == ("bo@theirs.example", "in", False)

    def test_nobody_of_theirs_can_pass_for_us_by_that_header(self):
        found = parsed(mail(X_Original_From="ann@ours.example"))
        assert (found.from_email, found.direction) == ("bo@theirs.example", "in")

    def test_an_attached_message_is_not_the_writers_own_words(self):
        outer = MIMEMultipart()
        outer["From"], outer["Date"] = "bo@theirs.example", "Tue, 3 Mar 2026 10:00:00 +0000"
        inner = MIMEText("We are furious.")
        inner["From"] = "eve@elsewhere.example"
        outer.attach(MIMEMessage(inner))
        assert parsed(outer.as_bytes()).body == ""
        outer.attach(MIMEText("See attached."))
        assert parsed(outer.as_bytes()).body == "See attached."

    def test_the_whole_reading(self):
        raw = mail(
            "Hello\r\nAnn",
            To="Ann <ANN@ours.example>, tim@ours.example",
            Cc="x@theirs.example",
            Subject="Re: export",
            Message_ID="<2@theirs>",
            References="<0@a> <1@ours>",
        )
        found = parsed(raw)
        assert (found.key, found.kind, found.direction, found.message_id, found.in_reply_to) == ("<2@theirs>", "email", "in", "<2@theirs>", "<1@ours>")
        assert (found.from_email, found.to_emails, found.cc_emails) == ("bo@theirs.example", ("ann@ours.example", "tim@ours.example"), ("x@theirs.example",))
        assert (found.subject, found.body, found.occurred_at) == ("Re: export", "Hello\nAnn", datetime(2026, 3, 3, 10, tzinfo=UTC))
        assert (found.automatic, found.body_truncated) == (False, False)


class TestHeaders:
    @pytest.mark.parametrize(
        ("missing", "reason"),
        [("From", "no sender's address"), ("Date", "no readable date")],
    )
    def test_what_cannot_do_without_a_header_says_so(self, missing, reason):
        with pytest.raises(UnreadableMail, match=reason):
            parsed(mail(**{missing: None}))

    @pytest.mark.parametrize("raw", [b"", b"\n\n", b"\x00", b"\xef\xbb\xbf"])
    def test_nothing_is_said_to_be_empty(self, raw):
        with pytest.raises(UnreadableMail, match="it is empty"):
            parsed(raw)

    def test_the_same_mail_without_an_id_is_one_mail_however_it_was_delivered(self):
        plain = mail("Hello.\nBo")
        other = mail("Hello.\nBo", Received="by mx.ours.example; Tue, 3 Mar 2026 10:00:05 +0000").replace(b"\n", b"\r\n")
        assert parsed(plain).key == parsed(other).key
        assert parsed(plain).key != parsed(mail("Hello!\nBo")).key
        assert parsed(plain).message_id is None

    @pytest.mark.parametrize(
        ("sent", "key"), [("<a@b>", "<a@b>"), (" a@b ", "<a@b>"), ("<a b@c>", None), ("<>", None), (f"<{'x' * 300}@b>", None), ("nonsense", None)]
    )
    def test_an_id_is_taken_only_if_it_is_one(self, sent, key):
        assert parsed(mail(Message_ID=sent)).message_id == key

    @pytest.mark.parametrize(
        ("date", "expected"),
        [
            ("Tue, 3 Mar 2026 10:00:00 +0100", datetime(2026, 3, 3, 9, tzinfo=UTC)),
            ("Tue, 3 Mar 2026 10:00:00", datetime(2026, 3, 3, 10, tzinfo=UTC)),
            ("Tue, 3 Mar 2026 10:00:00 -0000", datetime(2026, 3, 3, 10, tzinfo=UTC)),
            ("3 Mar 26 10:00 EST", datetime(2026, 3, 3, 15, tzinfo=UTC)),
            ("Tue, 3 Mar 2026 10:00:00 +0100 (CET)", datetime(2026, 3, 3, 9, tzinfo=UTC)),
        ],
    )
    def test_dates_are_read_in_their_zone_and_as_utc_without_one(self, date, expected):
        assert parsed(mail(Date=date)).occurred_at == expected

    @pytest.mark.parametrize(
        "date",
        [
            "Tue, 3 Mar 2099 10:00:00 +0000",
            "Thu, 1 Jan 1970 00:00:00 +0000",
            "soon",
            "",
            "Tue, 3 Mar 2026 10:00:00 +9999",
            "32 Foo 2026",
            "Fri, 31 Dec 9999 23:59:59 -2359",
            None,
        ],
    )
    def test_an_absurd_date_gives_way_to_the_servers(self, date):
        received = "from a by b; Tue, 3 Mar 2026 11:00:00 +0100"
        assert parsed(mail(Date=date, Received=received)).occurred_at == datetime(2026, 3, 3, 10, tzinfo=UTC)
        with pytest.raises(UnreadableMail, match="date"):
            parsed(mail(Date=date))

    @pytest.mark.parametrize(
        ("sent", "subject"),
        [
            (b"=?utf-8?q?Gr=C3=BC=C3=9Fe?= again", "Grüße again"),
            (b"=?utf-8?b?R3LDvA==?= =?utf-8?b?w59l?=", "Grüße"),
            (b"=?utf-8?b?R3LD?=\r\n =?utf-8?b?vMOfZQ==?=", "Grüße"),
            (b"=?iso-8859-1?q?don=92t?=", "don’t"),
            (b"=?gb2312?b?xOO6ww==?=", "你好"),
            ("Grüße".encode(), "Grüße"),
            ("Grüße".encode("cp1252"), "Grüße"),
            ("Grüße =?utf-8?q?=C3=BC?=".encode(), "Grüße ü"),
            (b"=?utf-8?b?a?=", "=?utf-8?b?a?="),
            (b"=?x-nothing?q?plain=21?=", "plain!"),
            (b"=?utf-8?q?a=00b?=", "ab"),
            (b"=?utf-8?q?a=0Ab?=", "a b"),
            (b"=?utf-7?q?+2AA-?=", "?"),
            (b"=?undefined?q?x?= =?idna?q?xn--?= =?hex?q?6?=", "xxn--6"),
            (b"folded\r\n  twice\r\n\tover", "folded twice over"),
            (b"a\x00b", "ab"),
            (b"", ""),
        ],
    )
    def test_subjects_are_read_as_meant_or_left_as_they_stand(self, sent, subject):
        assert parsed(HEAD + b"Subject: " + sent + b"\n\nx").subject == subject

    def test_a_mark_or_empty_lines_above_the_headers_hide_nothing(self):
        for top in (b"\xef\xbb\xbf", b"\r\n\r\n", b"\n"):
            assert parsed(top + mail()).from_email == "bo@theirs.example"


class TestBodies:
    def test_html_only_is_read_without_its_quotation(self):
        raw = HEAD + b"Content-Type: text/html; charset=utf-8\n\n<p>We <b>wait</b>.</p><blockquote>old</blockquote>"
        assert parsed(raw).body == "We wait."

    def test_plain_goes_before_html_unless_it_is_blank(self):
        for plain, expected in (("We wait.", "We wait."), (" \n\xa0", "As HTML.")):
            message = MIMEMultipart("alternative")
            message.attach(MIMEText(plain, _charset="utf-8"))
            message.attach(MIMEText("<p>As HTML.</p>", "html"))
            assert parsed(HEAD + message.as_bytes()).body == expected

    def test_text_below_an_inline_picture_is_not_lost(self):
        message = MIMEMultipart()
        for text in ("Above the picture.", "Below it: we cancel."):
            message.attach(MIMEText(text))
        assert parsed(HEAD + message.as_bytes()).body == "Above the picture.\n\nBelow it: we cancel."

    def test_deeply_nested_as_mail_programs_do_it(self):
        related, alternative, mixed = MIMEMultipart("related"), MIMEMultipart("alternative"), MIMEMultipart()
        related.attach(MIMEText("<p>html</p>", "html"))
        alternative.attach(MIMEText("text"))
        alternative.attach(related)
        mixed.attach(alternative)
        assert parsed(HEAD + mixed.as_bytes()).body == "text"

    @pytest.mark.parametrize("disposition", [{"filename": "log.txt"}, {}, {"disposition": "inline", "filename": "log.txt"}])
    def test_an_attached_text_is_no_body(self, disposition):
        message = EmailMessage()
        message.add_attachment("ERROR everything is terrible", **disposition)
        assert parsed(HEAD + message.as_bytes()).body == ""

    def test_a_mail_of_attachments_only_is_still_a_mail(self):
        message = EmailMessage()
        message.add_attachment(b"\x00" * 10, maintype="application", subtype="pdf", filename="a.pdf")
        found = parsed(HEAD + message.as_bytes())
        assert (found.body, found.key) == ("", "<1@x>")

    @pytest.mark.parametrize(
        ("content_type", "payload", "body"),
        [
            ("text/plain; charset=iso-8859-1", "don’t".encode("cp1252"), "don’t"),
            ("text/plain; charset=us-ascii", "für".encode(), "für"),
            ("text/plain; charset=utf-8", b"f\xfcr \xc3\xbc", "für ü"),
            ("text/plain", "für".encode("cp1252"), "für"),
            ("text/plain; charset=x-unknown", "für".encode(), "für"),
            ("text/plain; charset=undefined", b"x", "x"),
            ("text/plain; charset=hex", b"6f", "6f"),
            ("text/plain; charset=unicode_escape", b"\\ud800", "\\ud800"),
            ('text/plain; charset="a\x00b"', b"x", "x"),
            ("text/plain; charset=utf-16", "wide ü".encode("utf-16"), "wide ü"),
            ("text/plain; charset*=utf-8''%FF", b"x", "x"),
            ("text/plain; charset=utf-7", b"+2AA-x", "?x"),
            ("text/plain;;;=", b"x", "x"),
            ("", b"x", "x"),
            ("text/plain; charset=utf-8", b"a\x00b\xed\xa0\x80", "abí\xa0€"),
            ("text/plain; charset=utf-8", b"one\rtwo\r\nthree", "one\ntwo\nthree"),
        ],
    )
    def test_characters_come_through_whatever_their_label(self, content_type, payload, body):
        raw = HEAD + f"Content-Type: {content_type}\n".encode() + b"Content-Transfer-Encoding: base64\n\n" + base64.b64encode(payload)
        assert parsed(raw).body == body

    @pytest.mark.parametrize("encoding", ["base64", "quoted-printable", "x-uuencode", "8bit", "nonsense"])
    def test_a_damaged_transfer_encoding_is_no_crash(self, encoding):
        assert isinstance(parsed(HEAD + f"Content-Transfer-Encoding: {encoding}\n\n=ZZ=\n!!!! begin ~~~ 644\n\x00=".encode()).body, str)

    def test_a_long_body_is_cut_and_says_so(self):
        found = parsed(mail("word " * 20_000))
        assert (len(found.body), found.body_truncated) == (64_000, True)
        assert not parsed(mail("word " * 12_000)).body_truncated

    def test_a_long_body_in_base64_keeps_every_character_that_is_ever_read(self):
        text = "слово 𝄞 " * 12_000
        raw = HEAD + b"Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: base64\n\n" + base64.encodebytes(text.encode())
        found = parsed(raw)
        assert (found.body, found.body_truncated) == (text[:64_000], True)

    def test_what_follows_a_large_attachment_is_read(self):
        message = EmailMessage()
        message.add_attachment(os.urandom(1_000_000), maintype="application", subtype="pdf", filename="a.pdf")
        message.attach(MIMEText("We cancel."))
        assert parsed(HEAD + message.as_bytes()).body == "We cancel."


class TestMachines:
    def test_an_invitation_inside_a_message_is_known_and_an_attached_calendar_file_is_none(self):
        for disposition, automatic in (("inline", True), ("attachment; filename=invite.ics", False)):
            message = MIMEMultipart()
            message.attach(MIMEText("See you there, and please bring the contract."))
            part = MIMEText("BEGIN:VCALENDAR", "calendar")
            part.set_param("method", "REQUEST")
            part["Content-Disposition"] = disposition
            message.attach(part)
            assert parsed(HEAD + message.as_bytes()).automatic is automatic

    @pytest.mark.parametrize("header", ["Auto-Submitted: auto-replied", "List-Unsubscribe: <mailto:x@y>", "From: noreply@theirs.example", "Return-Path: <>"])
    def test_headers_of_machines_are_seen(self, header):
        assert parsed(header.encode() + b"\n" + HEAD + b"\nHello.").automatic


WORDS = st.text(st.characters(exclude_categories=["Cs", "Cc"], max_codepoint=0x1F9FF), max_size=60)
LINES = st.lists(WORDS, min_size=1, max_size=6).map("\n".join)
PEOPLE = st.builds(
    Address,
    WORDS.map(lambda s: " ".join(s.replace("\x7f", "").split())[:5]),
    st.from_regex(r"[a-z]{1,8}(\.[a-z]{1,8})?", fullmatch=True),
    st.just("theirs.example"),
)
SENT = st.datetimes(datetime(1991, 1, 1), datetime(2026, 3, 1), timezones=st.integers(-12 * 4, 14 * 4).map(lambda q: timezone(timedelta(minutes=15 * q))))


def squeezed(text):
    return " ".join(text.split())


@settings(max_examples=80)
@given(
    st.tuples(PEOPLE, st.lists(PEOPLE, min_size=1, max_size=3), WORDS, LINES, SENT),
    st.sampled_from(["7bit", "quoted-printable", "base64", "8bit"]),
    st.sampled_from([SMTP, SMTPUTF8]),
    st.booleans(),
)
def test_what_the_mail_library_writes_is_read_back(content, encoding, policy, with_html):
    sender, to, subject, body, sent_at = content
    message = EmailMessage(policy=policy)
    message["From"], message["To"], message["Subject"], message["Date"] = sender, to, subject, sent_at
    message["Message-ID"] = "<1@theirs.example>"
    if encoding == "7bit" and not body.isascii():
        encoding = "base64"
    message.set_content(body, cte=encoding)
    if with_html:
        message.add_alternative(f"<p>{'html' * 3}</p>", subtype="html")
    # Where a line is folded behind an encoded name, Python's own writer can lose the comma: then it does not read it back itself.
    assume(len(message_from_bytes(message.as_bytes(), policy=policy)["To"].addresses) == len(to))
    found = parsed(message.as_bytes())
    assert found.from_email == sender.addr_spec
    assert found.to_emails == tuple(dict.fromkeys(a.addr_spec for a in to))
    assert squeezed(found.subject) == squeezed(subject)
    assert squeezed(found.body) == (squeezed(body) or ("htmlhtmlhtml" if with_html else ""))
    assert found.occurred_at == sent_at.replace(microsecond=0)
    assert found.message_id == "<1@theirs.example>"


NAMES = {
    "Bo Lind <bo@acme.example>": ("bo@acme.example", "Bo Lind"),
    "=?utf-8?q?Bj=C3=B6rn_Lind?= <bo@acme.example>": ("bo@acme.example", "Bj\u00f6rn Lind"),
    '"Lind, Bo" <BO@acme.example>': ("bo@acme.example", "Lind, Bo"),
    "bo@acme.example": None,
    '"bo@acme.example" <bo@acme.example>': None,
    "Acme Support <support@acme.example>": None,
    "Acme <no-reply@acme.example>": None,
    "Bo Lind via Tool <bo@acme.example>": None,
    "Ticket 4711 <bo@acme.example>": None,
    "Bo <bo@acme.example>, Al <al@acme.example>": None,
    "<>": None,
}


@pytest.mark.parametrize("sender", NAMES)
def test_a_name_is_taken_from_who_wrote_and_from_no_machine_and_no_shared_box(sender: str):
    assert named_writer(f"From: {sender}\nTo: ann@vendor.example\n\nHello".encode()) == NAMES[sender]


def test_no_name_is_taken_from_what_a_machine_sent():
    assert named_writer(b"From: Bo Lind <bo@acme.example>\nAuto-Submitted: auto-replied\n\nAway") is None
