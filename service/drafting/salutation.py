"""How a letter begins and ends: whom it greets, how it goes on behind the greeting, and who signs."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from service.drafting import grammar, names, register
from service.drafting.lexicon import of_language
from service.drafting.material import Material
from service.drafting.render import uncapitalised
from service.drafting.request import Request, Segment, Words
from service.drafting.seed import digest
from service.drafting.style import Style
from service.drafting.theirs import Filling, Slots

LEAST_FOR_WHOLE_NAME = 4
"""Formality of a greeting that goes with first name and surname."""
_SELF = re.compile(r"I\b")


def greeting(material: Material, style: Style) -> Iterator[Segment]:
    if material.request.channel == "chat" and not (material.is_greeted if material.is_english else style.formality >= 3 or not style.n):
        return
    is_whole = _is_whole(material, style)
    name, title_name = _called(material, is_whole=is_whole)
    slots: dict[str, tuple[Filling, ...]] = {}
    if name:
        slots["name"] = (Filling((name,)),)
    if title_name:
        slots["title_name"] = (Filling((title_name,)),)
    wanted = frozenset(slots)
    frames = [f for f in grammar.frames(material.request.lang)["GREET.open"] if f.fitting(wanted, wanted) and f.suits(material.situation, material.address)]
    if name and is_whole:
        frames = [f for f in frames if f.formality >= LEAST_FOR_WHOLE_NAME]
    yield from _chosen(material, frames, slots, style, "greet", "GREET.open")


def _is_whole(material: Material, style: Style) -> bool:
    return style.formality > 3.4 or _keeps_distance(material) if material.is_english else material.address == "formal"


def _called(material: Material, *, is_whole: bool) -> tuple[str | None, str | None]:
    """Outside English the whole name, or title and surname, stands for a formal address that tells no gender."""
    name = material.request.recipient_name
    if material.is_english:
        return names.address(name, is_formal=is_whole)
    whole, title_name = names.address(name, is_formal=is_whole, titles=frozenset(of_language(material.lang)["titles"].split()))
    return whole or title_name, None


def _keeps_distance(material: Material) -> bool:
    return any(names.keeps_distance(h.piece.text, material.request.am_name, material.request.recipient_name) for h in material.heard)


def closing(material: Material, style: Style, opening: Segment) -> Iterator[Segment]:
    name = " ".join((material.request.am_name or "").split())
    if not name or len(name) > names.LONGEST or material.request.channel != "email":
        return
    in_full = style.formality >= 3.2 if material.is_english else material.address == "formal"
    shown = name if in_full else name.split()[0]
    frames = [
        f for f in grammar.frames(material.request.lang)["CLOSE.sign"] if f.suits(material.situation, material.address) and f.fitting({"am_name"}, {"am_name"})
    ]
    seed = f"close|{opening.frame}"
    yield from _chosen(material, frames, {"am_name": (Filling((shown,)),)}, style, seed, "CLOSE.sign")


def _chosen(material: Material, frames: Sequence[grammar.Frame], slots: Slots, style: Style, seed: str, move: str) -> Iterator[Segment]:
    if not frames:
        return
    most = 3 if material.request.channel == "chat" else 5
    fitting = [f for f in frames if abs(f.formality - style.formality) <= 1 and f.formality <= most] or frames[:1]
    pick = int.from_bytes(hashlib.sha256(digest(material) + seed.encode()).digest()[:6])
    frame = fitting[pick % len(fitting)]
    texts = frame.fitting(slots.keys(), slots.keys())
    text = texts[(pick // 97) % len(texts)]
    parts = "".join(str(slots[piece][0].parts[0]) if is_slot else piece for piece, is_slot in grammar.pieces(text))
    yield Segment(move=move, parts=(parts,), evidence_ids=(), frame=frame.id)


def going_on(segments: Sequence[Segment], greeting: Sequence[Segment], request: Request) -> tuple[Segment, ...]:
    """In lower case after the comma of a greeting: German always, the others where it goes on in the same line."""
    first, *others = segments
    opening = first.parts[0]
    if not greeting or not (request.lang == "de" or request.channel in ("chat", "call")):
        return tuple(segments)
    if isinstance(opening, Words):
        going = replace(opening, opens=False) if request.lang == "en" else opening
        return (replace(first, parts=(going, *first.parts[1:])), *others)
    if request.lang == "en" and _SELF.match(opening):
        return tuple(segments)
    going_on = uncapitalised(opening) if request.lang == "en" else opening
    return (replace(first, parts=(register.after_comma(going_on, grammar.openings(request.lang)), *first.parts[1:])), *others)
