"""Plans into sentences: each move said in many ways, then a beam over the moves, hard rules on the way, so that what reaches the critic is worth its time."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from random import Random

from service.drafting import grammar
from service.drafting.grammar import Frame
from service.drafting.lexicon import read
from service.drafting.material import Filling, Material, Slots, Told
from service.drafting.render import said_back
from service.drafting.request import Part, Segment, Words
from service.drafting.style import Style
from service.drafting.windows import Gram, Window, grams

WIDTH, WAYS = 20, 36
"""Beams kept, and ways to say a move that are tried: together some two hundred drafts for a plan."""
MOST_QUESTIONS, MOST_QUOTES = 2, 2
LENGTHS = {"email": (45, 140), "chat": (12, 60), "call": (30, 90), "meeting": (45, 160)}
_BREVITY = {"chat": 0.14}
_PLAINNESS = 0.06
"""What a word of ours costs: facts and their words make a letter, and what stands between them makes it sound like a form."""
_FREE = ("VAL", "REF", "CHK")
"""Moves of which a short one is no better than a long one."""
_CHANCE = 1.6
_TOLD_BACK, _QUOTED = 0.9, 0.6
"""What each stretch of their own words is worth: told back to them it reads like a letter, in quotation marks like a file."""
_ONCE = frozenset({"answer", "fact", "note", "material", "metric", "offer_verb_phrase", "second_offer"})
"""Slots whose text stands in a draft once."""
_GATES = frozenset({"audience"})
"""Slots without which a move makes no sense, and which only English frames hold."""
_WITHOUT = {"VAL.messenger": ("audience",), "CHK.offer": ("offer_verb_phrase",), "REF.doing": ("offer_verb_phrase",), "CHK.map": ("dept_list",)}
"""Moves that make no sense without something to speak of."""
_ONLY_IF: dict[str, Callable[[Material], bool]] = {
    "VAL.sorry": lambda material: material.is_confirmed,
    "REF.doing": lambda material: material.is_offer_wanted,
    "CHK.answers": lambda material: material.is_question_met,
}
"""Moves that need something to be so."""
_ECHO = frozenset({"quote"})
_ECHOING = frozenset({"ACK.decision", "ACK.both_sides", "ACK.map"})
"""Moves that have to hold the buyer's own words, which outside English can only be quoted."""
_FIGURES = frozenset({"before", "after", "window", "last_contact", "owner"})
_HOLDING = {
    "REF.inspectable_proof": frozenset({"offer_verb_phrase"}),
    "REF.doing": frozenset({"offer_verb_phrase"}),
    "REF.inspectable_proof_second": frozenset({"second_offer"}),
    "ACK.position": frozenset({"audience"}),
    "ACK.map": frozenset({"dept_list"}),
    "CHK.map": frozenset({"dept_list"}),
}
"""What the frames of a move have to hold."""
_IN_PASSING = frozenset({"topic", "audience", "wait_until", "dept_list"})
"""Slots whose words may be said again."""
_SENTENCE_START = re.compile(r"(?<=[.?!] )([a-z])")


@dataclass(frozen=True, slots=True)
class Step:
    """One move of a plan with what it may be said with."""

    move: str
    slots: Slots
    frames: tuple[tuple[Frame, tuple[str, ...]], ...]
    """Each with the texts that the slots allow."""


@dataclass(frozen=True, slots=True)
class Way:
    """A move in words. `grams`, `words` and `cost` leave the buyer's own words out, `words` counts them."""

    segment: Segment
    family: str
    grams: frozenset[Gram]
    said: tuple[Words, ...]
    told: frozenset[str]
    quotes: int
    questions: int
    words: int
    cost: float


@dataclass(frozen=True, slots=True)
class Beam:
    """A draft in the making."""

    segments: tuple[Segment, ...] = ()
    families: frozenset[str] = frozenset()
    said: tuple[Words, ...] = ()
    told: frozenset[str] = frozenset()
    grams: frozenset[Gram] = frozenset()
    quotes: int = 0
    questions: int = 0
    words: int = 0
    cost: float = 0.0


