"""What the critic says of a text, as the page puts it: may it go, what has to change, and what each sentence does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal

from ml.moves import Move
from service.critic.draft import Finding, Severity
from service.critic.rules import Rule, rules
from service.desk import Looked
from service.playbook.report import messages
from service.playbook.wording import counted, folded
from service.signals import Report

Level = Literal["blocks", "look", "hint", "clear", "none"]
LEVELS: Mapping[str, Level] = {"E": "blocks", "W": "look", "S": "hint"}
_SAID: Mapping[Level, str] = {"blocks": "Must change.", "look": "Yours to decide.", "hint": "A hint."}
_MOVES: Mapping[Move, str] = {
    "GREET": "greets",
    "ACK": "gives back what they said",
    "VAL": "says that it is reasonable",
    "INFO": "answers, or says what is known",
    "REF": "offers something",
    "ASK": "asks for something",
    "CHK": "asks whether that is right",
    "CLOSE": "closes",
}
MOST_WORDS = 160
"""Characters shown of the place that a finding concerns."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingView:
    """`words`: of the text, from `start` to `end` in code points; "" where something is missing, or the place is not known."""

    rule: str
    level: Level
    said: str
    message: str
    why: str
    hint: str
    words: str = ""
    start: int = 0
    end: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Critique:
    level: Level
    verdict: str
    findings: Sequence[FindingView]
    moves: Sequence[str] = ()


def of_text(looked: Looked, lang: str) -> Critique:
    """What blocks first."""
    if not looked.text.strip():
        return Critique(level="none", verdict="Nothing is written yet.", findings=())
    found = sorted(looked.review.findings, key=lambda f: (list(LEVELS).index(f.severity), f.start))
    return _critique([_finding(f, looked.text) for f in found], _checked(lang), [_MOVES[m] for m in looked.moves])


def later(seconds: int) -> Critique:
    """Of a text that was not looked at, for too many were asked about just before."""
    return Critique(level="none", verdict=f"Not checked: too many checks in a short time. Ask again in {counted(seconds, 'second')}.", findings=())


def of_report(report: Report) -> Critique:
    """Of a draft of ours as it was when it was made: where in it is not kept."""
    known = [(rule, severity, message) for rule, severity in report.findings if (message := messages().get(rule))]
    return _critique([_view(rule, severity, message, _hint(rule)) for rule, severity, message in known], report.checked)


def _critique(findings: Sequence[FindingView], checked: int, moves: Sequence[str] = ()) -> Critique:
    blocking = sum(f.level == "blocks" for f in findings)
    if blocking:
        verdict = f"Not like this: {counted(blocking, 'thing has', 'things have')} to change first."
        return Critique(level="blocks", verdict=verdict, findings=findings, moves=moves)
    rest = " What is left is yours to decide." if findings else ""
    verdict = f"It may go. Checked against {checked} rules; none that would block it is broken.{rest}"
    return Critique(level="look" if findings else "clear", verdict=verdict, findings=findings, moves=moves)


def _finding(found: Finding, text: str) -> FindingView:
    words = folded(text[found.start : found.end])
    shown = words if len(words) <= MOST_WORDS else f"{words[:MOST_WORDS].rpartition(' ')[0]} …"
    return _view(found.rule, found.severity, found.why, found.hint, words=shown, start=found.start, end=found.end)


def _view(rule: str, severity: Severity | str, message: str, hint: str, *, words: str = "", start: int = 0, end: int = 0) -> FindingView:
    level = LEVELS[severity]
    why = _rules()[rule].why if rule in _rules() else ""
    return FindingView(rule=rule, level=level, said=_SAID[level], message=message, why=why, hint=hint, words=words, start=start, end=end)


def _hint(rule: str) -> str:
    return _rules()[rule].hint if rule in _rules() else ""


def _checked(lang: str) -> int:
    return sum(lang in rule.languages for rule in rules())


@cache
def _rules() -> Mapping[str, Rule]:
    return {rule.id: rule for rule in rules()}
