"""Messages: from raw body to own text, from own text to scores. Only the customer's side is ever scored."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from uuid import UUID

from ml import reader
from ml.labels import SituationName
from service.own_text import read_own_text
from service.spans import Spans
from service.store import messages, workspaces
from service.store.pool import transaction

BATCH = 512


def own_texts(workspace_id: UUID) -> int:
    """Finds the writer's own words in every body that has not been looked at."""
    done = 0
    while True:
        with transaction(workspace_id) as db:
            raw = messages.without_spans(db, BATCH)
            if not raw:
                return done
            found = read_own_text([r.body for r in raw])
            messages.save_spans(
                db,
                [
                    messages.Spans(
                        interaction_id=r.interaction_id,
                        starts=[s for s, _ in own.spans],
                        ends=[e for _, e in own.spans],
                        quote_strip=own.quote_strip,
                    )
                    for r, own in zip(raw, found, strict=True)
                ],
            )
            done += len(raw)


def read_messages(workspace_id: UUID, progress: Callable[[int], None]) -> int:
    """Scores what has no score under the present model version."""
    done = 0
    while True:
        with transaction(workspace_id) as db:
            batch = messages.unscored(db, reader.load().version, BATCH)
            if not batch:
                return done
            messages.append_scores(db, _read(batch), reader.load().version, workspaces.next_change(db))
            done += len(batch)
        progress(done)


def _read(batch: Sequence[messages.OwnText]) -> list[messages.MessageScore]:
    spans = [Spans(m.starts, m.ends) for m in batch]
    readings = reader.load().read([s.text_of(m.body) for s, m in zip(spans, batch, strict=True)])
    return [
        messages.MessageScore(
            interaction_id=m.interaction_id,
            sentiment=reading.sentiment,
            confidence=reading.confidence,
            situations=[{"name": s.name, "confidence": s.confidence, "span": raw} for s in reading.situations if (raw := _carrier(s.name, reading, where))],
        )
        for m, where, reading in zip(batch, spans, readings, strict=True)
    ]


def _carrier(name: SituationName, reading: reader.Reading, where: Spans) -> tuple[int, int] | None:
    """The words that speak for the situation, in the raw body: the quote that votes for it most, else the first."""
    quote = next((q for q in reading.quotes if name in q.why), reading.quotes[0] if reading.quotes else None)
    return where.to_raw(quote.start, quote.end) if quote else None
