"""Whether a draft speaks of what its moment calls for: figures, both sides, each department, the weak point, the question."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ml.expressions import Pattern
from service.critic import lexicon
from service.critic.case import Case
from service.critic.quantities import quantities
from service.critic.wording import lowered, tokens

Breach = tuple[int, int, str]


def _list(name: str, lang: str = "any") -> Pattern:
    return lexicon.expressions("checks", name, lang)


_STEM = 4


def usage_told(case: Case) -> Iterator[Breach]:
    """A figure and a time from the usage evidence, and exactly one open question."""
    texts = case.said.texts("usage")
    if texts and not case.said.own.strip():
        figures = {q.value for text in texts for q in quantities(text, case.lang) if q.kind in ("number", "word")}
        said = [q for q in quantities(case.text.text, case.lang) if q.kind in ("number", "word") and q.value in figures]
        if not said:
            yield (*case.text.body, "the size of the drop is missing")
        elif not _names_time(case):
            yield (*case.text.body, "the time it covers is missing")
    asked = len(case.text.questions)
    if asked != 1 and "spoken" not in case.conditions:
        yield (*(case.text.questions[-1] if asked else case.text.body), f"{asked} open questions where one is wanted")


def _names_time(case: Case) -> bool:
    return any(q.kind in ("month", "weekday") for q in quantities(case.text.text, case.lang)) or _list("time_words").search(case.text.lower) is not None


def both_sides(case: Case) -> Iterator[Breach]:
    """What they protect and what we do, outside the questions."""
    told = [s for s in case.text.sentences if s not in case.text.questions]
    theirs = any(_list("theirs", case.lang).search(case.text.ours, *span) and _is_interest(case, span) for span in told)
    ours = any(_list("ours", case.lang).search(case.text.ours, *span) for span in told)
    if not theirs and any(_list("our_side").search(case.text.ours, *span) for span in told):
        yield (*case.text.body, "what they protect is not said")
    if not ours and any(_list("their_side").search(case.text.ours, *span) for span in told):
        yield (*case.text.body, "what we protect is not said")


def _is_interest(case: Case, span: tuple[int, int]) -> bool:
    """Not the offer itself: "you would see on your screen" is no interest of theirs."""
    return (
        not any(s.span == span and s.does("REF") and not _list("both").search(case.text.ours, *span) for s in case.moves)
        or re.search(r"\bwhat you\b", case.text.ours[slice(*span)]) is not None
    )


def departments_named(case: Case) -> Iterator[Breach]:
    """Each department in the buyer's words stands in the draft, too."""
    draft = {_root(t.word) for t in case.text.words(case.text.body)}
    missing = [name for name in _departments(case) if not all(_root(w) in draft for w in name.split()[-1:])]
    if missing:
        yield (*case.text.body, "not named: " + ", ".join(missing))


def _departments(case: Case) -> list[str]:
    """The last word of each department that wants, says or thinks something, is left open, or stands there as a name."""
    own = case.said.own_lower
    named = [m.span() for m in lexicon.named("departments", case.lang).finditer(own)]
    found = [own[s:e] for s, e in named if _departments_list("acts").match(own, e) or _is_titled(case, s, e)]
    if case.lang == "en":
        found += [m[1] for m in _departments_list("subjects").finditer(own)]
    return list(dict.fromkeys(name.split()[-1] for name in found))


def _departments_list(name: str) -> Pattern:
    return lexicon.expressions("departments", name, "any")


def _is_titled(case: Case, start: int, end: int) -> bool:
    """Written as a name inside a sentence: Finance, IT. In German every noun is."""
    own = case.said.own
    inside = re.search(r"[\w,;] $", own[max(0, start - 3) : start]) is not None
    return case.lang != "de" and inside and own[start].isupper() and (end - start > 2 or own[start:end].isupper())


def _root(word: str) -> str:
    return word.removesuffix("'s").rstrip("s")[:7]


def weakness_named(case: Case) -> Iterator[Breach]:
    """Asked for a weak point, the draft names one that the product evidence has, or says that it will be supplied."""
    if not _list("asks_weakness").search(case.said.own_lower):
        return
    stop = lexicon.words("stop", case.lang)
    own = {t.word[:_STEM] for t in case.said.own_tokens}
    facts = {t.word[:_STEM] for text in case.said.texts("product") for t in tokens(text) if t.word not in stop and len(t.word) > 3} - own
    said = {t.word[:_STEM] for t in case.text.words(case.text.body)}
    if len(facts & said) < min(2, len(facts) or 2) and not _promises(case):
        yield (*case.text.body, "the weak point is not named")


def _promises(case: Case) -> bool:
    return (
        re.search(
            r"\b(?:will|.ll|could|can) (?:\w+ )?(?:send|supply|give|list|find)\b.{0,40}\b(?:weak|limits?|gaps?|short|unfinished"
            r"|known (?:issues|faults))",
            case.text.ours,
        )
        is not None
    )


