"""What is said about a situation to the account manager: what is seen, how it may be read, what to do. Lines with {slots}.

A line may be used when every slot it names is known: the slots are its conditions.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import yaml

_SLOT = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class Situation:
    """One phrase file."""

    observed: tuple[str, ...]
    reading: str
    sure_of: str
    plan: tuple[tuple[str, ...], ...]


@cache
def situation(name: str) -> Situation:
    raw = yaml.safe_load((files("service.playbook") / "phrases" / f"{name}.yaml").read_text(encoding="utf-8"))
    return Situation(
        observed=_several(raw["observed"]),
        reading=raw["reading"],
        sure_of=raw.get("sure_of", ""),
        plan=tuple(_several(step) for step in raw["plan"]),
    )


def names() -> tuple[str, ...]:
    """Every situation that has a phrase file."""
    folder = files("service.playbook") / "phrases"
    return tuple(sorted(entry.name.removesuffix(".yaml") for entry in folder.iterdir()))


def _several(value: str | Sequence[str]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)


def first_filled(lines: Sequence[str], slots: Mapping[str, str]) -> str | None:
    """The first line whose slots are known: richer ones stand before plainer ones."""
    found = next((line for line in lines if set(_SLOT.findall(line)) <= slots.keys()), None)
    return None if found is None else _SLOT.sub(lambda match: slots[match[1]], found)
