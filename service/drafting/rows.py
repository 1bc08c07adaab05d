"""JSON lines of evidence, for scripts: a draft for each line, or why there is none, or what is wrong with the line."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

from connectors.batches import batches
from service.critic.draft import CHANNELS, Review
from service.critic.rows import draft as reviewed
from service.drafting.engine import draft
from service.drafting.render import sentence, spoken
from service.drafting.request import Drafted, Request, Rewriting, Written
from service.errors import BadInput
from service.json_lines import BadLine, numbered, parsed

EXAMPLE = '{"id": "1", "evidence": [...]}'
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
    """In batches, in the order of the lines. `rewrite`: where the team has a language model for it."""
    return batches((parsed(line, number, lambda row: draft_row(row, rewrite), EXAMPLE) for number, line in numbered(lines)), MOST_ROWS)


def draft_row(row: dict[str, Any], rewrite: Rewrite | None = None) -> DraftRow:
    """Raises BadInput."""
    asked = request(row)
    found = draft(asked)
    return as_row(rewrite(found, asked) if rewrite else found)


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
    return tuple(SegmentRow(move=s.move, text=sentence(s.parts, spoken(drafted.texts, drafted.lang)), evidence_ids=s.evidence_ids) for s in written.segments)
