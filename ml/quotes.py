"""Which lines of a mail its writer put there: quotes, forwards and what programs wrote on top are cut out, answers between quotes are kept."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from itertools import takewhile

from ml import mail
from ml.mail import Line

LISTING_LINES = 20
WRAPPED = 4
"""Lines over which clients wrap an attribution."""
HEADER_LINES = 14
_DATE = re.compile(r"\d{1,4}[./-]\d{1,2}[./-]\d{1,4}|\b(19|20)\d\d\b|\d{1,2}[:.h]\d{2}|\d年|\b\d{1,2}\.? \w{3,12}\b|\b\w{3,9} \d{1,2}\b")
_ADDRESS = re.compile(r"[\w.+-]{1,64}@[\w-]{1,64}\.\w{2}|mailto:|<[^>]{1,100}@")
_ON_DAY = r"\W{0,6}(on|am|le|el|em|il|op|den|dne|dnia|w dniu|no dia|at|in data|pe|ar|στις|vào)\s.{0,24}\d"
_OPENS = re.compile(_ON_DAY, re.IGNORECASE)
_LEAD = re.compile(rf"{_ON_DAY}|\W{{0,6}}(\d{{1,4}}([./-]|\.?\s\w|年)|\w{{2,12}}[.,]{{0,2}} (\w{{3,9}}\.? )?\d{{1,2}}\b)", re.IGNORECASE)
"""How an attribution begins: a preposition and a date, a date, or a day of the week and a date."""
_COMMAND = re.compile(r"(\S+ ){0,7}(--?[a-z]|\.{0,2}/\w|\$|\w+=|\|)")
_MARK = re.compile(r"(?<![^\s\"'“„«(])(\[[^\W\d_][\w .-]{0,15}\]|>{2,4}|\*{2,4}|#{2,4}|={2,4}|\+{2,4})(?!\w)")
_ANNOUNCED = 100
"""Characters before a mark in which the writer says what it stands for."""


def without_quotes(lines: Sequence[Line]) -> list[list[Line]]:
    """Runs of lines between what is somebody else's, each with a line that is not blank."""
    runs: list[list[Line]] = [[]]
    i = _preamble(lines)
    listing = _own_listing(lines)
    while i < len(lines):
        taken, ends = _quote_at(lines, i) if i not in listing else (0, False)
        if ends:
            runs.extend(_marked_answers(runs, lines, i))
            break
        if taken:
            runs.append([])
        else:
            runs[-1].append(lines[i])
        i += max(taken, 1)
    return [run for run in runs if any(not line.blank for line in run)]


def _preamble(lines: Sequence[Line]) -> int:
    """How many lines on top a program wrote: the subject of a forwarded mail, or "From: Anna Berg" with no other header below."""
    filled = [i for i, line in enumerate(lines[:HEADER_LINES]) if not line.blank]
    if not filled:
        return 0
    top, below = lines[filled[0]], lines[filled[1]] if len(filled) > 1 else None
    names_sender = mail.is_sender(top) and below is not None and mail.role(below) is None
    return filled[0] + 1 if names_sender or mail.is_forward_subject(top) else 0


def _quote_at(lines: Sequence[Line], i: int) -> tuple[int, bool]:
    """(lines of somebody else's from here, whether all the rest is). An attribution with nothing marked below it ends the own text."""
    if _starts_other_mail(lines, i):
        return 0, True
    if mail.is_quoted(lines[i]) or _is_wrapped_quote(lines, i) or mail.is_sent_from(lines[i]):
        return 1, False
    length = _attribution(lines, i)
    after = i + max(length, 1)
    below = next((line for line in lines[after : after + 6] if not line.blank), None)
    if length:
        return length, below is not None and not mail.is_quoted(below)
    if below is not None and _names_a_writer(lines[i]) and mail.is_quoted(below):
        return 1, False
    return 0, False


def _is_wrapped_quote(lines: Sequence[Line], i: int) -> bool:
    """The tail of a quoted line that a mail server broke, between two quoted lines."""
    if not 0 < i < len(lines) - 1 or lines[i].blank or lines[i].words > 3:
        return False
    before = lines[i - 1]
    return mail.is_quoted(before) and mail.is_quoted(lines[i + 1]) and len(before.text) >= 60 and not lines[i].text[:1].isupper()


def _own_listing(lines: Sequence[Line]) -> range:
    """Commands behind the prompt ">" under "do it like this:", above a quote that does not hold them. Only the first marked lines can be that."""
    start = next((i for i, line in enumerate(lines) if mail.is_quoted(line)), len(lines))
    run = list(takewhile(mail.is_quoted, lines[start : start + LISTING_LINES]))
    end = start + len(run)
    if not run or not _are_commands(run) or not _is_introduced(lines, start) or not any(map(mail.is_quoted, lines[end:])):
        return range(0)
    said = Counter(_unquoted(line) for line in lines)
    return range(start, end) if all(said[_unquoted(line)] == 1 for line in run) else range(0)


def _unquoted(line: Line) -> str:
    return line.text.lstrip("> ")


def _are_commands(run: Sequence[Line]) -> bool:
    """Short lines without a capital, a person or a full stop, at least one with an option, a path or a variable."""
    texts = [_unquoted(line) for line in run]
    is_plain = all(text and not text[0].isupper() and line.words <= 9 and not mail.is_spoken(text) for text, line in zip(texts, run, strict=True))
    return is_plain and any(_COMMAND.match(text) for text in texts)


