"""Notes as the sentences that they are short for: "code given by mail" is "the code was given by mail". Left as they stand where that is not sure."""

from __future__ import annotations

import re

from service.drafting.lexicon import has_verb, tokens
from service.drafting.render import OPENERS

AS_NOUNS = frozenset({"cut", "set", "hit", "open", "opens", "plan", "use", "cost"})
"""Verbs that are nouns as often."""
_NEAR = 3
"""Words within which a short subject has its verb."""
_BARE = re.compile(
    r"((?:Present |Written |Current |Next )?(?:[Cc]ontract|[Ll]icen[cs]e|[Ss]ubscription|[Aa]greement|[Nn]otice|[Dd]elivery|Change-over|Go-live"
    r"|Release|Training"
    r"|Installation)) (?=(?:\w+ ){0,6}?(?:is|was|ends|runs|covers|costs|starts|begins|needs|came|renews|arrived)\b)"
)
_OF_A_FAULT = frozenset("cause reason fault error delay repair correction notice answer fix".split())
_PASSIVE = (
    "answered|closed|delivered|sent|passed|returned|repaired|replaced|shipped|corrected|postponed|rejected|resolved|reopened|assigned|collected|given"
    "|installed|issued|paid|booked|marked"
)
_DONE = re.compile(rf"(?:{_PASSIVE}) (?:on|by|at|with|from|in|to|as|before|after|automatically|the|twice|once)\b")
_FILED = re.compile(rf"((?:[Tt]icket|[Cc]ase|[Oo]rder|[Rr]eport) \w*\d[\w-]*(?: of [^,;:]{{3,14}})?), (?=(?:{_PASSIVE}|opened|raised)\b)")
_DUE = re.compile(r"^((?:[Tt]he )?(?:[Ii]nvoice|[Bb]ill|[Pp]remium|[Ff]ee)\b[^;:]*?), due (on|by)\b")
_OPEN = re.compile(r"(?:still open|open (?:since|for)|known since)\b", re.IGNORECASE)
_DONE_WITH = re.compile(
    rf"((?!it |he |she |they |we |I |you |who |which )(?:[A-Za-z][\w-]*)(?: [\w-]+){{0,2}}?)"
    rf" (?:(?:{_PASSIVE}) (?:on|by|at|with|from|in|to|before|after)\b|(?:refused|rejected|approved|granted|lost)$)"
)
_PLANNED = re.compile(r"((?:[Tt]he |[Aa] )?[A-Za-z][a-z-]+(?: [a-z-]+){0,2}?) (?:booked|planned|scheduled|expected) (?:for|on|in)\b")
_LISTED = re.compile(
    r"((?:[Oo]ur|[Tt]he|[Yy]our)(?: [a-z]+){0,2} (?:terms?|fees?|prices?|rates?|hours|costs?|payments?|deposit|deadline|dates?|period|warranty)):"
    r" (?=[\d€£$]|(?:EUR|USD|GBP) \d)"
)


def stated(part: str, place: int, *, is_noted: bool) -> str:
    """`place`: how many parts stand before it in its record. `is_noted`: it stands behind the number of a ticket or an order."""
    part = _DUE.sub(lambda m: f"{m[1]}{',' if ', ' in m[1] else ''} is due {m[2]}", part)
    part = re.sub(r"^(cause|fault|error) (found|identified)\b", r"the \1 was \2", part)
    part = _FILED.sub(lambda m: f"{m[1]} was ", part)
    listed = _LISTED.match(part)
    if listed:
        return f"{listed[1]} {'are' if _is_plural(listed[1]) else 'is'} {part[listed.end() :]}"
    if place and (_DONE.match(part) or _OPEN.match(part)):
        return f"it was {part[0].lower()}{part[1:]}"
    done = _DONE_WITH.match(part)
    if done and not has_verb(tokens(done[1])) and not re.search(r":(?!\d)", part):
        is_named = re.search(r"\d", done[1]) or (done[1][0].isupper() and place == 0 and not is_noted)
        return f"{'' if is_named else 'the '}{done[1]} {'were' if _is_plural(done[1]) else 'was'} {part[done.end(1) + 1 :]}"
    bare = _BARE.match(part)
    part = f"the {part[0].lower()}{part[1:]}" if bare else part
    planned = _PLANNED.match(part)
    has_article = planned is not None and planned[1].lower().startswith(("the ", "a "))
    if planned and not has_verb(tokens(planned[1])) and (is_noted or place or has_article or " " not in planned[1]):
        thing = planned[1] if has_article else f"the {planned[1][0].lower()}{planned[1][1:]}"
        return f"{thing} {'are' if _is_plural(planned[1]) else 'is'} {part[planned.end(1) + 1 :]}"
    is_short = _is_bare(part) and (is_noted or (place > 0 and part.split(" ", 1)[0] in _OF_A_FAULT))
    return f"the {part}" if is_short else part


def _is_plural(phrase: str) -> bool:
    return re.search(r"[^s]s$", phrase) is not None


def _is_bare(part: str) -> bool:
    """A thing without its article, in front of what it did."""
    first, *others = part.split()
    is_thing = first.isalpha() and first.islower() and first not in OPENERS and not first.endswith(("s", "ing", "ed"))
    return is_thing and has_verb(tokens(" ".join(others[: _NEAR + 4 * bool({"of", "on", "in", "at"} & {*others[:2]})])), AS_NOUNS)
