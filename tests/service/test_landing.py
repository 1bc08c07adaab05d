"""Landing a page. What must not happen first: an older version that wins, a bad row that takes good ones with it, words that outlive their record."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.addresses import SHARED_DOMAINS
from connectors.records import Account, Interaction, Rejected, User
from service.score import score
from service.store import landing, linking, signals
from service.store.pool import Db, transaction
from tests import builders
from tests.builders import NOW
from tests.service.landed import HOUR, crm, due, nothing_due, stored, texts, version

__all__ = ["crm"]


@pytest.mark.parametrize(
    ("record_type", "old", "new"),
    [
        (Account, Account(key="X", name="Old", modified_at=NOW), Account(key="X", name="New", modified_at=NOW + HOUR)),
        (User, User(key="X", name="Old", email=None, modified_at=NOW), User(key="X", name="New", email=None, modified_at=NOW + HOUR)),
    ],
)
def test_an_older_version_never_overwrites_a_newer_one(workspace: UUID, crm: UUID, record_type: type, old: Any, new: Any):
    table = {Account: "account", User: "crm_user"}[record_type]
    for order in ([old, new], [new, old]):
        with transaction(workspace) as db:
            landing.land(db, crm, record_type, order)
            assert db.execute(f"SELECT name FROM {table} WHERE key = 'X'").fetchall() == [("New",)]
    with transaction(workspace) as db:
        assert landing.land(db, crm, record_type, [old]) == 0
        assert db.execute(f"SELECT name FROM {table} WHERE key = 'X'").fetchall() == [("New",)]


def test_a_late_version_does_not_win_over_one_that_changed_nothing(workspace: UUID, crm: UUID):
    """The second touched the stamp alone; what lies between the two is older all the same."""
    with transaction(workspace) as db:
        for one in (version(0, body="A"), version(2, body="A"), version(1, body="B")):
            landing.land(db, crm, Interaction, [one])
        assert texts(db)["M1"] == ("Rosters", "A")


def test_an_older_versions_words_do_not_come_back(workspace: UUID, crm: UUID):
    with transaction(workspace) as db:
        landing.land(db, crm, Interaction, [version(1, body="now")])
        assert landing.land(db, crm, Interaction, [version(0, body="before")]) == 0
        assert texts(db)["M1"][1] == "now"


def test_words_do_not_outlive_their_record(workspace: UUID, crm: UUID):
    with transaction(workspace) as db:
        landing.land(db, crm, Interaction, [version(0), builders.email("M2")])
        landing.land(db, crm, Interaction, [version(1, subject="", body="", deleted=True)])
        assert set(texts(db)) == {"M2"}
        landing.land(db, crm, Interaction, [version(2)])
        assert set(texts(db)) == {"M1", "M2"}


def test_what_could_not_be_read_stays_as_it_was(workspace: UUID, crm: UUID):
    with transaction(workspace) as db:
        landing.land(db, crm, Interaction, [version(0, body="Kept", subject="Old")])
        landing.land(db, crm, Interaction, [version(1, body="", subject="New", account_key=None)], unread={"body", "account_key"})
        assert texts(db)["M1"] == ("New", "Kept")
        assert [row[4:6] for row in stored(db, crm)] == [("A1", "A1")]
        landing.land(db, crm, Interaction, [version(2, body="", subject="", account_key=None)], unread={"body", "subject", "account_key"})
        assert texts(db)["M1"] == ("New", "Kept")


def test_words_that_can_be_read_at_last_land_though_the_row_is_as_it_was(workspace: UUID, crm: UUID):
    with transaction(workspace) as db:
        landing.land(db, crm, Interaction, [version(0, body="")], unread={"body"})
        nothing_due(db)
        assert landing.land(db, crm, Interaction, [version(0, body="There")]) == 1
        assert texts(db)["M1"][1] == "There"
        assert due(db) == {"A1"}


def test_a_row_as_it_stood_is_not_written_and_makes_nothing_due(workspace: UUID, crm: UUID):
    with transaction(workspace) as db:
        page = [version(0), *(builders.email(f"N{n}", modified_at=NOW) for n in range(5))]
        assert landing.land(db, crm, Interaction, page) == 6
        assert due(db) == {"A1"}
        nothing_due(db)
        before = db.execute("SELECT xmin::text, ctid::text FROM interaction ORDER BY key").fetchall()
        assert landing.land(db, crm, Interaction, page) == 0
        assert db.execute("SELECT xmin::text, ctid::text FROM interaction ORDER BY key").fetchall() == before
        assert due(db) == set()


@pytest.mark.parametrize(
    ("poison", "what"),
    [
        (Account(key="bad", name="Bad", arr=float("inf")), "account_arr_check"),
        (Account(key="bad", name="Bad", arr=float("nan")), "account_arr_check"),
        (Account(key="bad", name="Bad", seats=-1), "account_seats_check"),
        (Account(key="bad", name="Bad", seats=2**40), "too large"),
        (Account(key="bad", name="Bad", seats=2**70), "too large"),
        (Account(key="bad", name="Bad", modified_at=NOW.replace(year=9999)), "account_modified_at_check"),
        (Account(key="bad", name=None), "name"),  # type: ignore[arg-type]
    ],
)
def test_a_poisoned_row_takes_no_good_one_with_it(workspace: UUID, crm: UUID, poison: Account, what: str):
    rejected: list[Rejected] = []
    good = [Account(key=f"G{n}", name=f"Good {n}") for n in range(9)]
    with transaction(workspace) as db:
        assert landing.land_page(db, crm, Account, [*good[:4], poison, *good[4:]], (), rejected) == 9
        assert {k for (k,) in db.execute("SELECT key FROM account")} == {"A1", *(a.key for a in good)}
    assert [r.source_key for r in rejected] == ["bad"]
    assert what in rejected[0].reason
    assert "Bad" not in rejected[0].reason


def test_every_poisoned_row_is_named_and_several_kinds_of_them(workspace: UUID, crm: UUID):
    rejected: list[Rejected] = []
    late = NOW.replace(year=2150)
    page = [builders.email(f"P{n:02}", message_id=None, **({"occurred_at": late} if n % 5 == 0 else {})) for n in range(21)]
    with transaction(workspace) as db:
        assert landing.land_page(db, crm, Interaction, page, (), rejected) == 16
        assert len(texts(db)) == 16
    assert sorted(r.source_key for r in rejected) == ["P00", "P05", "P10", "P15", "P20"]


def test_what_a_database_takes_for_no_text_is_left_out_and_the_rest_of_the_words_land(workspace: UUID, crm: UUID):
    with transaction(workspace) as db:
        nasty = version(0, body="a\x00b \ud800 \u202e 😀\r\n\\t\t\\N", subject="\\.", to_emails=("x\x00@y.example", 'a"b,c}@z.example'))
        rejected: list[Rejected] = []
        assert landing.land_page(db, crm, Interaction, [nasty], (), rejected) == 1
        assert rejected == []
        assert texts(db)["M1"] == ("\\.", "ab ? \u202e 😀\r\n\\t\t\\N")
        assert db.execute("SELECT to_emails FROM interaction WHERE key = 'M1'").fetchone() == (["x@y.example", 'a"b,c}@z.example'],)


def test_one_email_that_two_connections_hold_is_one_email(workspace: UUID, crm: UUID):
    rejected: list[Rejected] = []
    with transaction(workspace) as db:
        other = builders.connection(db, "mail_files", "mail")
        landing.land_page(db, crm, Interaction, [builders.email("M1", message_id="<1@x>")], (), rejected)
        assert (
            landing.land_page(db, other, Interaction, [builders.email("F1", message_id="<1@x>"), builders.email("F2", message_id="<2@x>")], (), rejected) == 1
        )
        assert set(texts(db)) == {"M1", "F2"}


def test_a_changed_body_drops_its_own_text_and_a_changed_subject_does_not(workspace: UUID, crm: UUID):
    def spans(db: Db) -> object:
        return db.execute("SELECT own_starts, quote_strip FROM message_text").fetchone()

    with transaction(workspace) as db:
        landing.land(db, crm, Interaction, [version(0)])
        db.execute("UPDATE message_text SET own_starts = '{0}', own_ends = '{3}', quote_strip = 'ok'")
        landing.land(db, crm, Interaction, [version(1, subject="Another")])
        assert spans(db) == ([0], "ok")
        landing.land(db, crm, Interaction, [version(2, body="Another")])
        assert spans(db) == (None, None)


def test_a_signal_ends_with_the_messages_it_rests_on_and_comes_back_with_them(workspace: UUID, crm: UUID):
    asked = NOW - timedelta(days=12)
    mails = [
        builders.email("Q", occurred_at=asked, body="Hello Ann,\n\nCan the planner show two sites on one page?\n\nBo", modified_at=asked),
        *(builders.email(f"H{n}", occurred_at=asked - timedelta(days=7 * n), modified_at=asked, body="All is well here.") for n in range(1, 5)),
    ]
    gone = [replace(m, deleted=True, subject="", body="", modified_at=NOW) for m in mails[:1]]
    back = [replace(m, modified_at=NOW + HOUR) for m in mails[:1]]
    seen = []
    for page in (mails, gone, back):
        with transaction(workspace) as db:
            landing.land(db, crm, Interaction, page)
            linking.link(db, crm, SHARED_DOMAINS)
        score(workspace, NOW)
        with transaction(workspace) as db:
            seen.append({(r.signal.id, r.signal.state) for r in signals.current(db) if r.signal.kind == "unanswered_question"})
    ((signal_id, state),) = seen[0]
    assert state == "open"
    assert seen[1:] == [{(signal_id, "ended")}, {(signal_id, "open")}]


versions = st.lists(
    st.builds(
        lambda key, body, subject, account, deleted: {"key": key, "body": body, "subject": subject, "account_key": account, "deleted": deleted},
        st.sampled_from(["M1", "M2"]),
        st.sampled_from(["", "one", "two", "t\x00wo"]),
        st.sampled_from(["", "S"]),
        st.sampled_from([None, "A1", "A2", "nowhere"]),
        st.booleans(),
    ),
    min_size=1,
    max_size=5,
)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(made=versions, data=st.data())
def test_any_order_of_versions_gives_the_same_table(servers: str, made: list[dict[str, Any]], data: st.DataObject):
    """Page by page or in one page, each version with a stamp of its own."""
    rows = [_one(n, fields) for n, fields in enumerate(made)]
    orders = list(itertools.permutations(rows))
    chosen = [data.draw(st.sampled_from(orders)) for _ in range(3)]
    ends = [_end(order, cuts) for order in (tuple(rows), *chosen) for cuts in (1, len(rows))]
    assert all(end == ends[0] for end in ends)


def _one(n: int, fields: dict[str, Any]) -> Interaction:
    at: datetime = NOW + n * HOUR
    said = {"body": "", "subject": ""} if fields["deleted"] else {}
    return builders.email(**{**fields, **said, "modified_at": at, "message_id": None, "from_email": None, "to_emails": ()})


def _end(order: Sequence[Interaction], cuts: int) -> list[tuple[Any, ...]]:
    workspace_id = builders.workspace()
    with transaction(workspace_id) as db:
        connection_id = builders.connection(db)
        landing.land(db, connection_id, Account, [Account(key="A1", name="One"), Account(key="A2", name="Two")])
        size = -(-len(order) // cuts)
        for start in range(0, len(order), size):
            landing.land(db, connection_id, Interaction, order[start : start + size])
        linking.link(db, connection_id, SHARED_DOMAINS)
        return stored(db, connection_id)
