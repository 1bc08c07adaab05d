"""What must hold when a sequence is over, counted from the org and from the store; the step under test has no say in it."""

from __future__ import annotations

from collections import Counter

from service.store import suggestions
from service.store.pool import transaction
from service.task import key_of
from tests.e2e.sequences import MOST_ROUNDS, World


def faults_of(one: World, rounds: int) -> dict[str, object]:
    """By name, whatever is wrong; empty when all is well."""
    found: dict[str, object] = {**_of_rows(one), **_of_tasks(one), "workers that crashed": one.crashed}
    if rounds > MOST_ROUNDS:
        found["stuck"] = _standing(one)
    return {name: value for name, value in found.items() if value}


def _of_rows(one: World) -> dict[str, object]:
    there = {r["Id"]: r for r in one.rows("SELECT Id, TextBody, RelatedToId FROM EmailMessage")}
    with transaction(one.workspace_id) as db:
        ours = db.execute(
            "SELECT i.key, t.body, a.key FROM interaction i LEFT JOIN message_text t USING (workspace_id, interaction_id)"
            " LEFT JOIN account a ON a.account_id = i.account_id WHERE i.kind = 'email' AND NOT i.deleted"
        ).fetchall()
    keys = Counter(key for key, _, _ in ours)
    texts = {key: body for key, body, _ in ours}
    return {
        "rows lost": sorted(there.keys() - keys.keys()),
        "rows that are not there": sorted(keys.keys() - there.keys()),
        "rows twice": [key for key, n in keys.items() if n > 1],
        "rows of old words": [key for key, row in there.items() if texts.get(key, row["TextBody"]) != row["TextBody"]],
        "rows with another account": [key for key, _, account in ours if key in there and account != one.account_today(there[key]["RelatedToId"])],
    }


def _of_tasks(one: World) -> dict[str, object]:
    live = {t["Id"]: t for t in one.tasks()}
    count = Counter(one.key_of_task(t) for t in live.values())
    keys = {key_of(one.workspace_id, s): account for s, account in one.made.items()}
    ended = {one.key_of_task(t) for t in _deleted(one)}
    return {
        "tasks lost": [key for key in keys.keys() - _closed(one) if not count[key] and key not in ended],
        "tasks twice": [key for key, n in count.items() if n > 1],
        "tasks made again": [key for key in ended if count[key]],
        "tasks at another account": [t["Id"] for t in live.values() if t["WhatId"] != one.account_today(keys[one.key_of_task(t)])],
        "people's edits overwritten": [(t["Id"], name) for t in live.values() for name, wanted in one.edited.get(t["Id"], {}).items() if t[name] != wanted],
    }


def _closed(one: World) -> set[str]:
    """Suggestions that ended, as when two accounts with one each became one account: before its push such a one needs no task."""
    with transaction(one.workspace_id) as db:
        return {key_of(one.workspace_id, s.suggestion_id) for s in suggestions.by_ids(db, list(one.made)) if s.state == "closed"}


def _deleted(one: World) -> list[dict[str, object]]:
    rows = one.rows("SELECT Id, Description, IsDeleted FROM Task", deleted=True)
    return [r for r in rows if r["IsDeleted"] and r["Id"] in one.ended]


def _standing(one: World) -> object:
    with transaction(one.workspace_id) as db:
        waiting = db.execute("SELECT state, error FROM outbox WHERE state <> 'done'").fetchall()
        return waiting, db.execute("SELECT name, error FROM stream WHERE error IS NOT NULL").fetchall()
