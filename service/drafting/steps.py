"""The moves of a plan, with what each may be said with; and the plans, as `plans.yaml` has them."""

from __future__ import annotations

import re
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
_TROUBLED = frozenset({"frustration", "risk_reliability", "hostile_or_injection", "tone_turn", "past_vendor_disappointment"})
_ONLY_IF: dict[str, Callable[[Material], bool]] = {
    "VAL.sorry": lambda material: material.is_confirmed,
    "HEARD.sorry": lambda material: material.is_confirmed,
    "REF.doing": lambda material: material.is_offer_wanted or material.is_redress or material.is_done_unasked,
    "REF.doing_two": lambda material: material.is_done_unasked,
    "HEARD.thanked": lambda material: not material.is_reproached,
    "HEARD.apology": lambda material: material.is_reproached,
    "OFFER.meet": lambda material: material.is_meeting,
    "CHK.when": lambda material: material.is_meeting,
    "OFFER.change": lambda material: material.is_change,
    "REF.duty": lambda material: material.is_due,
    "REF.duty_two": lambda material: material.is_due,
    "REF.granted": lambda material: material.is_granted,
    "CHK.answers": lambda material: material.is_question_met,
    "HEARD.so": lambda material: not material.is_change,
    "HEARD.so_shall": lambda material: not material.is_own_act,
    "HEARD.so_doing": lambda material: material.is_own_act,
    "ACK.welcome": lambda material: material.is_newcomer,
    "ACK.openness": lambda material: material.is_tip,
}
"""Moves that need something to be so."""
_ECHO = frozenset({"quote"})
_ECHOING = frozenset({"ACK.decision", "ACK.both_sides", "ACK.map"})
"""Moves that have to hold the buyer's own words, which outside English can only be quoted."""
_HOLDING = {
    "REF.inspectable_proof": frozenset({"offer_verb_phrase"}),
    "REF.doing": frozenset({"offer_verb_phrase"}),
    "REF.duty": frozenset({"offer_verb_phrase"}),
    "REF.granted": frozenset({"offer_verb_phrase"}),
    "REF.inspectable_proof_second": frozenset({"second_offer"}),
    "REF.duty_two": frozenset({"second_offer"}),
    "REF.doing_two": frozenset({"second_offer"}),
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


_OFFERS = {
    "OFFER": "REF.doing_two/OFFER.two/REF.doing/OFFER.meet/OFFER.change/OFFER.ask",
    "ASKED": "OFFER.two/OFFER.meet/OFFER.change/OFFER.ask",
}
"""What costs them nothing is done; an hour of theirs needs a day, a change their word, and the rest is asked. Or all of it is asked."""
_OFFER = re.compile(r"\b(?:OFFER|ASKED)\b(?!\.)")


@cache
def plans(lang: str) -> dict[str, list[list[str]]]:
    """English hears and answers in one breath; the others make one move after another."""
    found: dict[str, list[str]] = read("plans_en.yaml" if lang == "en" else "plans.yaml")
    return {situation: [_OFFER.sub(lambda m: _OFFERS[m[0]], line).split() for line in lines] for situation, lines in found.items()}


_AS_NOTED = re.compile(r"our \w+(?: \w+)* says: |the contract says: |[^:]{0,40}: ")
"""Terms as a record lists them, which they know: no answer to begin with."""
_AS_USUAL = frozenset(
    {"usage_drop", "silence", "renewal_notice", "deadlock", "cross_functional", "routine_logistics", "positive_momentum", "unanswered_question"}
)
"""Moments that have an order of their own."""


def direct_plans(material: Material) -> list[str]:
    """Names of plans that tell nothing back for its own sake, where there is something better to begin with: our fault, what they asked to be done, the answer,
    an offer."""
    if not material.is_english:
        return []
    if material.is_explained:
        return ["explained"]
    is_usual, is_troubled = material.situation in _AS_USUAL, material.situation in _TROUBLED
    is_owned = material.failing is not None and not is_usual
    has_asked = bool(material.questions or material.wishes) and not is_usual
    leads = material.slots.keys() if material.offers else frozenset()
    is_led = not is_usual or material.situation == "cross_functional"
    has_answered = has_asked and _has_answer(material)
    is_backed = bool(material.offers) and bool(material.facts or material.terms or material.figures)
    may = {
        "replied": has_answered and material.is_answered,
        "owned": is_owned,
        "sorry": is_troubled and material.is_confirmed and "harm_told" in material.slots,
        "owed": is_troubled and material.said.is_negative and not material.offers and has_answered,
        "befallen": bool(material.befallen or "blow" in material.slots) and bool(material.offers) and not is_usual,
        "granted": has_asked and (material.is_granted or material.is_offer_wanted),
        "answered": has_answered,
        "led": is_led and not _LEADS.isdisjoint(leads),
        "met": (is_backed or has_answered or material.is_of_their_matter) and (not is_usual or material.situation in _MET_AS_WELL),
        "backed": is_backed and not is_usual,
        "offered": bool(material.offers) and not is_usual,
    }
    fits = {"owned"} if is_owned else _AFTER_TROUBLE if is_troubled else may.keys() - {"owned", "sorry", "owed"}
    return [name for name, is_so in may.items() if is_so and name in fits]


_AFTER_TROUBLE = frozenset({"sorry", "owed", "met"})
_MET_AS_WELL = frozenset({"cross_functional", "deadlock"})
_LEADS = frozenset({"lead_you", "lead_one"})


def _has_answer(material: Material) -> bool:
    """In whole sentences: key words of a record are nothing to begin with."""
    known = [*material.facts, *material.terms]
    return bool(material.figures) or (bool(known) and all(f.is_clause for f in known))


def steps(material: Material, plan: Sequence[str], told: Sequence[Told]) -> tuple[Step, ...] | None:
    """The moves of a plan with their frames, `told` where it says INFO; None where one that it cannot do without has none."""
    found: list[Step] = []
    for entry in plan:
        if entry == "INFO":
            left = list(told)
            if plan in plans(material.lang).get("answered", ()):
                left.sort(key=lambda t: any(_AS_NOTED.match(str(f.parts[0])) for slot in t.slots.values() for f in slot))
            left = [t for t in left if not (material.failing and plan[0] == "HEARD.owned" and _tells(t, material.failing.text))]
            saying = (_step(material, t.move, {**material.slots, **t.slots}, must=t.slots) for t in left)
            found += [step for step in saying if step]
            continue
        step = next((s for option in entry.rstrip("?").split("/") if (s := _either(material, option.split("|")))), None)
        if step is None and not entry.endswith("?"):
            return None
        found += [step] if step else []
        if step and step.move in _OFFERING and "second_offer" in material.slots:
            second = _step(material, "REF.inspectable_proof_second", material.slots)
            found += [second] if second else []
    return tuple(found) or None


_OFFERING = frozenset({"REF.inspectable_proof", "REF.doing", "REF.granted", "HEARD.so", "HEARD.so_doing", "HEARD.so_shall"})
"""Moves that make the first of two offers."""


def _tells(told: Told, text: str) -> bool:
    return any(text in filling.parts for slot in told.slots.values() for filling in slot)


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
    frames = tuple((f, texts) for f in suited if (texts := _sayable(f.fitting(slots.keys(), needed), slots, is_explained=material.is_explained)))
    return Step(move, slots, frames) if frames else None


def _sayable(texts: Sequence[str], slots: Slots, *, is_explained: bool) -> tuple[str, ...]:
    """A figure is said to stand in the customer's console only where evidence says that it does, and to have no known reason only where it has none."""
    metric = slots.get("metric", ())
    seen = any("console" in str(part) for filling in metric for part in filling.parts)
    return tuple(text for text in texts if (seen or "console" not in text) and not (is_explained and metric and _NO_REASON.search(text)))


_NO_REASON = re.compile(r"\b(?:know|known|reason|reading|guess|why|read nothing)\b")


def _suits(frame: Frame, material: Material) -> bool:
    is_spoken = ".chat_" not in frame.id or material.request.channel == "chat"
    return is_spoken and frame.suits(material.situation, material.address) and ("any" in frame.priorities or material.priority in frame.priorities)


def _needed(move: str, slots: Slots, must: Slots | None) -> frozenset[str]:
    """What a frame has to hold: the fact that is told, and an offer where there is one to make."""
    if must:
        return frozenset(must) & {"answer", "cause", "fact", "material", "metric", "recalled"}
    if move in ("ACK.both_sides", "HEARD.sides"):
        return frozenset({"material"}) & slots.keys()
    return _HOLDING.get(move, frozenset())
