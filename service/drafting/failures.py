"""What went wrong on our side, said as ours: "a callback was promised and not made" is "we promised a callback and did not make it"."""

from __future__ import annotations

import re
from collections.abc import Sequence

from service.drafting.facts import Fact
from service.drafting.lexicon import has_verb, tokens
from service.drafting.render import uncapitalised

LONGEST_WITH_SORRY = 16
"""Words of a failure behind which "and I'm sorry" still belongs to it."""
_FAULT = re.compile(
    r"\b(?:fail\w*|froze|lost|stop(?:s|ped)|stood still|held back|queued|wrong\w*|duplicates?|dropped|late|delay\w*|closed|reopened|not|no|none|nobody"
    r"|without|missing|errors?|promised|blank|empty|locked|outage|instead|mistake|twice|still open|open (?:for|since)|crash\w*|expired|gaps?|broke\w*|cut off"
    r"|switched off|unreachable|slow\w*|restart\w*|doubled|overcharged|unanswered|waiting|fast|blocked|unassigned|previous model|repeated)\b",
    re.IGNORECASE,
)
_NOT_OURS = re.compile(
    r"\b(?:customers?|carrier|provider|user error|weather|storm|you|customs|supplier|third party|asks? for|asked|requests?|wants?)\b", re.IGNORECASE
)
_SURELY_OURS = re.compile(
    r"\bby mistake\b|\bwrong\w*\b|\bduplicates?\b|\bnot (?:made|sent|kept|answered|returned|done|passed)\b|\bno owner\b|\banswered with\b"
    r"|\bpassed on\b|\bwe\b|\bpromised\b",
    re.IGNORECASE,
)
_ASKED = re.compile(r"(?P<ticket>ticket [\w-]+)(?: of [^,;:]+?)? asks for (?P<what>[^,;:]+), and it was answered with (?P<what_not>[^,;:]+)$", re.IGNORECASE)
_UNHEARD = re.compile(r"asks for [^,;:]+, and it (?:was (?:answered with|passed on|closed)|has no owner|is still open)\b", re.IGNORECASE)
_MENDED = re.compile(
    r"\b(?:no (?:data|longer|loss)|not (?:affected|lost)|nothing was lost|no fault|cannot be reproduced|not reproduced|works? as)\b", re.IGNORECASE
)
_TIMES = ("on ", "from ", "since ", "in ", "at ", "until ", "after ", "between ", "ticket ", "case ", "Ticket ", "Case ")
_AFFECTED = re.compile(r"\b(?:to|for|of) \d+ (?:of our )?customers?\b")
_TIMED = re.compile(r"(?:on|from|since|between|for) [^,]*\d", re.IGNORECASE)
_PROMISED = re.compile(r"(?P<thing>an? [\w -]+?) was promised (?P<rest>[^,;]+?) and (?:was )?not (?P<done>made|kept|sent|given)$", re.IGNORECASE)
_TO_DO = {"made": "make", "kept": "keep", "sent": "send", "given": "give"}
_CLOSED = re.compile(
    r"(?P<thing>(?:ticket|case) [\w-]+)(?: (?:of|from) [^,;:]+)?(?:, [^,;]+,)?"
    r" was closed (?P<rest>(?!by )[^,;]+?) and (?:was )?reopened (?P<again>[^,;]+)$",
    re.IGNORECASE,
)
_DAY_FIRST = re.compile(r"(?:on|in) (?:the )?[\w ]{2,14}? (?=(?:the|an?|our|your|their) )", re.IGNORECASE)
_DONE = re.compile(
    r"(?P<thing>[^,;:]{3,60}?) (?:was|were) (?P<verb>delivered|shipped|sent|closed|postponed|charged|billed|invoiced|issued|cancelled) (?P<rest>(?!by )[^;:]+)$"
)


def failure(facts: Sequence[Fact]) -> Fact | None:
    """The first that says what went wrong; none that lays it on somebody else."""
    found = [f for f in facts if f.is_clause and not f.text.startswith(("it ", "they ")) and (_UNHEARD.search(f.text) or _is_fault(f.text))]
    return min(found or _incidents(facts), key=lambda f: _SURELY_OURS.search(f.text) is None, default=None)


def _incidents(facts: Sequence[Fact]) -> list[Fact]:
    """What is on record as an incident is a fault of ours, whatever its words, unless they say whose else it was or that it is over without harm."""
    return [
        f
        for f in facts
        if f.type == "incident" and f.is_clause and _TIMED.match(f.text) and not (_NOT_OURS.search(_AFFECTED.sub("", f.text)) or _MENDED.search(f.text))
    ]


def _is_fault(text: str) -> bool:
    subject = text.partition(",")[0]
    if not has_verb(tokens(subject)[1:]) and not text.startswith(_TIMES):
        return False
    return _FAULT.search(text) is not None and not _NOT_OURS.search(text) and not _MENDED.search(text)


_NAMED = re.compile(r"our (?:ticket|case|incident|order)\b[^;]*? says: (?P<thing>[^;:?]+)")
_TASK = frozenset("change add send set move remove update check request asks ask please reset install replace correct enable question wish".split())


def named(facts: Sequence[Fact]) -> tuple[Fact, str] | None:
    """A fault that the head of a ticket names without a verb, with its name."""
    for fact in facts:
        match = None if fact.is_clause else _NAMED.match(fact.text)
        thing = match["thing"].strip() if match else ""
        if LEAST_NAMED <= len(thing.split()) <= MOST_NAMED and _TASK.isdisjoint(tokens(thing)[:1]) and not _NOT_OURS.search(thing):
            return fact, thing
    return None


LEAST_NAMED, MOST_NAMED = 3, 18


def as_ours(text: str) -> str:
    asked = _ASKED.match(text)
    if asked:
        return f"we answered {asked['ticket'][0].lower()}{asked['ticket'][1:]}, which asks for {asked['what']}, with {asked['what_not']}"
    promised, closed, done = _PROMISED.match(text), _CLOSED.match(text), _DONE.match(text)
    if promised:
        return f"we promised {uncapitalised(promised['thing'])} {promised['rest']} and did not {_TO_DO[promised['done'].lower()]} it"
    if closed:
        return f"we closed {closed['thing'][0].lower()}{closed['thing'][1:]} {closed['rest']}, and it was reopened {closed['again']}"
    if done and not has_verb(tokens(done["thing"])) and not re.search(r"\bby (?:the|an?|our|your)\b| and ", done["rest"]):
        day = _DAY_FIRST.match(done["thing"])
        thing = done["thing"][day.end() :] if day else uncapitalised(done["thing"])
        return f"{day[0] if day else ''}we {done['verb']} {thing} {done['rest']}"
    return text


def is_surely_ours(text: str) -> bool:
    return _SURELY_OURS.search(text) is not None


def joined(found: Sequence[Fact]) -> list[Fact]:
    """What goes on about the thing that the sentence before named stands in one sentence with it."""
    told: list[Fact] = []
    for fact in found:
        last = told[-1] if told else None
        if last and last.evidence_id == fact.evidence_id and last.is_clause and fact.is_clause and _goes_on(last.text, fact.text):
            told[-1] = Fact(fact.evidence_id, fact.type, f"{last.text}, and {fact.text}", is_clause=True)
        else:
            told.append(fact)
    return told


MOST_JOINED = 24
"""Words of two facts in one sentence."""


def _goes_on(a: str, b: str) -> bool:
    return re.match(r"(?:it|they|each) ", b) is not None and len(a.split()) + len(b.split()) <= MOST_JOINED and not re.search(r"[;:]|, and ", a)
