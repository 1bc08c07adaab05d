"""The last look at a draft: what must not be in it, whoever wrote the phrases. Works on the text that would be shown."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

from service.playbook.facts import Facts
from service.playbook.render import show
from service.playbook.wording import folded
from service.signals import Case, Move, Quote, Segment

LEAST_WORDS, MOST_WORDS = 35, 170
MOST_SENTENCE = 40
MOST_QUESTIONS = 2
QUOTE_SHARE = 0.30
_ORDER: dict[Move, int] = {"GREET": 0, "ACK": 1, "VAL": 2, "INFO": 3, "REF": 3, "ASK": 3, "CHK": 4, "CLOSE": 5}
_NO_FEELINGS = frozenset({"silence", "usage_drop", "unanswered_question"})
"""Kinds whose evidence is a gap or a number: nothing is known about anybody's feelings."""

_NUMBER = re.compile(r"\d[\d.,]*\d|\d")
_SENTENCE = re.compile(r"(?<=[.?!])\s+|\n+")
_WORD = re.compile(r"[\w'’-]+")


def faults(draft: Sequence[Segment], case: Case, facts: Facts) -> list[str]:
    """Names of the rules that this draft breaks; empty for one that may be shown."""
    ours = show(draft, lambda _: "Words").replace('"Words"', "Words")
    return list(_faults(draft, ours, case, facts))


def _faults(draft: Sequence[Segment], ours: str, case: Case, facts: Facts) -> Iterator[str]:
    body = _without_names(ours, case)
    yield from (f"ban:{name}" for name, patterns in rules()["bans"].items() if any(p.search(body) for p in patterns))
    if [_ORDER[s.move] for s in draft] != sorted(_ORDER[s.move] for s in draft):
        yield "order"
    if not 1 <= ours.count("?") <= MOST_QUESTIONS + _asked(facts) or not any(s.move == "CHK" for s in draft):
        yield "questions"
    yield from _shape(draft, body, facts)
    yield from _feelings(body, case)
    if set(_NUMBER.findall(body)) - _known_numbers(facts):
        yield "number without a source"
    if any(isinstance(p, Quote) and (facts.quote is None or p != facts.quote.quote) for s in draft for p in s.parts):
        yield "quote without a source"


def _shape(draft: Sequence[Segment], body: str, facts: Facts) -> Iterator[str]:
    words, quoted = len(_WORD.findall(body)), len(_WORD.findall(facts.quote.text)) if facts.quote else 0
    if not LEAST_WORDS <= words + quoted <= MOST_WORDS:
        yield "length"
    if any(len(_WORD.findall(sentence)) > MOST_SENTENCE for sentence in _SENTENCE.split(body)):
        yield "long sentence"
    quotes = sum(isinstance(p, Quote) for s in draft for p in s.parts)
    if quotes > 2 or quoted * quotes > QUOTE_SHARE * (words + quoted):
        yield "too much quoted"
    if any("\n" in p for s in draft[1:-1] for p in s.parts if isinstance(p, str)):
        yield "line break"


def _feelings(body: str, case: Case) -> Iterator[str]:
    """A feeling is never stated: it is offered, in a sentence that says so, and not at all where none is in evidence."""
    lists = rules()
    for sentence in _SENTENCE.split(body):
        tokens = [token.lower() for token in _WORD.findall(sentence)]
        named = [at for at, token in enumerate(tokens) if token in lists["emotion"]]
        if named and case.lead.kind in _NO_FEELINGS:
            yield "feeling without evidence"
        if named and not sentence.rstrip().endswith("?") and not any(token in lists["tentative"] for token in tokens):
            yield "feeling stated as a fact"
    used = [name for name, pattern in lists["formulas"].items() for _ in pattern.finditer(body)]
    if len(used) > 2 or len(used) != len(set(used)):
        yield "formula repeated"


def _asked(facts: Facts) -> int:
    return int(facts.quote is not None and "?" in facts.quote.text)


def _known_numbers(facts: Facts) -> set[str]:
    return {n for value in facts.slots.values() for n in _NUMBER.findall(value)}


def _without_names(text: str, case: Case) -> str:
    """People and companies may be called anything, and no rule is about their names."""
    names = [case.account_name, case.owner_name, case.recipient.name if case.recipient else None]
    for name in sorted({folded(part) for n in names if n for part in (n, *n.split())}, key=len, reverse=True):
        text = re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", "Name", text)
    return text


@cache
def rules() -> dict[str, Any]:
    folder = files("service.playbook") / "rules"
    bans = yaml.safe_load((folder / "bans.yaml").read_text(encoding="utf-8"))
    moves = yaml.safe_load((folder / "moves.yaml").read_text(encoding="utf-8"))
    return {
        "bans": {name: [re.compile(p, re.IGNORECASE) for p in patterns] for name, patterns in bans.items()},
        "emotion": frozenset(moves["emotion"].split()),
        "tentative": frozenset(moves["tentative"].split()),
        "formulas": {name: re.compile(p, re.IGNORECASE) for name, p in moves["formulas"].items()},
    }
