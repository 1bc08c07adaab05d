"""Everything that rules may ask about a draft, worked out once and only when asked."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from ml.moves import Move
from service.critic import lexicon
from service.critic.draft import MOST_CHARS, Draft
from service.critic.footing import Footing
from service.critic.grounding import Unsourced, unsourced
from service.critic.moves import Sentence, moves
from service.critic.said import Said
from service.critic.wording import Span, Wording

_AGREED = re.compile(r"\b(?:agree[ds]?|agreement reached|decided|chose|chosen|resolved|voted|vereinbart|convenu|acordad|combinad)\w*")


@dataclass(frozen=True)
class Case:
    draft: Draft

    @cached_property
    def lang(self) -> str:
        return lexicon.language(self.draft.lang)

    @cached_property
    def text(self) -> Wording:
        return Wording(self.draft.text[:MOST_CHARS])

    @cached_property
    def said(self) -> Said:
        return Said(self.draft.evidence, self.lang, self.draft.situation)

    @cached_property
    def moves(self) -> list[Sentence]:
        known = [Sentence(span, frozenset(m.move for m in self.draft.marked if m.start < span[1] and span[0] < m.end)) for span in self.text.sentences]
        return known if self.is_ours else [k if k.moves else guess for k, guess in zip(known, moves(self.text, self.said, self.lang), strict=True)]

    @cached_property
    def is_ours(self) -> bool:
        """Word for word: every sentence is marked."""
        return bool(self.draft.marked) and all(any(m.start < span[1] and span[0] < m.end for m in self.draft.marked) for span in self.text.sentences)

    @cached_property
    def footing(self) -> Footing:
        return Footing(self.text, self.said, self.lang, tuple(n for n in (self.draft.recipient_name, self.draft.am_name) if n))

    @cached_property
    def unsourced(self) -> list[Unsourced]:
        return unsourced(self.text, self.said, self.draft.recipient_name, self.draft.am_name, self.lang, may_reckon=not self.is_ours)

    def first(self, *wanted: Move) -> int | None:
        """Place among the sentences of the first that does one of these."""
        return next((n for n, sentence in enumerate(self.moves) if sentence.does(*wanted)), None)

    @cached_property
    def conditions(self) -> frozenset[str]:
        """What holds, by the names that rules use under `when`."""
        said = self.said
        held = {
            "negative": said.is_negative,
            "positive": said.is_win,
            "routine": said.is_routine,
            "silence": said.is_silence,
            "notice": said.is_notice,
            "hostile": said.is_hostile,
            "ordered": bool(said.orders),
            "spoken": bool(said.own.strip()),
            "wants_words": said.is_negative or said.is_win,
            "tracked": any(e.type == "tracking" for e in self.draft.evidence),
            "evidence": bool(self.draft.evidence),
            "agreed": _AGREED.search(said.all) is not None,
            **dict.fromkeys(said.situations, True),
            self.draft.channel.lower(): True,
        }
        return frozenset(name for name, holds in held.items() if holds)

    def scope(self, name: str) -> Sequence[Span]:
        """Where a rule looks."""
        return _SCOPES[name](self)

    def is_tentative(self, start: int, end: int) -> bool:
        """Whether the sentence that holds this place offers what it says, or asks."""
        first, last = self.text.sentence_at(start)
        is_question = self.text.text[first:last].rstrip().endswith("?")
        return is_question or lexicon.pattern("tentative", self.lang).search(self.text.lower, first, end) is not None


def _whole(case: Case) -> Sequence[Span]:
    return [(0, len(case.text.text))]


def _body(case: Case) -> Sequence[Span]:
    return [case.text.body]


def _first_sentences(case: Case) -> Sequence[Span]:
    return case.text.sentences[:2]


def _subject(case: Case) -> Sequence[Span]:
    match = re.match(r"\s*(?:subject|betreff|objet|asunto|assunto)\s*:[^\n]*", case.text.lower)
    return [match.span()] if match else []


_SCOPES: Mapping[str, Callable[[Case], Sequence[Span]]] = {
    "draft": _whole,
    "body": _body,
    "first_sentences": _first_sentences,
    "questions": lambda case: case.text.questions,
    "greeting": lambda case: [case.text.greeting] if case.text.greeting else case.text.sentences[:1],
    "subject": _subject,
}
