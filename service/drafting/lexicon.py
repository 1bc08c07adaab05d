"""The engine's own lists of words."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

WORD = re.compile(r"[^\W_]+(?:['’.:,-][^\W_]+)*%?")


@cache
def words(name: str) -> frozenset[str]:
    return frozenset(_lists()[name].split())


@cache
def _lists() -> dict[str, str]:
    found: dict[str, str] = read("lists/words.yaml")
    return found


def read(path: str) -> Any:
    return yaml.safe_load((files("service.drafting") / path).read_text(encoding="utf-8"))


def tokens(text: str) -> list[str]:
    return [token.lower().replace("’", "'") for token in WORD.findall(text)]