@cache
def plans() -> dict[str, list[list[str]]]:
    return {situation: [line.split() for line in lines] for situation, lines in read("plans.yaml").items()}


def steps(material: Material, plan: Sequence[str], told: Sequence[Told]) -> tuple[Step, ...] | None:
    """The moves of a plan with their frames, `told` where it says INFO; None where one that it cannot do without has none."""
    found: list[Step] = []
    for entry in plan:
        if entry == "INFO":
            saying = (_step(material, t.move, {**material.slots, **t.slots}, must=t.slots) for t in told)
            found += [step for step in saying if step]
            continue
        options = (_step(material, move, material.slots) for move in entry.rstrip("?").split("/"))
        step = next((s for s in options if s), None)
        if step is None and not entry.endswith("?"):
            return None
        found += [step] if step else []
        if step and step.move in ("REF.inspectable_proof", "REF.doing") and "second_offer" in material.slots:
            second = _step(material, "REF.inspectable_proof_second", material.slots)
            found += [second] if second else []
    return tuple(found) or None


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
        return frozenset(must) & {"answer", "fact", "note", "material", "metric", "question"}
    if move == "ACK.both_sides":
        return frozenset({"material"}) & slots.keys()
    return _HOLDING.get(move, frozenset())


def search(material: Material, plan: Sequence[Step], style: Style, windows: Sequence[Window], seed: str) -> list[Beam]:
    """Complete drafts, the most promising first."""
    rng = Random(hashlib.sha256(seed.encode()).digest())  # noqa: S311 - for choosing words
    beams = [Beam()]
    for n, step in enumerate(plan):
        must_ask = any(following.move.startswith("CHK") for following in plan[n + 1 :])
        ways = list(_ways(step, material, style, windows, rng))
        beams = sorted(_grown(beams, ways, MOST_QUESTIONS - must_ask), key=lambda b: b.cost)[:WIDTH]
    return beams


def _grown(beams: Sequence[Beam], ways: Sequence[Way], most_questions: int) -> Iterator[Beam]:
    for beam in beams:
        for way in ways:
            if _fits(beam, way, most_questions):
                yield Beam(
                    segments=(*beam.segments, way.segment),
                    families=beam.families | {way.family} if way.family else beam.families,
                    said=beam.said + way.said,
                    told=beam.told | way.told,
                    grams=beam.grams | way.grams,
                    quotes=beam.quotes + way.quotes,
                    questions=beam.questions + way.questions,
                    words=beam.words + way.words,
                    cost=beam.cost + way.cost,
                )


def _fits(beam: Beam, way: Way, most_questions: int) -> bool:
    """No formula of sympathy twice, no words said twice, not too many questions and quotations."""
    if beam.questions + way.questions > most_questions or beam.quotes + way.quotes > MOST_QUOTES or (way.family and way.family in beam.families):
        return False
    return beam.told.isdisjoint(way.told) and beam.grams.isdisjoint(way.grams) and not any(_meet(a, b) for a in way.said for b in beam.said)


def _meet(a: Words, b: Words) -> bool:
    return a.evidence_id == b.evidence_id and a.start < b.end and b.start < a.end


