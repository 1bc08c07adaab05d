"""What contacts have asked for. Append-only: the last record of a contact counts, and of contacts that were merged the more careful."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal
from uuid import UUID

from service.signals import Preference
from service.store.pool import Db

Source = Literal["api", "cli"]


def record(db: Db, contact_id: UUID, stated: Preference, source: Source, change_no: int) -> None:
    """Also for those that were merged into this contact: what it says now counts for all of them."""
    db.execute(
        "INSERT INTO contact_preference (workspace_id, contact_id, channel, language, no_contact_until, opted_out, evidence_id, source, stated_at, change_no)"
        " SELECT workspace_id, contact_id, %(channel)s, %(language)s, %(until)s, %(opted_out)s, %(evidence)s, %(source)s, %(at)s, %(no)s FROM contact"
        " WHERE contact_id = %(contact)s OR survivor_id = %(contact)s",
        {
            "contact": contact_id,
            "channel": stated.channel,
            "language": stated.language,
            "until": stated.no_contact_until,
            "opted_out": stated.opted_out,
            "evidence": stated.evidence_id,
            "source": source,
            "at": stated.stated_at,
            "no": change_no,
        },
    )


def current(db: Db, contact_ids: Sequence[UUID]) -> dict[UUID, Preference]:
    """Of those that have asked for anything."""
    rows = db.execute(
        "WITH latest AS (SELECT DISTINCT ON (p.contact_id) COALESCE(c.survivor_id, c.contact_id) AS person, p.* FROM contact_preference p"
        "   JOIN contact c USING (workspace_id, contact_id) WHERE p.contact_id = ANY(%(ids)s) OR c.survivor_id = ANY(%(ids)s)"
        "   ORDER BY p.contact_id, p.change_no DESC)"
        " SELECT person, (array_agg(channel ORDER BY change_no DESC) FILTER (WHERE channel IS NOT NULL))[1],"
        "  (array_agg(language ORDER BY change_no DESC) FILTER (WHERE language IS NOT NULL))[1], max(no_contact_until), bool_or(opted_out),"
        "  (array_agg(evidence_id ORDER BY change_no DESC))[1], max(stated_at) FROM latest GROUP BY person",
        {"ids": list(contact_ids)},
    )
    names = ("channel", "language", "no_contact_until", "opted_out", "evidence_id", "stated_at")
    return {person: Preference(**dict(zip(names, values, strict=True))) for person, *values in rows}
