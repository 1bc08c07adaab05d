"""Which language a text is in, by its common words."""

from __future__ import annotations

import numpy as np

from ml.labels import LANGUAGES, Language
from ml.tokens import Tokens

FEWEST = 0.04
"""Share of common words below which no language is known; a text of one to four words needs one."""


def languages(t: Tokens) -> list[Language]:
    """Of each unit."""
    hits = np.column_stack([t.count(t.has(language)) for language in LANGUAGES])
    best = hits.argmax(axis=1)
    known = hits.max(axis=1) > np.maximum(FEWEST * t.words, 0.5)
    return [LANGUAGES[place] if sure else "unknown" for place, sure in zip(best, known, strict=True)]
