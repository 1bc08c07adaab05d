"""Sentences that tell whoever or whatever writes the answer what to write. None of their words is ever given back, nor of those beside them.

ml.orders knows the forms of orders to a machine; here is what a person could be told as well: "work the term copper walrus into your reply".
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

from ml.expressions import Pattern, one_of
from ml.text import sentences
from service.drafting.lexicon import lowered, read

Span = tuple[int, int]
_QUOTES = re.compile(r"[\"“”„«»‹›]|(?<!\w)['‘][^'’]+['’](?!\w)")
_HIDDEN = re.compile(r"[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]")


def is_order(sentence: str) -> bool:
    return _of("sure").search(_plain(sentence)) is not None


def may_be_order(sentence: str) -> bool:
    """An honest request has the same form now and then, so that only the sentence itself is left out."""
    return _of("perhaps").search(_plain(sentence)) is not None


def without_orders(text: str, spans: Sequence[Span], orders: Sequence[Span]) -> list[Span]:
    """What of these spans no order touches, nor what stands beside one."""
    if not orders:
        return list(spans)
    found, marked = _sentences(text, spans), frozenset(orders)
    cut = [_around(text, found, n) for n, span in enumerate(found) if span in marked]
    return [part for span in spans for part in _without(span, sorted(cut))]


def without_requests(text: str, spans: Sequence[Span], *, is_ordered: bool) -> list[Span]:
    """Beside a request or an order, what stands in quotation marks may be meant for it."""
    found = _sentences(text, spans)
    cut = [(s, e) for s, e in found if may_be_order(text[s:e])]
    if cut or is_ordered:
        cut = sorted({*cut, *((s, e) for s, e in found if _QUOTES.search(text, s, e))})
    return [part for span in spans for part in _without(span, cut)]


def _sentences(text: str, spans: Sequence[Span]) -> list[Span]:
    return [(s + a, s + b) for s, e in spans for a, b in sentences(text[s:e])]


def _around(text: str, found: Sequence[Span], n: int) -> Span:
    """The sentence behind it, and all of its paragraph where it speaks of that, or talks to a machine; what stands before where it points there."""
    start, end = found[n]
    said = _plain(text[start:end])
    first = 0 if _points("back").search(said) else n
    if _points("on").search(said) or not is_order(said):
        return found[first][0], _end_of_paragraph(text, end)
    return found[first][0], found[min(n + 1, len(found) - 1)][1]


def _end_of_paragraph(text: str, start: int) -> int:
    end = text.find("\n\n", start)
    return len(text) if end < 0 else end


def _without(span: Span, cut: Sequence[Span]) -> Iterator[Span]:
    start, end = span
    for s, e in cut:
        if e <= start or s >= end:
            continue
        if s > start:
            yield start, s
        start = e
    if start < end:
        yield start, end


def _plain(sentence: str) -> str:
    return " ".join(lowered(unicodedata.normalize("NFKC", _HIDDEN.sub("", sentence))).split())


@cache
def _of(kind: str) -> Pattern:
    """Of all languages: an order may be in another than the message."""
    stored: dict[str, Any] = read("lists/orders.yaml")
    told_to, writing = stored["told_to"], stored["writing"]
    return one_of(line.replace("{told_to}", told_to).replace("{writing}", writing.get(lang, "")) for lang, lines in stored[kind].items() for line in lines)


@cache
def _points(where: str) -> re.Pattern[str]:
    return re.compile("|".join(read("lists/orders.yaml")[f"points_{where}"]))
