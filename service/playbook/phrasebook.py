"""The phrase files: authored frames with {slots} and [alternations|like this], chosen by seed.

A frame may be used when every slot it names is known: the slots are its conditions.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import product
from typing import Any

import yaml

_SLOT = re.compile(r"\{(\w+)\}")
_ALTERNATION = re.compile(r"\[([^\]]+)\]")


@dataclass(frozen=True, slots=True)
class Situation:
    """One phrase file. `order` names the parts of a draft ("ACK.event"); empty where nothing is ever drafted."""

    observed: tuple[str, ...]
    reading: str
    sure_of: str
    plan: tuple[tuple[str, ...], ...]
    order: tuple[str, ...]
    frames: Mapping[str, tuple[str, ...]]


@cache
def situation(name: str) -> Situation:
    raw = _load(name)
    frames = {key: tuple(value) for key, value in {**_load("close"), **raw}.items() if "." in key}
    return Situation(
        observed=_several(raw["observed"]),
        reading=raw["reading"],
        sure_of=raw.get("sure_of", ""),
        plan=tuple(_several(step) for step in raw["plan"]),
        order=tuple(raw.get("order", ())),
        frames=frames,
    )


def names() -> tuple[str, ...]:
    """Every situation that has a phrase file."""
    folder = files("service.playbook") / "phrases"
    return tuple(sorted(entry.name.removesuffix(".yaml") for entry in folder.iterdir() if entry.name not in {"close.yaml"}))


def _load(name: str) -> dict[str, Any]:
    text = (files("service.playbook") / "phrases" / f"{name}.yaml").read_text(encoding="utf-8")
    return dict(yaml.safe_load(text))


def _several(value: str | Sequence[str]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)


def slots_of(frame: str) -> frozenset[str]:
    return frozenset(_SLOT.findall(frame))


def expansions(frame: str) -> Iterator[str]:
    """Every reading of the frame's alternations; slots stay."""
    pieces = _ALTERNATION.split(frame)
    choices = [piece.split("|") if at % 2 else [piece] for at, piece in enumerate(pieces)]
    return ("".join(chosen) for chosen in product(*choices))


def usable(frames: Sequence[str], slots: Mapping[str, object]) -> list[str]:
    return [frame for frame in frames if slots_of(frame) <= slots.keys()]


def choose(frames: Sequence[str], slots: Mapping[str, object], seed: str) -> str | None:
    """One usable frame with its alternations settled; the same for the same seed."""
    candidates = usable(frames, slots)
    if not candidates:
        return None
    frame = candidates[_draw(seed, len(candidates))]
    readings = list(expansions(frame))
    return readings[_draw(f"{seed}|alternation", len(readings))]


def _draw(seed: str, count: int) -> int:
    return int.from_bytes(hashlib.blake2b(seed.encode("utf-8", "surrogatepass"), digest_size=8).digest()) % count


def pieces(frame: str) -> list[tuple[str, bool]]:
    """The frame cut at its slots: (text, False) or (slot name, True)."""
    return [(piece, at % 2 == 1) for at, piece in enumerate(_SLOT.split(frame)) if piece]


def filled(frame: str, slots: Mapping[str, str]) -> str:
    return "".join(slots[piece] if is_slot else piece for piece, is_slot in pieces(frame))


def first_filled(frames: Sequence[str], slots: Mapping[str, str]) -> str | None:
    """The first frame whose slots are known: richer ones stand before plainer ones."""
    found = usable(frames, slots)
    return filled(found[0], slots) if found else None


@cache
def vocabulary() -> frozenset[str]:
    """Every word the phrase files may put into a draft, lower case."""
    text = " ".join(frame for name in names() for frames in situation(name).frames.values() for frame in frames)
    return frozenset(re.findall(r"[a-z']+", _SLOT.sub(" ", text).lower()))
