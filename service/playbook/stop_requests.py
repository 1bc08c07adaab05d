"""Requests in a buyer's own text not to be written to any more: offered to a person to confirm, never taken for their wish by ourselves."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files

import yaml

from ml.text import sentences

LONGEST = 400
"""Characters of a sentence that are looked at."""
_STRAIGHT = str.maketrans({"’": "'", "\u00a0": " ", "\n": " ", "\t": " ", "\r": " "})


def stop_requests(text: str) -> list[tuple[int, int]]:
    """Spans of the sentences that ask for it."""
    return [(start, end) for start, end in sentences(text) if _asks(text[start:end][:LONGEST])]


def _asks(sentence: str) -> bool:
    plain = re.sub(" +", " ", sentence.translate(_STRAIGHT)).strip()
    found = _list("asks").search(plain)
    return found is not None and _list("unless").search(plain[: found.start()]) is None


@cache
def _list(name: str) -> re.Pattern[str]:
    raw = yaml.safe_load((files("service.playbook") / "stop_requests.yaml").read_text(encoding="utf-8"))
    return re.compile("|".join(f"(?:{line})" for line in raw[name]), re.IGNORECASE)
