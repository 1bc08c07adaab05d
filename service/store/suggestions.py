"""Suggestions: append-only versions, the claim of one open per account, and the feedback of people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal
from uuid import UUID

from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from service.signals import Quote, Report, Segment
from service.store.owners import Owner
from service.store.pool import Db

CloseReason = Literal["task_closed", "task_deleted", "contradicted", "expired", "account_gone", "out_of_scope"]
Verdict = Literal["used", "edited", "not_now", "wrong_reading"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """One version of a suggestion. `draft` is None where no honest draft is possible; `no_draft_reason` says why."""

    suggestion_id: UUID
    version: int
    account_id: UUID
    contact_id: UUID | None
    owner_key: str | None
    lead_kind: str
    signal_ids: list[UUID]
    state: Literal["open", "closed"]
    close_reason: CloseReason | None
    handling: str
    why_now: str
    plan: list[str]
    draft: tuple[Segment, ...] | None
    no_draft_reason: str | None
    alternatives: list[str]
    due: date
    priority: Literal["high", "normal"]
    opened_at: date
    evidence_at: date
    playbook_version: str
    pause: bool = False
    """Their message is angry: see service.playbook.pause."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LastDraft:
    """The draft that was made last. `answered`: they have written since, which whoever made it did not know."""

    draft_id: UUID
    made_on: date
    channel: str
    lang: str
    report: Report
    answered: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SuggestionRow(Suggestion):
    """A version as stored, with its account's name and how its task stands. `last_draft`: also of one that shows none any more."""

    account_name: str
    recorded_at: datetime
    change_no: int
    push_status: str | None
    remote_status: str | None
    feedback: Verdict | None
    """The last word of a person; `said_at`, `said_why` and `snoozed_until` are of the same."""
    said_at: datetime | None
    said_why: str | None
    snoozed_until: date | None
    last_draft: LastDraft | None

    def is_snoozed(self, today: date) -> bool:
        return self.snoozed_until is not None and today < self.snoozed_until

    @property
    def bare(self) -> Suggestion:
        return Suggestion(**{name: getattr(self, name) for name in Suggestion.__dataclass_fields__})


_COLUMNS = (
    "suggestion_id, version, account_id, contact_id, owner_key, lead_kind, signal_ids, state, close_reason, handling, why_now, plan, draft,"
    " no_draft_reason, alternatives, due, priority, opened_at, evidence_at, playbook_version, pause"
)
# A message counts as new where none of its readings was known when the draft was made. What was erased since counts no more.
_ANSWERED = (
    "EXISTS (SELECT FROM interaction i JOIN message_text t USING (workspace_id, interaction_id) WHERE i.workspace_id = s.workspace_id"
    " AND i.account_id = s.account_id AND i.contact_id = s.contact_id AND i.direction = 'in' AND NOT i.automatic AND NOT i.deleted"
    " AND i.occurred_at >= s.evidence_at AND NOT EXISTS (SELECT FROM message_score m WHERE m.workspace_id = i.workspace_id"
    "  AND m.interaction_id = i.interaction_id AND m.change_no <= d.known_through))"
)
_SELECT = (
    f"SELECT {', '.join('s.' + c.strip() for c in _COLUMNS.split(','))}, s.recorded_at, s.change_no, a.name AS account_name,"
    " p.status AS push_status, p.remote_status,"
    " said.verdict AS feedback, said.recorded_at AS said_at, said.note AS said_why, said.snoozed_until,"
    f" d.draft_id, d.made_on, d.channel, d.lang, d.checked, d.findings, d.draft_id IS NOT NULL AND {_ANSWERED} AS answered"
    " FROM {} s JOIN account a USING (workspace_id, account_id)"
    " LEFT JOIN LATERAL (SELECT l.status, l.remote_status FROM push_ledger l"
    "  WHERE l.workspace_id = s.workspace_id AND l.suggestion_id = s.suggestion_id ORDER BY l.sent_at DESC NULLS LAST LIMIT 1) p ON true"
    " LEFT JOIN LATERAL (SELECT k.draft_id, k.made_on, k.channel, k.lang, k.checked, k.findings, k.known_through"
    "  FROM draft k WHERE k.workspace_id = s.workspace_id AND k.suggestion_id = s.suggestion_id AND k.version <= s.version"
    "  ORDER BY k.version DESC LIMIT 1) d ON true"
    " LEFT JOIN LATERAL (SELECT f.verdict, f.recorded_at, f.note, f.snoozed_until FROM feedback f"
    "  WHERE f.workspace_id = s.workspace_id AND f.suggestion_id = s.suggestion_id ORDER BY f.change_no DESC LIMIT 1) said ON true"
)
_ROW = _SELECT.format("suggestion_current")
_VERSION = _SELECT.format("suggestion")


