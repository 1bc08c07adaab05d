"""Authored frames: `(a|b)` takes one, `[a|b]` one or nothing, `{slot}` is filled from evidence. Read once, expanded once."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Set
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import yaml

_MARK = re.compile(r"@([A-Z]+\.[a-z_]+) ")
_SLOT = re.compile(r"\{(\w+)\}")
EITHER = "either"
"""The address of frames in a language that has but one, where the column is left out."""
MOST_EXPANSIONS = 64
"""Of one frame. A frame with more says the same thing too often."""


@dataclass(frozen=True, slots=True)
class Frame:
    """`formality`, `warmth`, `directness`: 1 to 5. `family`: of a formula of sympathy, at most one of each in a draft.
    `address`: "formal" (Sie, vous, usted), "familiar" (du, tu, tú) or "either"."""

    id: str
    move: str
    situations: frozenset[str]
    priorities: frozenset[str]
    formality: int
    warmth: int
    directness: int
    family: str
    address: str
    texts: tuple[str, ...]

    def fitting(self, given: Set[str], needed: Set[str]) -> tuple[str, ...]:
        """Its texts whose slots are all given, and which hold all that is needed."""
        return tuple(text for text in self.texts if needed <= (found := frozenset(_SLOT.findall(text))) and found <= given)

    def suits(self, situation: str, address: str) -> bool:
        return (situation in self.situations or "any" in self.situations) and self.address in (address, EITHER)


def marked(move: str, text: str) -> list[tuple[str, str]]:
    """A frame that makes several moves marks each: "@ACK.event {harm}. @VAL.sorry I'm sorry." """
    _, *found = _MARK.split(text if text.startswith("@") else f"@{move} {text}")
    return [(name, said.strip() if len(found) > 2 else said) for name, said in zip(found[::2], found[1::2], strict=True)]


def slots_of(text: str) -> list[str]:
    return _SLOT.findall(text)


def pieces(text: str) -> list[tuple[str, bool]]:
    """(text, is a slot) in order."""
    return [(piece, n % 2 == 1) for n, piece in enumerate(_SLOT.split(text)) if piece or n % 2]


@cache
def frames(lang: str) -> dict[str, tuple[Frame, ...]]:
    """By move."""
    groups = _groups()
    with (files("service.drafting") / "grammar" / f"{lang}.tsv").open(encoding="utf-8") as file:
        rows = [_frame(row, groups, lang) for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)]
    return {move: tuple(f for f in rows if f.move == move) for move in dict.fromkeys(f.move for f in rows)}


def _frame(row: dict[str, str], groups: dict[str, list[str]], lang: str) -> Frame:
    situations = frozenset(s for name in row["situations"].split() for s in groups.get(name, [name]))
    formality, warmth, directness = (int(digit) for digit in row["style"])
    return Frame(
        id=f"{lang}.{row['move'].lower()}.{row['name']}",
        move=row["move"],
        situations=situations,
        priorities=frozenset(row["priority"].split()),
        formality=formality,
        warmth=warmth,
        directness=directness,
        family=row["family"],
        address=row.get("address", EITHER),
        texts=tuple(dict.fromkeys(text.replace("\\n", "\n") for text in expanded(row["text"]))),
    )


@cache
def _groups() -> dict[str, list[str]]:
    text = (files("service.drafting") / "grammar" / "groups.yaml").read_text(encoding="utf-8")
    return {name: line.split() for name, line in yaml.safe_load(text).items()}


def expanded(text: str) -> list[str]:
    """Every way to read a frame. Raises ValueError where brackets do not close."""
    options, end = _sequence(text, 0, "")
    if end != len(text):
        message = f"This frame does not close its brackets: {text}"
        raise ValueError(message)
    return options


def _sequence(text: str, at: int, stop: str) -> tuple[list[str], int]:
    found = [""]
    while at < len(text) and text[at] not in stop:
        if text[at] in "([":
            choices, at = _choices(text, at)
        else:
            end = _literal_end(text, at)
            choices, at = [text[at:end]], end
        found = [head + tail for head in found for tail in choices]
    return found, at


def _choices(text: str, at: int) -> tuple[list[str], int]:
    close, found = (")" if text[at] == "(" else "]"), list[str]()
    while text[at] != close:
        options, at = _sequence(text, at + 1, f"|{close}")
        found += options
        if at == len(text):
            message = f"This frame does not close its brackets: {text}"
            raise ValueError(message)
    return [*found, ""] if close == "]" else found, at + 1


def _literal_end(text: str, at: int) -> int:
    return next((n for n in range(at + 1, len(text)) if text[n] in "()[]|"), len(text))


def count(lang: str) -> int:
    """Distinct texts that the frames of a language can say, before anything is filled in."""
    return len(set(_all_texts(lang)))


def _all_texts(lang: str) -> Iterator[str]:
    for group in frames(lang).values():
        for frame in group:
            yield from frame.texts


@cache
def openings(lang: str) -> frozenset[str]:
    """The words that texts begin with, where they do not begin with a slot or a quotation."""
    return frozenset(text.split(" ", 1)[0] for text in _all_texts(lang) if text[:1].isalpha())
