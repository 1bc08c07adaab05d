"""Answers that have acknowledged without a word of sympathy: a fault of ours that is owned, an answer at once to who asked and is not upset, and an offer for
which their own words are the reason."""

from __future__ import annotations

import re

from service.critic import lexicon
from service.critic.case import Case
from service.critic.footing import Stems
from service.critic.moves import Sentence

_RECORDS = ("ticket", "incident", "project", "billing", "crm_note", "contract", "quote", "usage")
_FAULTS = frozenset({"ticket", "incident"})
_SORRY = re.compile(
    r"\b(?:i'm|i am|we're|we are) (?:truly |very |so )?sorry\b(?! (?:if|to (?:hear|see|say|learn)|(?:that )?you feel))"
    r"|\b(?:i|we) apologi[sz]e\b(?! if)|\bmy apologies\b"
)
_SORRY_FOR = re.compile(rf"(?:{_SORRY.pattern}) (?:that|about|for)\b|\byou should (?:not have had|have had)\b.{{0,40}} and (?:i'm sorry|i apologise)")
_DOES = re.compile(r"\b(?:i|we)(?:'ll| will)\b")
_COURTESY = re.compile(
    r"\W*(?:i'm sorry about (?:the|your) [\w-]+|i'm sorry to read that [^.]*|it is (?:hard|no easy) news that [^.]*|[^.:]*: i'm sorry to read that"
    r"|welcome, [^.]*|good to meet you[^.]*|i wish you a good start"
    r"|thank(?:s| you) for (?:the heads-up|telling me (?:so early|yourself)))\."
)
_THANKED = re.compile(
    r"\bthank(?:s| you) for (?:pointing|telling|letting|saying|writing|raising|the|this|that|your (?:note|message|mail|letter))\b"
    r"|\b(?:glad|good) (?:that )?you (?:wrote|raised)\b"
)
_SO = re.compile(r", so (?:i|we|shall|may|should|could|can)\b")
_HERE = re.compile(r"\W*here is what (?:i|we) ")
_UPSET = frozenset({"frustration", "risk_reliability", "past_vendor_disappointment", "deadlock", "hostile", "notice"})
_WISH = re.compile(
    r"\b(?:please|kindly|could you|can you|would you|what happens if|do (?:you|u) mean|how (?:do|can) (?:i|we)|what (?:are|r) (?:you|u) doing|may (?:i|we) have"
    r"|(?:i|we)(?:'d| would) (?:like|want|need)|(?:i|we) (?:need|want|ask|must have)|send (?:me|us)|give (?:me|us))\b"
)
_NEAR, _MET, _OURS, _THEIRS, _OFFERED = 2, 5, 3, 2, 3
"""Sentences in which a fault is owned, and in which a regret or thanks comes to what we do; words of our records that name it; words of theirs by which an
answer names the matter; words of an offer."""


def owns_fault(case: Case) -> bool:
    """What went wrong is named as our records have it, and we are sorry for it in the same breath or beside it; then follows what we do."""
    if not _FAULTS & {e.type for e in case.draft.evidence} or not any(s.does("REF") or _DOES.search(case.text.ours, *s.span) for s in case.moves):
        return False
    recorded = case.footing.of(*_RECORDS)
    opening = _opening(case)[: _NEAR + 1]
    for n, sentence in enumerate(opening[:_NEAR]):
        regret = any(_SORRY.search(case.text.ours, *s.span) for s in opening[max(0, n - 1) : n + 2])
        if regret and not sentence.does("REF") and case.footing.resting(sentence.span, recorded) >= _OURS:
            return True
    return _owns_loss(case, recorded)


def _owns_loss(case: Case, recorded: Stems) -> bool:
    """Or what it did to them comes first, in their words, with the regret; then what went wrong."""
    opening = _opening(case)[: _NEAR + 2]
    if not opening or case.footing.resting(opening[0].span, case.footing.own) < _THEIRS:
        return False
    regret = any(_SORRY.search(case.text.ours, *s.span) for s in opening[:2])
    return regret and any(case.footing.resting(s.span, recorded) >= _OURS for s in opening[1:])


def answers_at_once(case: Case) -> bool:
    """Nothing shows that they are upset, and the first sentence names the matter and says something that we do, or, if they asked or asked for something,
    that we know."""
    first = next(iter(_opening(case)), None)
    if first is None or _is_upset(case) or (first.span in case.text.questions and not first.does("REF")):
        return False
    if not case.said.questions and not _WISH.search(case.said.own_lower) and not _offers(case, first):
        return False
    footing = case.footing
    is_named = footing.resting(first.span, footing.own) >= _THEIRS or footing.resting(first.span, footing.stems(case.said.questions)) > 0
    return is_named and footing.resting(first.span, footing.ours) >= _THEIRS


def makes_good(case: Case) -> bool:
    """We are sorry for something, or thankful for the word, and what we do about the matter stands beside it, or behind what is known of it; or, if they
    asked, what we know."""
    opening = _opening(case, with_courtesy=True)[:_MET]
    if not any(said.search(case.text.ours, *s.span) for s in opening[:2] for said in (_SORRY_FOR, _THANKED)):
        return False
    matter = case.footing.own | case.footing.of(*_FAULTS)
    does = any(_offers(case, s) for s in opening) and any(case.footing.resting(s.span, matter) > 0 for s in opening if s.does("INFO", "REF"))
    return does or any(_tells(case, s) for s in opening[1:3])


def _tells(case: Case, sentence: Sentence) -> bool:
    """What our records know of the matter, to who asked."""
    footing = case.footing
    has_asked = bool(case.said.questions) or _WISH.search(case.said.own_lower) is not None
    return has_asked and footing.resting(sentence.span, footing.of(*_RECORDS)) >= _OURS and footing.resting(sentence.span, footing.own) > 0


def _offers(case: Case, sentence: Sentence) -> bool:
    return sentence.does("REF") and case.footing.resting(sentence.span, case.footing.of("offer")) >= _OFFERED


def acts_on_it(case: Case) -> bool:
    """Nothing shows that they are upset, and what they wrote is the reason for an offer in the same sentence, or what we can do or know comes next."""
    if _is_upset(case):
        return False
    opening = _opening(case)[:2]
    if not opening or case.footing.resting(opening[0].span, case.footing.own) < _THEIRS:
        return False
    leads = _SO.search(case.text.ours, *opening[0].span) is not None and opening[0].does("REF")
    if leads or len(opening) < 2:
        return leads
    is_thanked = _THANKED.search(case.text.ours, *opening[0].span) is not None and opening[1].does("REF")
    return is_thanked or _HERE.match(case.text.ours, opening[1].span[0]) is not None


def _is_upset(case: Case) -> bool:
    """By the moment, or by a word of theirs."""
    return bool(case.conditions & _UPSET) or lexicon.pattern("emotion", case.lang).search(case.said.own_lower) is not None


def _opening(case: Case, *, with_courtesy: bool = False) -> list[Sentence]:
    """The sentences behind a greeting that stands in a line of its own, and behind one of sympathy, welcome or thanks unless these are asked for."""
    kept = [s for s in case.moves if not _GREETS.search(case.text.text[slice(*s.span)])]
    return kept[1:] if not with_courtesy and kept and _COURTESY.match(case.text.ours, kept[0].span[0]) else kept


_GREETS = re.compile(r",\s*$|^\W*Dear \w+\.\s*$")


def needs_no_echo(case: Case) -> bool:
    return owns_fault(case) or answers_at_once(case) or makes_good(case)
