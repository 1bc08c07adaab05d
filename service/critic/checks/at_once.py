"""Answers that have acknowledged without telling a message back: a fault of ours that is owned, and an answer at once to who asked and is not upset."""

from __future__ import annotations

import re

from service.critic import lexicon
from service.critic.case import Case
from service.critic.moves import Sentence

_RECORDS = ("ticket", "incident", "project", "billing", "crm_note", "contract", "quote", "usage")
_FAULTS = frozenset({"ticket", "incident"})
_SORRY = re.compile(
    r"\b(?:i'm|i am|we're|we are) (?:truly |very |so )?sorry\b(?! (?:if|to (?:hear|see|say|learn)|(?:that )?you feel))"
    r"|\b(?:i|we) apologi[sz]e\b(?! if)|\bmy apologies\b"
)
_DOES = re.compile(r"\b(?:i|we)(?:'ll| will)\b")
_SYMPATHY = re.compile(r"\W*i'm sorry about (?:the|your) [\w-]+\.")
_UPSET = frozenset({"frustration", "risk_reliability", "past_vendor_disappointment", "deadlock", "hostile", "notice"})
_WISH = re.compile(
    r"\b(?:please|kindly|could you|can you|would you|what happens if|do (?:you|u) mean|how (?:do|can) (?:i|we)|what (?:are|r) (?:you|u) doing|may (?:i|we) have"
    r"|(?:i|we)(?:'d| would) (?:like|want|need)|(?:i|we) (?:need|want|ask|must have)|send (?:me|us)|give (?:me|us))\b"
)
_NEAR, _OURS, _THEIRS = 2, 3, 2
"""Sentences in which a fault is owned; words of our records that name it; words of theirs by which an answer names the matter."""


def owns_fault(case: Case) -> bool:
    """What went wrong is named as our records have it, and we are sorry for it in the same breath or the next; then follows what we do."""
    if not _FAULTS & {e.type for e in case.draft.evidence} or not any(s.does("REF") or _DOES.search(case.text.ours, *s.span) for s in case.moves):
        return False
    recorded = case.footing.of(*_RECORDS)
    opening = _opening(case)[: _NEAR + 1]
    for n, sentence in enumerate(opening[:_NEAR]):
        regret = any(_SORRY.search(case.text.ours, *s.span) for s in opening[n : n + 2])
        if regret and not sentence.does("REF") and case.footing.resting(sentence.span, recorded) >= _OURS:
            return True
    return False


def answers_at_once(case: Case) -> bool:
    """They asked or asked for something, nothing shows that they are upset, and the first sentence names the matter and says something that we know or do."""
    if case.conditions & _UPSET or lexicon.pattern("emotion", case.lang).search(case.said.own_lower):
        return False
    if not case.said.questions and not _WISH.search(case.said.own_lower):
        return False
    first = next(iter(_opening(case)), None)
    if first is None or (first.span in case.text.questions and not first.does("REF")):
        return False
    footing = case.footing
    is_named = footing.resting(first.span, footing.own) >= _THEIRS or footing.resting(first.span, footing.stems(case.said.questions)) > 0
    return is_named and footing.resting(first.span, footing.ours) >= _THEIRS


def _opening(case: Case) -> list[Sentence]:
    """The sentences behind a greeting that stands in a line of its own, and behind one of sympathy."""
    kept = [s for s in case.moves if not case.text.text[slice(*s.span)].rstrip().endswith(",")]
    return kept[1:] if kept and _SYMPATHY.match(case.text.ours, kept[0].span[0]) else kept


def needs_no_echo(case: Case) -> bool:
    return owns_fault(case) or answers_at_once(case)
