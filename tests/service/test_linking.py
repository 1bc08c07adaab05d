"""Linking what has landed. What must not happen first: a guess between two, a link that a later row denies."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

import pytest

from connectors.addresses import SHARED_DOMAINS
from connectors.records import Account, Contact, Interaction, Opportunity
from service.store import landing, linking
from service.store.pool import transaction
from tests import builders
from tests.builders import NOW
from tests.service.landed import HOUR, crm, due, nothing_due, renewal, stored, version

__all__ = ["crm"]


def test_an_account_named_late_gets_what_came_before_it(workspace: UUID, crm: UUID):
    with transaction(workspace) as db:
        landing.land(db, crm, Interaction, [builders.email("E1", account_key="A9", from_email="q@nine.example")])
        landing.land(db, crm, Opportunity, [renewal("A9")])
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
