"""The order and the parts of an answer, by the guessed moves of its sentences."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ml.expressions import Pattern
from service.critic import lexicon
from service.critic.case import Case
from service.critic.checks.at_once import acts_on_it, needs_no_echo
from service.critic.footing import stem
from service.critic.moves import Sentence
from service.critic.wording import Span, lowered, tokens

Breach = tuple[int, int, str]


def _list(name: str, lang: str = "any") -> Pattern:
    return lexicon.expressions("checks", name, lang)


_STEM = 5
"""Letters by which words of a product are told from those of the buyer."""


def steps(case: Case) -> Iterator[Breach]:
    """A check in front of the offer, or the feeling called reasonable only behind it."""
    yield from _valued_late(case)
    offer = next((n for n, s in enumerate(case.moves) if s.does("REF") and not s.does("ACK")), None)
    for n, sentence in enumerate(case.moves):
        if sentence.moves == {"CHK"} and not _is_checked_after(case, n) and not _repeats(case, sentence.span) and _follows(case, n):
            yield (*sentence.span, "the check comes before what it checks")
            return
    valued = [n for n, s in enumerate(case.moves) if s.does("VAL") and not s.does("CHK", "ASK")]
    if offer is not None and valued and valued[0] > offer and not case.moves[valued[0]].does("REF"):
        yield (*case.moves[valued[0]].span, "the offer comes before the feeling is called reasonable")


def _valued_late(case: Case) -> Iterator[Breach]:
    """Two sentences of nothing but records stand in front of the first that calls the feeling reasonable."""
    valued = next((n for n, s in enumerate(case.moves) if s.does("VAL") and not s.does("CHK", "ASK", "REF", "INFO")), None)
    facts = [n for n, s in enumerate(case.moves[: valued or 0]) if n and _is_record(case, s.span)]
    if valued and len(facts) >= _MOST_FACTS:
        yield (*case.moves[valued].span, "the facts come before the feeling is called reasonable")


_MOST_FACTS = 2


def _is_record(case: Case, span: Span) -> bool:
    own, ours = (case.footing.resting(span, stems) for stems in (case.footing.own, case.footing.ours - case.footing.own))
    return span not in case.text.questions and ours >= 2 and ours > own and not any(span[0] <= start < span[1] for start, _ in case.text.quotes)


def _is_checked_after(case: Case, at: int) -> bool:
    """Whether another question behind the last offer does the checking."""
    last = max((n for n, s in enumerate(case.moves) if s.does("REF")), default=at)
    return any(s.does("CHK") for s in case.moves[max(last, at + 1) :])


def _follows(case: Case, at: int) -> bool:
    """Whether an offer, or what calls the feeling reasonable, comes only after this question."""
    later, earlier = case.moves[at + 1 :], case.moves[:at]
    has_check_later = any(s.does("CHK") for s in later)
    offered = any(s.does("REF") for s in later) and not any(s.does("REF") for s in earlier)
    valued = any(s.does("VAL") for s in later) and not any(s.does("VAL") for s in earlier)
    return valued or (offered and (not has_check_later or not any(s.does("VAL") for s in earlier)))


def _repeats(case: Case, span: Span) -> bool:
    """A question of the buyer's given back is no check."""
    if case.text.is_quoted(max(span[0], span[1] - 2)):
        return True
    words = [t.word for t in case.text.words(span)]
    stop = lexicon.words("stop", case.lang)
    own = {w for q in case.said.questions for w in (t.word for t in tokens(q))}
    content = [w for w in words if w not in stop]
    return bool(content) and sum(w in own for w in content) / len(content) >= 0.6


def facts_first(case: Case) -> Iterator[Breach]:
    """The first sentence brings what only our evidence knows. Taking note of a decision is an acknowledgement, and so is
    a fault that is owned, or the answer to who asked and is not upset."""
    if not case.moves or "notice" in case.conditions or needs_no_echo(case):
        return
    first = next((s for s in case.moves if not _is_heading(case, s.span)), case.moves[0])
    told = first.does("INFO", "REF") and not first.does("ACK", "VAL", "CHK") and not _echoes(case, first.span)
    if told or (first.span not in case.text.questions and _speaks_of_us(case, first)):
        yield (*first.span, "")


_UPSET = frozenset({"frustration", "risk_reliability", "past_vendor_disappointment", "implementation_worry", "deadlock"})
_ANSWERS = re.compile(r"\W*(?:yes|no|not yet|it does|it doesn't|they do|we do|sure|ja|nein|oui|non|sí|sim|não)\b")


