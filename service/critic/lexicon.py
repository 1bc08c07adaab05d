"""Word lists and patterns that rules share, by language."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

from ml import moves
from ml.expressions import Pattern, one_of

LANGUAGES = ("en", "de", "fr", "es", "pt")


def language(lang: str | None) -> str:
    """One of LANGUAGES; English for what is none of them."""
    known = (lang or "en").lower()[:2]
    return known if known in LANGUAGES else "en"


@cache
def words(name: str, lang: str) -> frozenset[str]:
    return frozenset(stored("words")[name].get(lang, "").split())


@cache
def pattern(name: str, lang: str) -> re.Pattern[str]:
    """Any word of a list: whole words, but for what ends in an asterisk. An underscore stands for white space."""
    return _any_of(words(name, lang))


@cache
def named(file: str, lang: str) -> re.Pattern[str]:
    """Any of the `names` of another file."""
    return _any_of(frozenset(stored(file)["names"][lang].split()))


def _any_of(kept: frozenset[str]) -> re.Pattern[str]:
    parts = [re.escape(word).replace(r"\*", r"\w*").replace("_", r"\s+") for word in sorted(kept, key=lambda word: (-len(word), word))]
    return re.compile(rf"(?<![\w-])(?:{'|'.join(parts)})(?![\w-])")


def phrases(name: str, lang: str) -> Pattern:
    return expressions("phrases", name, lang)


@cache
def expressions(file: str, name: str, lang: str) -> Pattern:
    """Any of the regular expressions of a list in `lists/<file>.yaml`; those of moves lie with the model of them."""
    if file == moves.NAME:
        return moves.expressions(name, lang)
    kept = stored(file)[name]
    return one_of([*kept.get(lang, ()), *kept.get("any", ())])


@cache
def stored(name: str) -> Any:
    return yaml.load((files("service.critic") / "lists" / f"{name}.yaml").read_bytes(), Loader=yaml.CSafeLoader)
