"""The signature of a message whose sender is known: the line of their name, and the labels below it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from ml import mail
from ml.mail import Line
from service.drafting.names import TITLES

Span = tuple[int, int]
_TOKEN = re.compile(r"[^\W\d_](?:[\w'’-]*\w)?", re.UNICODE)
_MOST_TOKENS, _MOST_LABEL_WORDS, _MOST_LABEL = 6, 6, 60
_PARTICLES = frozenset("van von der den de la le los las du da do dos das del di bin ibn al el zu zur af ten ter st y e".split())


def name_lines(text: str, parts: Sequence[str]) -> list[Span]:
    """Lines that hold nothing but the sender's name, with a closing in front of it or not."""
    known = frozenset(part.casefold() for part in parts)
    return [(line.start, line.end) for line in mail.lines(text) if known and _is_name(line, known)]


def below_names(text: str, parts: Sequence[str]) -> list[Span]:
    """What stands below such a line, or below a line with their address: town, company, phone. It says nothing that anybody would answer."""
    known = frozenset(part.casefold() for part in parts)
    lines = mail.lines(text)
    starts = [n for n, line in enumerate(lines) if n and (_is_name(line, known) or _is_address(line))]
    return _joined(span for n in starts if (span := _labels(lines, n)))


def _is_name(line: Line, known: frozenset[str]) -> bool:
    if line.blank or len(line.text) > _MOST_LABEL:
        return False
    closing = mail.marks().closing.match(line.text)
    tokens = [t.casefold() for t in _TOKEN.findall(line.text[closing.end() if closing else 0 :])]
    others = [t for t in tokens if t not in known]
    return 0 < len(tokens) <= _MOST_TOKENS and len(others) < len(tokens) and all(len(t) == 1 or t in TITLES or t in _PARTICLES for t in others)


def _is_address(line: Line) -> bool:
    return "@" in line.text and " " not in line.text and mail.is_contact(line)


def _labels(lines: Sequence[Line], n: int) -> Span | None:
    """From behind line n to the end of the last label below it."""
    end = None
    for above, line in pairwise(lines[n:]):
        if line.blank:
            continue
        if not _is_label(line) or (above.blank and not mail.is_contact(line)):
            break
        end = line.end
    start = lines[n].start if _is_address(lines[n]) else lines[n].end
    return (start, end or lines[n].end) if (end or _is_address(lines[n])) else None


def _is_label(line: Line) -> bool:
    return (
        len(line.text) <= _MOST_LABEL
        and line.words <= _MOST_LABEL_WORDS
        and not line.text.endswith(("?", "!", ":", "…"))
        and not (mail.is_quoted(line) or mail.is_prose(line) or mail.ends_signature(line) or mail.role(line) or mail.is_closing(line))
        and mail.marks().wrote.search(line.text) is None
    )


def _joined(spans: Iterator[Span]) -> list[Span]:
    found: list[Span] = []
    for start, end in sorted(spans):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((start, end))
    return found
