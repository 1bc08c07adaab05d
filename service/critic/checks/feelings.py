"""What is said about how somebody feels."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ml.expressions import Pattern
from service.critic import lexicon
from service.critic.case import Case
from service.critic.wording import Span

Breach = tuple[int, int, str]


def _list(name: str, lang: str = "any") -> Pattern:
    return lexicon.expressions("checks", name, lang)


def feeling_in_silence(case: Case) -> Iterator[Breach]:
    """A word for a feeling, in a sentence about them."""
    for start, end in _feelings(case):
        first, last = case.text.sentence_at(start)
        if _list("you", case.lang).search(case.text.ours, first, last) and not _list("not_theirs").search(case.text.ours[first:start]):
            yield start, end, ""


def _feelings(case: Case) -> Iterator[Span]:
    for match in lexicon.pattern("emotion", case.lang).finditer(case.text.ours, *case.text.body):
        yield match.span()


def feeling_stated(case: Case) -> Iterator[Breach]:
    """A feeling that they did not name is said to be theirs, and nothing in the sentence offers it."""
    own = case.said.own_lower
    for start, end in _feelings(case):
        first, last = case.text.sentence_at(start)
        word = case.text.lower[start:end]
        if word[:5] in own or not _list("asserts", case.lang).search(case.text.ours[first:start]):
            continue
        before = case.text.ours[first:start]
        is_told = _list("tells_feeling", case.lang).search(before) is not None and not _list("offers_feeling", case.lang).search(before)
        is_question = case.text.text[first:last].rstrip().endswith("?")
        if (is_told and not is_question) or (not case.is_tentative(start, end) and not _values(case, (first, last))):
            yield start, end, ""


def _values(case: Case, span: Span) -> bool:
    """In a sentence that calls the feeling reasonable it is mostly taken from what happened."""
    return any(s.span == span and s.does("VAL") for s in case.moves)


def feelings_stacked(case: Case) -> Iterator[Breach]:
    """Two and more different feelings in one sentence that they did not name."""
    own = case.said.own_lower
    for span in case.text.sentences:
        found = [m for m in lexicon.pattern("emotion", case.lang).finditer(case.text.ours, *span) if m[0][:5] not in own]
        kinds = {m[0][:5] for m in found}
        is_choice = case.text.text[span[0] : span[1]].rstrip().endswith("?")
        if len(kinds) >= (3 if is_choice else 2) and _list("you", case.lang).search(case.text.ours, *span):
            yield found[0].start(), found[-1].end(), "more than one feeling"


def sympathy(case: Case) -> Iterator[Breach]:
    own = case.said.own_lower
    for match in _list("sympathy", case.lang).finditer(case.text.ours, *case.text.body):
        if match[0] not in own:
            yield (*match.span(), "")
            return
    for span in case.text.sentences:
        shown = _list("bare_sympathy", case.lang).search(case.text.ours, *span)
        if shown and span not in case.text.questions:
            yield (*shown.span(), "")
            return


_MOST_CLAUSES = 3
_CLAUSE = re.compile(r"[,.;:]| and | so | und | et | y | e ")


def understanding_piled(case: Case) -> Iterator[Breach]:
    """More than three clauses that call a feeling reasonable, questions left aside."""
    signs = [m.span() for m in lexicon.expressions("moves", "val", case.lang).finditer(case.text.ours, *case.text.body)]
    if len(signs) <= _MOST_CLAUSES:
        return
    found = [
        (start, end)
        for s in case.moves
        if s.span not in case.text.questions and not s.does("REF", "INFO")
        for start, end in _clauses(case, s.span)
        if any(start <= first and last <= end for first, last in signs)
    ]
    if len(found) > _MOST_CLAUSES:
        yield (*found[_MOST_CLAUSES], f"{len(found)} clauses of understanding")


def _clauses(case: Case, span: Span) -> Iterator[Span]:
    at = span[0]
    for match in _CLAUSE.finditer(case.text.ours, *span):
        yield at, match.start()
        at = match.end()
    yield at, span[1]


def irony_returned(case: Case) -> Iterator[Breach]:
    """Praise that they used about a failure, taken up outside quotation marks, or shouting given back."""
    if "negative" not in case.conditions:
        return
    ironic = {m[0] for m in _list("praise", case.lang).finditer(case.said.own_lower)}
    for match in _list("praise", case.lang).finditer(case.text.ours, *case.text.body):
        if match[0] in ironic:
            yield (*match.span(), "")


_REACH = 4
"""Words behind a minimiser within which it makes the thing small."""


def minimised(case: Case) -> Iterator[Breach]:
    """A word like "only" in front of what they complained about."""
    if not case.conditions & {"negative", "notice", "spoken"} or "routine" in case.conditions:
        return
    stop = lexicon.words("stop", case.lang)
    own = {_stem(t.word) for t in case.said.own_tokens if t.word not in stop}
    for match in _list("slight", case.lang).finditer(case.text.ours, *case.text.body):
        after = [t for t in case.text.words((match.end(), case.text.body[1])) if t.start >= match.end()][:2]
        if (
            after
            and not any(_list("told_small").fullmatch(t.word) for t in after)
            and any(_stem(t.word) in own for t in after)
            and match[0] not in case.said.own_lower
        ):
            yield match.start(), after[-1].end, ""
    for match in _list("small", case.lang).finditer(case.text.ours, *case.text.body):
        first, last = case.text.sentence_at(match.start())
        if _list("harmless", case.lang).match(case.text.lower[match.start() : match.end() + 24]) or match[0] in case.said.own_lower:
            continue
        if any(s.span == (first, last) and s.does("REF", "CHK", "ASK") for s in case.moves):
            continue
        near = [t for t in case.text.words((match.end(), last)) if t.start >= match.end()][:_REACH]
        if _POSSESSED.search(case.text.ours[first : match.start()]):
            continue
        counts = near and (near[0].word in _COUNTED or near[0].word[0].isdigit()) and _tells_back(case, (first, last))
        if counts or any(_stem(t.word) in own for t in near) or (near and near[0].word[0].isdigit() and near[0].word in {t.word for t in case.said.own_tokens}):
            yield match.start(), near[-1].end, ""


_POSSESSED = re.compile(r"\b(?:your|my|our|the|an|read|not)[ -]$")
_COUNTED = frozenset(
    "a an one two three four five six seven eight nine ten some few few, couple ein eine einen zwei drei vier ein paar un une"
    " deux trois quatre una dos tres cuatro um uma dois duas três quatro".split()
)


def _tells_back(case: Case, span: Span) -> bool:
    """A sentence about what happened to them, or about how they feel."""
    return any(s.span == span and s.does("ACK", "VAL") and not s.does("INFO") for s in case.moves)


def _stem(word: str) -> str:
    return word[:5]
