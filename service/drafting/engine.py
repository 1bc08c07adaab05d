"""Plan, realise, guard, critic, best of several. Deterministic, without any language model, and closed when in doubt: no clean draft, no draft."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from service.critic import Draft, review
from service.critic.case import Case
from service.critic.draft import Marked, Review
from service.critic.metrics import grade
from service.drafting import cards
from service.drafting.handling import NO_WORDS_NEEDED, handling_of, refused
from service.drafting.lexicon import of_language
from service.drafting.masks import masked
from service.drafting.material import Material, Told
from service.drafting.render import marked, text_of
from service.drafting.request import LANGUAGES, Drafted, Request, Segment, Words, Written
from service.drafting.salutation import closing, going_on, greeting
from service.drafting.search import LENGTHS, Beam, search, spoken_of
from service.drafting.seed import digest
from service.drafting.steps import Step, direct_plans, plans, steps
from service.drafting.style import Style, style_for
from service.drafting.theirs import readings
from service.drafting.windows import Window
from service.signals import Handling

_TO_CRITIC = {"renewal_notice": "renewal_decision", "tone_turn": "frustration", "unanswered_question": None, "direct_question": None}
"""What the critic calls moments that only the engine tells apart."""
TRIED = 8
"""Drafts of a plan that the critic sees at most; the first clean one is taken. The first of each opening come before the second of any."""
ALTERNATIVES = 2
HARDEST = 9.0
"""Reading grade of a draft, by Flesch and Kincaid."""
SHORT = 18
"""Words that may be enough where nothing is told back to anybody."""
MORE_WORDS = 1.2
"""What other languages need to say the same as English, marks that stand apart from words included."""


def draft(request: Request) -> Drafted:
    """Never raises for what evidence may hold; what cannot be drafted comes back with its reason."""
    if request.lang not in LANGUAGES:
        reason = f"there are no phrases for the language {request.lang!r}, and a draft in another would not answer them"
        return Drafted(id=request.id, handling="draft", situation=request.situation or "unknown", plan=(), reason=reason)
    hidden = masked(request)
    return hidden.shown(_drafted(Material(hidden.request)))


def _drafted(material: Material) -> Drafted:
    handling = handling_of(material)
    why_not = refused(material, handling)
    outline = _outline(material)
    if why_not:
        return _without(material, handling, outline, why_not)
    written = _written(material, material.told()) or _written(material, material.told(is_strict=True))
    if not written and material.request.channel == "chat":
        written = _written(material, material.told()[:1])
    if not written:
        return _without(material, handling, outline, "what is known does not carry a draft that passes every check")
    best, *others = written
    request = material.request
    return Drafted(
        id=request.id,
        handling=handling,
        situation=material.situation,
        plan=best.plan,
        written=best,
        alternatives=tuple(others[:ALTERNATIVES]),
        subject=subject(material) if request.channel == "email" else None,
        lang=request.lang,
        card=cards.card(material),
        texts={e.id: e.text for e in material.pieces},
    )


def _without(material: Material, handling: Handling, outline: tuple[str, ...], reason: str) -> Drafted:
    return Drafted(id=material.request.id, handling=handling, situation=material.situation, plan=outline, reason=reason, card=cards.card(material))


def _outline(material: Material) -> tuple[str, ...]:
    options = plans(material.lang).get(material.situation, [[]])
    return tuple(move.rstrip("?") for move in options[0])


def _written(material: Material, told: Sequence[Told]) -> list[Written]:
    """The best draft of each plan: those that tell nothing back in their order, then the best."""
    options = list(enumerate(plans(material.lang)[material.situation]))
    first = int.from_bytes(digest(material)[:4]) % len(options)
    direct = [(f"{name}{n}", plan) for name in direct_plans(material) for n, plan in enumerate(plans(material.lang)[name])]
    found: list[tuple[int, float, Written]] = []
    usual = [(f"{n}", plan) for n, plan in options[first:] + options[:first]]
    for place, (name, plan) in enumerate([*direct, *usual], -len(direct)):
        if len(found) > ALTERNATIVES:
            break
        made = steps(material, plan, told)
        best = _best(material, made, name) if made else None
        if best and all(best[1].plan != written.plan for _, _, written in found):
            found.append((_rank(material, best[1]) if place >= 0 else place, -best[0], best[1]))
    return [written for _, _, written in sorted(found, key=lambda one: one[:2])]


_LAST_RESORT = "en.heard.told."
_STOCK = frozenset({"CHK.restate", "CHK.either_or", "CHK.answers", "CHK.missing"})


def _rank(material: Material, written: Written) -> int:
    """Behind an offer the offer asks; a question that fits any letter, words in quotation marks, and what is told back for want of better, come last."""
    asks_again = "offer_verb_phrase" in material.slots and not _STOCK.isdisjoint(written.plan)
    is_told = any(segment.frame.startswith(_LAST_RESORT) for segment in written.segments)
    return 1 + asks_again + any(words.is_quoted for words in quoted(written.segments)) + 2 * is_told


def _best(material: Material, plan: Sequence[Step], name: str) -> tuple[float, Written] | None:
    style = style_for(material)
    windows = material.request.windows
    beams = search(material, plan, style, windows, f"{digest(material).hex()}|{name}")
    for beam in _fitting(material, beams, style)[:TRIED]:
        written = _reviewed(material, beam, style)
        if written and all(window.allows(compared(written.segments)) for window in windows):
            return worth(written.review) - 0.04 * beam.cost, written
    return None


def _fitting(material: Material, beams: Sequence[Beam], style: Style) -> list[Beam]:
    """Those of a fit length, the nearest to what this person writes first."""
    low, high = LENGTHS[material.request.channel]
    high = high if material.is_english else round(MORE_WORDS * high)
    if material.is_english or material.situation in ("unanswered_question", *NO_WORDS_NEEDED):
        low = min(low, SHORT)
    wanted = max(low, min(high, 1.3 * (style.words or 65), 105))
    kept = [b for b in beams if low - 6 <= b.words <= high]
    return _by_turns(sorted(kept, key=lambda b: b.cost + 0.03 * max(0.0, abs(b.words - wanted) - 15)))


def _by_turns(beams: Sequence[Beam]) -> list[Beam]:
    """What is wrong with one draft is wrong with most that begin like it."""
    turns, seen = [], Counter[object]()
    for n, beam in enumerate(beams):
        opening = beam.said[:1] or beam.segments[0].frame
        turns.append((seen[opening], n, beam))
        seen[opening] += 1
    return [beam for _, _, beam in sorted(turns, key=lambda turn: turn[:2])]


def _reviewed(material: Material, beam: Beam, style: Style) -> Written | None:
    opening = tuple(greeting(material, style))
    written = reviewed(material, (*opening, *going_on(beam.segments, opening, material.request), *closing(material, style, beam.segments[0])))
    return written if written.review.verdict == "good" and _is_plain(material, written.text) else None


def _is_plain(material: Material, text: str) -> bool:
    """Long sentences of theirs, told back in one of ours, would make a hard one."""
    found = grade(Case(as_draft(material.request, material.situation, text))) if material.is_english else None
    return found is None or found.value <= HARDEST


def reviewed(material: Material, segments: Sequence[Segment], *, is_marked: bool = True) -> Written:
    """As the critic sees it. `is_marked`: it takes the moves from the segments, else it guesses them from the words."""
    request = material.request
    texts = {e.id: e.text for e in material.pieces}
    text = text_of(segments, texts, request.channel, request.lang)
    moves = marked(segments, texts, request.channel, request.lang) if is_marked else ()
    return Written(
        text=text,
        segments=tuple(segments),
        plan=tuple(dict.fromkeys(s.move for s in segments)),
        review=review(as_draft(request, material.situation, text, moves)),
    )


def as_draft(request: Request, situation: str | None, text: str, moves: tuple[Marked, ...] = ()) -> Draft:
    """What the critic is shown of a text of ours. `moves`: where they are known."""
    return Draft(
        id=request.id,
        text=text,
        channel=request.channel,
        lang=request.lang,
        evidence=request.evidence,
        recipient_name=request.recipient_name,
        am_name=request.am_name,
        situation=known_to_critic(situation),
        marked=moves,
    )


def known_to_critic(situation: str | None) -> str | None:
    return situation and _TO_CRITIC.get(situation, situation)


def worth(found: Review) -> float:
    """What one draft is ahead of another by. Used to choose; never shown as one number. How near their style it is, the search has weighed already."""
    s = found.scores
    parts = ((0.25, s.structure), (0.20, s.specificity), (0.15, s.coverage), (0.15, s.novelty), (0.10, s.brevity), (0.05, s.readability))
    return sum(weight * value for weight, value in parts) - 0.03 * len(found.findings)


def compared(segments: Sequence[Segment]) -> str:
    """A draft as windows compare it: without greeting, name and what evidence says."""
    return "\n".join(spoken_of(s) for s in segments if not s.move.startswith(("GREET", "CLOSE")))


def subject(material: Material) -> str:
    """Neutral words, at most 55 characters, without any of the buyer's."""
    kept = readings() if material.is_english else of_language(material.lang)
    return str(kept["subjects"][material.situation])


def quoted(segments: Sequence[Segment]) -> list[Words]:
    return [part for s in segments for part in s.parts if isinstance(part, Words)]


def with_windows(request: Request, windows: Sequence[Window]) -> Request:
    return replace(request, windows=tuple(windows))
