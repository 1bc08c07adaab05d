"""Which language a text is in, by its common words."""

from __future__ import annotations

from functools import cache

import numpy as np

from ml import artifact
from ml.features import Hashes, Tokens, checksum
from ml.labels import LANGUAGES, Language

FEWEST = 0.04
"""Share of common words below which no language is known; a text of one to four words needs one."""


def languages(t: Tokens) -> list[Language]:
    """Of each unit."""
    hits = np.column_stack([t.count(np.isin(t.hashes, common)) for common in _common()])
    best = hits.argmax(axis=1)
    known = hits.max(axis=1) > np.maximum(FEWEST * t.words, 0.5)
    return [LANGUAGES[place] if sure else "unknown" for place, sure in zip(best, known, strict=True)]


@cache
def _common() -> tuple[Hashes, ...]:
    words = artifact.words("languages")
    return tuple(np.array(sorted(checksum(word) for word in words[language].split()), dtype=np.uint64) for language in LANGUAGES)
