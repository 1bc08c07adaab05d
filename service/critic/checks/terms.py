"""Prices, dates and faults: what binds them and is left out, and what is granted or threatened without a record."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ml.expressions import Pattern
from service.critic import lexicon
from service.critic.case import Case
from service.critic.checks.at_once import answers_at_once
from service.critic.quantities import quantities
from service.critic.wording import lowered, tokens

Breach = tuple[int, int, str]
_STEM = 5


def _list(name: str, lang: str = "any") -> Pattern:
    return lexicon.expressions("checks", name, lang)


def material_left_out(case: Case) -> Iterator[Breach]:
    """Of what is marked as material, or binds them if they do nothing, the dates and prices are missing."""
    if not case.conditions & {"renewal_decision", "champion_change", "price_objection", "budget_cut", "timing_concern"} and not any(
        _list("material").search(lowered(t)) for t in case.said.texts()
    ):
        return
    for text in case.said.texts("contract", "quote", "product", "billing", "incident", "project"):
        told = lowered(text)
        if not _list("material").search(told) and not (
            _list("binds").search(told) and "renewal_decision" in case.conditions and "notice" not in case.conditions
        ):
            continue
        figures = {q.value for q in quantities(text, case.lang) if q.kind in ("number", "word", "month", "time")}
        said = {q.value for q in quantities(case.text.text, case.lang)}
        stop = lexicon.words("stop", case.lang)
        words = {t.word[:_STEM] for t in tokens(text) if t.word not in stop and len(t.word) > 3}
        shared = words & {t.word[:_STEM] for t in case.text.tokens}
        if _hides_rise(told, said, case.lang) or any(_is_unsaid(part, said, case.lang) for part in _PARTS.split(text)):
            yield (*case.text.body, "what the price goes to is not said")
        elif (figures and not figures & said) or (not figures and len(shared) < 2):
            yield (*case.text.body, "“" + " ".join(text.split())[:80] + "” is not said")


_PARTS = re.compile(r"(?<=[.;])\s+")
_RISE = re.compile(r"\b(?:price|rate|fee|cost|charge)s?\b[^.;]{0,20}\b(?:ris(?:es?|ing)|goes up|increases?|up)\b")


def _is_unsaid(part: str, said: set[float], lang: str) -> bool:
    """A clause that is marked as material and tells of a rise, none of whose figures stands in the draft."""
    told = lowered(part)
    if not _list("material").search(told) or not _RISE.search(told):
        return False
    found = quantities(part, lang)
    months = {q.start for q in found if q.kind == "month"}
    figures = {q.value for q in found if q.kind in ("number", "word") and q.end + 1 not in months}
    return bool(figures) and not figures & said


_RISES = re.compile(r"\b(?:price|rate|fee|cost|charge)\w*\b[^.;]{0,40}?\bfrom (\S+) to (\S+)|\b(?:rises?|goes up|increases?) to (\S+)")


def _hides_rise(told: str, said: set[float], lang: str) -> bool:
    """A price on record goes up, and what it goes to does not stand in the draft."""
    rise = _RISES.search(told)
    new = {q.value for q in quantities(rise[2] or rise[3] or "", lang) if q.kind == "number"} if rise else set()
    return bool(new) and not new & said


def price_unasked(case: Case) -> Iterator[Breach]:
    """Nothing asks what stands behind the price. Where they asked for something and have it at once, nothing need."""
    if not case.text.questions and not answers_at_once(case):
        yield (*case.text.body, "nothing asks what stands behind the price")


def concession(case: Case) -> Iterator[Breach]:
    """Fault, price or a disputed fact is granted, without a record that confirms it."""
    for match in _list("concedes", case.lang).finditer(case.text.ours, *case.text.body):
        first, last = case.text.sentence_at(match.start())
        sentence = case.text.lower[first:last]
        if sentence.rstrip().endswith("?") or _LEFT_OPEN.search(sentence) or _AT_OUR_COST.search(sentence):
            continue
        if not _is_confirmed(case) or (_GRANTS_PRICE.search(match[0]) and "price_objection" in case.conditions):
            yield (*match.span(), "")
            return


_LEFT_OPEN = re.compile(r"\b(?:whether|if|whose|can.t say|don.t know|conclude|may (?:say|think|find)|cada|ob |si )\b")
_AT_OUR_COST = re.compile(r"\w+ing\b[^.?!]{0,50}\bon us\b")
_GRANTS_PRICE = re.compile(r"steep|overpriced|expensive|worth|waste|teuer|wert|cher|vaut|car[oa]\b|vale|junk|hopeless|right|recht|raison|razón|razão")
_FAULT_CONFIRMED = re.compile(r"\b(?:fault|mistake|error|ours)\b.{0,30}\bconfirmed|confirmed\b.{0,30}\b(?:fault|mistake|error|ours)")


def _is_confirmed(case: Case) -> bool:
    records = [lowered(t) for t in case.said.texts("incident", "ticket", "billing", "crm_note", "product", "contract", "project", "quote")]
    sure = [t for t in records if not _list("doubts").search(t) or _FAULT_CONFIRMED.search(t)]
    return any(_list("confirms").search(_list("doubts").blanked(t)) for t in sure)


def invented_deadline(case: Case) -> Iterator[Breach]:
    """An offer or price is said to end on a day that stands in no quote or contract."""
    for match in _list("deadlines", case.lang).finditer(case.text.ours, *case.text.body):
        first, last = case.text.sentence_at(match.start())
        if not _list("offer_words").search(case.text.ours, first, last):
            continue
        after = [q for q in quantities(case.text.text[match.end() : last][:30], case.lang) if q.kind in ("weekday", "month", "number")]
        borne = any(
            word in " ".join(case.said.texts("quote", "contract", "billing")).lower()
            for word in ("valid", "gültig", "valable", "válid", "fixed", "until", "bis")
        )
        if not after or borne:
            continue
        known = {(q.kind, q.value) for text in [*case.said.texts(), *case.said.messages] for q in quantities(text, case.lang)}
        if all((q.kind, q.value) not in known for q in after):
            yield match.start(), last, "no quote says so"
