"""The card of drafts: every figure with what it has to reach and how it was found, all from one run."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from service.drafting import Request
from service.drafting.rows import request
from service.evaluation import sets
from service.evaluation.contexts import context
from service.evaluation.corpus import collect, corpus, repetition
from service.evaluation.figure import Figure, Section, table
from service.evaluation.fuzz import fuzz
from service.evaluation.hostile import injections, shifts
from service.evaluation.judged import contrast, critic
from service.evaluation.mutation import mutation
from service.evaluation.shown import Sample
from service.evaluation.size import Size
from service.evaluation.speed import Cpu, speed
from service.evaluation.swap import may_be_swapped, swap
from service.evaluation.workers import Spread, Told, workers

ROOT = Path(__file__).parent.parent.parent
CARD = ROOT / "docs" / "drafts_card.md"
SETS = ROOT / "benchmarks" / "drafting"
_OF = ("service/drafting", "service/critic", "service/evaluation", "benchmarks/drafting", "ml/models", "ml/words")
INTRODUCTION = """# Card of drafts: how the engine and the critic do

Written by `undertone evaluate drafts`. The sets are those of [benchmarks/drafting](../benchmarks/drafting/README.md): made before the code by others than its
authors, and nothing is learned from them; forms of our drafts were written with the evidence sets in view. A gate is what a release has to reach; an aim is
what would be good. Every drawing of lots has a fixed seed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    sections: Sequence[Section]
    fingerprint: str

    @property
    def broken(self) -> list[Figure]:
        """Figures whose gate does not hold."""
        return [figure for section in self.sections for figure in section.figures if not figure.holds]

    @property
    def text(self) -> str:
        """In Markdown."""
        parts = [INTRODUCTION, _summary(self), *map(_section, self.sections)]
        hashed = f"`{self.fingerprint}` is the hash of the engine, the critic, this evaluation, its sets, and the models and words they read with."
        return "\n\n".join([*parts, "## Of what this speaks", hashed]) + "\n"


def measured(folder: Path, size: Size, processes: int, cpu: Cpu, told: Told) -> Measured:
    """Raises BadInput for a set that cannot be read."""
    began_as = fingerprint()
    read = partial(sets.read, folder)
    requests = [request(row) for row in read("evidence")]
    with workers(processes, told) as spread:
        parts = [
            critic(read("critic"), spread),
            contrast(read("contrast"), spread),
            injections(read("injections"), spread),
            shifts(read("person_shift")),
            *_of_drafts(requests, size, spread, cpu),
        ]
    if fingerprint() != began_as:
        raise RuntimeError("Code, sets or models changed while they were measured; no figure can be told. Run it again.")
    return Measured(sections=parts, fingerprint=began_as)


def _of_drafts(requests: Sequence[Request], size: Size, spread: Spread, cpu: Cpu) -> list[Section]:
    found = collect(requests, size.drafts, spread)
    firsts = _one_a_set(found.samples)
    sets_, names = size.swaps
    pieces = [piece for request in requests for piece in request.evidence]
    return [
        corpus(found, len(requests), spread),
        repetition(firsts[: size.pairs], spread),
        fuzz([context(n, pieces) for n in range(size.contexts)], spread),
        mutation(found.samples, spread),
        swap([s.request for s in firsts if may_be_swapped(s.request)][:sets_], names, spread),
        speed(firsts, size.timed, cpu),
    ]


def _one_a_set(samples: Sequence[Sample]) -> list[Sample]:
    """Spread over the sets, which lie side by side by situation."""
    firsts = list({s.request.id: s for s in reversed(samples)}.values())
    return sorted(firsts, key=lambda s: hashlib.sha256(str(s.request.id).encode()).digest())


def write(found: Measured) -> None:
    CARD.write_text(found.text, encoding="utf-8")


def fingerprint() -> str:
    """What the figures depend on."""
    total = hashlib.sha256()
    for path in sorted(path for folder in _OF for path in (ROOT / folder).rglob("*") if path.is_file() and "__pycache__" not in path.parts):
        total.update(f"{path.relative_to(ROOT)}\0".encode() + hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()[:16]


def _summary(found: Measured) -> str:
    gated = sum(figure.gate is not None for section in found.sections for figure in section.figures)
    broken = ", ".join(figure.name for figure in found.broken)
    return f"Of {gated} gates {gated - len(found.broken)} hold." + (f" Not yet: {broken}." if broken else "")


def _section(section: Section) -> str:
    rows = [(f.name, f.shown, f.gate or "", _held(f), f.aim or "", f.how) for f in section.figures]
    figures = table(("figure", "measured", "gate", "holds", "aim", "how"), rows)
    return "\n\n".join([f"## {section.title}", figures, *section.notes])


def _held(figure: Figure) -> str:
    return "" if figure.gate is None else "yes" if figure.holds else "**no**"
