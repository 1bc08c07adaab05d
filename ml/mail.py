"""How a line of a mail looks: quoted, attribution, header, closing, contact data, notice. Every test looks at a bounded piece of the line."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from ml import artifact
from ml.expressions import Pattern, one_of

SEEN = 400
"""Characters of a line that decide what it is: no client writes more before the mark, and the patterns stay fast on hostile lines."""

_BLANK = "".join(sign for sign in map(chr, range(0x3001)) if sign.isspace()) + "\ufeff\u200b"
_JUNK = re.compile(r"[\u200b\u200e\u200f\u2060\ufeff]")
_QUOTED = re.compile(r"[ \t]{0,8}(>|&gt;|\|>)")
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
        text = raw.strip(_BLANK)
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
    forward_subject: re.Pattern[str]
    announces: re.Pattern[str]
    mine: re.Pattern[str]
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
        forward_subject=_compiled(rf"({_any(words['forward_subjects'])}) ?: ?\S"),
        announces=_compiled(rf"\b({'|'.join(words['announces_mark'])})\b[^.!?\[]{{0,30}}$"),
        mine=_compiled(rf"\b({_any(words['mine'])})\b"),
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


def role(line: Line) -> str | None:
    """What a header line names: from, sent, to, subject or other."""
    match = marks().header.match(line.text)
    return marks().roles[match[1].lower()] if match else None


def is_sender(line: Line) -> bool:
    """ "From: Anna Berg", without an address."""
    name = re.split("[:：]", line.text, maxsplit=1)[-1].strip()
    return role(line) == "from" and " " in name and is_name(Line(0, 0, name))


def is_forward_subject(line: Line) -> bool:
    return marks().forward_subject.match(line.text) is not None


def announces_mark(before: str) -> bool:
    """Whether the words before a sign say that the writer's own answers begin with it."""
    return marks().announces.search(before) is not None and marks().mine.search(before) is not None


def is_spoken(text: str) -> bool:
    """Words to or about somebody, or a sentence with its mark."""
    return _PROSE_END.search(text) is not None or _PERSON.search(text) is not None


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


def ends_signature(line: Line) -> bool:
    return is_postscript(line) or is_notice(line.text) or is_rule(line) or is_delimiter(line)


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
    if not _may_be_notice().may_match(paragraph.lower()) and not marks().heading.match(paragraph):
        return False
    return marks().notice.search(paragraph) is not None or marks().heading.match(paragraph) is not None


@cache
def _may_be_notice() -> Pattern:
    """By letters that no notice does without: most paragraphs have none."""
    return one_of(line.replace(" ", "[ ]") for line in artifact.words("mail")["notice"])


def _any(words: Sequence[str] | dict[str, Any]) -> str:
    return "|".join(re.escape(w) for w in sorted(words, key=len, reverse=True))


def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)
