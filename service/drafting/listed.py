"""Terms and figures as the sentences that a list of them is short for: "22 terminals at EUR 29 a month" in a contract is "you have 22 terminals at ..."."""

from __future__ import annotations

import re

from service.drafting.calendar import MONTHS
from service.drafting.lexicon import has_verb, tokens, words
from service.drafting.render import uncapitalised

_DAY = rf"(?:\d{{1,2}} (?:{MONTHS})|(?:{MONTHS}) \d{{1,2}}|the \d{{1,2}}(?:st|nd|rd|th))(?: \d{{4}})?"
_MONEY = r"(?:(?:[A-Z]{3}|Rs|R\$|R|[€£$]) ?\d+(?:[.,]\d+)*(?![\d.,]*\d)(?: (?:lakh|million))?)"
_COUNT = r"(?:\d[\d.,]*|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|twenty|thirty|forty|fifty)"
_THING = r"[A-Za-z][\w'’-]*(?: [a-z\d][\w'’-]*){0,7}"
_LABELLED = re.compile(rf"({_THING}): (?=(?:{_COUNT}|{_MONEY})\b)")
_HEADS = frozenset("page line status owner ticket case clause annex label version note step option".split())
"""Of labels that say where something stands, and not what it is."""
_DUE = "renewal|invoice|delivery|migration|move|go-live|release|training|visit|payment|deadline|inspection|installation|start|launch|review|meeting|assembly"
_ON_A_DAY = re.compile(rf"((?:[A-Za-z][a-z-]* ){{0,2}}(?:{_DUE})(?: (?:of|for) {_THING})?) (?=(?:on|from) {_DAY})", re.IGNORECASE)
_COUNTED = re.compile(rf"(?i:{_COUNT}) [a-z][^;:]*? (?:at {_MONEY}|, {_MONEY})")
_PAID = re.compile(_MONEY)
_PRICED = re.compile(rf"({_THING}) ({_MONEY}(?: (?:a|an|per|each) [a-z]+(?: and [a-z]+)?| once)?(?: (?:for|with|from|less) [^,]+)?)(?=,|$)")
_TERM = re.compile(r"([Cc]ontract|[Ss]ubscription|[Ll]icen[cs]e|[Aa]greement) (?=until )")
_PAPER = re.compile(rf"(?P<paper>(?:Offer|Quote|Proforma|Tender|Proposal)(?: \d+)?(?: of {_DAY})?)(?P<is_for> for [^,;:]{{3,60}}|: )", re.IGNORECASE)
_VALID = re.compile(rf", (?={_MONEY}|valid )")
_STATE = re.compile(rf"({_THING}): (?=(?:in (?:test|analysis|production|transit|progress)|ready for|planned for|expected|due|out for|on (?:its|the) way)\b)")
_PAST = re.compile(r"\blast (?:year|quarter|month|week|season|spring|summer|autumn|winter|school year)\b|\bplanned were\b|\bin (?:Lent|" + MONTHS + r")\b")
_CUTS = re.compile(r" (?:of|per|for|in|by|on|from|to|with|sent|last|this|until)\b")
_OPENS = {"contract": "you have ", "quote": "our quote is for "}
_COSTS = {"contract": "you pay ", "billing": "the invoice is ", "quote": "our quote is "}
_NOUNS = frozenset("run start stay move turn read plan use cost cut set label register".split())
"""Verbs that head such a list as nouns."""
_BY = re.compile(r"\b\w+ by\b")
"""A participle that only says whose something is."""


def sentence(part: str, kind: str) -> str | None:
    """None where it is a sentence already, or where no one verb is sure to be meant. `kind`: of the evidence that holds it."""
    found = (_offered(part) if kind == "quote" else None) or _in_state(part)
    if found:
        return found
    if has_verb(tokens(_BY.sub("by", re.split(r", of which\b", part)[0])), _NOUNS) or _is_no_list(part):
        return None
    return _labelled(part, kind) or _dated(part) or _counted(part, kind) or _priced(part)


def _is_no_list(part: str) -> bool:
    return not any(char.isdigit() for char in part) and re.search(rf"\b{_COUNT}\b", part) is None


def _offered(part: str) -> str | None:
    """ "Offer of 3 June: 12 pumps, EUR 690" is for the pumps; "Quote for 12 pumps, EUR 690" is EUR 690."""
    match = _PAPER.match(part)
    if not match:
        return None
    paper, rest = f"{match['paper'][0].lower()}{match['paper'][1:]}", part[match.end() :]
    if match["is_for"] == ": ":
        return f"our {paper} is for {rest}" if re.match(rf"{_COUNT} [a-z]", rest) else None
    tail = _VALID.search(part, match.start("is_for"))
    return f"our {paper}{part[match.start('is_for') : tail.start()]} is {part[tail.end() :]}" if tail else None


def _in_state(part: str) -> str | None:
    match = _STATE.match(part)
    if not match or not _HEADS.isdisjoint(tokens(match[1])[:1]):
        return None
    return f"{_with_article(match[1])} {'are' if _is_plural(match[1]) else 'is'} {part[match.end() :]}"


def _labelled(part: str, kind: str) -> str | None:
    match = _LABELLED.match(part)
    if not match or not _HEADS.isdisjoint(tokens(match[1])[:1]):
        return None
    thing, rest = match[1], part[match.end() :]
    is_day = re.match(_DAY, rest) is not None
    is_past = kind == "usage" and _PAST.search(part) is not None
    verb = ("were" if is_past else "are") if _is_plural(thing) else ("was" if is_past else "is")
    return f"{_with_article(thing)} {verb} {'on ' if is_day else ''}{rest}"


def _dated(part: str) -> str | None:
    term = _TERM.match(part)
    if term:
        return f"the {term[1].lower()} runs {part[term.end() :]}"
    match = _ON_A_DAY.match(part)
    if not match:
        return None
    rest = re.sub(rf", (?={_MONEY})", ", at ", part[match.end() :], count=1)
    return f"{_with_article(match[1])} {'are' if _is_plural(match[1]) else 'is'} {rest}"


def _counted(part: str, kind: str) -> str | None:
    if _COUNTED.match(part) and kind in _OPENS:
        return f"{_OPENS[kind]}{uncapitalised(part)}"
    if _PAID.match(part) and kind in _COSTS:
        return f"{_COSTS[kind]}{part}"
    return f"there were {part}" if kind == "usage" and _PAST.search(part) and re.match(rf"{_COUNT} [a-z]", part) else None


def _priced(part: str) -> str | None:
    """One thing with its price, or several."""
    found = [_PRICED.match(item) for item in part.split(", ")]
    first = found[0]
    if first is None or any(match and match[1].split()[-1] in words("boundary") for match in found):
        return None
    if len(found) > 1 and all(found):
        items = [f"{_with_article(match[1])} is {match[2]}" for match in found if match]
        return f"{', '.join(items[:-1])}, and {items[-1]}"
    return f"{_with_article(first[1])} is {part[first.start(2) :]}"


def _with_article(thing: str) -> str:
    first = thing.split(" ", 1)[0].lower()
    begun = thing if thing.split(" ", 1)[0].isupper() else thing[0].lower() + thing[1:]
    return begun if _is_plural(thing) or first in words("determiner") | {"a", "an", "no", "each"} else f"the {begun}"


def _is_plural(thing: str) -> bool:
    """By the word that the phrase turns on."""
    return re.search(r"[^s]s$", _CUTS.split(thing, maxsplit=1)[0]) is not None
