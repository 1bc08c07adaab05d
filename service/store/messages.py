"""Messages: their own text, their scores, and the order in which they were exchanged with an account."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from service.store import bulk
from service.store.pool import Db
from service.store.readings import StoredReading


@dataclass(frozen=True, slots=True, kw_only=True)
class RawText:
    interaction_id: UUID
    body: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Spans:
    """The writer's own words inside a raw body: offsets, ascending and disjoint."""

    interaction_id: UUID
    starts: list[int]
    ends: list[int]
    quote_strip: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnText:
    interaction_id: UUID
    body: str
    starts: list[int]
    ends: list[int]


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageScore:
    """Scores of one message of the customer's side. `situations` are {name, confidence, span}, spans offsets into the raw body.

    `reading`: what the reader of messages says beside them; None in rows of before there was one.
    """

    interaction_id: UUID
    sentiment: float
    confidence: float
    situations: list[dict[str, Any]]
    reading: StoredReading | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """One interaction as the conversation saw it. Score columns are None for our own side, automatic mail and what is not scored."""

    interaction_id: UUID
    account_id: UUID
    contact_id: UUID | None
    kind: str
    direction: str
    automatic: bool
    occurred_at: datetime
    message_id: str | None
    in_reply_to: str | None
    subject: str | None
    body: str | None
    starts: list[int] | None
    ends: list[int] | None
    sentiment: float | None
    confidence: float | None
    situations: list[dict[str, Any]] | None
    reading: dict[str, Any] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class MoodPoint:
    """`contact_name`: None where a contact of the account did not write it, but a shared box, a list, or somebody unknown."""

    occurred_at: datetime
    contact_name: str | None
    sentiment: float


def mood(db: Db, account_id: UUID) -> list[MoodPoint]:
    """The tone of each message that somebody of theirs wrote, oldest first, by the newest model that read it."""
    with db.cursor(row_factory=class_row(MoodPoint)) as cursor:
        return cursor.execute(
            "SELECT i.occurred_at, CASE WHEN c.account_id = i.account_id THEN COALESCE(c.name, c.email) END AS contact_name, s.sentiment FROM interaction i"
            " JOIN LATERAL (SELECT COALESCE((m.reading->>'sentiment')::real, m.sentiment) AS sentiment FROM message_score m"
            "  WHERE m.workspace_id = i.workspace_id AND m.interaction_id = i.interaction_id"
            "  ORDER BY m.change_no DESC LIMIT 1) s ON true LEFT JOIN contact c USING (workspace_id, contact_id)"
            # A score stays when it turns out later that our own side wrote, or a machine.
            " WHERE i.account_id = %s AND NOT i.deleted AND i.direction = 'in' AND NOT i.automatic ORDER BY i.occurred_at",
            [account_id],
        ).fetchall()


def without_spans(db: Db, most: int) -> list[RawText]:
    with db.cursor(row_factory=class_row(RawText)) as cursor:
        return cursor.execute("SELECT interaction_id, body FROM message_text WHERE quote_strip IS NULL LIMIT %s", [most]).fetchall()


def save_spans(db: Db, spans: Sequence[Spans]) -> None:
    with db.cursor() as cursor:
        cursor.executemany(
            "UPDATE message_text SET own_starts = %s, own_ends = %s, quote_strip = %s WHERE interaction_id = %s",
            [(s.starts, s.ends, s.quote_strip, s.interaction_id) for s in spans],
        )


