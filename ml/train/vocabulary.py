"""Which words ordinary text uses, to tell them from names: see ml.masking."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence

import numpy as np

from ml.masking import Masker
from ml.text import sentences
from ml.tokens import Hashes, checksum
from ml.train.corpus import Row

FEWEST_BRIEFS = 3
"""A word that fewer briefs use is not taken for an ordinary one."""
_WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)?")
_OPENER = re.compile(r"([^\W\d_]+(?:'[^\W\d_]+)?)[\s,]+[^\W\d_a-z]")


def masker(rows: Sequence[Row]) -> Masker:
    return Masker(_shared((word, r.brief) for r in rows for word in _ordinary(r)), _shared((word, r.brief) for r in rows for word in _openers(r)))


def _shared(uses: Iterable[tuple[str, str]]) -> Hashes:
    """Ascending checksums of the words that several briefs use."""
    users: defaultdict[str, set[str]] = defaultdict(set)
    for word, brief in uses:
        users[word].add(brief)
    return np.array(sorted(checksum(word) for word, briefs in users.items() if len(briefs) >= FEWEST_BRIEFS), dtype=np.uint64)


def _ordinary(r: Row) -> Iterable[str]:
    """Words in lower case; in German also nouns."""
    return (word.lower() for word in _WORD.findall(r.own.replace("’", "'")) if word.islower() or r.language == "de")


def _openers(r: Row) -> Iterable[str]:
    """Words at the start of a sentence that a capitalised one follows."""
    own = r.own.replace("’", "'")
    return (found[1].lower() for start, end in sentences(own) if (found := _OPENER.match(own, start, end)))
