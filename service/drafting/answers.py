"""Whether what a model wrote may stand beside a draft of ours. Nothing that it says of itself is believed: not its ids, not its moves, not its words."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from service.critic import lexicon
from service.critic.grounding import unsourced
from service.critic.overlap import runs
from service.critic.wording import Wording, lowered, tokens
from service.drafting.engine import compared, reviewed
from service.drafting.framed import Framed, broken, is_rewritten, seen
from service.drafting.register import spoken_to
from service.drafting.render import coarse, text_of
from service.drafting.request import Part, Segment, Words, Written
from service.drafting.salutation import going_on
from service.drafting.search import LENGTHS

MOST_CHARS = 4_000
"""Of one answer. The longest that a channel allows is a quarter of that."""
_LINE = re.compile(r"([A-Z]{3,5}\.[a-z_]{1,40}):[ \t]+(\S.*)")
_IDS = re.compile(r"[ \t]*\[(E\d{1,3}(?:[,;]?[ ]?E\d{1,3})*)\]")
_MARKUP = re.compile(r"[<>`{}\[\]|\\*~^]|(?<!\w)_|_(?!\w)|^[ \t]*[#=+@•-]|&#?\w+;|\(\s*(?:https?:|/)", re.MULTILINE)
_LINK = re.compile(r"\b[a-z][a-z+.-]{1,20}://\S+|\bwww\.\S+|\b(?:mailto|tel|javascript|data):\S+|[^\s@]+@[^\s@]+|\b[\w-]+(?:\.[\w-]+)*\.[^\W\d_]{2,}\b\S*")
_ENDS = ".,;:!?… "
_SIGNIFICANT = 2
"""Words in a row that an answer may not share with an order, where nothing else on record has them."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """`written`, or the code of the first reason against it."""

    written: Written | None = None
    code: str = ""


@dataclass(frozen=True)
class Answer:
    framed: Framed
    raw: str

    @cached_property
    def lines(self) -> list[tuple[str, str, frozenset[str]]] | None:
        """(move, words, ids) of each line; None for what is something else."""
        found = [_LINE.fullmatch(line.strip()) for line in self.raw.splitlines() if line.strip()]
        return [_parsed(match) for match in found if match] if found and all(found) else None

    @property
    def words(self) -> str:
        return "\n".join(text for _, text, _ in self.lines or ())

    @cached_property
    def segments(self) -> tuple[Segment, ...]:
        """Ours with the words of the answer in the middle."""
        framed = self.framed
        middle = [_rewritten(framed, own, text, ids) for own, (_, text, ids) in zip(framed.middle, self.lines or (), strict=True)]
        before, behind = ([s for s in framed.own.segments if coarse(s.move) == end] for end in ("GREET", "CLOSE"))
        return (*before, *going_on(middle, before, framed.material.request), *behind)

    @cached_property
    def text(self) -> str:
        request = self.framed.material.request
        return text_of(self.segments, self.framed.texts, request.channel, request.lang)


def judged(framed: Framed, raw: str) -> Verdict:
    """Never raises, whatever it is given."""
    answer = Answer(framed, raw)
    code = next((found for check in _CHECKS if (found := check(answer))), None)
    if code:
        return Verdict(code=code)
    written = reviewed(framed.material, answer.segments)
    rules = (*written.review.rules, *broken(framed, answer.segments))
    return Verdict(code=f"rule_{rules[0]}") if rules else Verdict(written=written)


def _parsed(match: re.Match[str]) -> tuple[str, str, frozenset[str]]:
    ids = frozenset(name for found in _IDS.findall(match[2]) for name in re.findall(r"E\d+", found))
    return match[1], re.sub(r"[ \t]+", " ", _IDS.sub("", match[2])).strip(), ids


def _rewritten(framed: Framed, own: Segment, text: str, ids: frozenset[str]) -> Segment:
    names = tuple(dict.fromkeys([*own.evidence_ids, *(name for name, short in framed.ids.items() if short in ids)]))
    given = tuple(g for g in own.given if g.lower() in text.lower())
    return Segment(move=own.move, parts=tuple(_parts(framed, text)), evidence_ids=names, frame=own.frame, given=given)


def _parts(framed: Framed, text: str) -> Iterator[Part]:
    """Quotations by their offsets in the buyer's message, where they stand there."""
    done = 0
    for start, end in Wording(text).quotes:
        opens = not text[:start].strip() or text[:start].rstrip().endswith((".", "?"))
        words, after = _quoted(framed, text[start + 1 : end - 1].strip(), opens=opens)
        if words:
            yield from (part for part in (text[done:start], words, after) if part)
            done = end
    if text[done:]:
        yield text[done:]


def _quoted(framed: Framed, inner: str, *, opens: bool) -> tuple[Words | None, str]:
    """With the stop that some put inside the quotation marks."""
    bare = inner.rstrip(".,")
    whole = _found(framed, inner, opens=opens)
    return (whole, "") if whole else (_found(framed, bare, opens=opens), inner[len(bare) :])


