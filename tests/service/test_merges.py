"""Accounts and contacts that are merged, deleted and come back. What must not happen first: a task made twice, a history left behind."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import timedelta
from uuid import UUID, uuid4

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.records import UsageRows
from service.store import linking, merges, outbox, signals, suggestions, usage, workspaces
from service.store.pool import transaction
from service.store.suggestions import SuggestionRow
from tests import builders
from tests.service.landed import renewal
from tests.service.merged_org import Org

HOUR = timedelta(hours=1)


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
    org.land(renewal("A"))
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


def test_a_suggestion_that_moves_loses_none_of_its_columns():
    moved = {"suggestion_id", "version", "account_id", "contact_id", "state", "close_reason"}
    assert {c.strip() for c in merges._SAME.split(",")} | moved == {f.name for f in fields(suggestions.Suggestion)}


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
