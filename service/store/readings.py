"""What the reader said of each message, as it is kept and as it is shown: verdicts, and quotes as offsets beside the words they point at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Self
from uuid import UUID

from psycopg.rows import class_row

from ml.alternatives import BY_KIND, SENTENCES
from ml.labels import EmotionName, Language, Priority, SituationName
from service.store.pool import Db


@dataclass(frozen=True, slots=True, kw_only=True)
class Emotion:
    """`alternative`: a key of ml.alternatives; None for "neutral"."""

    name: EmotionName
    confidence: float
    alternative: str | None

    @property
    def innocent(self) -> str | None:
        """The other thing that the same words may mean, as a sentence. A key of an earlier version that is no longer in use has none."""
        return SENTENCES.get(self.alternative or "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    name: SituationName
    confidence: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """Offsets into the raw body, and the verdicts that these words speak for most."""

    start: int
    end: int
    why: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredReading:
    """docs/reading.md explains each field. No word of the message is in it."""

    language: Language
    sentiment: float
    confidence: float
    abstained: bool
    emotions: tuple[Emotion, ...]
    situations: tuple[Situation, ...]
    churn_risk: int
    priority: Priority
    quotes: tuple[Quote, ...]

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Self:
        return cls(
            **{name: value[name] for name in ("language", "sentiment", "confidence", "abstained", "churn_risk", "priority")},
            emotions=tuple(Emotion(**e) for e in value["emotions"]),
            situations=tuple(Situation(**s) for s in value["situations"]),
            quotes=tuple(Quote(start=q["start"], end=q["end"], why=tuple(q["why"])) for q in value["quotes"]),
        )

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @property
    def alternatives(self) -> tuple[str, ...]:
        """What else it could mean: the sentence of each emotion, and the first one of each situation."""
        found = [e.innocent for e in self.emotions] + [SENTENCES[BY_KIND[s.name][0]] for s in self.situations]
        return tuple(dict.fromkeys(sentence for sentence in found if sentence))


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageRow:
    """A message of either side. `reading` is None for our own, for machine mail, and until it has been read; so is `model_version`."""

    interaction_id: UUID
    account_id: UUID
    occurred_at: datetime
    contact_id: UUID | None
    contact_name: str | None
    kind: str
    direction: str
    automatic: bool
    model_version: str | None
    reading: StoredReading | None
    words: tuple[str | None, ...]
    """Of each quote of the reading; None once they have been erased."""
    beginning: str | None
    """The first BEGINNING characters of the buyer's own text."""


BEGINNING = 160

_NEWEST = (
    "(SELECT m.model_version, m.reading FROM message_score m WHERE m.workspace_id = i.workspace_id AND m.interaction_id = i.interaction_id"
    " AND m.reading IS NOT NULL AND m.model_version = COALESCE(%(version)s::text, m.model_version) ORDER BY m.change_no DESC LIMIT 1)"
)
_WORDS = (
    "ARRAY(SELECT NULLIF(substring(t.body FROM (q->>'start')::int + 1 FOR (q->>'end')::int - (q->>'start')::int), '')"
    " FROM jsonb_array_elements(s.reading->'quotes') WITH ORDINALITY AS e(q, place) ORDER BY place)"
)
_ROW = (
    "SELECT i.interaction_id, i.account_id, i.occurred_at, i.contact_id, COALESCE(c.name, c.email) AS contact_name, i.kind, i.direction, i.automatic,"
    f" s.model_version, s.reading, {_WORDS} AS words,"
    " CASE i.direction WHEN 'in' THEN substring(t.body FROM t.own_starts[1] + 1 FOR LEAST(t.own_ends[1] - t.own_starts[1], %(beginning)s)) END AS beginning"
    " FROM interaction i LEFT JOIN contact c USING (workspace_id, contact_id)"
    " LEFT JOIN message_text t ON t.workspace_id = i.workspace_id AND t.interaction_id = i.interaction_id"
    f" LEFT JOIN LATERAL {_NEWEST} s ON i.direction = 'in'"
    " WHERE NOT i.deleted AND i.direction IN ('in', 'out')"
)


def listing(db: Db, account_id: UUID, until: datetime, *, after: tuple[datetime, UUID] | None, most: int, heard: bool = False) -> list[MessageRow]:
    """Newest first, each with the newest reading; `after` is the (occurred_at, interaction_id) of the last row seen. `heard`: what their people wrote."""
    return _rows(
        db,
        f"{_ROW} AND i.account_id = %(account)s AND i.occurred_at <= %(until)s AND (NOT %(heard)s OR i.direction = 'in' AND NOT i.automatic)"
        " AND (%(at)s::timestamptz IS NULL OR (i.occurred_at, i.interaction_id) < (%(at)s, %(id)s))"
        " ORDER BY i.occurred_at DESC, i.interaction_id DESC LIMIT %(most)s",
        {
            "account": account_id,
            "until": until,
            "heard": heard,
            "at": after[0] if after else None,
            "id": after[1] if after else None,
            "most": most,
        },
    )


def get(db: Db, interaction_id: UUID, model_version: str | None = None) -> MessageRow | None:
    """With the reading of that version, or the newest one. None for what is not an account's message."""
    query = f"{_ROW} AND i.interaction_id = %(id)s AND i.account_id IS NOT NULL"
    rows = _rows(db, query, {"id": interaction_id, "version": model_version})
    return rows[0] if rows else None


def anger(db: Db, interaction_ids: Sequence[UUID]) -> dict[UUID, float]:
    """How sure it is that a message is angry, in 0..1, by its newest reading; where a person said which emotions it holds, 0 or 1. Those at 0 are left out."""
    rows = db.execute(
        "SELECT i.id, CASE WHEN c.corrected IS NULL THEN s.anger ELSE (c.corrected ? 'anger')::int END AS anger FROM unnest(%s::uuid[]) AS i(id)"
        " LEFT JOIN correction_current c ON c.interaction_id = i.id AND c.label = 'emotions'"
        " LEFT JOIN LATERAL (SELECT (jsonb_path_query_first(m.reading, '$.emotions[*] ? (@.name == \"anger\").confidence') #>> '{}')::float8 AS anger"
        "  FROM message_score m WHERE m.workspace_id = (SELECT current_workspace()) AND m.interaction_id = i.id AND m.reading IS NOT NULL"
        "  ORDER BY m.change_no DESC LIMIT 1) s ON true",
        [list(interaction_ids)],
    )
    return {interaction_id: found for interaction_id, found in rows if found}


def _rows(db: Db, query: str, parameters: dict[str, object]) -> list[MessageRow]:
    with db.cursor(row_factory=class_row(_from_row)) as cursor:  # type: ignore[arg-type]
        return cursor.execute(query, {"version": None, "beginning": BEGINNING, **parameters}).fetchall()


def _from_row(*, reading: dict[str, Any] | None, words: Sequence[str | None], **columns: Any) -> MessageRow:
    return MessageRow(reading=StoredReading.from_json(reading) if reading else None, words=tuple(words), **columns)
