"""What of a message is never given back, whatever it says: orders to whoever writes the answer, and what would read as a promise of ours."""

from __future__ import annotations

import re
from functools import cache

from service.drafting.lexicon import lowered, read


def is_unsafe(text: str) -> bool:
    return _never().search(lowered(text).strip()) is not None


@cache
def _never() -> re.Pattern[str]:
    kept: dict[str, list[str]] = read("lists/unsafe.yaml")
    return re.compile("|".join(line for lines in kept.values() for line in lines))
