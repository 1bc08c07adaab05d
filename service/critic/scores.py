"""Seven figures about a draft, each to be read on its own. Sympathy earns nothing beyond the first clause of it."""

from __future__ import annotations

import re

from ml.moves import Move
from service.critic import lexicon
from service.critic.case import Case
from service.critic.draft import Finding, Scores
from service.critic.metrics import grade, mean_sentence
from service.critic.overlap import runs, shared
from service.critic.wording import tokens

_WORDS = {"email": (45, 140), "chat": (15, 60), "call": (30, 90), "meeting": (60, 160)}
_HARD = {"email": 170, "chat": 75, "call": 100, "meeting": 170}
_GOOD_GRADE, _HARD_GRADE = 8.0, 12.0
_GOOD_SENTENCE, _HARD_SENTENCE = 16.0, 32.0
_SPECIFIC = 0.35
"""Share of words that come from evidence in a draft that speaks of nothing else."""
_STEPS: tuple[Move, ...] = ("ACK", "VAL", "INFO", "REF", "CHK")
_PLAIN_STEPS: tuple[Move, ...] = ("INFO",)


def scores(case: Case, findings: tuple[Finding, ...]) -> Scores:
    return Scores(
        structure=_structure(case, findings),
        specificity=_specificity(case),
        coverage=_coverage(case),
        novelty=_novelty(case),
        style=_style(case),
        brevity=_brevity(case),
        readability=_readability(case),
    )


def _structure(case: Case, findings: tuple[Finding, ...]) -> float:
    """The steps that are there, less a fifth for each finding about their order."""
    wanted = _STEPS if "negative" in case.conditions else _PLAIN_STEPS
    there = sum(case.first(move) is not None for move in wanted) / len(wanted)
    if "REF" in wanted and case.first("INFO") is None and case.first("REF") is not None:
        there += 1 / len(wanted)
    broken = len({f.rule for f in findings if f.rule.startswith("STR-")})
    return _rounded(max(0.0, min(1.0, there) - 0.2 * broken))


def _specificity(case: Case) -> float:
    stop = lexicon.words("stop", case.lang)
    known = {t.word for text in (case.said.own, *case.said.records) for t in tokens(text)} - stop
    words = [t.word for t in case.text.words(case.text.body)]
    return _rounded(min(1.0, sum(w in known for w in words) / max(len(words), 1) / _SPECIFIC))


def _coverage(case: Case) -> float:
    """Their questions and their words: half for each, whichever there are."""
    if not case.said.own.strip():
        return 1.0
    stop = lexicon.words("stop", case.lang)
    said = {t.word[:4] for t in case.text.words(case.text.body)}
    asked = [{t.word[:4] for t in tokens(q) if t.word not in stop} for q in case.said.questions]
    questions = sum(bool(a & said) for a in asked) / len(asked) if asked else 1.0
    return _rounded((questions + bool(runs(case.text.words(case.text.body), case.said.own_tokens, case.lang, least=2))) / 2)


def _novelty(case: Case) -> float:
    return _rounded(1.0 - max((shared(case.text, earlier)[0] for earlier in case.draft.earlier), default=0.0))


def _style(case: Case) -> float:
    """How near the mean length of sentences is to theirs, within a factor of two."""
    theirs, ours = len(case.said.own_tokens) / max(len(re.findall(r"[.!?]+(?:\s|$)", case.said.own)), 1), mean_sentence(case)
    if not case.said.own.strip() or ours is None or not ours.value:
        return 1.0
    ratio = max(theirs, 1.0) / ours.value
    return _rounded(max(0.0, 1.0 - abs(min(ratio, 1 / ratio) - 1) / 1.0) if 0.5 <= ratio <= 2 else 0.5 * min(ratio, 1 / ratio) / 0.5)


def _brevity(case: Case) -> float:
    channel = case.draft.channel if case.draft.channel in _WORDS else "email"
    (low, high), hard, count = _WORDS[channel], _HARD[channel], len(case.text.tokens)
    if "routine" in case.conditions:
        low = 1
    if count < low:
        return _rounded(count / low)
    return 1.0 if count <= high else _rounded(max(0.0, 1 - (count - high) / (hard - high) / 2) if count <= hard else max(0.0, 0.5 - (count - hard) / hard))


def _readability(case: Case) -> float:
    found, good, hard = grade(case), _GOOD_GRADE, _HARD_GRADE
    if found is None:
        found, good, hard = mean_sentence(case), _GOOD_SENTENCE, _HARD_SENTENCE
    return 1.0 if found is None else _rounded(max(0.0, min(1.0, 1 - (found.value - good) / (hard - good))))


def _rounded(value: float) -> float:
    return round(value, 3)