def _ways(step: Step, material: Material, style: Style, windows: Sequence[Window], rng: Random) -> Iterator[Way]:
    for _ in range(WAYS):
        frame, texts = rng.choice(step.frames)
        text = rng.choice(texts)
        chosen = {slot: rng.choice(step.slots[slot][:3]) for slot in dict.fromkeys(grammar.slots_of(text))}
        said = tuple(p for slot, f in chosen.items() if slot not in _IN_PASSING for p in f.parts if isinstance(p, Words))
        if any(_meet(a, b) for n, a in enumerate(said) for b in said[:n]):
            continue
        segment = _segment(frame, text, chosen)
        spoken = spoken_of(segment)
        found = grams(spoken)
        yield Way(
            segment=segment,
            family=frame.family,
            grams=frozenset(found),
            said=said,
            told=frozenset(str(chosen[slot].parts[0]) for slot in chosen.keys() & _ONCE),
            quotes=sum(p.is_quoted for p in said),
            questions=text.count("?"),
            words=len(spoken.split())
            + sum(len(given.split()) for given in segment.given)
            + sum(_length(p, material) for p in segment.parts if isinstance(p, Words)),
            cost=_cost(frame, spoken, style, windows, _brevity(step.move, material.request.channel))
            - sum(_QUOTED if p.is_quoted else _TOLD_BACK for p in said)
            + rng.random() * _CHANCE,
        )


def _brevity(move: str, channel: str) -> float:
    return _BREVITY.get(channel, 0.0 if move.startswith(_FREE) else _PLAINNESS)


def _cost(frame: Frame, spoken: str, style: Style, windows: Sequence[Window], per_word: float) -> float:
    """Dearer the further from their style, and the more of it has been said before."""
    away = (
        max(0.0, abs(frame.formality - style.formality) - 1)
        + max(0.0, frame.warmth - style.warmth - 1)
        + 0.3 * max(0.0, abs(frame.directness - style.directness) - 1)
    )
    worn = sum((3.0 if w.has_run(spoken) else 0.0) + w.worn(spoken) * (8.0 if w.most_shared < 0.1 else 1.5) for w in windows)
    return away + worn + per_word * len(spoken.split())


def _segment(frame: Frame, text: str, chosen: Mapping[str, Filling]) -> Segment:
    parts: list[Part] = []
    ids: list[str] = []
    for piece, is_slot in grammar.pieces(text.replace('"', "")):
        if not is_slot:
            _append(parts, piece)
            continue
        ids += chosen[piece].evidence_ids
        for part in chosen[piece].parts:
            if isinstance(part, Words):
                parts.append(Words(evidence_id=part.evidence_id, start=part.start, end=part.end, is_quoted=part.is_quoted, opens=_opens(parts)))
            else:
                _append(parts, part)
    return Segment(move=_public(frame.move), parts=tuple(_cased(parts)), evidence_ids=tuple(dict.fromkeys(ids)), frame=frame.id, given=_given(chosen))


def _given(chosen: Mapping[str, Filling]) -> tuple[str, ...]:
    return tuple(part for slot, filling in chosen.items() if slot in _ONCE or slot in _FIGURES for part in filling.parts if isinstance(part, str))


def _public(move: str) -> str:
    return move.removesuffix("_note").removesuffix("_first").removesuffix("_second")


def _opens(parts: Sequence[Part]) -> bool:
    return not parts or (isinstance(parts[-1], str) and parts[-1].endswith((". ", "? ", "! ")))


def _append(parts: list[Part], text: str) -> None:
    last = parts[-1] if parts else None
    if isinstance(last, str):
        parts[-1] = last + text
    else:
        parts.append(text)


def _cased(parts: Sequence[Part]) -> Iterator[Part]:
    """Sentences begin with a capital."""
    for n, part in enumerate(parts):
        if not isinstance(part, str):
            yield part
            continue
        text = _SENTENCE_START.sub(lambda m: m[1].upper(), part)
        yield text[0].upper() + text[1:] if n == 0 and text else text


def spoken_of(segment: Segment) -> str:
    """Its text without what evidence says: what windows compare."""
    text = "".join(part if isinstance(part, str) else " \n " for part in segment.parts)
    for given in segment.given:
        text = re.sub(re.escape(given), " \n ", text, flags=re.IGNORECASE)
    return text


def _length(words: Words, material: Material) -> int:
    piece = next(e for e in material.pieces if e.id == words.evidence_id)
    return len(said_back(piece.text[words.start : words.end], is_quoted=words.is_quoted, opens=words.opens, lang=material.lang).split())
