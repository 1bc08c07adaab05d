"""What analysts read: the views of the schema `analytics`, a page at a time. Exports and SQL read the same views."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal
from uuid import UUID

from psycopg.rows import dict_row

from service.store.pool import Db

Direction = Literal["oldest", "newest"]
Filters = Mapping[str, object]
"""Name of a filter -> what it asks for; None asks for nothing."""


Kind = Literal["text", "texts", "id", "ids", "whole", "number", "flag", "day", "time", "json"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """`relation` has a place for the as-of day where what is stored can tell. `order` is a unique key; the rows of a page follow it."""

    relation: str
    columns: Mapping[str, Kind]
    order: tuple[str, str]
    day: str
    """The column that `since` and `until` speak of."""
    together: Mapping[str, str] = field(default_factory=dict)
    """For reading all rows: what takes the place of a column that is otherwise looked up row by row. `joined` belongs to it."""
    joined: str = ""
    beside: Mapping[str, str] = field(default_factory=dict)
    """Columns that no login of an analyst may read, and so no view holds. `beside_joined` belongs to them."""
    beside_joined: str = ""

    def of(self, column: str) -> str:
        return self.beside.get(column, f"v.{column}")

    @property
    def has_changes(self) -> bool:
        return "change_no" in self.columns

    @property
    def knows_the_past(self) -> bool:
        return "as_of" in self.relation

    def conditions(self, filters: Filters) -> str:
        """Of those that are given, as SQL after WHERE. Values stay parameters of the filter's name."""
        known = {
            "since": f"v.{self.day} >= %(since)s",
            "until": f"v.{self.day} <= %(until)s",
            "changed_after": "v.change_no > %(changed_after)s",
            "changed_through": "v.change_no <= %(changed_through)s",
            "account": "strpos(lower(v.account), lower(%(account)s::text)) > 0",
        }
        given = [known.get(name, f"v.{name} = %({name})s") for name, value in filters.items() if value is not None and name != "as_of"]
        return " AND ".join(given) or "true"


def _on(view: str) -> str:
    return f"analytics.{view}_on(%(as_of)s::date)"


def _today(relation: str, as_of: object) -> str:
    """Of today's state the day is written out as NULL: Postgres then keeps one plan, and does not ask each time whether the parameter says so."""
    return relation if as_of is not None else relation.replace("%(as_of)s", "NULL")


SIGNALS = Source(
    relation=_on("signals"),
    columns={
        **{"signal_id": "id", "version": "whole", "account_id": "id", "account": "text", "owner": "text"},
        **{"contact_id": "id", "kind": "text", "state": "text", "detected_at": "day", "ended_at": "day", "confidence": "number", "confirmed": "flag"},
        **{"numbers": "json", "alternatives": "texts", "evidence_ids": "ids"},
        **{"model_version": "text", "recorded_at": "time", "change_no": "whole"},
    },
    order=("change_no", "signal_id"),
    day="detected_at",
    together={"evidence_ids": "COALESCE(e.evidence_ids, '{}')"},
    joined=(
        " LEFT JOIN (SELECT k.signal_id, k.version, array_agg(k.evidence_id ORDER BY k.observed_at, k.span_start, k.evidence_id) AS evidence_ids"
        " FROM evidence k GROUP BY k.signal_id, k.version) e ON e.signal_id = v.signal_id AND e.version = v.version"
    ),
    # The key of an owner may be their mail address: a login that reads it reads more than a name.
    beside={"owner": "w.name"},
    beside_joined=(
        " LEFT JOIN account b ON b.account_id = v.account_id"
        " LEFT JOIN crm_user w ON w.workspace_id = b.workspace_id AND w.connection_id = b.connection_id AND w.key = b.owner_key"
    ),
)
SUGGESTIONS = Source(
    relation=_on("suggestions"),
    columns={
        **{"suggestion_id": "id", "version": "whole", "account_id": "id", "account": "text", "contact_id": "id", "kind": "text", "signal_ids": "ids"},
        **{"state": "text", "close_reason": "text", "handling": "text", "no_draft_reason": "text", "priority": "text", "due": "day"},
        **{"opened_at": "day", "verdict": "text", "task_status": "text", "playbook_version": "text", "recorded_at": "time", "change_no": "whole"},
    },
    order=("change_no", "suggestion_id"),
    day="opened_at",
)
OUTCOMES = Source(
    relation=_on("outcomes"),
    columns={
        **{"outcome_id": "id", "suggestion_id": "id", "account_id": "id", "account": "text", "kind": "text", "type": "text", "outcome": "text"},
        **{"source": "text", "day": "day", "recorded_at": "time", "change_no": "whole"},
    },
    order=("change_no", "outcome_id"),
    day="day",
)
SCORES = Source(
    relation=_on("scores"),
    columns={
        **{"score_id": "id", "account_id": "id", "account": "text", "day": "day", "level": "text", "score": "whole", "drivers": "json"},
        **{"unknown_parts": "texts", "renewal_date": "day", "renewal_amount": "number", "model_version": "text", "recorded_at": "time"},
        "change_no": "whole",
    },
    order=("change_no", "score_id"),
    day="day",
)
USAGE = Source(
    relation="analytics.usage_days",
    columns={"series_no": "whole", "account_id": "id", "account": "text", "metric": "text", "day": "day", "value": "number"},
    order=("series_no", "day"),
    day="day",
)


