"""How a line of a mail looks: quoted, attribution, header, closing, contact data, notice. Every test looks at a bounded piece of the line."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from ml import artifact

SEEN = 400
"""Characters of a line that decide what it is: no client writes more before the mark, and the patterns stay fast on hostile lines."""
WRAPPED = 4
"""Lines over which clients wrap an attribution."""
HEADER_LINES = 14

_JUNK = re.compile(r"[\u200b\u200e\u200f\u2060\ufeff]")
_QUOTED = re.compile(r"[ \t]{0,8}(>|&gt;|\|>)")
_DATE = re.compile(r"\d{1,4}[./-]\d{1,2}[./-]\d{1,4}|\b(19|20)\d\d\b|\d{1,2}[:.h]\d{2}|\d年|\b\d{1,2}\.? \w{3,12}\b|\b\w{3,9} \d{1,2}\b")
_ADDRESS = re.compile(r"[\w.+-]{1,64}@[\w-]{1,64}\.\w{2}|mailto:|<[^>]{1,100}@")
_ON_DAY = r"\W{0,6}(on|am|le|el|em|il|op|den|dne|dnia|w dniu|no dia|at|in data|pe|ar|στις|vào)\s.{0,24}\d"
_OPENS = re.compile(_ON_DAY, re.IGNORECASE)
_LEAD = re.compile(rf"{_ON_DAY}|\W{{0,6}}(\d{{1,4}}([./-]|\.?\s\w|年)|\w{{2,12}}[.,]{{0,2}} (\w{{3,9}}\.? )?\d{{1,2}}\b)", re.IGNORECASE)
"""How an attribution begins: a preposition and a date, a date, or a day of the week and a date."""
_RULE = re.compile(r"_{10,}|[-=*─—]{10,}")
_DELIMITER = re.compile(r"(--|__|—|–|-- ?-|—-|\*\*\*)")
_DASHED_NAME = re.compile(r"[-–—/~] ?[^\W\d_][\w.'’-]{1,24}( [^\W\d_][\w.'’-]{0,24}){0,2}")
_NAME = re.compile(r"\*?(dr\.? |prof\.? |mr\.? |mrs\.? |ms\.? )?[^\W\d_][\w.'’-]{0,24}( [^\W\d_][\w.'’-]{0,24}){0,3}\*?\.?,?", re.IGNORECASE)
_EMAIL_LINE = re.compile(r"(\W|e-?mail|mail|e|m){0,4}[:\s]{0,3}[<\[(]?[\w.+-]{1,64}@[\w.-]{3,100}.{0,80}", re.IGNORECASE)
_URL_LINE = re.compile(r"\W{0,3}(web|w|www|linkedin|website)?[:\s]{0,3}<?(https?://|www\.)\S{3,200}\W{0,3}", re.IGNORECASE)
_DIGITS = re.compile(r"[+(]?[\d][\d ()./–-]{6,24}(\s?(x|ext\.?|-)\s?\d{1,6})?")
_PROSE_END = re.compile(r"[.!?…。！？][\"'”’)]?$")
_BAR = re.compile(r" [|·•] ")
_PS = re.compile(r"p\.? ?s\.?\b|n\.?b\.?\b", re.IGNORECASE)
_PERSON = re.compile(
    r"\b(i|we|you|my|our|your|please|is|are|was|will|can|could|would|have|has|ich|wir|sie|ist|je|nous|vous|est|nos|es|está|é)\b", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Line:
    """`start` and `end` hold the visible characters in the body; `text` is what is looked at."""

    start: int
    end: int
    text: str

    @property
    def blank(self) -> bool:
        return not self.text

    @property
    def words(self) -> int:
        return self.text.count(" ") + 1 if self.text else 0


def lines(body: str) -> list[Line]:
    found, at = [], 0
    for raw in body.split("\n"):
        text = raw.strip("\r\t \xa0\ufeff\u200b")
        start = at + raw.index(text) if text else at
        found.append(Line(start, start + len(text), _JUNK.sub("", text[:SEEN]).replace("\xa0", " ")))
        at += len(raw) + 1
    return found


@dataclass(frozen=True, slots=True)
class Marks:
    """The word list, compiled."""

    wrote: re.Pattern[str]
    header: re.Pattern[str]
    roles: dict[str, str]
    inline_header: re.Pattern[str]
    message_words: re.Pattern[str]
    starts_forward: re.Pattern[str]
    sent_from: re.Pattern[str]
    closing: re.Pattern[str]
    contact: re.Pattern[str]
    phone: re.Pattern[str]
    notice: re.Pattern[str]
    heading: re.Pattern[str]
    banner: re.Pattern[str]
    no_names: frozenset[str]


@cache
def marks() -> Marks:
    words = artifact.words("mail")
    roles = {name.lower(): role for role, names in words["headers"].items() for name in names}
    frm, sent = _any(words["headers"]["from"]), _any(words["headers"]["sent"])
    closing = _any(words["closings"])
    return Marks(
        wrote=_compiled(rf"(?<!\w)({_any(words['wrote'])})(?!\w)|(写道|寫道|のメール|書きました|작성|썼습니다)"),
        header=_compiled(rf"[>*_ ]{{0,8}}({_any(roles)})[ *]{{0,4}}[:：]"),
        roles=roles,
        inline_header=_compiled(rf"[*_ ]{{0,4}}({frm}) ?\*?[:：].{{3,120}}? \*?({sent}) ?\*?[:：].*\d"),
        message_words=_compiled(_any(words["message_words"])),
        starts_forward=_compiled(rf"\W{{0,4}}({_any(words['starts_forward'])})\W{{0,4}}$"),
        sent_from=_compiled(rf"\W{{0,3}}({'|'.join(words['sent_from'])})\W{{0,3}}$"),
        closing=_compiled(rf"\W{{0,2}}({closing})((\W{{1,3}}|\s(and|&|und|et|y|e|en|og|och|i)\s)({closing}))*(?!\w)"),
        contact=_compiled(rf"\b({_any([*words['title_words'], *words['company_words'], *words['address_words']])})(\b|(?<=\.))"),
        phone=_compiled(rf"\W{{0,3}}({_any(words['phone_words'])})\W{{0,4}}(\+|\(|\d|\S+@|www|http).*"),
        notice=_compiled("|".join(words["notice"])),
        heading=_compiled(rf"\W{{0,6}}({_any(words['notice_heading'])})\W{{0,6}}$"),
        banner=_compiled("|".join(words["banner"])),
        no_names=frozenset(words["no_names"]),
    )


def is_quoted(line: Line) -> bool:
    return _QUOTED.match(line.text) is not None


def attribution(found: Sequence[Line], at: int) -> int:
    """How many lines "On ..., X wrote:" takes from here; 0 where none begins."""
    joined = ""
    for count, line in enumerate(found[at : at + WRAPPED], start=1):
        if line.blank or (count > 1 and is_quoted(line)):
            return 0
        if count > 1 and (not _LEAD.match(joined) or _OPENS.match(line.text)):
            return 0
        joined = joined[:-1] + line.text if joined.endswith("=") else f"{joined} {line.text}".strip()
        if len(joined) > SEEN:
            return 0
        if _is_attribution(joined):
            return count
    return 0


def _is_attribution(text: str) -> bool:
    if not text.endswith((":", "：", "wrote", "wrote>")):
        return False
    if marks().wrote.search(text) is None:
        return _ADDRESS.search(text) is not None and _DATE.search(text) is not None and _LEAD.match(text) is not None
    return _DATE.search(text) is not None or _ADDRESS.search(text) is not None or text.lower().startswith("on ")


def names_a_writer(line: Line) -> bool:
    """ "Anna Smith wrote:" without a date: an attribution only if quoted lines follow."""
    return line.words <= 8 and line.text.endswith((":", "：")) and marks().wrote.search(line.text) is not None


def starts_other_mail(found: Sequence[Line], at: int) -> bool:
    """A rule with "original message", a forward mark, or a From/Sent/To block: everything below is somebody else's."""
    text = found[at].text
    if marks().starts_forward.match(text) or marks().inline_header.match(text):
        return True
    if text[:2] in ("--", "__", "==", "**", "- ", "* ") or text.endswith("---") or text.startswith(("[", "Original")):
        core = text.strip("-_=*[] ®")
        match = marks().message_words.match(core)
        if match and len(core) - match.end() <= 60:
            return True
    return _header_block(found, at)


