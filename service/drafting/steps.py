"""The moves of a plan, with what each may be said with; and the plans, as `plans.yaml` has them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

from service.drafting import grammar
from service.drafting.grammar import Frame
from service.drafting.lexicon import read
from service.drafting.material import Material, Told
from service.drafting.theirs import Slots

_GATES = frozenset({"audience"})
"""Slots without which a move makes no sense, and which only English frames hold."""
_WITHOUT = {"VAL.messenger": ("audience",), "REF.doing": ("offer_verb_phrase",), "CHK.offer": ("offer_verb_phrase",), "CHK.map": ("dept_list",)}
"""Moves that make no sense without something to speak of."""
_ONLY_IF: dict[str, Callable[[Material], bool]] = {
    "VAL.sorry": lambda material: material.is_confirmed,
    "HEARD.sorry": lambda material: material.is_confirmed,
    "REF.doing": lambda material: material.is_offer_wanted,
    "OFFER.doing": lambda material: material.is_offer_wanted,
    "OFFER.doing_two": lambda material: material.is_offer_wanted,
    "OFFER.answers": lambda material: material.is_question_met,
    "CHK.answers": lambda material: material.is_question_met,
}
"""Moves that need something to be so."""
_ECHO = frozenset({"quote"})
_ECHOING = frozenset({"ACK.decision", "ACK.both_sides", "ACK.map"})
"""Moves that have to hold the buyer's own words, which outside English can only be quoted."""
_HOLDING = {
    "REF.inspectable_proof": frozenset({"offer_verb_phrase"}),
    "REF.doing": frozenset({"offer_verb_phrase"}),
    "REF.inspectable_proof_second": frozenset({"second_offer"}),
    "ACK.position": frozenset({"audience"}),
    "ACK.map": frozenset({"dept_list"}),
    "CHK.map": frozenset({"dept_list"}),
}
"""What the frames of a move have to hold."""


@dataclass(frozen=True, slots=True)
class Step:
    """One move of a plan with what it may be said with; where several would do, `move` is the first."""

    move: str
    slots: Slots
    frames: tuple[tuple[Frame, tuple[str, ...]], ...]
    """Each with the texts that the slots allow."""


@cache
def plans(lang: str) -> dict[str, list[list[str]]]:
    """English hears and answers in one breath; the others make one move after another."""
    found: dict[str, list[str]] = read("plans_en.yaml" if lang == "en" else "plans.yaml")
    return {situation: [line.split() for line in lines] for situation, lines in found.items()}


def steps(material: Material, plan: Sequence[str], told: Sequence[Told]) -> tuple[Step, ...] | None:
    """The moves of a plan with their frames, `told` where it says INFO; None where one that it cannot do without has none."""
    found: list[Step] = []
    for entry in plan:
        if entry == "INFO":
            saying = (_step(material, t.move, {**material.slots, **t.slots}, must=t.slots) for t in told)
            found += [step for step in saying if step]
            continue
        step = next((s for option in entry.rstrip("?").split("/") if (s := _either(material, option.split("|")))), None)
        if step is None and not entry.endswith("?"):
            return None
        found += [step] if step else []
        if step and step.move in ("REF.inspectable_proof", "REF.doing") and "second_offer" in material.slots:
            second = _step(material, "REF.inspectable_proof_second", material.slots)
            found += [second] if second else []
    return tuple(found) or None


def _either(material: Material, moves: Sequence[str]) -> Step | None:
    """One step that any of these moves may take."""
    found = [step for move in moves if (step := _step(material, move, material.slots))]
    return Step(found[0].move, material.slots, tuple(pair for step in found for pair in step.frames)) if found else None


def _step(material: Material, move: str, slots: Slots, must: Slots | None = None) -> Step | None:
    if any(gate not in slots for gate in _WITHOUT.get(move, ())) or (move in _ONLY_IF and not _ONLY_IF[move](material)):
        return None
    needed = _needed(move, slots, must)
    if not material.is_english:
        needed = needed - (_GATES & slots.keys()) | (_ECHO & slots.keys() if move in _ECHOING else frozenset())
    suited = (f for f in grammar.frames(material.request.lang).get(move, ()) if _suits(f, material))
    frames = tuple((f, texts) for f in suited if (texts := _sayable(f.fitting(slots.keys(), needed), slots)))
    return Step(move, slots, frames) if frames else None


def _sayable(texts: Sequence[str], slots: Slots) -> tuple[str, ...]:
    """A figure is said to stand in the customer's console only where evidence says that it does."""
    metric = slots.get("metric", ())
    seen = any("console" in str(part) for filling in metric for part in filling.parts)
    return tuple(text for text in texts if seen or "console" not in text)


def _suits(frame: Frame, material: Material) -> bool:
    is_spoken = ".chat_" not in frame.id or material.request.channel == "chat"
    return is_spoken and frame.suits(material.situation, material.address) and ("any" in frame.priorities or material.priority in frame.priorities)


def _needed(move: str, slots: Slots, must: Slots | None) -> frozenset[str]:
    """What a frame has to hold: the fact that is told, and an offer where there is one to make."""
    if must:
        return frozenset(must) & {"answer", "fact", "material", "metric"}
    if move in ("ACK.both_sides", "HEARD.sides"):
        return frozenset({"material"}) & slots.keys()
    return _HOLDING.get(move, frozenset())
