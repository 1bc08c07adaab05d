"""The words a message's author wrote, with offsets into the message as it came: no quotes, signatures or legal notices.

It reads plain text. A connector turns HTML into text before it stores a body, for offsets can only point into what is stored.
Greetings, thanks and sign-offs are the writer's own, and so is a name alone below them or at the end ("Best,\\nAnna", "-Anna"). A name that begins a block
of title, phone, company or links is part of the signature, which is not: the closing stays and all from that name on goes.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Literal

from ml import mail, quotes
from ml.mail import Line

MAX_CHARS = 64_000
QuoteStrip = Literal["ok", "cut", "failed"]

SIGNATURE_LINES = 20
_NOTICE_SEEN = 600
_HTML = re.compile(r"\s{0,100}<(!doctype html|html|head|body|div|p|table|meta|span|font|style)\b", re.IGNORECASE)
_TAGS = re.compile(r"</(p|div|td|tr|table|span|li)>|<br\s{0,2}/?>", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class OwnText:
    """`text` is the `spans` of the original joined by a line break; `cut`: only the first MAX_CHARS were read;
    `failed`: it was not possible to tell (HTML that nobody converted, or no answer in time), so `text` is empty and nothing may be scored."""

    text: str
    spans: tuple[tuple[int, int], ...]
    quote_strip: QuoteStrip


FAILED = OwnText("", (), "failed")


def own_text(body: str) -> OwnText:
    """Linear in the length of the body: each line is tested a fixed number of times, in a window of fixed size."""
    seen = body[:MAX_CHARS]
    if _is_html(seen):
        return FAILED
    lines = mail.lines(seen)
    spans = tuple(_span(block) for block in _own_blocks(lines))
    return OwnText("\n".join(seen[s:e] for s, e in spans), spans, "cut" if len(body) > MAX_CHARS else "ok")


_END = re.compile(r"[.!?…。！？]+[\"'”’»)\]]{0,3}(?=\s|$)|\n[ \t\r]*\n\s*|\n")
_SHORT = re.compile(
    r"(\b[^\W\d_]|\b(e\.g|i\.e|z\.b|d\.h|u\.a|p\.m|a\.m|p\.ex|dr|mr|mrs|ms|prof|no|nr|nº|vs|approx|ca|bzw|ggf|inkl|evtl|usw|etc|inc|ltd|co|st|fig|art"
    r"|abs|sr|sra|m|mme|cf|tel|ext|corp|bros|jan|feb|mar|apr|jun|jul|aug|sep|sept|oct|nov|dec|max|min|incl|excl|spol))\.$",
    re.IGNORECASE,
)
_LONGEST_SHORT = 4
"""Letters of the longest abbreviation: a full stop behind a longer word needs no second look."""
_ADDRESS_LINE, _FULL_LINE = 45, 45
"""A comma ends a line shorter than the first: "Dear Anna,". A line at least as long as the second, with no mark at its end, was wrapped by a mail "
"program rather than ended by its writer."""


def sentences(text: str) -> list[tuple[int, int]]:
    """Spans of sentences, without the blanks around them. Line breaks end a sentence unless the line was merely wrapped."""
    found, start, line_start = [], 0, 0
    for match in _END.finditer(text):
        is_break = match[0][0] == "\n"
        if is_break:
            line_length, line_start = match.start() - line_start, match.end()
            if match[0] == "\n" and _is_wrapped(text, match.start(), match.end(), line_length):
                continue
        elif match[0][0] == "." and _is_abbreviated(text, start, match.start()):
            continue
        found.append((start, match.start() if is_break else match.end()))
        start = match.end()
    found.append((start, len(text)))
    return [span for s, e in found if (span := _stripped(text, s, e)) is not None]


