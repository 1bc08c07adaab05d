"""A usage piece as its parts: "Weekly logins in the console: 40 in April, 22 in May." """

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from service.drafting.lexicon import of_language, speaks

_NUMBER = r"\d[\d.,]*\d%?|\d%?"
_WHEN = r"(?:in|during|over|for|on|since|by|at|through|between|the week|last|this|a|per|each|every) [^,.;:]{1,40}?"
_UNIT = r"(?: (?!in\b|during\b|over\b|for\b|on\b|since\b|to\b|a\b|per\b|and\b|last\b|this\b)[a-z]{3,14}){0,2}"
_METRIC = r"(?P<metric>[^\d:;,.]{3,70}?)"
_LISTED = re.compile(
    rf"^{_METRIC}:? (?P<before>{_NUMBER})(?P<unit>{_UNIT}) ?(?P<then>{_WHEN})?(?:,|;| and(?: then)?"
    rf"|,? then) (?P<after>{_NUMBER}){_UNIT} ?(?P<now>{_WHEN})?[.]?$",
    re.IGNORECASE,
)
_SERIES = re.compile(
    rf"^{_METRIC}:? (?P<before>{_NUMBER})(?P<unit>{_UNIT}) (?P<then>{_WHEN})(?:, (?:{_NUMBER}){_UNIT} {_WHEN})+"
    rf"(?:,|,? and) (?P<after>{_NUMBER}){_UNIT} (?P<now>{_WHEN})[.]?$",
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


def usage_change(text: str, lang: str = "en") -> UsageChange | None:
    """From the first sentence; None where its parts cannot be told apart for sure, and in other languages than English where it is no plain list."""
    if lang != "en":
        return _listed(text, lang)
    sentence = re.split(r"(?<=[a-z\d%])\.(?=\s|$)", " ".join(text.split()), maxsplit=1)[0].rstrip(". ")
    match = _LISTED.match(sentence) or _FALLEN.match(sentence) or _SERIES.match(sentence)
    if match is None:
        return None
    metric, now, then = match["metric"].strip(), (match["now"] or "").strip(), (match["then"] or "").strip()
    if not now or re.search(r" by$", metric):
        return None
    metric = metric[0].lower() + metric[1:] if len(metric) > 1 and metric[1].islower() else metric
    return UsageChange(metric, f"{match['before']} {then}".strip(), match["after"], now)


def _listed(text: str, lang: str) -> UsageChange | None:
    """ "Logins: 40 im April, 22 im Mai." The time of the first figure is left out, for the frames say "before" of it."""
    match = _plain_list(lang).match(" ".join(text.split()))
    if match is None or not speaks(text, lang):
        return None
    return UsageChange(match["metric"].strip(), match["before"], match["after"], match["now"].strip())


@cache
def _plain_list(lang: str) -> re.Pattern[str]:
    when = of_language(lang)["when_shown"]
    metric = r"(?P<metric>[^\W\d][^\d:;,.]{2,69}?) ?:"
    return re.compile(rf"{metric} (?P<before>{_NUMBER}) {when}, (?P<after>{_NUMBER}) (?P<now>{when})\.?(?:$| (?=[A-ZÀ-Þ]))", re.IGNORECASE)


def contradict(texts: Sequence[str], lang: str = "en") -> bool:
    """Whether two pieces give different numbers for one metric and one window."""
    seen: dict[tuple[str, str], str] = {}
    changes = filter(None, (usage_change(text, lang) for text in texts))
    return any(seen.setdefault((c.metric, c.window), c.after) != c.after for c in changes)
