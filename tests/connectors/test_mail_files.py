"""Folders and mailboxes: what may not be passed over, and what may not cost the mail beside it."""

from __future__ import annotations

import mailbox
import os
import time
from email.mime.text import MIMEText

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from connectors.base import Cursor
from connectors.context import alone
from connectors.errors import Misconfigured
from connectors.mail_files import CONNECTOR
from connectors.mail_files.senders import most_frequent_domain
from tests.connectors.letters import NOW, mail, read, reasons, records, source


def many(count: int) -> bytes:
    return b"".join(b"From x Tue Mar  3 10:00:00 2026\n" + mail(Message_ID=f"<{i}@x>") + b"\n\n" for i in range(count))


class TestFiles:
    def test_bad_mail_costs_no_good_mail_beside_it_and_is_named(self, tmp_path):
        (tmp_path / "sub").mkdir()
        (tmp_path / "good.eml").write_bytes(mail(Message_ID="<1@x>"))
        (tmp_path / "sub" / "bad.EML").write_bytes(b"\x00\xff nonsense")
        (tmp_path / "sub" / "good.eml").write_bytes(mail(Message_ID="<2@x>"))
        (tmp_path / "empty.eml").write_bytes(b"")
        pages = read(tmp_path)
        assert {r.key for r in records(pages)} == {"<1@x>", "<2@x>"}
        assert set(reasons(pages)) == {"sub/bad.EML", "empty.eml"}

    def test_nothing_outside_the_folder_is_read(self, tmp_path):
        outside, inside = tmp_path / "outside", tmp_path / "inside"
        outside.mkdir()
        inside.mkdir()
        (outside / "secret.eml").write_bytes(mail())
        (inside / "link.eml").symlink_to(outside / "secret.eml")
        (inside / "folder").symlink_to(outside)
        (inside / "loop").symlink_to(inside)
        (inside / "broken.eml").symlink_to(inside / "gone")
        os.mkfifo(inside / "pipe.eml")
        assert records(read(inside)) == []

    def test_a_path_that_is_a_link_itself_is_followed(self, tmp_path):
        (tmp_path / "a.eml").write_bytes(mail())
        (tmp_path / "link.eml").symlink_to(tmp_path / "a.eml")
        assert len(records(read(tmp_path / "link.eml"))) == 1

    @pytest.mark.parametrize("path", ["gone", "a\x00b", "x" * 5_000])
    def test_a_path_that_is_none_is_said(self, tmp_path, path):
        with pytest.raises(Misconfigured, match="There is no file or folder"):
            read(tmp_path / path)

    def test_a_name_that_is_no_utf_8_reaches_neither_cursor_nor_reason(self, tmp_path):
        with open(os.fsencode(tmp_path) + b"/\xff.eml", "wb") as file:  # noqa: PTH123 - a path of bytes
            file.write(b"nonsense")
        [page] = read(tmp_path)
        (page.cursor.key + page.rejected[0].source_key).encode()

    def test_mail_that_arrives_with_an_old_date_of_its_file_is_not_passed_over(self, tmp_path):
        (tmp_path / "new.eml").write_bytes(mail(Message_ID="<1@x>"))
        cursor = read(tmp_path)[-1].cursor
        (tmp_path / "old.eml").write_bytes(mail(Message_ID="<2@x>"))
        os.utime(tmp_path / "old.eml", (0, 0))
        assert "<2@x>" in {r.key for r in records(read(tmp_path, cursor))}

    def test_small_files_share_a_page_and_its_cursor_passes_over_no_unread_file(self, tmp_path):
        for i in range(450):
            (tmp_path / f"{i:03}.eml").write_bytes(mail(Message_ID=f"<{i}@x>"))
        pages = read(tmp_path)
        assert [len(p.records) for p in pages] == [200, 200, 50]
        for n, page in enumerate(pages[:-1], 1):
            after = {r.key for r in records(read(tmp_path, page.cursor))}
            assert after | {r.key for p in pages[:n] for r in p.records} == {f"<{i}@x>" for i in range(450)}

    def test_within_a_file_the_cursor_stands_still_and_only_its_place_moves(self, tmp_path):
        (tmp_path / "all.mbox").write_bytes(many(450))
        assert [(p.cursor.at is not None, p.cursor.resume != "") for p in read(tmp_path)] == [(False, True), (False, True), (True, False)]

    def test_a_run_that_ends_within_a_file_goes_on_at_its_last_message(self, tmp_path):
        (tmp_path / "all.mbox").write_bytes(many(450))
        first, second, third = read(tmp_path)
        rest = list(source(tmp_path).read("emails", first.cursor, NOW))
        assert [r.key for r in records(rest)] == [r.key for r in records([first])[-1:] + records([second, third])]

    def test_a_file_that_was_written_to_meanwhile_begins_anew(self, tmp_path):
        (tmp_path / "all.mbox").write_bytes(many(450))
        first = read(tmp_path)[0]
        time.sleep(0.02)  # a file system's clock ticks a few times in a second
        (tmp_path / "all.mbox").write_bytes(many(3))
        assert len(records(source(tmp_path).read("emails", first.cursor, NOW))) == 3

    def messages(self, tmp_path, content, name="all.mbox"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return read(path)

    def test_a_persons_line_that_begins_with_from_does_not_cut_their_mail(self, tmp_path):
        body = "Hello.\n\nFrom Monday 3 March 2026 on we stop paying.\n\nFrom Mar 3 on, 2026 is over.\n\n>From now on.\n>>From then.\n"
        pages = self.messages(tmp_path, b"From x@y Tue Mar  3 10:00:00 2026\n" + mail(body, Message_ID="<1@x>"))
        assert reasons(pages) == {}
        [found] = records(pages)
        assert "we stop paying" in found.body
        assert "\nFrom now on.\n>From then." in found.body

    @pytest.mark.parametrize(
        "line",
        [
            "From bo@theirs.example Tue Mar  3 10:00:00 2026",
            "From - Tue Mar 03 10:00:00 2026",
            "From MAILER-DAEMON Tue Mar  3 10:00:00 2026",
            "From 1234@xxx Tue Mar 03 10:00:00 +0000 2026",
            "From bo at theirs.example  Tue Mar  3 10:00:00 2026",
            "From bo@theirs.example Tue Mar  3 10:00 CET 2026",
        ],
    )
    @pytest.mark.parametrize("end", ["\n", "\r\n"])
    def test_every_programs_from_line_parts_messages(self, tmp_path, line, end):
        content = f"{line}\n{mail('one', Message_ID='<1@x>').decode()}\n\n{line}\n{mail('two', Message_ID='<2@x>').decode()}\n"
        found = records(self.messages(tmp_path, content.replace("\n", end)))
        assert [(r.key, r.body.strip()) for r in found] == [("<1@x>", "one"), ("<2@x>", "two")]

    def test_a_bad_message_is_named_by_its_place_and_costs_no_good_one(self, tmp_path):
        line = b"From x Tue Mar  3 10:00:00 2026\n"
        first = line + mail(Message_ID="<1@x>") + b"\n\n"
        pages = self.messages(tmp_path, first + line + b"nonsense\n\n" + line + mail(Message_ID="<2@x>"))
        assert [r.key for r in records(pages)] == ["<1@x>", "<2@x>"]
        assert list(reasons(pages)) == [f"all.mbox@{len(first)}"]

    def test_a_box_that_is_cut_off_keeps_all_but_its_end(self, tmp_path):
        line = b"From x Tue Mar  3 10:00:00 2026\n"
        whole = b"".join(line + mail(f"body {i}", Message_ID=f"<{i}@x>") + b"\n\n" for i in range(50))
        for cut in range(0, 400, 31):
            assert len(records(self.messages(tmp_path, whole[: len(whole) - cut]))) >= 47

    def test_a_mailbox_folder_of_a_mac_is_read(self, tmp_path):
        (tmp_path / "Inbox.mbox").mkdir()
        (tmp_path / "Inbox.mbox" / "mbox").write_bytes(b"From x Tue Mar  3 10:00:00 2026\n" + mail())
        assert len(records(read(tmp_path))) == 1

    @settings(max_examples=25)
    @given(
        st.lists(
            st.lists(st.sampled_from(["From ", ">From x", "From x Tue Mar  3 10:00:00 2026", "", "text", "ü"]), min_size=1, max_size=5), min_size=1, max_size=5
        )
    )
    def test_what_the_mailbox_library_writes_is_read_back(self, tmp_path_factory, bodies):
        path = tmp_path_factory.mktemp("box") / "all.mbox"
        box = mailbox.mbox(path)
        for i, lines in enumerate(bodies):
            message = MIMEText("\n".join(lines), _charset="utf-8")
            message.replace_header("Content-Transfer-Encoding", "8bit")
            message.set_payload("\n".join(lines).encode())
            message["From"], message["Date"], message["Message-ID"] = "bo@theirs.example", "Tue, 3 Mar 2026 10:00:00 +0000", f"<{i}@x>"
            box.add(mailbox.mboxMessage(message))
        box.close()
        assert [r.key for r in records(read(path))] == [f"<{i}@x>" for i in range(len(bodies))]


class TestWhoWeAre:
    @pytest.mark.parametrize("value", ["", " , ", [], ["gmail.com"], "ours.example, GMAIL.com"])
    def test_settings_by_which_sides_cannot_be_told_are_refused(self, value):
        with pytest.raises(ValidationError):
            CONNECTOR.config_model.model_validate({"path": "x", "our_domains": value})

    @pytest.mark.parametrize("value", ["@Ours.example, second.example.", ["ours.example", "second.example"]])
    def test_domains_are_read_however_they_are_written(self, value):
        assert CONNECTOR.config_model.model_validate({"path": "x", "our_domains": value}).model_dump(mode="json")["our_domains"] == [
            "ours.example",
            "second.example",
        ]

    def test_a_single_address_may_be_ours(self, tmp_path):
        (tmp_path / "a.eml").write_bytes(mail(From="me@gmail.com", To="you@gmail.com"))
        [page] = CONNECTOR.source(alone({"path": str(tmp_path), "our_domains": "me@gmail.com"})).read("emails", Cursor(), NOW)
        assert page.records[0].direction == "out"

    def test_check_warns_when_nobody_of_ours_is_in_the_mail(self, tmp_path):
        assert [f.level for f in source(tmp_path).check(NOW)] == ["warning"]
        (tmp_path / "a.eml").write_bytes(mail())
        assert [f.level for f in source(tmp_path).check(NOW)] == ["ok"]
        [finding] = source(tmp_path, "ours.exmaple").check(NOW)
        assert finding.level == "warning"
        assert "ours.exmaple" in finding.message
        assert source(tmp_path / "gone").check(NOW)[0].level == "error"

    def test_our_domain_is_found_among_many_customers(self, tmp_path):
        for i in range(10):
            (tmp_path / f"{i}.eml").write_bytes(mail(From=f"bo@customer{i % 3}.example", Cc="x@gmail.com"))
        assert most_frequent_domain(tmp_path) == "ours.example"

    def test_with_one_customer_alone_nobody_is_taken_for_the_other(self, tmp_path):
        for i in range(10):
            (tmp_path / f"{i}.eml").write_bytes(mail())
        assert most_frequent_domain(tmp_path) is None

    def test_without_mail_there_is_no_guess(self, tmp_path):
        assert most_frequent_domain(tmp_path) is None