def facts_first_surely(case: Case) -> Iterator[Breach]:
    """Where they are upset, or asked nothing that the first sentence answers, and it does not speak of what is theirs."""
    for start, end, why in facts_first(case):
        asked = bool(case.said.questions) or _ANSWERS.match(case.text.lower[start:end]) is not None
        is_calm = not case.conditions & _UPSET and lexicon.pattern("emotion", case.lang).search(case.said.own_lower) is None
        takes_up = re.search(r"\bi\b.{0,20}\byour\b", case.text.ours[start:end]) is not None
        if not (is_calm and asked) and not takes_up:
            yield start, end, why


def _speaks_of_us(case: Case, first: Sentence) -> bool:
    """Hardly a word of theirs, and either more of our records or nothing about them at all."""
    own, ours = (case.footing.resting(first.span, stems) for stems in (case.footing.own, case.footing.ours - case.footing.own))
    words = len({stem(t.word) for t in case.footing.content(first.span)})
    if own > 1 or any(first.span[0] <= start < first.span[1] for start, _ in case.text.quotes) or case.conditions & {"meeting"}:
        return False
    about_them = _list("you", case.lang).search(case.text.ours, *first.span) or first.does("VAL")
    return (words >= 3 and ours > own and not about_them) or (words >= 5 and not about_them and not _OPENS.match(case.text.lower[slice(*first.span)]))


_OPENS = re.compile(r"\W*(?:(?:and|so|first|now),? )?(?:let me|here(?:'s| is| are)|this is (?:how|what)|thank)\b")
"""Of a sentence that only leads over to what follows."""


def _is_heading(case: Case, span: Span) -> bool:
    """A short line of its own without a mark at its end, or that ends in a comma."""
    text = case.text.text[slice(*span)].strip()
    is_line = len(text.split()) <= 8 and text[-1:] not in ".?!:" and "\n" in case.text.text[span[1] - 1 : span[1] + 2]
    return is_line or text.endswith(",")


def _echoes(case: Case, span: Span) -> bool:
    """Whether at least two of its words, and a third of those that carry meaning, are the buyer's."""
    stop = lexicon.words("stop", case.lang)
    own = {t.word[:_STEM] for t in case.said.own_tokens if t.word not in stop}
    words = [t.word[:_STEM] for t in case.text.words(span) if t.word not in stop]
    hits = sum(w in own for w in words)
    return hits >= 2 and hits >= len(words) / 3


def checked(case: Case) -> Iterator[Breach]:
    if case.first("CHK") is None and not needs_no_echo(case) and not acts_on_it(case):  # where no reading of them is ventured, there is none to correct
        yield (*(case.moves[-1].span if case.moves else case.text.body), "")


def direction(case: Case) -> Iterator[Breach]:
    if case.first("REF", "INFO") is None:
        yield (*case.text.body, "")


def orders_to_buyer(case: Case) -> Iterator[Breach]:
    """A sentence that begins with an order, or an offer with three and more ways."""
    if "routine" in case.conditions:
        return
    pattern = _list("imperative", case.lang)
    for span in case.text.sentences:
        match = pattern.search(case.text.ours, *span)
        if match and not _is_our_list(case, match.start()) and not _is_asked_for(case, match):
            yield match.start(), span[1], "an order"
    for sentence in case.moves:
        text = case.text.lower[slice(*sentence.span)]
        if "silence" not in case.conditions and sentence.does("REF") and len(re.findall(r",| or | oder | ou | o ", text)) >= 4:
            listed = re.search(r"(?:could|can|könnten|pouvons|podemos) [^.;]*?, [^.;]*?, [^.;]*?(?: or | oder | ou | o )", text)
            if listed:
                yield (*sentence.span, "many ways at once")


_COMPLETE = 4
"""Sentences."""


def offer_left_out(case: Case) -> Iterator[Breach]:
    """What may be offered is on record, and no sentence of an answer that is complete otherwise takes it up."""
    offers = case.footing.of("offer")
    if not offers or case.conditions & {"notice", "timing_concern"} or case.lang != "en":
        return
    elsewhere = case.footing.stems(e.text for e in case.draft.evidence if e.type not in ("offer", "tracking"))
    alone = offers - elsewhere
    taken_up = any(case.footing.resting(s.span, alone) or (s.does("REF") and case.footing.resting(s.span, offers)) for s in case.moves)
    if not taken_up and len(case.moves) >= _COMPLETE:
        yield (*case.text.body, "what may be offered is left out")


