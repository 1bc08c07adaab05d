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
from connectors.records import Account, Contact, Interaction, Opportunity, Rejected, User
from service.score import score
from service.store import landing, linking, signals
from service.store.pool import Db, transaction
from tests import builders
from tests.builders import NOW

HOUR = timedelta(hours=1)


def stored(db: Db, connection_id: UUID) -> list[tuple[Any, ...]]:
    """What a reader sees of the interactions, without our own ids."""
    return db.execute(
        "SELECT i.key, i.kind, i.direction, i.occurred_at, i.account_key, a.key, i.contact_key, i.from_email, i.to_emails, i.modified_at, i.deleted,"
        " t.subject, t.body, t.truncated FROM interaction i LEFT JOIN message_text t USING (workspace_id, interaction_id)"
        " LEFT JOIN account a ON a.account_id = i.account_id WHERE i.connection_id = %s ORDER BY i.key",
        [connection_id],
    ).fetchall()


def texts(db: Db) -> dict[str, tuple[str, str]]:
    rows = db.execute("SELECT i.key, t.subject, t.body FROM message_text t JOIN interaction i USING (workspace_id, interaction_id)")
    return {key: (subject, body) for key, subject, body in rows}


def due(db: Db) -> set[str]:
    return {key for (key,) in db.execute("SELECT a.key FROM score_due d JOIN account a USING (workspace_id, account_id)")}


def nothing_due(db: Db) -> None:
    db.execute("DELETE FROM score_due")


def version(at: int, **fields: object) -> Interaction:
    return builders.email("M1", modified_at=NOW + at * HOUR, **{"message_id": None, **fields})


@pytest.fixture
def crm(workspace: UUID) -> UUID:
    with transaction(workspace) as db:
        connection_id = builders.connection(db)
        builders.account(db, connection_id)
        nothing_due(db)
        return connection_id


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


def test_an_account_named_late_gets_what_came_before_it(workspace: UUID, crm: UUID):
    with transaction(workspace) as db:
        landing.land(db, crm, Interaction, [builders.email("E1", account_key="A9", from_email="q@nine.example")])
        landing.land(db, crm, Opportunity, [_renewal("A9")])
        linking.link(db, crm, SHARED_DOMAINS)
        nothing_due(db)
        landing.land(db, crm, Account, [Account(key="A9", name="Nine")])
        linking.link(db, crm, SHARED_DOMAINS)
        assert [row[5] for row in stored(db, crm)] == ["A9"]
        assert db.execute("SELECT a.key FROM opportunity o JOIN account a USING (workspace_id, account_id) WHERE o.key = 'O-A9'").fetchall() == [("A9",)]
        assert due(db) == {"A9"}


def test_a_row_that_changes_accounts_is_not_kept_by_the_first(workspace: UUID, crm: UUID):
    with transaction(workspace) as db:
        landing.land(db, crm, Account, [Account(key="A2", name="Two")])
        for at, (key, expected) in enumerate([("A1", "A1"), ("A2", "A2"), (None, None), ("A1", "A1"), ("A7", None)]):
            landing.land(db, crm, Interaction, [version(at, account_key=key, from_email="who@nowhere.example")])
            assert [row[5] for row in stored(db, crm)] == [expected]


def test_a_link_found_by_address_stays_when_the_row_changes(workspace: UUID, crm: UUID):
    with transaction(workspace) as db:
        landing.land(db, crm, Interaction, [version(0, account_key=None)])
        linking.link(db, crm, SHARED_DOMAINS)
        landing.land(db, crm, Interaction, [version(1, account_key=None, subject="Another")])
        assert [row[5] for row in stored(db, crm)] == ["A1"]