def _header_block(found: Sequence[Line], at: int) -> bool:
    if _role(found[at]) not in ("from", "sent", "to"):
        return False
    roles, others, blanks = set(), 0, 0
    for line in found[at : at + HEADER_LINES]:
        role = _role(line)
        if role:
            roles.add(role)
            blanks = 0
        elif line.blank:
            blanks += 1
        else:
            others += 1
        if others > 3 or blanks > 1:
            break
    core = roles & {"from", "sent", "to", "subject"}
    return len(core) >= (2 if "from" in core and _ADDRESS.search(found[at].text) else 3)


def _role(line: Line) -> str | None:
    match = marks().header.match(line.text)
    return marks().roles[match[1].lower()] if match else None


def is_delimiter(line: Line) -> bool:
    return _DELIMITER.fullmatch(line.text) is not None


def is_rule(line: Line) -> bool:
    return _RULE.fullmatch(line.text) is not None


def is_sent_from(line: Line) -> bool:
    return len(line.text) <= 120 and marks().sent_from.match(line.text) is not None


def is_closing(line: Line) -> bool:
    """ "Best regards," with at most a name behind it."""
    if len(line.text) > 80:
        return False
    match = marks().closing.match(line.text)
    if match is None:
        return False
    rest = line.text[match.end() :].strip(" ,.!;:–—-*")
    return not rest or is_name(Line(0, 0, rest))


