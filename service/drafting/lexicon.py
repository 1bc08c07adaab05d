"""The engine's own lists of words. Those of English lie in `words.yaml` and `readings.yaml`, all of another language in a file of its own."""

from __future__ import annotations

import re
from collections.abc import Iterable, Set
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

from ml.text import sentences
from service.critic import lexicon as critic

_LETTERS = re.compile(r"[^\W\d_]+")
WORD = re.compile(r"[^\W_]+(?:['’.:,-][^\W_]+)*%?")


@cache
def words(name: str) -> frozenset[str]:
    """Of English."""
    found: dict[str, str] = read("lists/words.yaml")
    return frozenset(found[name].split())


@cache
def of_language(lang: str) -> Any:
    """All lists of a language other than English."""
    return read(f"lists/{lang}.yaml")


@cache
def any_of(name: str, lang: str) -> re.Pattern[str]:
    """Any word of a list, an underscore standing for a blank."""
    kept = sorted(of_language(lang)[name].split(), key=len, reverse=True)
    return re.compile(rf"(?<![\w'-])(?:{'|'.join(re.escape(word).replace('_', ' ') for word in kept)})(?![\w-])", re.IGNORECASE)


@cache
def expression(name: str, lang: str) -> re.Pattern[str]:
    """Any of the regular expressions of a list."""
    return re.compile("|".join(of_language(lang)[name]), re.IGNORECASE)


@cache
def read(path: str) -> Any:
    return yaml.safe_load((files("service.drafting") / path).read_text(encoding="utf-8"))


def tokens(text: str) -> list[str]:
    return [token.lower().replace("’", "'") for token in WORD.findall(text)]


def has_verb(found: Iterable[str], but: Set[str] = frozenset()) -> bool:
    """Of English tokens: a form that a sentence can stand on, as far as one can tell. `but`: forms that are nouns as often."""
    return any((t in words("finite") and t not in but) or (t.endswith("ed") and len(t) > 4) for t in found)


_ORDINAL = re.compile(r"(?<!\d)\d{1,2}\.$")
_GOES_ON = re.compile(r"[a-zäöü]|(?:Januar|Februar|März|April|Mai|Juni|Juli|August|September|Oktober|November|Dezember|Quartal)\b")


def sentences_of(text: str, lang: str) -> list[tuple[int, int]]:
    """Spans. The full stop of a German ordinal ends none: "am 1. Juli"."""
    found: list[tuple[int, int]] = []
    for start, end in sentences(text):
        is_one = lang == "de" and found and _ORDINAL.search(text[slice(*found[-1])]) and _GOES_ON.match(text, start)
        found.append((found.pop()[0] if is_one else start, end))
    return found


def lowered(text: str) -> str:
    return text.lower().replace("’", "'")


def speaks(text: str, lang: str) -> bool:
    """Whether no other language has more of its common words in it. True for a text that has none of any."""
    found = _LETTERS.findall(lowered(text))
    hits = {language: sum(word in critic.words("stop", language) for word in found) for language in critic.LANGUAGES}
    return hits[lang] == max(hits.values())