def unscored(db: Db, model_version: str, most: int, today: date) -> list[OwnText]:
    """Only the customer's side, only what a person wrote, only once it belongs to an account. Our own staff is never scored.

    What could not be read by this version today is passed over.
    """
    with db.cursor(row_factory=class_row(OwnText)) as cursor:
        return cursor.execute(
            "SELECT t.interaction_id, t.body, t.own_starts AS starts, t.own_ends AS ends FROM message_text t"
            " JOIN interaction i USING (workspace_id, interaction_id)"
            " WHERE i.direction = 'in' AND NOT i.automatic AND NOT i.deleted AND i.account_id IS NOT NULL AND t.quote_strip IS NOT NULL"
            # A look-up by key for each message. As a join it is quadratic while the tables are new and the planner has no statistics.
            " AND (SELECT true FROM message_score s WHERE s.workspace_id = t.workspace_id AND s.interaction_id = t.interaction_id"
            "  AND s.model_version = %(version)s) IS NULL"
            " AND (SELECT true FROM unscored u WHERE u.workspace_id = t.workspace_id AND u.what = 'message' AND u.id = t.interaction_id"
            "  AND u.reader = %(version)s AND u.tried_on = %(today)s) IS NULL LIMIT %(most)s",
            {"version": model_version, "most": most, "today": today},
        ).fetchall()


def append_scores(db: Db, scores: Sequence[MessageScore], model_version: str, change_no: int) -> None:
    """Of two runs that have read the same messages by one version, the first one's count; they say the same."""
    columns = {"interaction_id": "uuid", "model_version": "text", "sentiment": "real", "confidence": "real", "situations": "jsonb", "reading": "jsonb"}
    rows = (
        (s.interaction_id, model_version, s.sentiment, s.confidence, Jsonb(s.situations), Jsonb(s.reading.to_json()) if s.reading else None) for s in scores
    )
    bulk.append(db, "message_score", columns, rows, change_no, unless_there=True)


def exchanges(db: Db, account_ids: Sequence[UUID], until: datetime, model_version: str) -> list[Exchange]:
    with db.cursor(row_factory=class_row(Exchange)) as cursor:
        return cursor.execute(
            "SELECT i.interaction_id, i.account_id, i.contact_id, i.kind, i.direction, i.automatic, i.occurred_at, i.message_id, i.in_reply_to,"
            " t.subject, t.body, t.own_starts AS starts, t.own_ends AS ends, s.sentiment, s.confidence,"
            " s.situations, s.reading FROM interaction i LEFT JOIN message_text t USING (workspace_id, interaction_id)"
            " LEFT JOIN message_score s ON s.workspace_id = i.workspace_id AND s.interaction_id = i.interaction_id AND s.model_version = %(version)s"
            " WHERE i.account_id = ANY(%(ids)s) AND i.occurred_at <= %(until)s AND NOT i.deleted AND i.direction IN ('in', 'out')"
            " ORDER BY i.account_id, i.occurred_at, i.interaction_id",
            {"ids": list(account_ids), "until": until, "version": model_version},
        ).fetchall()


def bodies(db: Db, interaction_ids: Sequence[UUID]) -> dict[UUID, str]:
    """Raw bodies, for showing quotes. An erased one is missing."""
    return dict(db.execute("SELECT interaction_id, body FROM message_text WHERE interaction_id = ANY(%s)", [list(interaction_ids)]).fetchall())


def message_ids(db: Db, interaction_ids: Sequence[UUID]) -> dict[UUID, str]:
    """The Message-ID where there is one, else the source's key."""
    return dict(
        db.execute("SELECT interaction_id, COALESCE(message_id, key) FROM interaction WHERE interaction_id = ANY(%s)", [list(interaction_ids)]).fetchall()
    )


def knows_person(db: Db, email: str) -> bool:
    """Whether anybody with this address is a contact or has written, erased or not."""
    row = db.execute(
        "SELECT EXISTS (SELECT FROM contact WHERE address = lower(%(email)s)) OR EXISTS (SELECT FROM interaction WHERE from_email = lower(%(email)s))",
        {"email": email},
    ).fetchone()
    return row is not None and bool(row[0])


def erase_person(db: Db, email: str) -> int:
    """Deletes every word that an address wrote. Returns how many messages that were."""
    return db.execute(
        "DELETE FROM message_text t USING interaction i WHERE i.workspace_id = t.workspace_id AND i.interaction_id = t.interaction_id"
        " AND i.from_email = lower(%s)",
        [email],
    ).rowcount