def _is_abbreviated(text: str, start: int, stop: int) -> bool:
    before = text[max(start, stop - _LONGEST_SHORT - 1) : stop]
    if len(before) > _LONGEST_SHORT and before.isalpha():
        return False
    found = _SHORT.search(text, max(start, stop - 8), stop + 1)
    return found is not None and (found[1].lower() != "no" or text[stop + 1 : stop + 3].strip().isdigit())


def _is_wrapped(text: str, end: int, start: int, length: int) -> bool:
    following = text[start : start + 40].lstrip()[:2]
    before = text[max(0, end - 3) : end].rstrip()[-1:]
    if not following or before in ".!?:;" or following[0] in "-*•–>" or (following[0].isdigit() and following[1:] in (".", ")")):
        return False
    if before == "," and length < _ADDRESS_LINE:
        return False
    return following[0].islower() or (length >= _FULL_LINE and before != ",")


def _stripped(text: str, start: int, end: int) -> tuple[int, int] | None:
    inner = text[start:end]
    left = len(inner) - len(inner.lstrip())
    right = len(inner.rstrip())
    return (start + left, start + right) if right > left else None


def _is_html(body: str) -> bool:
    return _HTML.match(body) is not None or len(_TAGS.findall(body, 0, 20_000)) >= 5


def _span(block: Sequence[Line]) -> tuple[int, int]:
    return block[0].start, block[-1].end


def _own_blocks(lines: Sequence[Line]) -> list[list[Line]]:
    """Runs of the writer's lines, each starting and ending with a line that is not blank."""
    runs = quotes.without_quotes(lines)
    blocks = [block for run in runs for block in _without_notices(run)]
    return [own for i, block in enumerate(blocks) for own in _without_signature(block, last=i == len(blocks) - 1)]


def _without_signature(block: Sequence[Line], *, last: bool) -> list[list[Line]]:
    for i, line in enumerate(block):
        below = block[i + 1 : i + 2 + SIGNATURE_LINES]
        rest = [label for label in below if not label.blank]
        if _starts_signature(line, rest):
            return _filled(block[:i])
        if mail.is_closing(line) and rest and not mail.is_closing(rest[0]) and _is_signature(rest, after_closing=True):
            return _filled(block[: i + 1 + _signing(below)], _from_postscript(block[i + 1 :]))
        if _is_dashed_signature(block, i, rest):
            return _filled(block[: i + _signing([line, *below])], _from_postscript(block[i + 1 :]))
    return _filled(block[: _contact_start(block)] if last else block)


def _signing(below: Sequence[Line]) -> int:
    """How many of these lines sign the message with a name that begins no block of contact data."""
    at = next(i for i, line in enumerate(below) if not line.blank)
    labels = _labels(below[at:])
    if not labels:
        return 0
    name, *others = labels
    if mail.is_url(name) or (name.words > 1 and mail.is_contact(name)):
        return 0
    if not any(mail.is_contact(line) or mail.is_url(line) for line in others):
        return at + 1
    is_apart = below[at + 1].blank and (name.words == 1 or others[0].text.startswith(name.text.split(" ")[0]))
    return at + 1 if is_apart else 0


def _filled(*blocks: Sequence[Line]) -> list[list[Line]]:
    return [trimmed for block in blocks if (trimmed := _trimmed(block))]


def _starts_signature(line: Line, rest: Sequence[Line]) -> bool:
    if line.text.startswith("--") and mail.is_delimiter(line):
        return True
    if mail.is_rule(line) or mail.is_delimiter(line):
        return _is_signature(rest, after_closing=False)
    return False


def _is_dashed_signature(block: Sequence[Line], i: int, rest: Sequence[Line]) -> bool:
    """ "- Anna" at the end, which is no item of a list."""
    if not mail.is_dashed_name(block[i]):
        return False
    neighbours = [*rest, *(above for above in block[max(0, i - 3) : i] if not above.blank)]
    return not any(mail.is_prose(below) for below in rest) and not any(line.text.startswith(("-", "–", "*", "•")) for line in neighbours)


