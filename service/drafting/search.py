"""Moves into sentences: each said in many ways, then a beam over them, hard rules on the way, so that what reaches the critic is worth its time."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from random import Random

from service.drafting import grammar
from service.drafting.grammar import Frame
from service.drafting.material import Material
from service.drafting.render import said_back
from service.drafting.request import Part, Segment, Words
from service.drafting.steps import Step
from service.drafting.style import Style
from service.drafting.theirs import Filling
from service.drafting.windows import Gram, Window, grams

WIDTH, WAYS = 20, 36
"""Beams kept, and ways to say a move that are tried: together some two hundred drafts for a plan."""
MOST_QUESTIONS, MOST_QUOTES = 2, 2
LENGTHS = {"email": (45, 140), "chat": (12, 60), "call": (30, 90), "meeting": (45, 160)}
_BREVITY = {"chat": 0.14}
_PLAINNESS = 0.06
"""What a word of ours costs: facts and their words make a letter, and what stands between them makes it sound like a form."""
_FREE = ("HEARD", "VAL", "OFFER", "REF", "CHK")
"""Moves of which a short one is no better than a long one."""
_CHANCE = 1.6
_WEAKER = 0.9
"""What the second best of what could fill a slot costs."""
_TOLD_BACK, _QUOTED = 1.1, 0.5
"""What each stretch of their own words is worth: told back to them it reads like a letter, in quotation marks like a file."""
_ONCE = frozenset("answer fact note material metric offer_verb_phrase second_offer failure failure_long our_failure fault_named cause recalled".split())
"""Slots whose text stands in a draft once."""
_FIGURES = frozenset({"before", "after", "window", "last_contact", "owner"})
_IN_PASSING = frozenset({"blow", "topic", "audience", "wait_until", "dept_list", "deadline", "their_sum"})
"""Slots whose words may be said again."""
_EMPTY = frozenset({"VAL.given_facts", "VAL.history", "VAL.honesty", "CHK.offer", "CHK.restate", "CHK.missing"})
_FITS_ANY = 3.0
_SENTENCE_START = re.compile(r"(?<=[.?!] )([a-z])")


@dataclass(frozen=True, slots=True)
class Way:
    """A move in words. `grams`, `words` and `cost` leave the buyer's own words out, `words` counts them."""

    segments: tuple[Segment, ...]
    family: str
    grams: frozenset[Gram]
    said: tuple[Words, ...]
    told: frozenset[str]
    quotes: int
    questions: int
    words: int
    cost: float

    @property
    def parts(self) -> tuple[Part, ...]:
        return tuple(part for segment in self.segments for part in segment.parts)


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


def search(material: Material, plan: Sequence[Step], style: Style, windows: Sequence[Window], seed: str) -> list[Beam]:
    """Complete drafts, the most promising first."""
    rng = Random(hashlib.sha256(seed.encode()).digest())  # noqa: S311 - for choosing words
    beams = [Beam()]
    for n, step in enumerate(plan):
        must_ask = any(following.move.startswith("CHK") for following in plan[n + 1 :])
        ways = _cheapest(_ways(step, material, style, windows, rng))
        beams = list(islice(_grown(beams, ways, MOST_QUESTIONS - must_ask), WIDTH))
    return beams


def _cheapest(ways: Iterable[Way]) -> list[Way]:
    """Each once: a move that can be said in one way alone comes up again and again."""
    found: dict[tuple[Part, ...], Way] = {}
    for way in ways:
        known = found.get(way.parts)
        if known is None or way.cost < known.cost:
            found[way.parts] = way
    return list(found.values())


def _grown(beams: Sequence[Beam], ways: Sequence[Way], most_questions: int) -> Iterator[Beam]:
    """Drafts that go on by one move, the cheapest first."""
    pairs = sorted(((beam.cost + way.cost, b, w) for b, beam in enumerate(beams) for w, way in enumerate(ways)))
    for cost, b, w in pairs:
        beam, way = beams[b], ways[w]
        if _fits(beam, way, most_questions):
            yield Beam(
                segments=(*beam.segments, *way.segments),
                families=beam.families | {way.family} if way.family else beam.families,
                said=beam.said + way.said,
                told=beam.told | way.told,
                grams=beam.grams | way.grams,
                quotes=beam.quotes + way.quotes,
                questions=beam.questions + way.questions,
                words=beam.words + way.words,
                cost=cost,
            )


def _fits(beam: Beam, way: Way, most_questions: int) -> bool:
    """No formula of sympathy twice, no words said twice, not too many questions and quotations."""
    if beam.questions + way.questions > most_questions or beam.quotes + way.quotes > MOST_QUOTES or (way.family and way.family in beam.families):
        return False
    return beam.told.isdisjoint(way.told) and beam.grams.isdisjoint(way.grams) and not any(_meet(a, b) for a in way.said for b in beam.said)


def _meet(a: Words, b: Words) -> bool:
    return a.evidence_id == b.evidence_id and a.start < b.end and b.start < a.end