def append(db: Db, suggestion: Suggestion, change_no: int) -> None:
    values = {name: getattr(suggestion, name) for name in (c.strip() for c in _COLUMNS.split(","))}
    values["draft"] = Jsonb([_segment_to_json(s) for s in suggestion.draft]) if suggestion.draft is not None else None
    db.execute(
        f"INSERT INTO suggestion (workspace_id, {_COLUMNS}, change_no)"
        f" VALUES (current_workspace(), {', '.join(f'%({name})s' for name in values)}, %(change_no)s)",
        {**values, "change_no": change_no},
    )


def claim_account(db: Db, account_id: UUID, suggestion_id: UUID) -> bool:
    """False when the account has an open suggestion already: another run was faster."""
    return (
        db.execute(
            "INSERT INTO suggestion_open (workspace_id, account_id, suggestion_id) VALUES (current_workspace(), %s, %s) ON CONFLICT DO NOTHING",
            [account_id, suggestion_id],
        ).rowcount
        == 1
    )


def free_account(db: Db, account_id: UUID) -> None:
    db.execute("DELETE FROM suggestion_open WHERE account_id = %s", [account_id])


def open_suggestions(db: Db) -> list[SuggestionRow]:
    return _rows(db, f"{_ROW} JOIN suggestion_open o USING (workspace_id, suggestion_id) ORDER BY s.due, a.name", {})


def of_owners(db: Db, owners: Sequence[Owner]) -> list[SuggestionRow]:
    """Open ones that are theirs, or on an account that is theirs today."""
    return _rows(
        db,
        f"{_ROW} JOIN suggestion_open o USING (workspace_id, suggestion_id) WHERE EXISTS (SELECT FROM unnest(%(connections)s::uuid[], %(keys)s::text[])"
        " AS u(connection_id, key) WHERE u.connection_id = a.connection_id AND u.key IN (s.owner_key, a.owner_key)) ORDER BY s.due, a.name",
        {"connections": [o.connection_id for o in owners], "keys": [o.key for o in owners]},
    )


def withdrawn(db: Db) -> list[SuggestionRow]:
    """Those that ended because their account was gone or left out, and after which nothing has happened there; the oldest first."""
    return _rows(
        db,
        f"{_ROW} WHERE s.state = 'closed' AND s.close_reason IN ('account_gone', 'out_of_scope') AND NOT EXISTS"
        " (SELECT FROM suggestion n WHERE n.account_id = s.account_id AND n.change_no > s.change_no) ORDER BY s.opened_at, s.suggestion_id",
        {},
    )


def get(db: Db, suggestion_id: UUID) -> SuggestionRow | None:
    rows = _rows(db, f"{_ROW} WHERE s.suggestion_id = %(id)s", {"id": suggestion_id})
    return rows[0] if rows else None


def by_ids(db: Db, suggestion_ids: Sequence[UUID]) -> list[SuggestionRow]:
    return _rows(db, f"{_ROW} WHERE s.suggestion_id = ANY(%(ids)s)", {"ids": list(suggestion_ids)})


def by_versions(db: Db, versions: Sequence[tuple[UUID, int]]) -> dict[UUID, SuggestionRow]:
    """One version each, current or earlier; how the task stands and the feedback are always today's."""
    rows = _rows(
        db,
        f"{_VERSION} JOIN unnest(%(ids)s::uuid[], %(versions)s::int[]) AS w(suggestion_id, version) USING (suggestion_id, version)",
        {"ids": [v[0] for v in versions], "versions": [v[1] for v in versions]},
    )
    return {r.suggestion_id: r for r in rows}


