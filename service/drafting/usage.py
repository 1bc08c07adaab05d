"""A usage piece as its parts: "Weekly logins in the console: 40 in April, 22 in May." """

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

_NUMBER = r"\d[\d.,]*\d%?|\d%?"
_WHEN = r"(?:in|during|over|for|on|since|by|at|through|between|the week|last|this|a|per|each|every) [^,.;:]{1,40}?"
_UNIT = r"(?: (?!in\b|during\b|over\b|for\b|on\b|since\b|to\b|a\b|per\b|and\b|last\b|this\b)[a-z]{3,14}){0,2}"
_METRIC = r"(?P<metric>[^\d:;,.]{3,70}?)"
_LISTED = re.compile(
    rf"^{_METRIC}:? (?P<before>{_NUMBER})(?P<unit>{_UNIT}) ?(?P<then>{_WHEN})?(?:,|;| and(?: then)?"
    rf"|,? then) (?P<after>{_NUMBER}){_UNIT} ?(?P<now>{_WHEN})?[.]?$",
    re.IGNORECASE,
)
_FALLEN = re.compile(
    rf"^{_METRIC} (?:has |have )?(?:fell|fallen|dropped|went|gone|declined|slid|sank|came down|is down|are down|down|moved|changed|shrank)"
    rf" from (?P<before>{_NUMBER})(?P<unit>{_UNIT}) ?(?P<then>{_WHEN})? to (?P<after>{_NUMBER}){_UNIT} ?(?P<now>{_WHEN})?[.]?$",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class UsageChange:
    metric: str
    before: str
    after: str
    window: str


def usage_change(text: str) -> UsageChange | None:
    """From the first sentence; None where its parts cannot be told apart for sure."""
    sentence = re.split(r"(?<=[a-z\d%])\.(?=\s|$)", " ".join(text.split()), maxsplit=1)[0].rstrip(". ")
    match = _LISTED.match(sentence) or _FALLEN.match(sentence)
    if match is None:
        return None
    metric, now, then = match["metric"].strip(), (match["now"] or "").strip(), (match["then"] or "").strip()
    if not now:
        return None
    metric = metric[0].lower() + metric[1:] if len(metric) > 1 and metric[1].islower() else metric
    return UsageChange(metric, f"{match['before']} {then}".strip(), match["after"], now)


def contradict(texts: Sequence[str]) -> bool:
    """Whether two pieces give different numbers for one metric and one window."""
    seen: dict[tuple[str, str], str] = {}
    changes = filter(None, map(usage_change, texts))
    return any(seen.setdefault((c.metric, c.window), c.after) != c.after for c in changes)