def _ways(step: Step, material: Material, style: Style, windows: Sequence[Window], rng: Random) -> Iterator[Way]:
    """Each with a chance of its own; what comes up again is made once."""
    made: dict[tuple[str, str, tuple[int, ...]], Way] = {}
    for _ in range(WAYS):
        frame, texts = rng.choice(step.frames)
        text = rng.choice(texts)
        places = {slot: rng.randrange(min(len(step.slots[slot]), 3)) for slot in dict.fromkeys(grammar.slots_of(text))}
        chosen = {slot: step.slots[slot][place] for slot, place in places.items()}
        said = tuple(p for slot, f in chosen.items() if slot not in _IN_PASSING for p in f.parts if isinstance(p, Words))
        if any(_meet(a, b) for n, a in enumerate(said) for b in said[:n]) or _joins_messages(frame, said):
            continue
        key = frame.id, text, tuple(map(id, chosen.values()))
        if key not in made:
            made[key] = _way(frame, text, chosen, said, material=material, style=style, windows=windows)
        yield replace(made[key], cost=made[key].cost + rng.random() * _CHANCE + _WEAKER * sum(places.values()))


def _joins_messages(frame: Frame, said: Sequence[Words]) -> bool:
    """What was written on two days is not "you write this and add that"."""
    return frame.move.startswith(("ACK.event", "HEARD")) and len({part.evidence_id for part in said}) > 1


def _way(
    frame: Frame, text: str, chosen: Mapping[str, Filling], said: tuple[Words, ...], *, material: Material, style: Style, windows: Sequence[Window]
) -> Way:
    segments = tuple(_segments(frame, text, chosen))
    spoken = " ".join(spoken_of(segment) for segment in segments)
    per_word = _brevity(frame.move, material.request.channel)
    return Way(
        segments=segments,
        family=frame.family,
        grams=frozenset(grams(spoken)),
        said=said,
        told=frozenset(str(chosen[slot].parts[0]) for slot in chosen.keys() & _ONCE),
        quotes=sum(p.is_quoted for p in said),
        questions=text.count("?"),
        words=len(spoken.split())
        + sum(len(given.split()) for segment in segments for given in segment.given)
        + sum(_length(p, material) for segment in segments for p in segment.parts if isinstance(p, Words)),
        cost=_cost(frame, spoken, style, windows, per_word) - sum(_QUOTED if p.is_quoted else _TOLD_BACK for p in said) + _filler(frame, said),
    )


def _filler(frame: Frame, said: Sequence[Words]) -> float:
    """What a phrase costs that could stand in any letter."""
    return _FITS_ANY if frame.move in _EMPTY and not said else 0.0


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


def _segments(frame: Frame, text: str, chosen: Mapping[str, Filling]) -> Iterator[Segment]:
    """One for each move that the frame makes. The second may go on in the sentence of the first."""
    is_open = False
    for move, said in grammar.marked(frame.move, text):
        used = {slot: chosen[slot] for slot in grammar.slots_of(said)}
        yield _segment(frame, move, said, used, goes_on=is_open)
        is_open = not said.endswith((".", "?", "!"))


def _segment(frame: Frame, move: str, text: str, chosen: Mapping[str, Filling], *, goes_on: bool) -> Segment:
    """`goes_on`: in the sentence of the segment before."""
    parts: list[Part] = []
    ids: list[str] = []
    for piece, is_slot in grammar.pieces(text.replace('"', "")):
        if not is_slot:
            _append(parts, piece)
            continue
        ids += chosen[piece].evidence_ids
        for part in chosen[piece].parts:
            if isinstance(part, Words):
                parts.append(replace(part, opens=_opens(parts, goes_on=goes_on)))
            else:
                _append(parts, part)
    cased = tuple(_cased(parts, goes_on=goes_on))
    return Segment(move=_public(move), parts=cased, evidence_ids=tuple(dict.fromkeys(ids)), frame=frame.id, given=_given(chosen))


def _given(chosen: Mapping[str, Filling]) -> tuple[str, ...]:
    return tuple(part for slot, filling in chosen.items() if slot in _ONCE or slot in _FIGURES for part in filling.parts if isinstance(part, str))


def _public(move: str) -> str:
    return move.removesuffix("_note").removesuffix("_second")


def _opens(parts: Sequence[Part], *, goes_on: bool) -> bool:
    return not goes_on if not parts else (isinstance(parts[-1], str) and parts[-1].endswith((". ", "? ", "! ")))


def _append(parts: list[Part], text: str) -> None:
    last = parts[-1] if parts else None
    if isinstance(last, str):
        parts[-1] = last + text
    else:
        parts.append(text)


def _cased(parts: Sequence[Part], *, goes_on: bool) -> Iterator[Part]:
    """Sentences begin with a capital."""
    for n, part in enumerate(parts):
        if not isinstance(part, str):
            yield part
            continue
        text = _SENTENCE_START.sub(lambda m: m[1].upper(), part)
        yield text[0].upper() + text[1:] if n == 0 and text and not goes_on else text


def spoken_of(segment: Segment) -> str:
    """Its text without what evidence says: what windows compare."""
    text = "".join(part if isinstance(part, str) else " \n " for part in segment.parts)
    for given in segment.given:
        text = re.sub(re.escape(given), " \n ", text, flags=re.IGNORECASE)
    return text


def _length(words: Words, material: Material) -> int:
    piece = next(e for e in material.pieces if e.id == words.evidence_id)
    return len(said_back(piece.text[words.start : words.end], is_quoted=words.is_quoted, opens=words.opens, lang=material.lang).split())
