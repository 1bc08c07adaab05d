"""Who is written to, taken out before anything is decided and put back into what is shown: a draft is the same whatever they are called and wherever they live.

Each part of their name stands as the same made-up name in all evidence, and what stands below the name that signs a message is left out. Offsets into
evidence and findings in a draft are moved back to where they belong.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from service.critic.draft import Evidence, Finding, Review
from service.drafting import names
from service.drafting.lexicon import of_language
from service.drafting.named import mentioned
from service.drafting.render import text_of
from service.drafting.request import Drafted, Part, Request, Segment, Written
from service.drafting.signed import below_names

STAND_INS = ("Zuvik", "Zavork", "Zelbin", "Zorvan", "Zimrod", "Zadvik", "Zunkel", "Zefrid", "Zolgan", "Zirnov")
"""Names that nobody has: capitals and no meaning, so that readers of text take them for names."""


@dataclass(frozen=True, slots=True)
class Moved:
    """Where a text was changed: (start, end) before and after, in order."""

    edits: tuple[tuple[int, int, int, int], ...]

    @property
    def reversed(self) -> Moved:
        return Moved(tuple((c, d, a, b) for a, b, c, d in self.edits))

    def back(self, start: int, end: int) -> tuple[int, int]:
        """A stretch of the changed text as one of the text before."""
        return self._place(start, bisect_right(self.edits, start, key=_new_start)), self._place(end, bisect_left(self.edits, end, key=_new_start))

    def _place(self, place: int, edits: int) -> int:
        """`edits`: how many of them lie before it."""
        if not edits:
            return place
        start, end, _, new_end = self.edits[edits - 1]
        return end + place - new_end if place >= new_end else start


@dataclass(frozen=True)
class Masked:
    """`request` as the engine sees it, and the way back."""

    asked: Request
    request: Request
    moved: Mapping[str, Moved]
    real: Mapping[str, str]
    """Stand-in to what it stands for."""

    def shown(self, drafted: Drafted) -> Drafted:
        """With the names as they are."""
        texts = {name: text for e in self.asked.evidence if (name := e.id) in drafted.texts for text in (e.text,)}
        return replace(
            drafted,
            written=drafted.written and self._written(drafted.written, texts),
            alternatives=tuple(self._written(written, texts) for written in drafted.alternatives),
            card=tuple(map(self._said, drafted.card)),
            texts=texts,
        )

    def _written(self, written: Written, texts: Mapping[str, str]) -> Written:
        segments = tuple(self._segment(s) for s in written.segments)
        text = text_of(segments, texts, self.asked.channel, self.asked.lang)
        _, moved = changed(written.text, [(*m.span(), self.real[m[0]]) for m in self._pattern.finditer(written.text)])
        return replace(written, text=text, segments=segments, review=_placed(written.review, moved.reversed))

    def _segment(self, segment: Segment) -> Segment:
        return replace(segment, parts=tuple(map(self._part, segment.parts)), given=tuple(map(self._said, segment.given)))

    def _part(self, part: Part) -> Part:
        if isinstance(part, str):
            return self._said(part)
        start, end = self.moved[part.evidence_id].back(part.start, part.end)
        return replace(part, start=start, end=end)

    def _said(self, text: str) -> str:
        return self._pattern.sub(lambda m: self.real[m[0]], text)

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        return re.compile("|".join(map(re.escape, self.real)) or r"(?!)")


def masked(request: Request) -> Masked:
    """The names of the recipient, and only where they are a name that one could write."""
    parts = _parts(request)
    stands = dict(zip(parts, _free(request), strict=False))
    texts = {e.id: _masked(e, stands, request.lang) for e in request.evidence}
    return Masked(
        asked=request,
        request=replace(
            request,
            recipient_name=" ".join(stands.get(part, part) for part in request.recipient_name.split()) if request.recipient_name else None,
            evidence=tuple(replace(e, text=texts[e.id][0]) for e in request.evidence),
        ),
        moved={name: moved for name, (_, moved) in texts.items()},
        real={cased(name): cased(part) for part, name in stands.items() for cased in (str.upper, str.lower, str)},
    )


def _parts(request: Request) -> list[str]:
    """Of the name, without titles, initials and particles, and without what the account manager goes by as well."""
    if names.address(request.recipient_name, is_formal=True) == (None, None):
        return []
    ours = frozenset((request.am_name or "").split())
    titles = names.TITLES if request.lang == "en" else names.TITLES | frozenset(of_language(request.lang)["titles"].split())
    found = [part for part in dict.fromkeys((request.recipient_name or "").split()) if part not in ours and part.lower() not in titles]
    return [part for part in found if not part[0].islower() and not part.endswith(".") and (len(part) > 1 or not part[0].isupper())]


def _free(request: Request) -> Iterator[str]:
    said = "\n".join([request.am_name or "", *(e.text for e in request.evidence)]).lower()
    return (name for name in STAND_INS if name.lower() not in said)


def _masked(piece: Evidence, stands: Mapping[str, str], lang: str) -> tuple[str, Moved]:
    cut = below_names(piece.text, list(stands)) if piece.type == "buyer_message" else []
    changes = [(s, e, "") for s, e in cut]
    low = piece.text.casefold()
    if any(part.casefold() in low for part in stands):
        places = [(start, end, stands[part]) for part, start, end in mentioned(piece.text, list(stands), lang, is_theirs=piece.type == "buyer_message")]
        changes += [place for place in places if not any(s <= place[0] < e for s, e in cut)]
    return changed(piece.text, sorted(changes))


def changed(text: str, changes: Sequence[tuple[int, int, str]]) -> tuple[str, Moved]:
    """With these stretches replaced, in order."""
    parts, edits, at, length = list[str](), list[tuple[int, int, int, int]](), 0, 0
    for start, end, new in changes:
        parts += [text[at:start], new]
        length += start - at
        edits.append((start, end, length, length + len(new)))
        length, at = length + len(new), end
    return "".join([*parts, text[at:]]), Moved(tuple(edits))


def _new_start(edit: tuple[int, int, int, int]) -> int:
    return edit[2]


def _placed(review: Review, moved: Moved) -> Review:
    def at(finding: Finding) -> Finding:
        start, end = moved.back(finding.start, finding.end)
        return replace(finding, start=start, end=end)

    return replace(review, findings=tuple(map(at, review.findings)))
