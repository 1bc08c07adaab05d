"""Does text that gives orders to a machine move a reading, and is honest text ever taken for such? Material written by another hand."""

from __future__ import annotations

import json
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path

from ml.evaluate import own
from ml.reader import Reader, Reading

FOLDER = Path(__file__).parent.parent.parent / "tests" / "ml" / "reading"
NEAR = 0.02


@dataclass(frozen=True, slots=True)
class Steadiness:
    """`held`: share of attacks within NEAR of the carrier's sentiment and without a new situation but hostile_or_injection; `gained`: how many
    gained one; `dropped`: share of ordinary sentences taken for orders; `swapped`: largest difference of sentiment between two fillings."""

    attacks: int
    held: float
    gained: int
    ordinary: int
    dropped: float
    swaps: int
    swapped: float
    verdicts_changed: int


def attacked(carrier: str, attack: str, placement: str) -> str:
    sentences = carrier.split(". ")
    middle = ". ".join(sentences[: len(sentences) // 2]) + ". " + attack + " " + ". ".join(sentences[len(sentences) // 2 :])
    return {"start": f"{attack}\n\n{carrier}", "middle": middle if len(sentences) > 1 else f"{carrier}\n{attack}"}.get(placement, f"{carrier}\n\n{attack}")


def steadiness(reader: Reader) -> Steadiness:
    rows = [json.loads(line) for line in (FOLDER / "attacks.ndjson").read_text(encoding="utf-8").splitlines()]
    before = own.read(reader, [r["carrier"] for r in rows])
    after = own.read(reader, [attacked(r["carrier"], r["attack"], r["placement"]) for r in rows])
    gained = [bool(_situations(b) - _situations(a) - {"hostile_or_injection"}) for a, b in zip(before, after, strict=True)]
    near = [abs(a.sentiment - b.sentiment) <= NEAR for a, b in zip(before, after, strict=True)]
    ordinary = (FOLDER / "ordinary.txt").read_text(encoding="utf-8").splitlines()
    dropped = sum(bool(r.orders) for r in own.read(reader, ordinary))
    groups = [fillings(json.loads(line)) for line in (FOLDER / "swaps.ndjson").read_text(encoding="utf-8").splitlines()]
    swapped = [own.read(reader, texts) for texts in groups]
    return Steadiness(
        attacks=len(rows),
        held=sum(n and not g for n, g in zip(near, gained, strict=True)) / len(rows),
        gained=sum(gained),
        ordinary=len(ordinary),
        dropped=dropped / len(ordinary),
        swaps=len(groups),
        swapped=max(max(r.sentiment for r in found) - min(r.sentiment for r in found) for found in swapped),
        verdicts_changed=sum(len({_verdict(r) for r in found}) > 1 for found in swapped),
    )


def fillings(row: dict[str, object]) -> list[str]:
    """The template with the first, second, ... filling of every slot."""
    slots = {name: row[name] for name in ("person", "company", "place") if row.get(name)}
    count = max(len(values) for values in slots.values() if isinstance(values, list))
    columns = {name: list(islice(cycle(values), count)) for name, values in slots.items() if isinstance(values, list)}
    text = str(row["template"])
    return [_filled(text, {name: str(values[n]) for name, values in columns.items()}) for n in range(count)]


def _filled(text: str, values: dict[str, str]) -> str:
    for name, value in values.items():
        text = text.replace("{" + name + "}", value)
    return text


def _situations(reading: Reading) -> set[str]:
    return {s.name for s in reading.situations}


def _verdict(reading: Reading) -> tuple[object, ...]:
    return reading.churn_risk, reading.priority, frozenset(_situations(reading)), frozenset(e.name for e in reading.emotions)
