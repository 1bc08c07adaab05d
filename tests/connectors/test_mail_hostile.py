"""Messages built to stop the reading or to fill the memory."""

from __future__ import annotations

import tracemalloc
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.mail_files.parse import UnreadableMail
from tests.connectors.letters import HEAD, mail, parsed, read, records


class TestHostile:
    @pytest.mark.timeout(60)
    @pytest.mark.parametrize(
        "raw",
        [
            "".join(f'Content-Type: multipart/mixed; boundary="b{i}"\n\n--b{i}\n' for i in range(3_000)),
            "".join(f'Content-Type: multipart/mixed; boundary="b{i}"\n\n--b{i}\n' for i in range(150)) + "\n" + "x\n" * 500_000,
            "Content-Type: multipart/mixed; boundary=x\n\n" + "--x\n\nhi\n" * 100_000,
            "\n" + "x\n" * 2_000_000,
        ],
        ids=["deep", "deep and long", "parts", "lines"],
    )
    def test_a_message_built_to_keep_the_parser_busy_is_refused_and_says_why(self, raw):
        with pytest.raises(UnreadableMail, match="too many, or nested too deeply"):
            parsed(HEAD + raw.encode())

    @pytest.mark.timeout(60)
    @pytest.mark.parametrize(
        "header",
        [
            "To: " + "a@b.example, " * 50_000,
            "To: " + "(" * 20_000,
            "Subject: " + "=?utf-8?q?=C3=BC?= " * 20_000,
            "Subject: " + "=?utf-8?q?" * 20_000,
            "X: " + "x" * 5_000_000,
            "References: " + "<" * 50_000,
            "Message-ID: " + "@" * 50_000,
            "Date: " + "1 " * 50_000,
            "Content-Type: text/plain; " + "a=b; " * 5_000,
            "Content-Type: " + '"' * 50_000,
            "From: " + "a@" * 20_000,
        ],
        ids=lambda header: header[:22],
    )
    def test_a_huge_header_costs_nothing_but_itself(self, header):
        found = parsed(HEAD + header.encode() + b"\n\nWe wait.")
        assert (found.from_email, found.body) == ("bo@theirs.example", "We wait.")
        assert len(found.subject) <= 1_000

    def test_a_mail_of_fifty_megabytes_fills_no_memory(self, tmp_path):
        (tmp_path / "big.eml").write_bytes(HEAD + b"\nWe wait.\n" + (b"x" * 70 + b"\n") * 700_000)
        (tmp_path / "small.eml").write_bytes(mail())
        tracemalloc.start()
        pages = read(tmp_path)
        assert tracemalloc.get_traced_memory()[1] < 128_000_000
        tracemalloc.stop()
        assert [r.body_truncated for r in records(pages)] == [True, False]

    @settings(max_examples=150)
    @given(
        st.binary(max_size=300) | st.text(max_size=200).map(str.encode),
        st.sampled_from([b"", HEAD, HEAD + b"Content-Type: ", HEAD + b"Subject: =?", HEAD + b"Content-Type: multipart/mixed; boundary=x\n\n--x\n"]),
    )
    def test_any_bytes_are_a_mail_that_the_store_takes_or_are_refused(self, raw, head):
        try:
            found = parsed(head + raw)
        except UnreadableMail as problem:
            assert str(problem)
            return
        texts = [
            found.key,
            found.subject,
            found.body,
            found.message_id or "",
            found.in_reply_to or "",
            found.from_email or "",
            *found.to_emails,
            *found.cc_emails,
        ]
        "".join(texts).encode()
        assert not any("\x00" in text for text in texts)
        assert found.occurred_at.utcoffset() == timedelta(0)