def _is_signature(rest: Sequence[Line], *, after_closing: bool) -> bool:
    """Whether these lines, up to a notice or a postscript, hold labels and no sentence."""
    head = _labels(rest)
    if any(mail.is_prose(line) and not mail.is_contact(line) for line in head) or len(head) > SIGNATURE_LINES:
        return False
    if after_closing:
        return not head or mail.is_name(head[0]) or mail.is_dashed_name(head[0]) or any(mail.is_contact(line) for line in head) or len(head) == 1
    return any(mail.is_contact(line) or mail.is_url(line) for line in head) or not head


def _labels(below: Sequence[Line]) -> list[Line]:
    return list(takewhile(lambda line: not mail.ends_signature(line), (line for line in below if not line.blank)))


def _from_postscript(below: Sequence[Line]) -> Sequence[Line]:
    at = next((i for i, line in enumerate(below) if mail.is_postscript(line)), len(below))
    return below[at:]


def _contact_start(kept: Sequence[Line]) -> int:
    """Where a signature without a closing begins: from the end upwards, contact lines below a blank line or a full stop."""
    i, contact = len(kept), False
    while i > 0 and len(kept) - i < SIGNATURE_LINES:
        line = kept[i - 1]
        if not (line.blank or mail.is_contact(line) or mail.is_url(line) or mail.is_name(line) or mail.is_notice(line.text)):
            break
        contact = contact or mail.is_contact(line)
        i -= 1
    while i < len(kept) and kept[i].blank:
        i += 1
    if i == 0:
        return len(kept)
    is_apart = i < len(kept) and (kept[i - 1].blank or mail.is_prose(kept[i - 1]))
    is_signature = is_apart and contact and sum(not line.blank for line in kept[i:]) >= 2
    return i if is_signature else _signature_paragraph(kept)


def _signature_paragraph(kept: Sequence[Line]) -> int:
    """Where a last paragraph of a full name and, among labels that say nothing by themselves, two ways to reach it begins."""
    labels = list(takewhile(lambda line: not line.blank, kept[: -SIGNATURE_LINES - 1 : -1]))
    start = len(kept) - len(labels)
    if not kept[start - 1].blank or not mail.is_name(labels[-1]) or labels[-1].words < 2:
        return len(kept)
    ways = sum(mail.is_contact(line) or mail.is_url(line) for line in labels)
    return start if ways >= 2 and not any(mail.is_prose(line) for line in labels) else len(kept)


def _without_notices(kept: Sequence[Line]) -> list[list[Line]]:
    """Cut into blocks around gateway banners; a legal notice below own words ends the block."""
    blocks: list[list[Line]] = [[]]
    banner = False
    for paragraph in _paragraphs(kept):
        own: list[Line] = []
        for line in paragraph:
            banner = mail.is_banner(line) or (banner and not own and _continues_banner(line))
            if banner:
                continue
            own.append(line)
        if own and mail.is_notice(" ".join(line.text for line in own)[:_NOTICE_SEEN]):
            if any(blocks):
                break
            continue
        if len(own) < len(paragraph):
            blocks.append([])
        blocks[-1].extend(own)
        banner = False
    return _filled(*blocks)


def _continues_banner(line: Line) -> bool:
    text = line.text.lower()
    return any(word in text for word in ("click", "attachment", "sender", "anhänge", "absender", "pièces jointes", "remitente", "remetente", "phishing"))


def _paragraphs(kept: Sequence[Line]) -> list[list[Line]]:
    """Blank lines stay at the end of the paragraph above them."""
    found: list[list[Line]] = []
    for i, line in enumerate(kept):
        if not found or (kept[i - 1].blank and not line.blank):
            found.append([])
        found[-1].append(line)
    return found


def _trimmed(lines: Sequence[Line]) -> list[Line]:
    start, end = 0, len(lines)
    while start < end and lines[start].blank:
        start += 1
    while end > start and lines[end - 1].blank:
        end -= 1
    return list(lines[start:end])
