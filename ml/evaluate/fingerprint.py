"""What each card speaks of, by hash: a card is stale when the hash it bears differs from the tree's."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

from ml.artifact import MODELS

SOURCES = Path(__file__).parent.parent
OF_USAGE = ("usage/*.py", "evaluate/usage/*.py")
TRAINING_OF_USAGE = "train/usage.py"
"""No figure depends on it: what it writes is among the models."""
SHARED = ("artifact.py", "calendar.py", "trees.py", "evaluate/fingerprint.py")
"""What usage figures depend on of the rest."""


def of_text() -> str:
    return _hash(files_of_text())


def of_usage() -> str:
    return _hash(files_of_usage())


def files_of_text() -> set[Path]:
    """Models, code and data of the readers: everything but what usage alone needs."""
    apart = {*_usage_models(), *_found(OF_USAGE), SOURCES / TRAINING_OF_USAGE}
    return {*MODELS.glob("*"), *_found(("**/*.py", "words/*", "data/**/*.ndjson"))} - apart


def files_of_usage() -> set[Path]:
    """Models and code of the usage detector and of its evaluation."""
    return {*_usage_models(), *_found((*OF_USAGE, *SHARED))}


def _usage_models() -> set[Path]:
    return set(MODELS.glob("usage.*"))


def _found(patterns: Iterable[str]) -> set[Path]:
    return {path for pattern in patterns for path in SOURCES.glob(pattern)}


def _hash(paths: Iterable[Path]) -> str:
    total = hashlib.sha256()
    for path in sorted(paths):
        total.update(f"{path.relative_to(SOURCES)}\0".encode() + hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()[:16]
