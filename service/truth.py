"""A story's truth against what was found: for tests and the demo's last table, never for a detector."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Planted:
    account: str
    kind: str
    start: date
    end: date


@dataclass(frozen=True, slots=True)
class Found:
    account: str
    kind: str
    detected_at: date


@dataclass(frozen=True, slots=True)
class Truth:
    planted: Sequence[Planted]
    quiet: frozenset[str]


@dataclass(frozen=True, slots=True)
class Comparison:
    """`per_kind`: kind -> (found, planted). Found: a signal of that kind, first raised inside the window."""

    per_kind: Mapping[str, tuple[int, int]]
    missed: Sequence[Planted]
    false_alarms: Sequence[str]


def load(story: Path) -> Truth:
    """Accounts by name: that is what a CRM shows."""
    names = {row["key"]: row["name"] for row in map(json.loads, (story / "accounts.ndjson").read_text("utf-8").splitlines())}
    raw = json.loads((story / "truth.json").read_text("utf-8"))
    planted = [Planted(names[p["account"]], p["kind"], date.fromisoformat(p["from"]), date.fromisoformat(p["to"])) for p in raw["planted"]]
    return Truth(planted, frozenset(names[k] for k in raw["quiet"]))


def compare(truth: Truth, found: Iterable[Found], open_accounts: Collection[str]) -> Comparison:
    """`open_accounts`: those with an open suggestion on the last day; on a quiet account that is a false alarm."""
    raised = list(found)
    hits = {p: any(_matches(p, f) for f in raised) for p in truth.planted}
    kinds = dict.fromkeys(p.kind for p in truth.planted)
    per_kind = {k: (sum(hit for p, hit in hits.items() if p.kind == k), sum(p.kind == k for p in truth.planted)) for k in kinds}
    return Comparison(per_kind, [p for p, hit in hits.items() if not hit], sorted(truth.quiet & set(open_accounts)))


def _matches(planted: Planted, found: Found) -> bool:
    return planted.account == found.account and planted.kind == found.kind and planted.start <= found.detected_at <= planted.end
