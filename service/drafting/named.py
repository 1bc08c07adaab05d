"""Where a text names somebody whose name is known. Grace, Mark and May are words as well: those count only where a name would stand, and inside a German
sentence, where every noun has a capital, only beside another name or a title."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache

import numpy as np

from ml.reader import load
from ml.tokens import checksum
from service.critic import lexicon as critic
from service.drafting.lexicon import has_verb
from service.drafting.names import TITLES
from service.drafting.signed import name_lines

_GREETS = frozenset("dear hi hello hey morning thanks regards best cheers liebe lieber hallo bonjour chère cher hola estimada estimado olá cara caro".split())
_BEFORE, _BEHIND = re.compile(r"([^\W_]+)\.?[ ,]*$"), re.compile(r"[ ]*([^\W_]+)?")
_WITHIN = re.compile(r"[^\W_][,;:’'\"(–-]* +[\"“„«(]?$")
"""What stands before a word inside a sentence."""
_ENDS = re.compile(r"['’]s\b|[ ]*(?:[,.!?;:\n]|$)")
"""What stands behind a word that is a sentence of its own, or an address."""
_CLOSES = re.compile(r"\.?[ ]*(?:\n|$)")
_DATES = frozenset("in of on since until till by early late mid next last this every from to before after and or end through".split())


def mentioned(text: str, parts: Sequence[str], lang: str, *, is_theirs: bool = False) -> Iterator[tuple[str, int, int]]:
    """(part of the name, start, end) in the order of the text. `is_theirs`: they wrote it,
    and whom they call "Mrs Adair" inside a sentence is somebody else."""
    lines, known = name_lines(text, parts), {_key(part): part for part in parts}
    written = "|".join(re.escape(part).replace("’", "'").replace("'", "['’]") for part in sorted(parts, key=len, reverse=True))
    for match in re.finditer(rf"(?<!\w)(?:{written})(?!\w)", text, re.IGNORECASE):
        part = known.get(_key(match[0]))
        if part and is_theirs and _is_of_another(text, match.start(), lines):
            continue
        if part and (_is_in(match.start(), lines) or (_is_cased(match[0], part) and _is_name(text, match.span(), part, frozenset(known), lang))):
            yield part, *match.span()


def _is_of_another(text: str, start: int, lines: Sequence[tuple[int, int]]) -> bool:
    """Behind a title, in a sentence, and in no line that holds a name alone."""
    titled = _BEFORE.search(text, max(0, start - 40), start)
    if titled is None or titled[1].lower() not in TITLES or _is_in(start, lines):
        return False
    before = text[max(text.rfind("\n", 0, titled.start()) + 1, titled.start() - 80) : titled.start()].strip(" >")
    return bool(before) and before.split()[-1].lower().strip(",:") not in _GREETS | {"from", "to", "von", "this", "is", "i'm", "am"}


def _key(name: str) -> str:
    return name.casefold().replace("’", "'")


def _is_in(place: int, spans: Sequence[tuple[int, int]]) -> bool:
    return any(start <= place < end for start, end in spans)


def _is_cased(said: str, part: str) -> bool:
    said, part = said.replace("’", "'"), part.replace("’", "'")
    return said == part or (said == part.upper() and len(part) > 1)


def _is_name(text: str, span: tuple[int, int], part: str, known: frozenset[str], lang: str) -> bool:
    low = part.lower()
    if not _is_word(low):
        return True
    before, behind = _BEFORE.search(text, max(0, span[0] - 40), span[0]), _BEHIND.match(text, span[1])
    first, last = (before[1].lower() if before else ""), (behind[1] or "").lower() if behind else ""
    if first in known or last in known or first in TITLES | _GREETS:
        return True
    if low in _calendar() and (first in _DATES or first.isdigit() or last.isdigit()):
        return False
    if _WITHIN.search(text, max(0, span[0] - 6), span[0]):
        return lang != "de"
    if low in _calendar():
        return _CLOSES.match(text, span[1]) is not None
    return _ENDS.match(text, span[1]) is not None or has_verb([last])


@cache
def _calendar() -> frozenset[str]:
    kept = critic.stored("quantities")
    return frozenset(word for lang in critic.LANGUAGES for word in (*kept["months"][lang], *kept["weekdays"][lang]))


@cache
def is_plain_plural(word: str) -> bool:
    """The plural of a word of some length, and no name."""
    low = word.lower()
    return (
        len(low) > _LEAST_PLAIN
        and low.endswith("s")
        and low.isalpha()
        and low not in _calendar()
        and low not in TITLES
        and _is_word(low)
        and _is_word(low[:-1])
    )


_LEAST_PLAIN = 4


def _is_word(lower: str) -> bool:
    """Ordinary text writes it in lower case."""
    sums = load().model.masker.vocabulary
    return bool(sums[min(int(np.searchsorted(sums, checksum(lower))), len(sums) - 1)] == checksum(lower))