def nothing_offered(case: Case) -> Iterator[Breach]:
    """No sentence offers anything at all, and something might be."""
    if case.first("REF") is None:
        yield from offer_left_out(case)


def _is_asked_for(case: Case, match: re.Match[str]) -> bool:
    """They asked what to do with this very verb; or what looks like an order is a thing: "Order 6120 is ..."."""
    verb = match[0].split()[-1] if match[0].split() else ""
    is_thing = re.match(r"\W*(?:\w+ )?[\w-]*\d[\w-]* (?:is|are|was|has)\b|\W*\w+ (?:is|are|was|has)\b", case.text.lower[match.end() :]) is not None
    return is_thing or any(re.search(rf"\b{re.escape(verb)}\b", lowered(q)) for q in case.said.questions)


def _is_our_list(case: Case, place: int) -> bool:
    """Behind "To check:" or "Proposed next step:" stands what we do."""
    line = case.text.lower[case.text.lower.rfind("\n", 0, place) + 1 : place]
    return re.search(r"(?:check|offer|bring|known|owner|hope|worry|source|limit|won't|will not)[^:\n]{0,30}:\s*$", line) is not None


def work_asked(case: Case) -> Iterator[Breach]:
    """Two or more pieces of work are asked of the buyer."""
    asked = [m.span() for m in _list("work", case.lang).finditer(case.text.ours, *case.text.body)]
    if len(asked) >= 2:
        yield (*asked[1], "a second piece of work")
        return
    for start, _ in asked:
        _, last = case.text.sentence_at(start)
        if len(re.findall(r", (?!please)| and | und | et | y | e ", case.text.ours[start:last])) >= 3:
            yield start, last, "several pieces of work at once"


_HEADED = re.compile(r"[A-Z][a-z]+[A-Z]\w+|[A-Z][\w-]{3,}(?= ?: [a-z])")
"""A product's name at the head of its record."""


def features_first(case: Case) -> Iterator[Breach]:
    """The first two sentences hold names or numbers that stand in product, quote or offer evidence, and not in the buyer's words."""
    if "routine" in case.conditions or "notice" in case.conditions:
        return
    own = {t.word[:_STEM] for t in case.said.own_tokens}
    names = {w[:_STEM] for text in case.said.texts("product") for w in _names(text, case.lang)} - own
    figures = {
        t.word for text in case.said.texts("product", "quote") for t in tokens(text) if t.word[0].isdigit() and (t.word.endswith("%") or len(t.word) > 2)
    } - {t.word for t in case.said.own_tokens}
    if not case.said.own.strip() and "product" not in {e.type for e in case.draft.evidence}:
        return
    headed = {lowered(m[0]) for text in case.said.texts("product") if (m := _HEADED.match(text))} - {t.word for t in case.said.own_tokens}
    for span in case.text.sentences[: 1 if acts_on_it(case) else 2]:  # an offer for which their words are the reason has said what the second would
        words = case.text.words(span)
        hits = [
            t
            for t in words
            if not case.text.is_quoted(t.start)
            and (t.word in figures or (t.word[:_STEM] in names and case.text.text[t.start].isupper() and t.start != span[0]))
        ]
        named = [t for t in words if t.word in headed and not case.text.is_quoted(t.start)]
        if named and not case.footing.resting(span, case.footing.stems(case.said.questions)):
            yield named[0].start, named[-1].end, ""
            return
        if hits and not _answers(case):
            yield hits[0].start, hits[-1].end, ""
            return


def _answers(case: Case) -> bool:
    """A question about the product, or its words, is answered with the product."""
    return bool(case.said.questions) or bool(case.conditions & {"confusion", "competitor_evaluation", "usage_drop", "silence"})


def _names(text: str, lang: str) -> list[str]:
    """Capitalised words inside a text, and those before "tier", "plan" and their like."""
    inside = [lowered(m[0]) for m in re.finditer(r"(?<!^)(?<![.:;] )\b[A-ZÀ-Þ][\w-]{2,}", text)]
    marked = [m[1] for m in re.finditer(r"([\w-]{3,}) (?:tier|plan|edition|module|package|suite|pack)\b", lowered(text))]
    return [w for w in [*inside, *marked] if w not in lexicon.words("stop", lang)]
