"""What the words of a sentence rest on: the buyer's message, a record of ours, an offer, or nothing at hand."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache

from service.critic import lexicon
from service.critic.said import Said
from service.critic.wording import Span, Token, Wording, tokens

_LETTERS = 5
"""By which forms of one word are told to be the same."""
_MOST, _LEAST_CONTENT, _LEAST_OURS = 0.6, 3, 2
"""Of a sentence that gives a record back: share of its words, how many at least, and how many of them that are ours."""
Stems = frozenset[str]


def stem(word: str) -> str:
    return word.partition("'")[0][:_LETTERS]


@cache
def common_stems(lang: str) -> Stems:
    """Of words that anybody uses about anything."""
    return frozenset(stem(word) for word in lexicon.words("common", lang))


@lru_cache(maxsize=512)
def _stems(text: str, lang: str) -> Stems:
    stop = lexicon.words("stop", lang)
    return frozenset(stem(t.word) for t in tokens(text) if t.word not in stop)


@dataclass(frozen=True)
class Footing:
    text: Wording
    said: Said
    lang: str
    names: tuple[str, ...]
    """Of the two people who write to one another."""

    @cached_property
    def stop(self) -> Stems:
        return lexicon.words("stop", self.lang)

    def stems(self, texts: Iterable[str]) -> Stems:
        return frozenset().union(*(_stems(text, self.lang) for text in texts))

    @cached_property
    def own(self) -> Stems:
        return self.stems(self.said.messages)

    @cached_property
    def ours(self) -> Stems:
        """Of all records, tracking left out."""
        return self.stems(e.text for e in self.said.evidence if e.type not in ("buyer_message", "tracking"))

    @cached_property
    def people(self) -> Stems:
        return self.stems(self.names)

    def of(self, *types: str) -> Stems:
        return self.stems(self.said.texts(*types))

    def content(self, span: Span) -> list[Token]:
        """Words that carry meaning, outside quotation marks."""
        return [t for t in self.text.words(span) if t.word not in self.stop and stem(t.word) not in self.people and not self.text.is_quoted(t.start)]

    def fresh(self, span: Span) -> list[Token]:
        """Those that stand neither in the buyer's words nor in a record."""
        return [t for t in self.content(span) if stem(t.word) not in self.own and stem(t.word) not in self.ours]

    def resting(self, span: Span, stems: Stems) -> int:
        """How many different ones of a sentence are among these."""
        return len({stem(t.word) for t in self.content(span)} & stems)

    def is_borne(self, span: Span, part: Span) -> bool:
        """Most of a sentence, and all that carries meaning in that part of it, stands in evidence, some of it in a record."""
        words = {stem(t.word) for t in self.content(span)}
        if not {stem(t.word) for t in self.content(part)} <= self.ours | self.own:
            return False
        return len(words) >= _LEAST_CONTENT and len(words & self.ours) >= _LEAST_OURS and len(words & (self.ours | self.own)) >= _MOST * len(words)