def is_name(line: Line) -> bool:
    """One to four capitalised words that are no ordinary words."""
    if len(line.text) > 50 or not _NAME.fullmatch(line.text):
        return False
    tokens = [t.strip(".,*") for t in line.text.split()]
    return all(t[:1].isupper() or t in ("de", "da", "van", "von", "der", "den", "dos", "la", "di", "du") for t in tokens) and not any(
        t.lower() in marks().no_names for t in tokens
    )


def is_dashed_name(line: Line) -> bool:
    return _DASHED_NAME.fullmatch(line.text) is not None and line.text.lstrip("-–—/~ ")[:1].isupper()


def is_contact(line: Line) -> bool:
    """A line with a phone number, an address, a title or a company and no sentence around it."""
    text = line.text
    if len(text) > 120 or is_prose(line):
        return False
    if marks().phone.match(text) or _EMAIL_LINE.fullmatch(text) or _DIGITS.fullmatch(text) or _is_name_bar(text):
        return True
    return len(text) <= 80 and (text[:1].isupper() or text[:1].isdigit()) and marks().contact.search(text) is not None and _PERSON.search(text) is None


def _is_name_bar(text: str) -> bool:
    """ "Ada Lund | Northwind Foods | Controller" """
    first, *others = [part.strip() for part in _BAR.split(text)]
    return bool(others) and len(text) <= 120 and is_name(Line(0, 0, first)) and all(0 < len(part) <= 50 for part in others)


def is_url(line: Line) -> bool:
    return _URL_LINE.fullmatch(line.text) is not None


def is_postscript(line: Line) -> bool:
    return _PS.match(line.text) is not None


def is_prose(line: Line) -> bool:
    """A sentence, rather than a label."""
    ends = _PROSE_END.search(line.text) is not None
    if line.text.endswith("?"):
        return True
    return (
        (ends and line.words >= 5 and _PERSON.search(line.text) is not None) or line.words >= 12 or (line.words >= 5 and _PERSON.search(line.text) is not None)
    )


def is_banner(line: Line) -> bool:
    return marks().banner.match(line.text) is not None


def is_notice(paragraph: str) -> bool:
    return marks().notice.search(paragraph) is not None or marks().heading.match(paragraph) is not None


def _any(words: Sequence[str] | dict[str, Any]) -> str:
    return "|".join(re.escape(w) for w in sorted(words, key=len, reverse=True))


def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)
