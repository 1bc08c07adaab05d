"""JSON lines of drafts, for scripts: an answer for each line, or what is wrong with it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from connectors.batches import batches
from service.critic.draft import LANG, MOST_CHARS, SITUATIONS, Draft, Evidence, Review
from service.critic.review import review
from service.errors import BadInput
from service.json_lines import LONGEST_ID, BadLine, is_id, numbered, parsed

MOST_ROWS = 64
"""Of one batch."""
MOST_EVIDENCE = 200
EXAMPLE = '{"id": "1", "draft": "..."}'
LONGEST_NAME = 500


def review_lines(lines: Iterable[bytes]) -> Iterator[list[Review | BadLine]]:
    """In batches, in the order of the lines."""
    return batches((parsed(line, number, lambda row: review(_reviewable(row)), EXAMPLE) for number, line in numbered(lines)), MOST_ROWS)


def _reviewable(row: dict[str, Any]) -> Draft:
    """In a language that there are rules for."""
    found = draft(row)
    if not re.fullmatch(LANG, found.lang):
        message = "lang must be one of en, de, fr, es, pt, or one of them with a region, like en-GB."
        raise BadInput(message)
    return found


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
        f"id must be a text of 1 to {LONGEST_ID:,} characters or a whole number.": not is_id(given.get("id")),
        "draft must be there, as a text.": not isinstance(given.get("draft"), str),
        "evidence must be a list of objects like {id, type, text}.": not isinstance(given.get("evidence", []), list),
        f"There can be no more than {MOST_EVIDENCE} pieces of evidence to a draft.": len(_listed(given.get("evidence"))) > MOST_EVIDENCE,
        "earlier must be a list of texts.": not all(isinstance(text, str) for text in _listed(given.get("earlier"), [0])),
        **{
            f"{name} must be a text of at most {LONGEST_NAME} characters.": not _is_text(given.get(name, ""))
            for name in ("channel", "lang", "recipient_name", "am_name")
        },
        f"situation must be one of {', '.join(SITUATIONS)} (docs/reading.md).": given.get("situation", SITUATIONS[0]) not in SITUATIONS,
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


def _is_text(value: object) -> bool:
    return isinstance(value, str) and len(value) <= LONGEST_NAME