def page(
    db: Db,
    source: Source,
    filters: Filters,
    *,
    columns: Sequence[str] | None = None,
    after: tuple[object, object] | None = None,
    most: int,
    direction: Direction = "newest",
) -> list[dict[str, Any]]:
    """`after`: the two values of `order` in the last row seen. Rows hold the columns asked for (None: all), and those of `order` always."""
    shown = tuple(dict.fromkeys((*source.order, *(source.columns if columns is None else columns))))
    first, second = source.order
    beyond, way = ("<", "DESC") if direction == "newest" else (">", "ASC")
    seen = f" AND (v.{first}, v.{second}) {beyond} (%(first)s, %(second)s)" if after else ""
    given = {"as_of": None, **filters, "most": most, **({"first": after[0], "second": after[1]} if after else {})}
    joined = source.beside_joined if any(c in source.beside for c in shown) else ""
    with db.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(
            f"SELECT {', '.join(f'{source.of(c)} AS {c}' for c in shown)} FROM {_today(source.relation, filters.get('as_of'))} v{joined}"
            f" WHERE {source.conditions(filters)}{seen}"
            f" ORDER BY v.{first} {way}, v.{second} {way} LIMIT %(most)s",
            given,
        ).fetchall()


def verdicts(db: Db, signal_ids: Sequence[UUID], as_of: date | None = None) -> dict[UUID, bool]:
    """Whether people confirmed these signals; those that nobody judged are missing."""
    query = f"SELECT v.signal_id, v.confirmed FROM {_today(_on('verdicts'), as_of)} v WHERE v.signal_id = ANY(%(ids)b::uuid[])"
    return dict(db.execute(query, {"as_of": as_of, "ids": list(signal_ids)}).fetchall())


def corrections(db: Db, interaction_ids: Sequence[UUID], as_of: date | None = None) -> dict[UUID, list[dict[str, Any]]]:
    """Of each message the last word on each label, beside what was predicted."""
    found: dict[UUID, list[dict[str, Any]]] = {}
    if not interaction_ids:
        return found
    with db.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute(
            "SELECT c.interaction_id, c.label, c.predicted, c.corrected, c.source, c.model_version, c.recorded_at"
            f" FROM {_today(_on('corrections'), as_of)} c WHERE c.interaction_id = ANY(%(ids)b::uuid[]) ORDER BY c.label",
            {"as_of": as_of, "ids": list(interaction_ids)},
        )
        for row in rows:
            found.setdefault(row["interaction_id"], []).append(row)
    return found


_EVENTS = """
    SELECT s.detected_at AS day, 'signal' AS type, s.signal_id AS id, s.kind, s.state AS what, NULL::float8 AS value, s.confidence, NULL::jsonb AS drivers,
        s.evidence_ids, s.model_version, s.recorded_at, s.change_no
        FROM analytics.signals_on(%(as_of)s::date) s WHERE s.account_id = %(account_id)s
    UNION ALL SELECT s.ended_at, 'signal_ended', s.signal_id, s.kind, s.state, NULL, s.confidence, NULL, s.evidence_ids, s.model_version, s.recorded_at,
        s.change_no FROM analytics.signals_on(%(as_of)s::date) s WHERE s.account_id = %(account_id)s AND s.ended_at IS NOT NULL
    UNION ALL SELECT o.day, 'score', o.score_id, 'outlook', o.level, o.score, NULL, o.drivers, '{}', o.model_version, o.recorded_at, o.change_no
        FROM analytics.scores_on(%(as_of)s::date) o WHERE o.account_id = %(account_id)s
    UNION ALL SELECT s.opened_at, 'suggestion', s.suggestion_id, s.kind, s.state, NULL, NULL, NULL, '{}', s.playbook_version, s.recorded_at, s.change_no
        FROM analytics.suggestions_on(%(as_of)s::date) s WHERE s.account_id = %(account_id)s
    UNION ALL SELECT u.day, 'outcome', u.outcome_id, u.kind, u.outcome, NULL, NULL, NULL, '{}', NULL, u.recorded_at,
        u.change_no FROM analytics.outcomes_on(%(as_of)s::date) u WHERE u.account_id = %(account_id)s
    UNION ALL SELECT r.day, 'reading', r.interaction_id, 'message', CASE WHEN r.abstained THEN 'abstained' ELSE 'read' END, r.sentiment, r.confidence, NULL,
        '{}', r.model_version, r.recorded_at, r.change_no FROM analytics.readings_on(%(as_of)s::date) r WHERE r.account_id = %(account_id)s
"""


def timeline(
    db: Db,
    account_id: UUID,
    *,
    as_of: date | None,
    since: date | None,
    until: date | None,
    types: Sequence[str] | None,
    after: tuple[date, str, UUID] | None,
    most: int,
) -> list[dict[str, Any]]:
    """What became known of an account, by the day it speaks of, newest first. `after`: (day, type, id) of the last row seen."""
    with db.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(
            f"SELECT * FROM ({_EVENTS}) e WHERE (%(since)s::date IS NULL OR e.day >= %(since)s) AND (%(until)s::date IS NULL OR e.day <= %(until)s)"
            " AND (%(types)s::text[] IS NULL OR e.type = ANY(%(types)s))"
            " AND (%(day)s::date IS NULL OR (e.day, e.type, e.id) < (%(day)s, %(type)s, %(id)s::uuid))"
            " ORDER BY e.day DESC, e.type DESC, e.id DESC LIMIT %(most)s",
            {
                **{"account_id": account_id, "as_of": as_of, "since": since, "until": until, "types": list(types) if types else None, "most": most},
                **dict(zip(("day", "type", "id"), after or (None, None, None), strict=True)),
            },
        ).fetchall()
