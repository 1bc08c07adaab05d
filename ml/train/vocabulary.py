"""Which words ordinary text uses, to tell them from names: see ml.masking."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence

import numpy as np

from ml import artifact
from ml.labels import LANGUAGES
from ml.masking import Masker, pairs
from ml.text import sentences
from ml.tokens import Hashes, checksum, tokens
from ml.train.corpus import Row

FEWEST_BRIEFS = 3
"""A word that fewer briefs use is not taken for an ordinary one."""
FEWEST_BARE = 2
"""Likewise, of a word in a place where a name could stand."""
_WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)?")
_OPENER = re.compile(r"([^\W\d_]+(?:'[^\W\d_]+)?)[\s,]+[^\W\d_a-z]")
_TWO = re.compile(r"([^\W\d_]+(?:'[^\W\d_]+)?)\s+([^\W\d_]+(?:'[^\W\d_]+)?)")
_EACH_TWO = re.compile(r"(?<![^\W\d_])([^\W\d_]+)\s+(?=([^\W\d_]+))")
_DETERMINED = re.compile(
    r"\b(?:d(?:er|ie|as|en|em|es)|(?:k?ein|mein|dein|sein|ihr|unser|euer|dies|jed|welch)(?:e[rsnm]?)?|[ai]m|[zv]om|zu[mr]|beim|ins|ans|viel\w*|[a-zäöüß]{4,}(?:e[rsnm]?))\s+"
    r"([A-ZÄÖÜ][^\W\d_]+)"
)


def masker(rows: Sequence[Row]) -> Masker:
    named, german = _names(rows), [r for r in rows if r.language == "de"]
    return Masker(
        vocabulary=_shared(rows, _lower),
        german=_shared(german, _lower),
        nouns=_shared(german, lambda r: (word for word in _nouns(r) if word not in named)),
        openers=_shared(rows, _openers),
        subjects=_shared(rows, _subjects, FEWEST_BARE),
        led=_led(rows),
    )


def _shared(rows: Iterable[Row], words: Callable[[Row], Iterable[str]], fewest: int = FEWEST_BRIEFS) -> Hashes:
    """Ascending checksums of the words that several briefs use."""
    return np.array(sorted(map(checksum, _used(rows, words, fewest))), dtype=np.uint64)


def _used(rows: Iterable[Row], words: Callable[[Row], Iterable[str]], fewest: int) -> set[str]:
    users: defaultdict[str, set[str]] = defaultdict(set)
    for r in rows:
        for word in words(r):
            users[word].add(r.brief)
    return {word for word, briefs in users.items() if len(briefs) >= fewest}


def _words(r: Row) -> list[str]:
    return _WORD.findall(r.own.replace("’", "'"))


def _lower(r: Row) -> Iterable[str]:
    return (word for word in _words(r) if word.islower())


def _nouns(r: Row) -> Iterable[str]:
    """Words with a capital inside a sentence."""
    return (word.lower() for start, end in sentences(r.own) for word in _WORD.findall(r.own[start:end].replace("’", "'"))[1:] if word[0].isupper())


def _names(rows: Sequence[Row]) -> set[str]:
    """Words in German text that are written with a capital elsewhere too, and have hardly ever an article or an adjective before them."""
    german, others = [r for r in rows if r.language == "de"], [r for r in rows if r.language != "de"]
    capital = _used(others, _nouns, FEWEST_BARE)
    determined = _used(german, lambda r: (w.lower() for w in _DETERMINED.findall(r.own)), FEWEST_BARE)
    return capital - determined - _used(rows, _lower, FEWEST_BRIEFS)


def _openers(r: Row) -> Iterable[str]:
    """Words at the start of a sentence that a capitalised one follows."""
    own = r.own.replace("’", "'")
    return (found[1].lower() for start, end in sentences(own) if (found := _OPENER.match(own, start, end)))


def _subjects(r: Row) -> Iterable[str]:
    own, done = r.own.replace("’", "'"), set(artifact.words("names")[f"done_{r.language}"].split()) if r.language in LANGUAGES else set()
    return (found[1].lower() for start, end in sentences(own) if (found := _TWO.match(own, start, end)) and found[2] in done)


def _led(rows: Sequence[Row]) -> Hashes:
    leads = set(artifact.words("names")["german_places"].split())

    def ordinary(r: Row) -> Iterable[str]:
        return (f"{a.lower()} {b.lower()}" for a, b in _EACH_TWO.findall(r.own) if a.lower() in leads and b[0].isupper())

    found = sorted(_used((r for r in rows if r.language == "de"), ordinary, FEWEST_BARE))
    return np.array(sorted(int(pairs(tokens([two]))[1]) for two in found), dtype=np.uint64)