@pytest.mark.parametrize(
    ("sender", "account"),
    [
        ("new@acme.example", "A1"),
        ("new@eu.acme.example", "A1"),
        ("new@notacme.example", None),
        ("new@acme.example.org", None),
        ("new@gmail.com", None),
        ("two@twice.example", None),
    ],
)
def test_a_domain_names_an_account_only_if_it_is_one_accounts_alone(workspace: UUID, crm: UUID, sender: str, account: str | None):
    with transaction(workspace) as db:
        landing.land(db, crm, Account, [Account(key=f"T{n}", name=f"T{n}", website="https://www.twice.example/x") for n in range(2)])
        landing.land(db, crm, Account, [Account(key="G", name="G", website="gmail.com")])
        landing.land(db, crm, Interaction, [version(0, account_key=None, from_email=sender)])
        linking.link(db, crm, SHARED_DOMAINS)
        assert [row[5] for row in stored(db, crm)] == [account]


@pytest.mark.parametrize("first", ["interaction", "contact"])
def test_a_contact_gets_the_mail_that_came_before_it_and_after_it(workspace: UUID, crm: UUID, first: str):
    mail = [builders.email("E1", account_key=None, from_email="zoe@far.example"), builders.email("E2", account_key=None, direction="out",
            from_email="ann@vendor.example", to_emails=("x@y.example", "zoe@far.example"))]  # fmt: skip
    zoe = [Contact(key="C9", account_key="A1", name="Zoe", email="Zoe@Far.example")]
    steps = [(Interaction, mail), (Contact, zoe)]
    with transaction(workspace) as db:
        for record_type, records in steps if first == "interaction" else reversed(steps):
            landing.land(db, crm, record_type, records)  # type: ignore[arg-type]
            linking.link(db, crm, SHARED_DOMAINS)
        assert [row[5] for row in stored(db, crm)] == ["A1", "A1"]
        assert due(db) == {"A1"}


def test_between_two_contacts_of_one_address_nobody_is_named_until_one_is_gone(workspace: UUID, crm: UUID):
    def land(*contacts: Contact) -> None:
        landing.land(db, crm, Contact, contacts)
        linking.link(db, crm, SHARED_DOMAINS)

    with transaction(workspace) as db:
        landing.land(db, crm, Account, [Account(key="A2", name="Two")])
        two = [Contact(key=f"D{n}", account_key=f"A{n}", name=None, email="d@far.example", modified_at=NOW) for n in (1, 2)]
        land(*two)
        landing.land(db, crm, Interaction, [version(0, account_key=None, from_email="d@far.example")])
        linking.link(db, crm, SHARED_DOMAINS)
        assert [row[5] for row in stored(db, crm)] == [None]
        land(replace(two[0], deleted=True, modified_at=NOW + HOUR))
        assert [row[5] for row in stored(db, crm)] == ["A2"]


def test_a_stranger_who_writes_for_an_account_has_one_history_in_all_connections(workspace: UUID, crm: UUID):
    with transaction(workspace) as db:
        landing.land(db, crm, Interaction, [builders.email(f"S{n}", from_email="sam@new.example", account_key="A1" if n else None) for n in range(3)])
        linking.link(db, crm, SHARED_DOMAINS)
        rows = db.execute("SELECT DISTINCT c.email, c.name, c.key FROM interaction i JOIN contact c USING (workspace_id, contact_id)").fetchall()
        assert rows == [("sam@new.example", None, "address:sam@new.example")]
        assert {row[5] for row in stored(db, crm)} == {"A1"}


def test_linking_looks_at_nothing_twice(workspace: UUID, crm: UUID):
    with transaction(workspace) as db:
        landing.land(db, crm, Interaction, [builders.email("E1", account_key=None, from_email="who@nowhere.example"), builders.email("E2")])
        linking.link(db, crm, SHARED_DOMAINS)
        assert db.execute("SELECT count(*) FROM link_due").fetchone() == (0,)
        nothing_due(db)
    with transaction(workspace) as db:
        linking.link(db, crm, SHARED_DOMAINS)
        assert db.execute("SELECT count(*) FROM landing_link").fetchone() == (0,)
        assert due(db) == set()


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


def _renewal(account_key: str) -> Opportunity:
    return Opportunity(
        **{"key": f"O-{account_key}", "account_key": account_key, "name": "Renewal", "type": "Renewal", "stage": "Open", "amount": 1.0},
        **{"close_date": NOW.date(), "is_closed": False, "is_won": False},
    )  # type: ignore[arg-type]


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
