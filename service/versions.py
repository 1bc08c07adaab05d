"""Which engine and which rules a draft was made with: a name, and a hash of every file that has a say in it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from service.drafting.seed import ENGINE

ROOT = Path(__file__).parents[1]
_RULES = ("service/critic/**/*",)
_ENGINE = (
    *("service/drafting/**/*", "service/playbook/drafting.py", "service/playbook/offers.yaml", "service/playbook/render.py", "service/playbook/usage_words.py"),
    *("ml/*.py", "ml/words/*", "ml/models/moves.*", "ml/models/reading.*", "ml/models/sentiment.*"),
)
_KINDS = frozenset({".py", ".yaml", ".tsv", ".json", ".npz"})


@cache
def rules_version() -> str:
    return f"rules-{_hash(_RULES)}"


@cache
def engine_version() -> str:
    """The rules are not in it: they only choose among what it writes, and have a version of their own."""
    return f"{ENGINE}-{_hash(_ENGINE)}"


def _hash(patterns: Iterable[str]) -> str:
    total = hashlib.sha256()
    for path in sorted({p for pattern in patterns for p in ROOT.glob(pattern) if p.suffix in _KINDS}):
        total.update(f"{path.relative_to(ROOT).as_posix()}\0".encode() + hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()[:12]
