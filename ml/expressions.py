"""Many regular expressions as one. They are written for text in lower case; a blank in them stands for any white space."""

from __future__ import annotations

import re
from collections.abc import Iterable

Pattern = re.Pattern[str]
_BEHIND = re.compile(r"(\(\?<[=!](?:\[[^\]]*\]|[^()\[\]])*\))")


def one_of(written: Iterable[str]) -> Pattern:
    """Without any, nothing matches."""
    return re.compile("|".join(f"(?:{_spaced(expression)})" for expression in written) or r"(?!)", re.MULTILINE)


def _spaced(expression: str) -> str:
    """What looks behind must have one width, and takes one blank."""
    return "".join(part.replace(" ", r"\s" if _BEHIND.fullmatch(part) else r"\s+") for part in _BEHIND.split(expression))