def listing(db: Db, *, account_id: UUID | None, state: str | None, after: tuple[int, UUID] | None, most: int) -> list[SuggestionRow]:
    """Newest change first; `after` is the (change_no, suggestion_id) of the last row seen."""
    return _rows(
        db,
        f"{_ROW} WHERE (%(account)s::uuid IS NULL OR s.account_id = %(account)s) AND (%(state)s::text IS NULL OR s.state = %(state)s)"
        " AND (%(no)s::bigint IS NULL OR (s.change_no, s.suggestion_id) < (%(no)s, %(id)s))"
        " ORDER BY s.change_no DESC, s.suggestion_id DESC LIMIT %(most)s",
        {"account": account_id, "state": state, "no": after[0] if after else None, "id": after[1] if after else None, "most": most},
    )


def last_closed(db: Db) -> dict[UUID, date]:
    """When each account's last suggestion was closed by a person or ran out: a closed matter is not raised again on the same evidence."""
    rows = db.execute("SELECT account_id, max(evidence_at) FROM suggestion_current WHERE state = 'closed' GROUP BY account_id")
    return dict(rows.fetchall())


def add_feedback(
    db: Db, suggestion_id: UUID, verdict: Verdict, source: str, note: str | None, felt: str | None, change_no: int, snoozed_until: date | None = None
) -> None:
    """`felt`: what the account manager thinks that the buyer feels, 1 to 300 characters. `snoozed_until`: of a not_now alone."""
    db.execute(
        "INSERT INTO feedback (workspace_id, suggestion_id, verdict, source, note, felt, change_no, snoozed_until)"
        " VALUES (current_workspace(), %s, %s, %s, %s, %s, %s, %s)",
        [suggestion_id, verdict, source, note, felt, change_no, snoozed_until],
    )


def erase_felt(db: Db, email: str) -> None:
    """What account managers thought that the people with this address felt."""
    db.execute(
        "UPDATE feedback f SET felt = NULL WHERE f.felt IS NOT NULL AND f.suggestion_id IN"
        " (SELECT s.suggestion_id FROM suggestion s JOIN contact c USING (workspace_id, contact_id) WHERE c.address = lower(%s))",
        [email],
    )


def _rows(db: Db, query: str, parameters: dict[str, object]) -> list[SuggestionRow]:
    with db.cursor(row_factory=class_row(_from_row)) as cursor:  # type: ignore[arg-type]
        return cursor.execute(query, parameters).fetchall()


def _from_row(
    *, draft: list[dict[str, Any]] | None, draft_id: UUID | None, checked: int, findings: Sequence[Sequence[str]], made_on: date, channel: str, lang: str,
    answered: bool, **columns: Any
) -> SuggestionRow:  # fmt: skip
    report = Report.of(checked, findings) if draft_id else None
    last = LastDraft(draft_id=draft_id, made_on=made_on, channel=channel, lang=lang, report=report, answered=answered) if draft_id and report else None
    return SuggestionRow(draft=segments(draft) if draft is not None else None, last_draft=last, **columns)


def segments(stored: Sequence[dict[str, Any]]) -> tuple[Segment, ...]:
    return tuple(_segment_from_json(s) for s in stored)


def _segment_to_json(segment: Segment) -> dict[str, object]:
    return {
        "move": segment.move,
        "evidence": [str(e) for e in segment.evidence_ids],
        "parts": [_quote_to_json(p) if isinstance(p, Quote) else p for p in segment.parts],
        "joined": segment.joined,
    }


def _segment_from_json(value: dict[str, Any]) -> Segment:
    parts: Sequence[str | Quote] = [p if isinstance(p, str) else _quote_from_json(p) for p in value["parts"]]
    return Segment(move=value["move"], parts=tuple(parts), evidence_ids=tuple(UUID(e) for e in value["evidence"]), joined=value.get("joined"))


def _quote_to_json(quote: Quote) -> dict[str, object]:
    return {"quote": [str(quote.interaction_id), quote.start, quote.end], "woven": not quote.is_quoted, "opens": quote.opens}


def _quote_from_json(value: dict[str, Any]) -> Quote:
    interaction_id, start, end = value["quote"]
    return Quote(interaction_id=UUID(interaction_id), start=start, end=end, is_quoted=not value.get("woven", False), opens=value.get("opens", False))