def unanswered(case: Case) -> Iterator[Breach]:
    """No statement of ours takes up what only the question asks, brings a fact that goes with it, or says that it is open."""
    told = [s for s in case.moves if s.span not in case.text.questions]
    for question in case.said.questions:
        if _misses_what_is_known(case, question):
            yield (*case.text.body, "“" + " ".join(question.split())[:80] + "” is not answered, and the answer is on record")
            return
        asked = _asked(case, question)
        if not asked or any(_takes_up(case, s.span, asked, is_answer=s.does("INFO", "REF", "VAL") or not s.does("ACK")) for s in told):
            continue
        if (
            _list("open", case.lang).search(case.text.ours)
            or _YES_OR_NO.search(case.text.ours, *case.text.body)
            or _facts_told(case, question, asked)
            or _figures_told(case, question)
        ):
            continue
        yield (*case.text.body, "“" + " ".join(question.split())[:80] + "” is not answered")


_WHO = re.compile(r"^\W*(?:and |but |so )?who(?:m|se)?\b|\bwho (?:is|will|does|do|did|decides?|touches|owns|pays|checks|looks?|has|can)\b")
_HOW_MUCH = re.compile(r"\bhow (?:long|much|many|often|big)\b|\bwhen\b|\bwhat (?:date|day|time|price|does it cost)\b")
_NAMED = re.compile(r"(?<![.:] )(?<!^)\b[A-Z][a-zà-ÿ]+\b|\b[A-Z][a-zà-ÿ]+(?= [A-Z][a-z]+)")


def _misses_what_is_known(case: Case, question: str) -> bool:
    """Who, and no name on record stands in the draft; how long, and none of the figures that go with it does."""
    asked = lowered(question)
    if case.lang != "en" or _list("open", "en").search(case.text.ours):
        return False
    records = case.said.texts("ticket", "project", "incident", "product", "quote", "contract", "billing")
    if _WHO.search(asked):
        names = {m[0].lower() for text in [*records, *case.said.texts("crm_note")] for m in _NAMED.finditer(text) if not quantities(m[0], case.lang)}
        names = {n for n in names if n not in case.said.own_lower and n[:5] not in case.footing.people}
        return bool(names) and not any(n in case.text.lower for n in names) and not re.search(r"\b(?:nobody|no one|ask)", case.text.lower)
    if not _HOW_MUCH.search(asked):
        return False
    about = case.footing.stems([question])
    parts = [part for text in records for part in re.split(r"(?<=[.;])\s", text) if case.footing.stems([part]) & about]
    known = {(q.kind, q.value) for part in parts for q in quantities(part, case.lang) if q.kind != "code"}
    return bool(known) and not known & {(q.kind, q.value) for q in quantities(case.text.text, case.lang)}


def _asked(case: Case, question: str) -> frozenset[str]:
    """What the question is about, without what the rest of the message speaks of as well."""
    stop = lexicon.words("stop", case.lang)
    rest = {t.word[:_STEM] for t in tokens(case.said.own.replace(question, " "))}
    words = frozenset(t.word[:_STEM] for t in tokens(question) if t.word not in stop and t.word not in _COURTESY)
    return words - rest or words


def _takes_up(case: Case, span: tuple[int, int], asked: frozenset[str], *, is_answer: bool) -> bool:
    hits = len(asked & {t.word[:_STEM] for t in case.text.words(span)})
    return hits >= (1 if is_answer or len(asked) == 1 else 2) and hits >= min(2, len(asked)) / 2


def _facts_told(case: Case, question: str, asked: frozenset[str]) -> bool:
    """Two words of a record that goes with the question; a question that asks which, where or how may be answered by any."""
    stop = lexicon.words("stop", case.lang)
    said = {t.word[:_STEM] for s in case.text.sentences if s not in case.text.questions for t in case.text.words(s)}
    is_open = _list("opens").match(lowered(question)) is not None
    own = {t.word[:_STEM] for t in case.said.own_tokens}
    for text in case.said.texts("product", "contract", "quote", "billing", "crm_note", "project", "usage", "incident"):
        words = {t.word[:_STEM] for t in tokens(text) if t.word not in stop}
        if (is_open or asked & words) and len((words - own) & said) >= 2:
            return True
    return False


def _figures_told(case: Case, question: str) -> bool:
    """A number of the question, which asks whether it will do."""
    wanted = {q.value for q in quantities(question, case.lang) if q.kind in ("number", "time", "weekday")}
    return bool(wanted & {q.value for q in quantities(case.text.text, case.lang)}) and not _list("opens").match(lowered(question))


_YES_OR_NO = re.compile(
    r"(?:^|[.!?,:;\n]\s*)(?:(?:and|so|on paper|in short|plainly|to answer you|your answer),?:? )*"
    r"(?:yes|no|not yet|it does|they do|we do|i do|done|sure|ja|nein|oui|non|sí|sim|não)\b"
    r"(?=[.,:;!\n ])(?! (?:one|need|wonder|reply|answer|date|reason|hurry|longer|more|matter))|^\W*(?:it is|it.s)\b",
    re.MULTILINE,
)
_COURTESY = frozenset(
    "please dear hi hello thanks thank regards quick one know tell say could anything give happens happen bitte hallo guten"
    " tag danke merci bonjour puede decir favor hola gracias por obrigado olá pode dizer".split()
)
