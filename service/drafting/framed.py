"""A draft of ours as a language model gets to see it, and all that a rewriting of it may draw on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from ml.moves import Move
from service.critic import lexicon
from service.critic.moves import moves
from service.critic.said import Said
from service.critic.wording import Wording
from service.drafting.engine import reviewed
from service.drafting.material import Material
from service.drafting.render import coarse
from service.drafting.request import Segment, Words, Written
from service.drafting.vocabulary import Vocabulary


@dataclass(frozen=True, slots=True)
class Piece:
    """What may be said, with the short id that stands for its evidence: ids of others may hold anything."""

    id: str
    text: str


@dataclass(frozen=True)
class Framed:
    """A draft of ours with all that a rewriting of it may draw on."""

    material: Material
    own: Written

    @cached_property
    def ids(self) -> dict[str, str]:
        return {name: f"E{n}" for n, name in enumerate(dict.fromkeys(e.id for e in self.material.pieces), 1)}

    @cached_property
    def texts(self) -> dict[str, str]:
        return {e.id: e.text for e in self.material.pieces}

    @cached_property
    def middle(self) -> tuple[Segment, ...]:
        """What lies between greeting and closing."""
        return tuple(s for s in self.own.segments if is_rewritten(s))

    @cached_property
    def facts(self) -> list[Piece]:
        """What the engine found fit to be said; the rest of the evidence may be for our own people alone."""
        told = [(f.evidence_id, f.text) for f in (*self.material.facts, *self.material.terms)]
        given = [(name, text) for s in self.middle for text in s.given for name in s.evidence_ids if name in self._ours]
        return [Piece(self.ids[name], text) for name, text in dict.fromkeys([*told, *given])]

    @cached_property
    def _ours(self) -> frozenset[str]:
        return frozenset(e.id for e in self.material.pieces if e.type not in ("buyer_message", "offer"))

    @cached_property
    def offers(self) -> list[Piece]:
        fillings = self.material.slots.get("offer_verb_phrase", ())
        return [Piece(self.ids[f.evidence_ids[0]], str(f.parts[0])) for f in fillings]

    @cached_property
    def quotes(self) -> list[Piece]:
        """Those that the engine would take, and those of its draft."""
        found = [p for f in self.material.slots.get("quote", ()) for p in f.parts if isinstance(p, Words)]
        found += [p for s in self.middle for p in s.parts if isinstance(p, Words) and p.is_quoted]
        return list(dict.fromkeys(Piece(self.ids[w.evidence_id], " ".join(self.texts[w.evidence_id][w.start : w.end].split())) for w in found))

    @cached_property
    def known_ids(self) -> frozenset[str]:
        """Of all that was shown."""
        heard = [self.ids[h.piece.id] for h in self.material.heard]
        return frozenset([*heard, *(p.id for p in (*self.facts, *self.offers)), *(self.ids[name] for s in self.middle for name in s.evidence_ids)])

    @cached_property
    def without_orders(self) -> Said:
        """All evidence but for what orders a machine about: no number and no name comes from there."""
        cut: dict[str, str] = dict(self.texts)
        for name, (start, end) in self.material.ordered:
            text = cut[name]
            cut[name] = text[:start] + " " * (end - start) + text[end:]
        return Said(tuple(replace(e, text=cut[e.id]) for e in self.material.pieces), self.material.lang, None)

    @cached_property
    def vocabulary(self) -> Vocabulary:
        heard = tuple(h.piece.text[s:e] for h in self.material.heard for s, e in self.material.usable(h))
        return Vocabulary(self.material.lang, self.material.address, heard, (*(p.text for p in (*self.facts, *self.offers)), self.own.text))

    @cached_property
    def seemingly_broken(self) -> frozenset[str]:
        return frozenset(reviewed(self.material, self.own.segments, is_marked=False).review.rules)

    @cached_property
    def visible_moves(self) -> frozenset[Move]:
        """Moves of the plan that the critic recognises in our own draft without being told."""
        planned = {coarse(s.move) for s in self.middle}
        return frozenset(move for move in seen(self, self.own.text) if move in planned)


def is_rewritten(segment: Segment) -> bool:
    return coarse(segment.move) not in ("GREET", "CLOSE")


def seen(framed: Framed, text: str) -> frozenset[Move]:
    """Moves that the critic recognises by the words alone."""
    found = moves(Wording(text), framed.material.said, lexicon.language(framed.material.request.lang))
    return frozenset(move for sentence in found for move in sentence.moves)


def broken(framed: Framed, segments: Sequence[Segment]) -> list[str]:
    """Rules of error level that it breaks as a stranger's text. Not those that our own draft would seem to break as well, were its moves not known."""
    found = reviewed(framed.material, segments, is_marked=False).review.rules
    return [rule for rule in found if rule not in framed.seemingly_broken]
