"""JSON lines of evidence, for scripts: a draft for each line, or why there is none, or what is wrong with the line."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

from service.critic.draft import CHANNELS, Review
from service.critic.rows import BadLine
from service.critic.rows import draft as reviewed
from service.drafting.engine import draft
from service.drafting.render import said_back, sentence
from service.drafting.request import Drafted, Request, Rewriting, Segment, Words, Written
from service.errors import BadInput

MOST_ROWS = 16
"""Of one batch."""
Rewrite = Callable[[Drafted, Request], Drafted]


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentRow:
    move: str
    text: str
    evidence_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftRow:
    """`draft` is None where none passes every check; `reason` says why and `plan` what an answer should do."""

    id: str | int
    handling: str
    situation: str
    plan: tuple[str, ...]
    subject: str | None
    draft: str | None
    segments: tuple[SegmentRow, ...]
    alternatives: tuple[dict[str, Any], ...]
    report: Review | None
    reason: str | None
    card: tuple[str, ...]
    rewriting: Rewriting | None


def draft_lines(lines: Iterable[bytes], rewrite: Rewrite | None = None) -> Iterator[list[DraftRow | BadLine]]:
    """In batches, in the order of the lines. Blank lines are no rows. `rewrite`: where the team has a language model for it."""
    rows: list[DraftRow | BadLine] = []
    for number, line in enumerate(lines, 1):
        if line.isspace():
            continue
        rows.append(_drafted(line, number, rewrite))
        if len(rows) == MOST_ROWS:
            yield rows
            rows = []
    if rows:
        yield rows


def _drafted(line: bytes, number: int, rewrite: Rewrite | None) -> DraftRow | BadLine:
    try:
        row = json.loads(line.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        return BadLine(id=None, line=number, error='This line is not JSON. Each line is one object like {"id": "1", "evidence": [...]}, in UTF-8.')
    if not isinstance(row, dict):
        return BadLine(id=None, line=number, error='This line holds no JSON object. Each line is one like {"id": "1", "evidence": [...]}.')
    try:
        asked = request(row)
        drafted = draft(asked)
        return as_row(rewrite(drafted, asked) if rewrite else drafted)
    except BadInput as problem:
        return BadLine(id=row["id"] if isinstance(row.get("id"), str | int) else None, line=number, error=str(problem))


def request(row: dict[str, Any]) -> Request:
    """The fields of a review but for the draft. Raises BadInput."""
    given = reviewed({**row, "draft": ""})
    if given.channel not in CHANNELS:
        message = f"channel must be one of {', '.join(CHANNELS)}."
        raise BadInput(message)
    return Request(
        id=given.id,
        channel=given.channel,
        lang=given.lang,
        am_name=given.am_name,
        recipient_name=given.recipient_name,
        evidence=given.evidence,
        situation=given.situation,
    )


def as_row(drafted: Drafted) -> DraftRow:
    best = drafted.written
    return DraftRow(
        id=drafted.id,
        handling=drafted.handling,
        situation=drafted.situation,
        plan=drafted.plan,
        subject=drafted.subject,
        draft=best.text if best else None,
        segments=_segments(best, drafted) if best else (),
        alternatives=tuple({"draft": w.text, "segments": [asdict(s) for s in _segments(w, drafted)], "plan": w.plan} for w in drafted.alternatives),
        report=best.review if best else None,
        reason=drafted.reason,
        card=drafted.card,
        rewriting=drafted.rewriting,
    )


def _segments(written: Written, drafted: Drafted) -> tuple[SegmentRow, ...]:
    return tuple(SegmentRow(move=s.move, text=_text(s, drafted), evidence_ids=s.evidence_ids) for s in written.segments)


def _text(segment: Segment, drafted: Drafted) -> str:
    def spoken(words: Words) -> str:
        return said_back(drafted.texts[words.evidence_id][words.start : words.end], is_quoted=words.is_quoted, opens=words.opens, lang=drafted.lang)

    return sentence(segment.parts, spoken)
