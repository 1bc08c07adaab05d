"""Whether an answer shows that the message was heard: in their words, and with the feeling called reasonable."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ml.expressions import Pattern
from ml.moves import MOVES, load
from service.critic import lexicon
from service.critic.case import Case
from service.critic.checks.at_once import acts_on_it, needs_no_echo
from service.critic.footing import common_stems, stem
from service.critic.moves import Sentence
from service.critic.wording import lowered

Breach = tuple[int, int, str]


def _list(name: str, lang: str = "any") -> Pattern:
    return lexicon.expressions("checks", name, lang)


_LIKELY = 0.3
"""Chance from which a sentence is given the benefit of the doubt."""


_CALMER = frozenset({"notice", "champion_change", "renewal_decision", "cross_functional", "positive_momentum", "timing_concern", "competitor_evaluation"})


def validated(case: Case) -> Iterator[Breach]:
    """Something calls the feeling reasonable. Where they named no feeling, and only a decision or a handover is at hand, nothing need."""
    if case.conditions & _CALMER and not lexicon.pattern("emotion", case.lang).search(case.said.own_lower):
        return
    if needs_no_echo(case) or acts_on_it(case):
        return
    turn = next(
        (n for n, s in enumerate(case.moves) if (s.does("REF") and not s.does("VAL")) or (s.does("INFO") and not s.does("ACK", "VAL"))), len(case.moves)
    )
    late = any(s.does("VAL") and not s.does("REF") for s in case.moves[turn:])
    plain = any(_list("values_early", case.lang).search(case.text.ours, *s.span) for s in case.moves[: max(turn, 1)] if s.span not in case.text.questions)
    if not any(s.does("VAL") for s in case.moves[:turn]) and not plain and not late and not _may_value(case, turn):
        yield (*(case.moves[max(turn - 1, 0)].span if case.moves else case.text.body), "")


_BARE = frozenset(
    "wrote write written say said says call called told tell here here's look looks point note notes got get gives give put yes two three four five six seven"
    " eight nine ten fourteen per cent this that hello dear morning".split()
)
"""Words that give a matter back and judge nothing."""


_MOST_FRESH = 1


def never_valued(case: Case) -> Iterator[Breach]:
    """Where what stands in front of facts and offer is made of evidence alone, word by word, and asks nobody who would not feel so."""
    common = common_stems(case.lang)
    for start, end, why in validated(case):
        before = [s.span for s in case.moves if s.span[0] <= start]
        fresh = [sum(t.word not in _BARE and stem(t.word) not in common for t in case.footing.fresh(span)) for span in before]
        if max(fresh, default=0) <= _MOST_FRESH and not any(_WHO_NOT.search(case.text.ours, *span) for span in before):
            yield start, end, why


_WHO_NOT = re.compile(r"\bwho (?:wouldn't|would not|doesn't|could)\b|\bqui ne\b|\bwer (?:wäre|würde|hätte)\b|\bquién no\b|\bquem não\b")


def _may_value(case: Case, turn: int) -> bool:
    """Whether the model takes one of the first sentences for it, where no sign is known."""
    texts = [case.text.text[slice(*s.span)] for s in case.moves[:turn] if not s.does("CHK", "ASK")]
    return bool(texts) and bool((load()(texts, case.lang)[:, MOVES.index("VAL")] >= _LIKELY).any())


def none_of_their_words(case: Case) -> Iterator[Breach]:
    """In front of the offer, what gives the matter back shares hardly a word with their message, and quotes none."""
    if needs_no_echo(case):
        return
    own = case.footing.own
    told = [s.span for s in _before_offer(case) if not s.does("INFO") or s.does("ACK")]
    shared = {stem(t.word) for span in told for t in case.footing.content(span)} & own
    quoted = any(lowered(case.text.text[s:e].strip(_MARKS)) in case.said.own_lower for s, e in case.text.quotes)
    if len(shared) <= _MOST_SHARED and not quoted and len(own) > _MOST_SHARED:
        yield (*(case.text.sentences[0] if case.text.sentences else case.text.body), "")


_MOST_SHARED = 1


_MARKS = "\"'“”„‚‘’«»‹› .,;:!?…\u00a0\u202f\n"


def _before_offer(case: Case) -> list[Sentence]:
    at = next((n for n, s in enumerate(case.moves) if n and s.does("REF") and not s.does("VAL")), len(case.moves))
    return case.moves[:at]
