"""JSON lines of drafts, for scripts: an answer for each line, or what is wrong with it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from service.critic.draft import MOST_CHARS, Draft, Evidence, Review
from service.critic.review import review
from service.errors import BadInput

MOST_ROWS = 64
"""Of one batch."""
MOST_EVIDENCE = 200
LONGEST_ID = 1_000
LONGEST_NAME = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class BadLine:
    """A line that cannot be reviewed, by its number from 1. `error` says why, without its words."""

    id: str | int | None
    line: int
    error: str


def review_lines(lines: Iterable[bytes]) -> Iterator[list[Review | BadLine]]:
    """In batches, in the order of the lines. Blank lines are no rows."""
    rows: list[Review | BadLine] = []
    for number, line in enumerate(lines, 1):
        if line.isspace():
            continue
        rows.append(_reviewed(line, number))
        if len(rows) == MOST_ROWS:
            yield rows
            rows = []
    if rows:
        yield rows


def _reviewed(line: bytes, number: int) -> Review | BadLine:
    try:
        row = json.loads(line.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        return BadLine(id=None, line=number, error='This line is not JSON. Each line is one object like {"id": "1", "draft": "..."}, in UTF-8.')
    if not isinstance(row, dict):
        return BadLine(id=None, line=number, error='This line holds no JSON object. Each line is one like {"id": "1", "draft": "..."}.')
    try:
        return review(draft(row))
    except BadInput as problem:
        return BadLine(id=row["id"] if _is_id(row.get("id")) else None, line=number, error=str(problem))


def draft(row: dict[str, Any]) -> Draft:
    """Null is the same as not given. Further fields are left alone: files carry columns of their own."""
    given = {name: value for name, value in row.items() if value is not None}
    _check(given)
    return Draft(
        id=given["id"],
        text=given["draft"][:MOST_CHARS],
        channel=given.get("channel", "email").lower(),
        lang=given.get("lang", "en"),
        evidence=_evidence(given.get("evidence", [])),
        recipient_name=given.get("recipient_name"),
        am_name=given.get("am_name"),
        situation=given.get("situation"),
        earlier=tuple(given.get("earlier", ())),
    )


def _check(given: dict[str, Any]) -> None:
    faults = {
        f"id must be a text of 1 to {LONGEST_ID:,} characters or a whole number.": not _is_id(given.get("id")),
        "draft must be there, as a text.": not isinstance(given.get("draft"), str),
        "evidence must be a list of objects like {id, type, text}.": not isinstance(given.get("evidence", []), list),
        f"There can be no more than {MOST_EVIDENCE} pieces of evidence to a draft.": len(_listed(given.get("evidence"))) > MOST_EVIDENCE,
        "earlier must be a list of texts.": not all(isinstance(text, str) for text in _listed(given.get("earlier"), [0])),
        **{
            f"{name} must be a text of at most {LONGEST_NAME} characters.": not _is_text(given.get(name, ""))
            for name in ("channel", "lang", "recipient_name", "am_name", "situation")
        },
    }
    for sentence, wrong in faults.items():
        if wrong:
            raise BadInput(sentence)


def _listed(value: object, otherwise: Sequence[object] = ()) -> Sequence[object]:
    return value if isinstance(value, list) else () if value is None else otherwise


def _evidence(rows: Sequence[Any]) -> tuple[Evidence, ...]:
    for row in rows:
        if not isinstance(row, dict) or not isinstance(row.get("text"), str) or not isinstance(row.get("type"), str):
            message = "Each piece of evidence needs a type and a text, like {id, type, text}."
            raise BadInput(message)
    return tuple(Evidence(id=str(row.get("id", n)), type=row["type"], text=row["text"][:MOST_CHARS]) for n, row in enumerate(rows, 1))


def _is_id(value: object) -> bool:
    return (isinstance(value, int) and not isinstance(value, bool)) or (isinstance(value, str) and 0 < len(value) <= LONGEST_ID)


def _is_text(value: object) -> bool:
    return isinstance(value, str) and len(value) <= LONGEST_NAME
