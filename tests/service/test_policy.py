"""What a workspace has decided: what is refused, that nobody's change is lost, that each can be undone, and what follows from it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from service import audit, policy
from service.api import create_app
from service.cli.app import app
from service.critic import Draft, review
from service.critic.rules import rules
from service.critic.team import Phrase
from service.errors import BadInput, Conflict, NotFound
from service.policy import Accounts, Policy
from service.store import audit_log, outbox, suggestions
from service.store.pool import transaction
from service.suggest import suggest
from tests import builders
from tests.builders import NOW
from tests.client import TestClient, assert_problem, key
from tests.filled import Filled, fill

AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def changed(workspace: UUID, why: str = "", from_version: int | None = None, **fields: Any) -> policy.Version:
    return policy.change(workspace, fields, "ann", why, from_version, AT)


def stands(workspace: UUID) -> policy.Version:
    with transaction(workspace) as db:
        return policy.standing(db)


# What is refused

E_RULE = next(rule.id for rule in rules() if rule.severity == "E")
REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"usage_budget": 0}, "usage_budget must be a number from 0.01 to 5"),
    ({"usage_budget": float("nan")}, "usage_budget"),
    ({"usage_budget": True}, "usage_budget"),
    ({"usage_budget": "0.3"}, "usage_budget"),
    ({"most_open": 21}, "most_open must be a whole number from 1 to 20"),
    ({"most_open": 2.0}, "most_open"),
    ({"quiet_hours": "18-8"}, "Europe/Berlin"),
    ({"quiet_hours": 18}, "quiet_hours"),
    ({"quotes_in_task": "no"}, "quotes_in_task must be true or false"),
    ({"rules_off": {E_RULE: "we know better"}}, "Only W and S rules can"),
    ({"rules_off": {"STR-99": "why not"}}, "There is no rule STR-99"),
    ({"rules_off": {"STR-9": " "}}, "reason why STR-9 is off"),
    ({"rules_off": ["STR-9"]}, "rules_off must name"),
    ({"lexicon": [{"phrase": "a"}] * 2}, "twice"),
    ({"lexicon": [{"phrase": "Touch  base"}, {"phrase": "touch base"}]}, "twice"),
    ({"lexicon": [{"phrase": "..."}]}, "at least one letter"),
    ({"lexicon": [{"phrase": "a\x00b"}]}, "printed"),
    ({"lexicon": [{"phrase": f"word {n}"} for n in range(201)]}, "at most 200"),
    ({"lexicon": ["synergy"]}, "`phrase`"),
    ({"accounts": {"owners": "U1"}}, "accounts.owners"),
    ({"accounts": {"least_value": -1}}, "accounts.least_value"),
    ({"accounts": {"region": "EMEA"}}, "nothing else"),
    ({"colour": "blue"}, "There is no such field"),
]


@pytest.mark.parametrize(("fields", "said"), REFUSED, ids=[f"{next(iter(f))}-{n}" for n, (f, _) in enumerate(REFUSED)])
def test_what_no_policy_can_hold_is_refused_by_the_name_of_its_field(fields, said):
    with pytest.raises(BadInput, match=said.replace("(", r"\(")):
        Policy().with_fields(fields)


def test_no_version_is_written_from_a_policy_that_somebody_else_has_changed_since(workspace: UUID):
    changed(workspace, most_open=3)
    with pytest.raises(Conflict, match="ann made version 1"):
        changed(workspace, from_version=0, most_open=4)
    assert stands(workspace).policy.most_open == 3


def test_a_change_that_changes_nothing_writes_no_version(workspace: UUID):
    assert changed(workspace, most_open=5).version == 0
    assert policy.change(workspace, {}, "ann", "", 0, AT).version == 0


def test_no_version_that_is_not_there_is_undone_and_none_that_is_undone_already(workspace: UUID):
    changed(workspace, most_open=3)
    with pytest.raises(NotFound):
        policy.undo(workspace, 2, "ann", AT)
    with pytest.raises(NotFound):
        policy.undo(builders.workspace(), 1, "ann", AT)
    policy.undo(workspace, 1, "ann", AT)
    with pytest.raises(Conflict, match="already"):
        policy.undo(workspace, 1, "ann", AT)


def test_a_stored_version_can_be_neither_changed_nor_deleted(workspace: UUID):
    changed(workspace, most_open=3)
    for statement in ("UPDATE policy SET version = 9", "DELETE FROM policy"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege), transaction(workspace) as db:
            db.execute(statement)


# Versions

POLICIES = st.builds(
    Policy,
    usage_budget=st.floats(0.01, 5),
    most_open=st.integers(1, 20),
    quotes_in_task=st.booleans(),
    quiet_hours=st.none() | st.just(Policy().with_fields({"quiet_hours": "18:00-08:00 Asia/Tokyo"}).quiet_hours),
    rules_off=st.dictionaries(st.sampled_from([r.id for r in rules() if r.severity != "E" and not r.locked]), st.sampled_from(["long mails", "as agreed"])),
    lexicon=st.lists(st.sampled_from("abcdef"), unique=True).map(lambda found: tuple(Phrase(phrase=p, say_instead=None) for p in found)),
    accounts=st.builds(
        Accounts,
        owners=st.none() | st.lists(st.sampled_from(["U1", "U2"]), unique=True).map(tuple),
        least_value=st.none() | st.floats(0, 1e9),
        left_out=st.lists(st.sampled_from(["A1", "A2"]), unique=True).map(tuple),
    ),
)


@example(Policy(accounts=Accounts(left_out=("A1", "A2"))), Policy(accounts=Accounts(left_out=("A2", "A1"))))
@given(POLICIES, POLICIES)
@settings(max_examples=25)
def test_a_policy_is_the_same_after_being_stored_and_two_that_differ_say_so_in_words(one: Policy, other: Policy):
    assert policy.read(json.loads(json.dumps(policy.to_document(one)))) == one
    assert (policy.difference(one, other) == []) == (one == other)


def test_a_document_of_before_a_field_was_there_has_its_default():
    assert policy.read({"most_open": 3}) == Policy(most_open=3)


def test_each_version_says_who_when_why_and_from_what_to_what(workspace: UUID):
    changed(workspace, "too many at once", most_open=3, usage_budget=0.3)
    with transaction(workspace) as db:
        [found] = policy.versions(db)
        [entry] = audit_log.listing(db, 10)
    assert (found.version, found.made_by, found.made_at, found.why) == (1, "ann", AT, "too many at once")
    assert list(found.changed) == ["False alarms of usage per account and year: 0.15 → 0.3", "Suggestions that one owner has open: 5 → 3"]
    assert (entry.action, entry.changed_by, entry.before, entry.after) == (
        "change policy", "ann", {"usage_budget": 0.15, "most_open": 5}, {"usage_budget": 0.3, "most_open": 3},
    )  # fmt: skip


def test_undoing_puts_back_what_that_version_changed_and_leaves_what_came_later(workspace: UUID):
    changed(workspace, most_open=3)
    changed(workspace, usage_budget=0.3)
    undone = policy.undo(workspace, 1, "bo", AT)
    assert (undone.version, undone.undoes, undone.made_by) == (3, 1, "bo")
    assert (undone.policy.most_open, undone.policy.usage_budget) == (5, 0.3)
    again = policy.undo(workspace, 3, "bo", AT)
    assert (again.policy.most_open, again.policy.usage_budget) == (3, 0.3)


@given(st.lists(st.tuples(st.sampled_from(["most_open", "usage_budget", "undo"]), st.integers(1, 5)), max_size=8))
@settings(max_examples=10)
def test_whatever_is_changed_and_undone_the_last_undone_change_comes_back_by_undoing_that(servers: str, steps: list[tuple[str, int]]):
    workspace = builders.workspace()
    for what, n in [*steps, ("most_open", 20)]:
        try:
            policy.undo(workspace, n, "ann", AT) if what == "undo" else changed(workspace, **{what: n})
        except (Conflict, NotFound):
            continue
    before = stands(workspace)
    assert policy.undo(workspace, policy.undo(workspace, before.version, "ann", AT).version, "ann", AT).policy == before.policy


# Accounts that are out


def out_of(filled: Filled) -> str:
    return f"A-{filled.mark[:20]}"


@pytest.mark.parametrize(
    "accounts", [{"left_out": ["A-Ours"]}, {"owners": ["U2"]}, {"owners": []}, {"least_value": 12000.5}], ids=["by key", "by owner", "nobody's", "by value"]
)
def test_an_account_that_is_out_loses_its_suggestion_and_its_task_is_told_so(workspace: UUID, accounts):
    ours = fill(workspace, "Ours")
    changed(workspace, accounts=accounts)
    assert suggest(workspace, NOW).closed == 1
    with transaction(workspace) as db:
        row = suggestions.get(db, ours.suggestion_id)
        assert row
        assert (row.state, row.close_reason) == ("closed", "out_of_scope")
        assert suggestions.open_suggestions(db) == []
        assert outbox.waiting(db, ours.connection_id) == [ours.suggestion_id]
    assert suggest(workspace, NOW).opened == 0


def test_an_account_that_is_in_again_has_the_same_suggestion_again(workspace: UUID):
    ours = fill(workspace, "Ours")
    changed(workspace, accounts={"left_out": ["A-Ours"]})
    suggest(workspace, NOW)
    policy.undo(workspace, 1, "ann", AT)
    assert suggest(workspace, NOW).opened == 1
    with transaction(workspace) as db:
        [row] = suggestions.open_suggestions(db)
    assert (row.suggestion_id, row.close_reason) == (ours.suggestion_id, None)


def test_an_account_whose_value_nobody_knows_is_not_left_out_for_it():
    scope = Accounts(least_value=1.0)
    assert scope.holds("A1", None, None)
    assert not scope.holds("A1", None, 0.5)


# Words and rules


def reviewed(text: str, found: Policy, lang: str = "en") -> list[tuple[str, str, str, str]]:
    return [(f.rule, f.severity, text[f.start : f.end], f.hint) for f in review(Draft(id="1", text=text, lang=lang), found.critic).findings if f.rule == "TEAM"]


LEXICON = Policy().with_fields({"lexicon": [{"phrase": "touch base", "say_instead": "talk"}, {"phrase": "Base"}, {"phrase": "größer"}]})


def test_a_part_of_a_word_and_the_buyers_own_words_are_not_the_teams():
    assert reviewed('We debase nothing, and "touch base" is what you wrote.', LEXICON) == []


@pytest.mark.parametrize(("text", "said"), [("Let's Touch\n  BASE soon.", "Touch\n  BASE"), ("Das wird GRÖßER.", "GRÖßER"), ("Our base holds.", "base")])
def test_a_phrase_of_the_team_is_found_as_whole_words_in_either_case(text, said):
    [(rule, severity, words, _)] = reviewed(text, LEXICON, "de")
    assert (rule, severity, words) == ("TEAM", "W", said)


def test_it_says_what_to_say_instead():
    assert reviewed("Could we touch base?", LEXICON)[0][3] == 'Say "talk" instead.'


def test_the_report_of_a_draft_knows_the_teams_words_and_the_draft_can_still_be_made_again(workspace: UUID):
    words = {"phrase": "price"}
    changed(workspace, lexicon=[words, {"phrase": "board"}, {"phrase": "the"}], rules_off={"STR-9": "long mails"})
    ours = fill(workspace, "Ours")
    [audited] = audit.audit(workspace, ours.suggestion_id)
    assert audited.verdict == "same"
    assert ("TEAM", "W") in audited.report.findings
    plain = fill(builders.workspace(), "Ours")
    [other] = audit.audit(plain.workspace_id, plain.suggestion_id)
    assert ("TEAM", "W") not in other.report.findings
    assert audited.report.checked == other.report.checked


# The API


@pytest.fixture(scope="module")
def api(servers: str) -> TestClient:
    return TestClient(create_app(), raise_server_exceptions=False)


def test_whoever_may_only_read_sees_it_and_changes_nothing(api, workspace):
    reader = key(workspace, "read")
    assert api.get("/v1/policy", headers=reader).json()["policy"]["most_open"] == 5
    assert_problem(api.put("/v1/policy", headers=reader, json={"from_version": 0, "policy": {"most_open": 3}}), 403)
    assert_problem(api.post("/v1/policy/versions/1/undo", headers=reader), 403)


def test_the_api_changes_lists_and_undoes(api, workspace):
    ours = key(workspace)
    body = {"from_version": 0, "why": "fewer", "policy": {"most_open": 3, "quiet_hours": "18:00-08:00 UTC"}}
    made = api.put("/v1/policy", headers=ours, json=body).json()
    assert (made["version"], made["policy"]["most_open"], made["why"]) == (1, 3, "fewer")
    assert made["made_by"].startswith("key ut_")
    assert "version 1" in assert_problem(api.put("/v1/policy", headers=ours, json=body), 409)
    assert api.post("/v1/policy/versions/1/undo", headers=ours).json()["policy"]["quiet_hours"] is None
    assert [v["version"] for v in api.get("/v1/policy/versions", headers=ours).json()["items"]] == [2, 1]
    assert [v["version"] for v in api.get("/v1/policy/versions", headers=ours, params={"before": 2}).json()["items"]] == [1]


def test_an_e_rule_is_never_switched_off(api, workspace):
    answer = api.put("/v1/policy", headers=key(workspace), json={"from_version": 0, "policy": {"rules_off": {E_RULE: "we know better"}}})
    assert assert_problem(answer, 422) == f"Rule {E_RULE} cannot be lowered or switched off. Only W and S rules can."


def test_a_review_goes_by_the_policy_of_the_keys_workspace(api, workspace):
    text = "Could we touch base about the vents? Unfortunately the term is two years."
    asked = {"drafts": [{"id": "1", "draft": text}]}
    changed(workspace, lexicon=[{"phrase": "touch base"}], rules_off={"STR-11": "our lawyers want it so"})
    ours, plain = (api.post("/v1/review", headers=key(w), json=asked).json()["items"][0] for w in (workspace, builders.workspace()))
    assert {f["rule"] for f in plain["findings"]} - {f["rule"] for f in ours["findings"]} == {"STR-11"}
    assert {f["rule"] for f in ours["findings"]} - {f["rule"] for f in plain["findings"]} == {"TEAM"}


def test_a_whole_number_may_be_written_with_a_point(api, workspace):
    made = api.put("/v1/policy", headers=key(workspace), json={"from_version": 0.0, "policy": {"most_open": 3.0}})
    assert made.json()["policy"]["most_open"] == 3


def test_a_draft_that_is_asked_for_is_the_same_under_every_policy_and_its_report_is_not(api, workspace):
    said = "We had to explain the new price to our board twice, and it is hard to defend."
    asked = {"drafts": [{"id": "1", "evidence": [{"id": "e", "type": "buyer_message", "text": said}], "situation": "price_objection"}]}
    plain = api.post("/v1/drafts", headers=key(workspace), json=asked).json()["items"][0]
    word = plain["draft"].split()[-1].strip(".?")
    changed(workspace, lexicon=[{"phrase": word}])
    ours = api.post("/v1/drafts", headers=key(workspace), json=asked).json()["items"][0]
    assert ours["draft"] == plain["draft"]
    assert "TEAM" in {f["rule"] for f in ours["report"]["findings"]}
    assert "TEAM" not in {f["rule"] for f in plain["report"]["findings"]}


# The command line


def ask(workspace: UUID, *words: str) -> str:
    done = CliRunner().invoke(app, ["policy", *words, "-w", f"test {workspace}"])
    if done.exception and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done.output


def test_the_command_sets_shows_lists_and_undoes(workspace: UUID):
    assert "Version 1" in ask(workspace, "set", "most_open=3", "accounts.least_value=5000", "rules_off.STR-9=long mails", "--why", "as agreed")
    assert json.loads(ask(workspace, "show").partition("\n}")[0] + "\n}")["accounts"]["least_value"] == 5000
    assert "Suggestions that one owner has open: 5 → 3" in ask(workspace, "history")
    assert ask(workspace, "set", "most_open=3") == "Nothing changed.\n"
    ask(workspace, "set", "rules_off.STR-9=")
    assert stands(workspace).policy.rules_off == {}
    ask(workspace, "undo", "1")
    assert stands(workspace).policy == Policy()


def test_the_command_refuses_what_is_no_field_and_value(workspace: UUID):
    for words, said in ((["most_open"], "FIELD=VALUE"), (["lexicon=@/nowhere.json"], "cannot be read"), (["most_open=many"], "most_open must be")):
        with pytest.raises(BadInput, match=said):
            ask(workspace, "set", *words)


def test_the_commands_of_before_write_versions(workspace: UUID):
    with transaction(workspace) as db:
        builders.connection(db)
    CliRunner().invoke(app, ["push", "--preview", "--no-words", "-w", f"test {workspace}"])
    CliRunner().invoke(app, ["score", "--usage-budget", "0.3", "-w", f"test {workspace}"])
    with transaction(workspace) as db:
        found = policy.versions(db)
    assert [(v.made_by, v.policy.usage_budget, v.policy.quotes_in_task) for v in found] == [("command line", 0.3, False), ("command line", 0.15, False)]


# From before there were versions


def test_the_migration_carries_over_what_was_decided_and_no_default(servers: str):
    """Applied once more to a workspace as it stood before, and rolled back."""
    from service.store import migrate

    text = next(m.text for m in migrate.migrations() if m.name.startswith("0018"))
    with psycopg.connect(servers) as db:
        db.execute("SET row_security = off")
        db.execute("DROP TABLE policy")
        db.execute(
            "ALTER TABLE workspace ADD COLUMN usage_budget double precision NOT NULL DEFAULT 0.15, ADD COLUMN quotes_in_task boolean NOT NULL DEFAULT true,"
            " ADD COLUMN quiet_from time, ADD COLUMN quiet_until time, ADD COLUMN quiet_zone text"
        )
        one, other = uuid4(), uuid4()
        db.cursor().executemany("INSERT INTO workspace (workspace_id, name) VALUES (%s, %s)", [(one, f"one {one}"), (other, f"other {other}")])
        db.execute("UPDATE workspace SET usage_budget = 0.4, quiet_from = '18:00', quiet_until = '08:00', quiet_zone = 'UTC' WHERE workspace_id = %s", [one])
        db.execute(text.encode())
        rows = dict(db.execute("SELECT workspace_id, document FROM policy WHERE workspace_id = ANY(%s)", [[one, other]]).fetchall())
        db.rollback()
    assert rows == {one: {"usage_budget": 0.4, "quiet_hours": "18:00-08:00 UTC"}}
    assert policy.read(rows[one]) == Policy().with_fields(rows[one])


def test_the_lowered_cap_takes_nothing_away_and_holds_back_what_is_new(workspace: UUID):
    from service.store import signals, workspaces

    with transaction(workspace) as db:
        connection_id = builders.connection(db)
        for n in range(4):
            account_id = builders.account(db, connection_id, key=f"K{n}", name=f"Account {n}")
            signals.append(db, [builders.signal(account_id)], "m", workspaces.next_change(db))
    changed(workspace, most_open=2)
    assert suggest(workspace, NOW).opened == 2
    changed(workspace, most_open=1)
    assert suggest(workspace, NOW + timedelta(days=1)).closed == 0
