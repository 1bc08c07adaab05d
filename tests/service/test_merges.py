"""Accounts and contacts that are merged, deleted and come back. What must not happen first: a task made twice, a history left behind."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.addresses import SHARED_DOMAINS
from connectors.records import Account, Contact, Opportunity, UsageRows
from service.signals import Signal
from service.store import landing, linking, outbox, signals, suggestions, usage, usage_merges, workspaces
from service.store.pool import transaction
from service.store.suggestions import SuggestionRow
from service.suggest import suggest
from tests import builders
from tests.builders import NOW

HOUR = timedelta(hours=1)


class Org:
    """A CRM whose rows arrive version by version, each later than the one before."""

    def __init__(self, workspace_id: UUID) -> None:
        self.workspace_id = workspace_id
        self.at = NOW - timedelta(days=2)
        with transaction(workspace_id) as db:
            self.crm = builders.connection(db)

    def land(self, *records: Any) -> None:
        self.at += timedelta(minutes=1)
        with transaction(self.workspace_id) as db:
            for record in records:
                landing.land(db, self.crm, type(record), [replace(record, modified_at=self.at)])
            if any(isinstance(r, Account) for r in records):
                usage_merges.follow_merges(db)
            linking.link(db, self.crm, SHARED_DOMAINS)

    def account(self, key: str, *, into: str | None = None, deleted: bool = False) -> None:
        self.land(Account(key=key, name=f"Name of {key}", owner_key="U1", merged_into_key=into, deleted=deleted or into is not None))

    def contact(self, key: str, account: str | None, *, into: str | None = None) -> None:
        self.land(Contact(key=key, account_key=account, name=key, email=f"{key.lower()}@far.example", merged_into_key=into, deleted=into is not None))

    def mail(self, key: str, account: str | None, **fields: object) -> None:
        self.land(builders.email(key, account_key=account, **{"from_email": "who@nowhere.example", **fields}))

    def home(self, table: str = "interaction") -> dict[str, str | None]:
        """Of each row, by its key, the key of the account it belongs to."""
        with transaction(self.workspace_id) as db:
            return dict(db.execute(f"SELECT t.key, a.key FROM {table} t LEFT JOIN account a USING (workspace_id, account_id) ORDER BY 1").fetchall())

    def id_of(self, key: str, table: str = "account") -> UUID:
        with transaction(self.workspace_id) as db:
            row = db.execute(f"SELECT {table}_id FROM {table} WHERE key = %s", [key]).fetchone()
        assert row is not None
        found: UUID = row[0]
        return found

    def raise_signal(self, account: str, mail: str, **fields: object) -> UUID:
        """Open, resting on that mail, as a run of the score step would have found it."""
        with transaction(self.workspace_id) as db:
            found = builders.signal(self.id_of(account), evidence=(builders.words(self.id_of(mail, "interaction"), 0, 5),), **fields)
            (signal_id,) = signals.append(db, [found], "m", workspaces.next_change(db))
        return signal_id

    def suggest(self) -> list[SuggestionRow]:
        """What is open afterwards."""
        suggest(self.workspace_id, NOW)
        with transaction(self.workspace_id) as db:
            return suggestions.open_suggestions(db)

    def end_signals(self, account: str) -> None:
        """As the score step does for an account that is gone."""
        with transaction(self.workspace_id) as db:
            current = signals.current(db, [self.id_of(account)], states=("open",))
            signals.append(db, [signals.ended(r.signal, NOW.date()) for r in current], "m", workspaces.next_change(db))

    def push(self, suggestion_id: UUID) -> None:
        """As if it stood in the CRM."""
        with transaction(self.workspace_id) as db:
            db.execute(
                "INSERT INTO push_ledger (workspace_id, suggestion_id, connection_id, key, status, version, remote_id, sent_at)"
                " SELECT workspace_id, suggestion_id, connection_id, left('ut-' || suggestion_id, 40), 'sent', 1, '00T1', now() FROM outbox"
                " WHERE suggestion_id = %s",
                [suggestion_id],
            )
            db.execute("UPDATE outbox SET state = 'done'")

    def signals(self) -> dict[UUID, tuple[Signal, int]]:
        with transaction(self.workspace_id) as db:
            return {r.signal.id: (r.signal, r.version) for r in signals.current(db)}

    def due(self) -> set[str]:
        with transaction(self.workspace_id) as db:
            found = {key for (key,) in db.execute("SELECT a.key FROM score_due d JOIN account a USING (workspace_id, account_id)")}
            db.execute("DELETE FROM score_due")
        return found

    def everything(self) -> list[tuple[Any, ...]]:
        with transaction(self.workspace_id) as db:
            return [row for table in ("signal", "evidence", "suggestion", "interaction") for row in db.execute(f"SELECT t::text FROM {table} t ORDER BY 1")]


@pytest.fixture
def org(workspace: UUID) -> Org:
    made = Org(workspace)
    made.account("A")
    made.account("B")
    return made


def test_a_merged_accounts_history_is_the_winners(org: Org):
    org.contact("C1", "A")
    org.mail("M1", "A")
    org.mail("M2", None, from_email="c1@far.example")
    org.mail("M3", "B")
    org.land(_renewal("A"))
    org.due()
    org.account("A", into="B")
    assert org.home() == {"M1": "B", "M2": "B", "M3": "B"}
    assert org.home("contact")["C1"] == "B"
    assert org.home("opportunity") == {"O-A": "B"}
    assert {"A", "B"} <= org.due()


def test_what_still_names_the_loser_lands_at_the_winner(org: Org):
    org.account("A", into="B")
    org.mail("M1", "A")
    org.contact("C1", "A")
    assert (org.home()["M1"], org.home("contact")["C1"]) == ("B", "B")


@pytest.mark.parametrize("order", ["AB", "BA"])
def test_a_chain_ends_at_its_end_in_whatever_order_it_is_seen(org: Org, order: str):
    org.account("C")
    org.mail("M1", "A")
    for key in order:
        org.account(key, into={"A": "B", "B": "C"}[key])
    assert org.home() == {"M1": "C"}


def test_a_merge_that_is_seen_before_its_winner_waits_for_it(org: Org):
    org.mail("M1", "A")
    org.account("A", into="Z")
    assert org.home() == {"M1": "A"}
    org.account("Z")
    assert org.home() == {"M1": "Z"}


def test_a_circle_of_merges_moves_nothing(org: Org):
    org.mail("M1", "A")
    org.account("A", into="B")
    org.account("B", into="A")
    assert org.home() == {"M1": "A"}


def test_a_loser_that_comes_back_has_what_names_it_and_no_more(org: Org):
    org.contact("C1", "A")
    org.mail("M1", "A")
    org.mail("M2", "B")
    org.mail("M3", None, from_email="c1@far.example")
    org.account("A", into="B")
    org.mail("M4", "A")
    org.due()
    org.account("A")
    assert org.home() == {"M1": "A", "M2": "B", "M3": "A", "M4": "A"}
    assert org.home("contact")["C1"] == "A"
    assert {"A", "B"} <= org.due()


def test_usage_follows(org: Org):
    day = np.array(["2026-01-05"], dtype="datetime64[D]")
    with transaction(org.workspace_id) as db:
        usage.land_usage(db, UsageRows(accounts=["A"], metrics=["logins"], days=day, values=np.array([3.0])))
    org.account("A", into="B")
    with transaction(org.workspace_id) as db:
        assert db.execute("SELECT a.key FROM usage_series JOIN account a USING (workspace_id, account_id)").fetchall() == [("B",)]


def test_a_pushed_task_follows_and_is_not_made_twice(org: Org):
    org.mail("M1", "A")
    signal_id = org.raise_signal("A", "M1")
    (before,) = org.suggest()
    org.push(before.suggestion_id)
    org.account("A", into="B")
    signal, version = org.signals()[signal_id]
    assert (signal.account_id, signal.state, version) == (org.id_of("B"), "open", 2)
    assert [e.interaction_id for e in signal.evidence] == [org.id_of("M1", "interaction")]
    (after,) = org.suggest()
    assert (after.suggestion_id, after.account_id, after.push_status) == (before.suggestion_id, org.id_of("B"), "sent")
    with transaction(org.workspace_id) as db:
        assert len(outbox.ledger(db)) == 1


def test_an_account_with_a_suggestion_of_its_own_keeps_that_one_alone(org: Org):
    for key in "AB":
        org.mail(f"M{key}", key)
        org.raise_signal(key, f"M{key}")
    opened = {org_key: s for s in org.suggest() for org_key in "AB" if s.account_id == org.id_of(org_key)}
    org.account("A", into="B")
    (kept,) = org.suggest()
    assert kept.suggestion_id == opened["B"].suggestion_id
    with transaction(org.workspace_id) as db:
        over = suggestions.get(db, opened["A"].suggestion_id)
    assert over is not None
    assert (over.state, over.close_reason, over.account_id) == ("closed", "contradicted", org.id_of("B"))


def test_the_crm_is_told_of_a_task_that_a_merge_has_ended(org: Org):
    org.mail("MA", "A")
    org.raise_signal("A", "MA")
    (first,) = org.suggest()
    org.push(first.suggestion_id)
    org.mail("MB", "B")
    org.raise_signal("B", "MB")
    org.suggest()
    org.account("A", into="B")
    with transaction(org.workspace_id) as db:
        assert first.suggestion_id in outbox.waiting(db, org.crm)


def test_a_closed_matter_of_the_loser_is_not_raised_again_by_the_winner(org: Org):
    org.mail("M1", "A")
    org.raise_signal("A", "M1")
    (first,) = org.suggest()
    org.push(first.suggestion_id)
    with transaction(org.workspace_id) as db:
        db.execute("UPDATE push_ledger SET remote_closed = true")
    assert org.suggest() == []
    org.account("A", into="B")
    assert org.suggest() == []


def test_doing_it_twice_changes_nothing(org: Org):
    org.mail("M1", "A")
    org.raise_signal("A", "M1")
    org.suggest()
    org.account("A", into="B")
    before = org.everything()
    with transaction(org.workspace_id) as db:
        linking.merges.follow(db)
    org.account("B")
    assert org.everything() == before


def test_the_suggestion_of_an_account_that_was_deleted_is_withdrawn_and_comes_back_once(org: Org):
    org.mail("M1", "A")
    signal_id = org.raise_signal("A", "M1")
    (first,) = org.suggest()
    org.push(first.suggestion_id)
    org.account("A", deleted=True)
    assert "A" in org.due()
    org.end_signals("A")
    assert org.suggest() == []
    with transaction(org.workspace_id) as db:
        gone = suggestions.get(db, first.suggestion_id)
    assert gone is not None
    assert gone.close_reason == "account_gone"
    org.account("A")
    assert "A" in org.due()
    with transaction(org.workspace_id) as db:
        ended = org.signals()[signal_id][0]
        signals.append(db, [replace(ended, state="open", ended_at=None)], "m", workspaces.next_change(db))
    (back,) = org.suggest()
    assert (back.suggestion_id, back.push_status) == (first.suggestion_id, "sent")
    (again,) = org.suggest()
    assert again.suggestion_id == first.suggestion_id


def test_a_withdrawn_suggestion_does_not_come_back_over_what_happened_since(org: Org):
    org.mail("M1", "A")
    org.raise_signal("A", "M1")
    (first,) = org.suggest()
    with transaction(org.workspace_id) as db:
        other = replace(_bare(first), suggestion_id=uuid4(), version=1, state="closed", close_reason="task_closed")
        withdrawn = replace(_bare(first), version=first.version + 1, state="closed", close_reason="account_gone")
        for one in (withdrawn, other):
            suggestions.append(db, one, workspaces.next_change(db))
        suggestions.free_account(db, first.account_id)
    assert org.suggest() == []


def test_a_suggestion_withdrawn_while_the_winner_was_unknown_opens_there(org: Org):
    org.mail("M1", "A")
    org.raise_signal("A", "M1")
    (first,) = org.suggest()
    org.account("A", into="Z")
    assert org.suggest() == []
    org.account("Z")
    (back,) = org.suggest()
    assert (back.suggestion_id, back.account_id) == (first.suggestion_id, org.id_of("Z"))


def test_signal_and_suggestion_go_home_with_a_loser_that_comes_back(org: Org):
    org.mail("M1", "A")
    org.mail("M2", "B")
    of_a, of_b = org.raise_signal("A", "M1"), org.raise_signal("B", "M2", confidence=0.1)
    (first,) = org.suggest()
    org.account("A", into="B")
    org.account("A")
    found = org.signals()
    assert (found[of_a][0].account_id, found[of_b][0].account_id) == (org.id_of("A"), org.id_of("B"))
    (back,) = org.suggest()
    assert (back.suggestion_id, back.account_id) == (first.suggestion_id, org.id_of("A"))


def test_a_merged_contacts_mail_signal_and_suggestion_are_the_winners(org: Org):
    org.contact("C1", "A")
    org.contact("C2", "A")
    org.mail("M1", "A", contact_key="C1")
    org.mail("M2", "A", from_email="c1@far.example")
    loser, winner = org.id_of("C1", "contact"), org.id_of("C2", "contact")
    signal_id = org.raise_signal("A", "M1", contact_id=loser, key=f"price_objection:{loser}:{org.id_of('M1', 'interaction')}")
    (before,) = org.suggest()
    assert before.contact_id == loser
    org.contact("C1", "A", into="C2")
    signal, version = org.signals()[signal_id]
    assert (signal.contact_id, version) == (winner, 2)
    assert signal.key == f"price_objection:{winner}:{org.id_of('M1', 'interaction')}"
    with transaction(org.workspace_id) as db:
        assert db.execute("SELECT DISTINCT contact_id FROM interaction").fetchall() == [(winner,)]
    (after,) = org.suggest()
    assert (after.suggestion_id, after.contact_id) == (before.suggestion_id, winner)


KEYS = "ABCD"


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    into=st.dictionaries(st.sampled_from(KEYS), st.sampled_from(KEYS), max_size=3),
    steps=st.permutations([("account", k) for k in KEYS] + [("mail", k) for k in KEYS]),
)
def test_whatever_the_order_each_mail_is_at_the_end_of_its_chain(servers: str, into: dict[str, str], steps: list[tuple[str, str]]):
    org = Org(builders.workspace())
    for what, key in steps:
        if what == "account":
            org.account(key, into=into.get(key))
        else:
            org.mail(f"M{key}", key)
    assert org.home() == {f"M{key}": _end(key, into) for key in KEYS}


def _end(key: str, into: dict[str, str]) -> str:
    seen = [key]
    while seen[-1] in into:
        if into[seen[-1]] in seen:
            return key
        seen.append(into[seen[-1]])
    return seen[-1]


def _bare(row: SuggestionRow) -> suggestions.Suggestion:
    return suggestions.Suggestion(**{name: getattr(row, name) for name in suggestions.Suggestion.__dataclass_fields__})


def _renewal(account_key: str) -> Opportunity:
    return Opportunity(
        **{"key": f"O-{account_key}", "account_key": account_key, "name": "Renewal", "type": "Renewal", "stage": "Open", "amount": 1.0},
        **{"close_date": NOW.date(), "is_closed": False, "is_won": False},
    )  # type: ignore[arg-type]