def _marked_answers(runs: Sequence[Sequence[Line]], lines: Sequence[Line], at: int) -> list[list[Line]]:
    """Lines of an unmarked quote that begin with the mark the writer announced above it: "my answers are below, marked [AB]"."""
    mark = _announced_mark("\n".join(line.text for run in runs for line in run))
    if mark is None:
        return []
    start = next((i for i in range(at + 1, len(lines)) if not lines[i].blank and mail.role(lines[i]) is None), len(lines))
    older = next((i for i in range(start, len(lines)) if _quote_at(lines, i)[1]), len(lines))
    quote = lines[start:older]
    if mark[0] == ">" and any(mail.is_quoted(line) and not _bears(line, mark) for line in quote):
        return []
    return [[line] for line in quote if _bears(line, mark)]


def _announced_mark(own: str) -> str | None:
    for mark in _MARK.finditer(own):
        before = re.split(r"[.!?]", own[max(0, mark.start() - _ANNOUNCED) : mark.start()])[-1]
        if mail.announces_mark(before):
            return mark[0]
    return None


def _bears(line: Line, mark: str) -> bool:
    """Whether the line begins with the mark and not with a longer one."""
    return line.text.startswith(mark) and not line.text.startswith(mark + mark[-1])


def _attribution(found: Sequence[Line], at: int) -> int:
    """How many lines "On ..., X wrote:" takes from here; 0 where none begins."""
    joined = ""
    for count, line in enumerate(found[at : at + WRAPPED], start=1):
        if line.blank or (count > 1 and mail.is_quoted(line)):
            return 0
        if count > 1 and (not (_LEAD.match(joined) or _is_writer(joined)) or _OPENS.match(line.text)):
            return 0
        joined = joined[:-1] + line.text if joined.endswith("=") else f"{joined} {line.text}".strip()
        if len(joined) > mail.SEEN:
            return 0
        if _is_attribution(joined):
            return count
    return 0


def _is_attribution(text: str) -> bool:
    if not text.endswith((":", "：", "wrote", "wrote>")):
        return False
    if mail.marks().wrote.search(text) is None:
        return _ADDRESS.search(text) is not None and _DATE.search(text) is not None and _LEAD.match(text) is not None
    return _DATE.search(text) is not None or _ADDRESS.search(text) is not None or text.lower().startswith("on ")


def _is_writer(text: str) -> bool:
    """ "Anna Berg <anna@x.com> wrote (Monday," with the date still to come."""
    verb = mail.marks().wrote.search(text)
    behind = text[verb.end() :].lstrip() if verb else ""
    if verb is None or not behind.startswith("(") or ")" in behind:
        return False
    name = text[: verb.start()].rstrip()
    return name.endswith((">", ")", "]")) and _ADDRESS.search(name) is not None


def _names_a_writer(line: Line) -> bool:
    """ "Anna Smith wrote:" without a date: an attribution only if quoted lines follow."""
    return line.words <= 8 and line.text.endswith((":", "：")) and mail.marks().wrote.search(line.text) is not None


def _starts_other_mail(found: Sequence[Line], at: int) -> bool:
    """A rule with "original message", a forward mark, or a From/Sent/To block: everything below is somebody else's."""
    text = found[at].text
    if mail.marks().starts_forward.match(text) or mail.marks().inline_header.match(text):
        return True
    if text[:2] in ("--", "__", "==", "**", "- ", "* ") or text.endswith("---") or text.startswith(("[", "Original")):
        core = text.strip("-_=*[] ®")
        match = mail.marks().message_words.match(core)
        if match and len(core) - match.end() <= 60:
            return True
    return _header_block(found, at)


def _header_block(found: Sequence[Line], at: int) -> bool:
    if mail.role(found[at]) not in ("from", "sent", "to"):
        return False
    block = _header_roles(found[at : at + HEADER_LINES])
    core = block.keys() & {"from", "sent", "to", "subject"}
    if "from" in core and _ADDRESS.search(found[at].text):
        return len(core) >= 2
    return len(core) >= 3 and (_is_mail_header(block) or not _is_introduced(found, at))


def _header_roles(below: Sequence[Line]) -> dict[str, str]:
    """What each header line names, and its text, down to two blank lines or a fourth line that is no header."""
    block: dict[str, str] = {}
    others, blanks = 0, 0
    for line in below:
        name = mail.role(line)
        if name:
            block.setdefault(name, line.text)
            blanks = 0
        elif line.blank:
            blanks += 1
        else:
            others += 1
        if others > 3 or blanks > 1:
            break
    return block


def _is_mail_header(block: dict[str, str]) -> bool:
    """Rather than a list of the writer's own, as in "the label says:", then From and To."""
    return {"sent", "subject"} <= block.keys() or any(_ADDRESS.search(text) for text in block.values())


def _is_introduced(found: Sequence[Line], at: int) -> bool:
    """Whether the nearest line above that is neither blank nor a header ends in a colon and names no writer."""
    above = next((line.text for line in reversed(found[max(0, at - HEADER_LINES) : at]) if not line.blank and mail.role(line) is None), "")
    return above.endswith((":", "：")) and mail.marks().wrote.search(above) is None