def _found(framed: Framed, said: str, *, opens: bool) -> Words | None:
    if not said:
        return None
    wanted = re.compile(rf"(?<!\w){re.escape(lowered(said))}(?!\w)")
    for heard in framed.material.heard:
        lower = lowered(heard.piece.text)
        for start, end in framed.material.usable(heard):
            match = wanted.search(lower[:end], start)
            if match:
                return Words(evidence_id=heard.piece.id, start=match.start(), end=match.end(), is_quoted=True, opens=opens)
    return None


def _is_long(answer: Answer) -> str | None:
    return "too_long" if len(answer.raw) > MOST_CHARS else None


def _has_markup(answer: Answer) -> str | None:
    """Letters that nobody sees count as markup."""
    bare = _IDS.sub("", answer.raw.replace("\r\n", "\n"))
    hidden = any(unicodedata.category(char) in ("Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp") for char in bare if char != "\n")
    return "markup" if hidden or _MARKUP.search(bare) else None


def _is_something_else(answer: Answer) -> str | None:
    return None if answer.lines and all(text for _, text, _ in answer.lines) else "not_as_asked"


def _lacks_a_move(answer: Answer) -> str | None:
    return None if [move for move, _, _ in answer.lines or ()] == [s.move for s in answer.framed.middle] else "move_missing"


def _cites_wrongly(answer: Answer) -> str | None:
    """Less than our own draft rests on there, or what nobody showed it."""
    framed = answer.framed
    for (_, _, ids), own in zip(answer.lines or (), framed.middle, strict=True):
        if not {framed.ids[name] for name in own.evidence_ids} <= ids <= framed.known_ids:
            return "wrong_evidence"
    return None


def _is_wordy(answer: Answer) -> str | None:
    return "too_long" if len(answer.words.split()) > LENGTHS[answer.framed.material.request.channel][1] else None


def _holds_a_link(answer: Answer) -> str | None:
    """One that our own evidence does not give; a buyer's is never passed on."""
    ours = answer.framed.without_orders.ours
    return "link" if any(match[0].rstrip(_ENDS) not in ours for match in _LINK.finditer(answer.words)) else None


def _repeats_an_order(answer: Answer) -> str | None:
    framed, words = answer.framed, tokens(answer.words)
    known = lowered("\n".join([framed.without_orders.all, framed.own.text]))
    for order in framed.material.said.orders:
        for start, end in runs(words, tokens(order), framed.material.lang, least=_SIGNIFICANT):
            if lowered(answer.words[start:end]) not in known:
                return "order"
    return None


def _misquotes(answer: Answer) -> str | None:
    """Quotation marks are for the buyer's own words and for terms on record."""
    ours = lowered(answer.framed.without_orders.ours)
    for segment in answer.segments:
        for text in (p for p in segment.parts if isinstance(p, str) and is_rewritten(segment)):
            if any(lowered(text[s + 1 : e - 1]).strip(_ENDS) not in ours for s, e in Wording(text).quotes):
                return "quotation"
    return None


def _strays(answer: Answer) -> str | None:
    """Says something in words that are neither in evidence nor in any phrase of ours for that move: so come inventions that no list foresees."""
    for segment in answer.segments:
        said = "; ".join(p for p in segment.parts if isinstance(p, str))  # what stands on both sides of their words is no one clause
        if is_rewritten(segment) and answer.framed.vocabulary.strange(said, coarse(segment.move)):
            return "strange_words"
    return None


def _mistakes_the_reader(answer: Answer) -> str | None:
    """Du for whom we call Sie."""
    material = answer.framed.material
    spoken = None if material.is_english else spoken_to(answer.words, material.lang)
    return "address" if spoken not in (None, material.address) else None


def _is_unsourced(answer: Answer) -> str | None:
    request, said = answer.framed.material.request, answer.framed.without_orders
    found = unsourced(Wording(answer.text), said, request.recipient_name, request.am_name, lexicon.language(request.lang))
    return "unsourced" if found else None


def _only_claims_a_move(answer: Answer) -> str | None:
    return None if answer.framed.visible_moves <= seen(answer.framed, answer.text) else "move_missing"


def _is_worn(answer: Answer) -> str | None:
    return None if all(window.allows(compared(answer.segments)) for window in answer.framed.material.request.windows) else "repeats"


_CHECKS: Sequence[Callable[[Answer], str | None]] = (
    _is_long,
    _has_markup,
    _is_something_else,
    _lacks_a_move,
    _cites_wrongly,
    _is_wordy,
    _holds_a_link,
    _repeats_an_order,
    _misquotes,
    _mistakes_the_reader,
    _is_unsourced,
    _strays,
    _only_claims_a_move,
    _is_worn,
)
"""In this order: each may rely on those before it."""
