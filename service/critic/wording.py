"""A draft as text: sentences, tokens, questions, what stands in quotation marks, the greeting and the closing. All by offsets."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import pairwise
from typing import NamedTuple

from ml.text import sentences

Span = tuple[int, int]
_TOKEN = re.compile(r"\d+(?:[.,:/]\d+)*%?|[^\W\d_]+(?:['’][^\W\d_]+)*(?:-[^\W_]+)*", re.UNICODE)
_PAIRS = {"“": "”", "„": '“”"', "«": "»", "»": "«", "‹": "›", "‘": "’", "‚": "‘’"}
_STRAIGHT = '"'
_MARK = re.compile(rf"[{''.join(_PAIRS)}{_STRAIGHT}']")
_MOST_QUOTED = 400
_CONTRACTED_END = re.compile(r"(?<=['’]\w)[.!?]+[\"”’»)]*\s+(?=\S)")
_GREETING = re.compile(
    r"(?:dear|hi|hello|hey|good (?:morning|afternoon|evening|day)|morning|sehr geehrte[rs]?|liebe[rs]?|guten (?:tag|morgen"
    r"|abend)|hallo|moin|grüß gott|bonjour|bonsoir"
    r"|chère?s?|madame|monsieur|salut|estimad[oa]s?|querid[oa]s?|buen(?:os|as) (?:días|tardes)|hola|car[oa]s?|prezad[oa]s?"
    r"|bom dia|boa (?:tarde|noite)|olá|oi)\b"
    r"(?:[^\n.!?:;]|(?<=[dms]r)\.|(?<=mrs)\.|(?<=prof)\.|(?<=sra)\.){0,70}[,:.!]?(?=[ \t]*\n)",
    re.IGNORECASE,
)
_CLOSING = re.compile(
    r"(?:^|\n)[ \t]*(?:(?:with )?(?:kind|best|warm|many)(?:est)?\b.{0,20}|regards|best|yours?\b.{0,12}|sincerely.{0,8}"
    r"|all the best|with (?:respect|thanks|good wishes|kind regards)"
    r"|best wishes|cheers|thanks|thank you|cordially|mit (?:freundlich|best|herzlich|lieb|viel).{0,20}|(?:freundliche"
    r"|herzliche|viele|beste|liebe) gr(?:ü|u)(?:ß|ss)e.{0,15}"
    r"|cordialement|bien (?:à vous|cordialement)|sincères salutations|respectueusement"
    r"|(?:un )?(?:cordial )?saludos?(?: cordial(?:es)?)?|atentamente|reciba .{0,20}"
    r"|(?:com os melhores )?cumprimentos|com estima|atenciosamente|um abraço|abraços?)[,.!]?[ \t]*(?=\n|$)",
    re.IGNORECASE,
)


class Token(NamedTuple):
    word: str
    """In lower case."""
    start: int
    end: int


@lru_cache(maxsize=1024)
def lowered(text: str) -> str:
    """Lower case of the same length, typographic apostrophes as plain ones."""
    lower = text.lower()
    if len(lower) != len(text):
        lower = "".join(char.lower() if len(char.lower()) == 1 else char for char in text)
    return lower.replace("’", "'")


@lru_cache(maxsize=512)
def tokens(text: str) -> tuple[Token, ...]:
    """Remembered, for evidence is asked many times and stays as it is while a person types."""
    return tuple([Token(match[0], *match.span()) for match in _TOKEN.finditer(lowered(text))])


def quoted(text: str) -> list[Span]:
    """What stands between quotation marks of any style, marks included. An apostrophe is none."""
    return list(_quoted(text))


def _quoted(text: str) -> Iterator[Span]:
    at = 0
    for mark in _MARK.finditer(text):
        end = _closing(text, mark.start()) if mark.start() >= at else None
        if end is not None:
            yield mark.start(), end
            at = end


def _closing(text: str, at: int) -> int | None:
    """Where the quotation ends that opens here."""
    mark = text[at]
    before = text[at - 1] if at else " "
    if mark in _PAIRS and not before.isalnum():
        return _first(text, at + 1, _PAIRS[mark], is_single=mark in "‘‚")
    if mark == _STRAIGHT and not before.isalnum():
        return _first(text, at + 1, _STRAIGHT, is_single=False)
    if mark == "'" and not before.isalnum() and text[at + 1 : at + 2].isalpha():
        return _first(text, at + 1, "'", is_single=True)
    return None


def _first(text: str, start: int, marks: str, *, is_single: bool) -> int | None:
    for at in range(start, min(len(text), start + _MOST_QUOTED)):
        if text[at] not in marks:
            if text[at] == "\n" and text[at : at + 2] == "\n\n":
                return None
            continue
        after, before = text[at + 1 : at + 2], text[at - 1]
        if is_single and (after.isalnum() or before.isspace()):
            continue
        return at + 1 if at > start else None
    return None


@dataclass(frozen=True)
class Wording:
    text: str

    @cached_property
    def quotes(self) -> list[Span]:
        return quoted(self.text)

    @cached_property
    def lower(self) -> str:
        return lowered(self.text)

    @cached_property
    def ours(self) -> str:
        """In lower case, with blanks for what stands in quotation marks."""
        lower = self.lower
        for start, end in self.quotes:
            lower = lower[:start] + " " * (end - start) + lower[end:]
        return lower

    @cached_property
    def tokens(self) -> tuple[Token, ...]:
        return tokens(self.text)

    @cached_property
    def greeting(self) -> Span | None:
        """The line that greets, if the text begins with one."""
        match = _GREETING.match(self.text.lstrip())
        lead = len(self.text) - len(self.text.lstrip())
        return (lead + match.start(), lead + match.end()) if match else None

    @cached_property
    def closing(self) -> Span | None:
        """The last formula of goodbye and what stands below it, or a name alone in the last line."""
        found = None
        for match in _CLOSING.finditer(self.text):
            found = match
        if found and len(self.text) - found.end() < 80:
            return found.start(), len(self.text)
        start = self.text.rstrip().rfind("\n") + 1
        last = self.text[start:].strip()
        is_name = start > 0 and 0 < len(last) <= 40 and not re.search(r"[.?!:;,]", last.rstrip(".")) and len(last.split()) <= 4 and last[:1].isupper()
        return (start, len(self.text)) if is_name else None

    @cached_property
    def body(self) -> Span:
        """Between greeting and closing."""
        return self.greeting[1] if self.greeting else 0, self.closing[0] if self.closing else len(self.text)

    @cached_property
    def sentences(self) -> list[Span]:
        """Of the body. A mark inside a quotation ends none."""
        start, end = self.body
        spans = [(max(s, start), min(e, end)) for s, e in sentences(self.text) if s < end and e > start]
        return self._merged([span for s, e in spans if self.text[s:e].strip() for span in self._apart((s, e))])

    def _apart(self, span: Span) -> list[Span]:
        """The one letter of "isn't." is no abbreviation."""
        start, end = span
        stops = [start + m.end() for m in _CONTRACTED_END.finditer(self.text[start:end])]
        return [(s, e) for s, e in pairwise([start, *stops, end]) if self.text[s:e].strip()]

    def _merged(self, spans: list[Span]) -> list[Span]:
        found: list[Span] = []
        for start, end in spans:
            if found and any(s < start < e for s, e in self.quotes):
                found[-1] = (found[-1][0], end)
            else:
                found.append((start, end))
        return found

    @cached_property
    def paragraphs(self) -> list[Span]:
        start, end = self.body
        parts, at = [], start
        for match in re.finditer(r"\n\s*\n", self.text[start:end]):
            parts.append((at, start + match.start()))
            at = start + match.end()
        return [(s, e) for s, e in [*parts, (at, end)] if self.text[s:e].strip()]

    @cached_property
    def questions(self) -> list[Span]:
        return [(s, e) for s, e in self.sentences if self.text[s:e].rstrip(' "”’»)').endswith("?")]

    def sentence_at(self, place: int) -> Span:
        """The sentence that holds this place."""
        spans = self.sentences
        at = bisect_right(spans, (place, len(self.text))) - 1
        return spans[at] if at >= 0 and spans[at][0] <= place < spans[at][1] else (place, len(self.text))

    def words(self, span: Span | None = None) -> list[Token]:
        start, end = span or (0, len(self.text))
        first, last = bisect_left(self._starts, start), bisect_left(self._starts, end)
        if last > first and self.tokens[last - 1].end > end:
            last -= 1
        return list(self.tokens[first:last])

    @cached_property
    def _starts(self) -> list[int]:
        return [token.start for token in self.tokens]

    def is_quoted(self, place: int) -> bool:
        return any(start <= place < end for start, end in self.quotes)
