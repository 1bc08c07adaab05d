"""What each sentence of a person's text does. A guess by wording and evidence, and where these say nothing, by a model learned from examples."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from ml.expressions import Pattern
from ml.moves import MOVES, Move, load
from service.critic import lexicon
from service.critic.said import Said
from service.critic.wording import Span, Wording, lowered, tokens

CONFIDENCE = 0.8
"""What findings that rest on these guesses are worth beside those on segments that the engine tagged, which are certain."""
_EITHER = re.compile(r"\b(?:or|oder|ou|o)\b")
_ASKS_WHICH = re.compile(r"\W*(?:which|what|who|how|where|why)\b")
_FIRST = 3
"""Sentences among which an unmarked one is taken for an acknowledgement, unless the model is sure of something else."""
_SURE = 0.6
_TOLD: tuple[Move, ...] = ("ACK", "VAL", "INFO", "REF")
"""What a sentence without a question mark may be taken for by the model alone."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence and all that it does."""

    span: Span
    moves: frozenset[Move]

    def does(self, *moves: Move) -> bool:
        return not self.moves.isdisjoint(moves)


def moves(wording: Wording, said: Said, lang: str) -> list[Sentence]:
    known = _known(said, lang)
    shown = [(span, _of(wording, span, known, lang)) for span in wording.sentences]
    silent = [n for n, (_, found) in enumerate(shown) if not found]
    guessed = dict(zip(silent, _guessed([wording.text[slice(*shown[n][0])] for n in silent], silent, lang), strict=True))
    return [Sentence(span, found or frozenset({guessed[n]})) for n, (span, found) in enumerate(shown)]


def _known(said: Said, lang: str) -> tuple[frozenset[str], frozenset[str]]:
    """(words of the buyer, words that only our evidence has), without stop words."""
    stop = lexicon.words("stop", lang)
    own = frozenset(t.word for t in said.own_tokens) - stop
    ours = frozenset(t.word for text in said.texts() if text for t in tokens(text)) - stop - own
    return own, ours


def _of(wording: Wording, span: Span, known: tuple[frozenset[str], frozenset[str]], lang: str) -> frozenset[Move]:
    """By the signs it shows; nothing where it shows none."""
    if span in wording.questions:
        return _question(lowered(wording.text[span[0] : span[1]]), lang)
    own, ours = known
    words = {t.word for t in wording.words(span)}
    found: set[Move] = set()

    def shows(name: str, text: str = wording.lower) -> bool:
        return _pattern(name, lang).search(text, *span) is not None

    is_offer = shows("ref", wording.ours)
    if is_offer:
        found.add("REF")
    if shows("val"):
        found.add("VAL")
    if not is_offer and (shows("info") or len(words & ours) >= 2):
        found.add("INFO")
    if (words & own and (not found & {"REF", "INFO"} or len(words & own) >= 3)) or any(span[0] <= s < span[1] for s, _ in wording.quotes):
        found.add("ACK")
    if shows("stated_check"):
        found.add("CHK")
    elif shows("request") and not is_offer:
        found.add("ASK")
    return frozenset(found)


def _guessed(texts: Sequence[str], places: Sequence[int], lang: str) -> list[Move]:
    if not texts:
        return []
    return [_likely(row, place) for row, place in zip(load()(texts, lang).tolist(), places, strict=True)]


def _likely(row: Sequence[float], place: int) -> Move:
    chances = dict(zip(MOVES, row, strict=True))
    likely = max(_TOLD, key=lambda move: chances[move])
    if chances[likely] >= _SURE:
        return likely
    return "ACK" if place < _FIRST else "INFO"


def _question(text: str, lang: str) -> frozenset[Move]:
    is_schedule = _has("schedule", text, lang) and not _has("reading", text, lang)
    is_offer = _has("ref", text, lang)
    found: set[Move] = {"REF"} if is_offer else set()
    if _EITHER.search(text) and not is_schedule:
        found.add("CHK")
    elif is_schedule or (_has("request", text, lang) and not _ASKS_WHICH.match(text)):
        found.add("ASK")
    elif _has("check", text, lang) or not is_offer:
        found.add("CHK")
    return frozenset(found)


def _has(name: str, text: str, lang: str) -> bool:
    return _pattern(name, lang).search(text) is not None


def _pattern(name: str, lang: str) -> Pattern:
    return lexicon.expressions("moves", name, lang)


def first(found: Sequence[Sentence], *wanted: Move) -> Sentence | None:
    return next((sentence for sentence in found if sentence.does(*wanted)), None)
