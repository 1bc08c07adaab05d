"""Which words a model may use: those of the evidence, those of our own phrases for the same move, and plain ones. And which acts of ours it may speak of."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, cached_property

from ml.moves import Move
from service.critic import lexicon
from service.drafting import grammar
from service.drafting.lexicon import read, tokens
from service.drafting.register import Address
from service.drafting.render import coarse

_LEAST, _ENDING = 4, 3
"""Letters of a word that count at least, and those at its end that may differ."""
_CLAUSE = re.compile(r"[.?!:;](?=\s|$)|\n")
Act = tuple[str, ...]
"""What somebody does: ("we", "will", "send")."""


@dataclass(frozen=True)
class Vocabulary:
    """`heard`: the buyer's own words. `told`: our draft, and what else may be said."""

    lang: str
    address: Address
    heard: tuple[str, ...]
    told: tuple[str, ...]

    @cached_property
    def _evidence(self) -> frozenset[str]:
        return frozenset(_beginnings((*self.heard, *self.told)))

    @cached_property
    def _acts(self) -> frozenset[Act]:
        """The buyer's "we" is not ours."""
        return frozenset(act for text in self.told for act in _acts_of(text, self.lang))

    def strange(self, text: str, move: Move) -> list[str]:
        """Words of it that are none of these, and acts that we are nowhere said to do."""
        known = (self._evidence, _phrases(self.lang, self.address, move), _plain(self.lang))
        words = [word for word in tokens(text) if not any(begin in some for begin in _begins(word, _ENDING) for some in known)]
        acts = [" ".join(act) for act in _acts_of(text, self.lang) if act not in self._acts and act not in _acts_of_phrases(self.lang, self.address, move)]
        return [*words, *acts]


def _acts_of(text: str, lang: str) -> Iterator[Act]:
    """Who, helping verbs, verb: wherever we are named, and where something is held out to the reader."""
    return (act for clause in _CLAUSE.split(text) for act in _acts_of_clause(tokens(clause), lang))


def _acts_of_clause(found: Sequence[str], lang: str) -> Iterator[Act]:
    who, helping = _words("ours", lang), _words("helping", lang)
    held_out = {tuple(pair.split("_")) for pair in _words("held_out", lang)}
    for n, word in enumerate(found):
        if word in who or (word,) in held_out or tuple(found[n : n + 2]) in held_out:
            end = next((m for m in range(n + 1, len(found)) if found[m] not in helping), len(found))
            yield tuple(found[n : end + 1])


@cache
def _acts_of_phrases(lang: str, address: Address, move: Move) -> frozenset[Act]:
    return frozenset(act for piece in _pieces(lang, address, move) for act in _acts_of(piece, lang))


@cache
def _phrases(lang: str, address: Address, move: Move) -> frozenset[str]:
    return frozenset(_beginnings(_pieces(lang, address, move)))


def _pieces(lang: str, address: Address, move: Move) -> Iterator[str]:
    """What stands between the slots of our phrases."""
    found = (f for frames in grammar.frames(lang).values() for f in frames if f.address in (address, grammar.EITHER))
    said = (part for f in found for text in f.texts for name, part in grammar.marked(f.move, text) if coarse(name) == move)
    return (piece for text in said for piece, is_slot in grammar.pieces(text) if not is_slot)


@cache
def _plain(lang: str) -> frozenset[str]:
    """Without those that turn a sentence into a promise or into a claim about everything."""
    plain = lexicon.words("stop", lexicon.language(lang)) | _words("plain", lang)
    return frozenset(_beginnings([word for word in plain if word not in _words("sweeping", lang)])) - _words("sweeping", lang)


@cache
def _words(name: str, lang: str) -> frozenset[str]:
    return frozenset(read("lists/plain.yaml")[name][lang].split())


def _beginnings(texts: Iterable[str]) -> Iterator[str]:
    return (begin for text in texts for word in tokens(text) for begin in _begins(word, _ENDING - 1))


def _begins(word: str, ending: int) -> Iterator[str]:
    """The word, and it without up to so many letters at its end: "wait" for "waiting" and "waited", never "disc" for "discount"."""
    yield word
    yield from (word[:n] for n in range(len(word) - 1, max(_LEAST, len(word) - ending) - 1, -1))
