"""Messages: from raw body to own text, from own text to scores. Only the customer's side is ever scored."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from uuid import UUID

from ml import situations
from ml.sentiment import Sentiment
from service.own_text import read_own_text
from service.spans import Spans
from service.store import messages, workspaces
from service.store.pool import transaction

BATCH = 512


@dataclass(frozen=True, slots=True)
class Reader:
    """The models of one version."""

    sentiment: Sentiment

    @property
    def version(self) -> str:
        return f"{self.sentiment.version}+words{situations.VERSION}"


@cache
def reader() -> Reader:
    return Reader(Sentiment.load())


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
            batch = messages.unscored(db, reader().version, BATCH)
            if not batch:
                return done
            messages.append_scores(db, _read(batch), reader().version, workspaces.next_change(db))
            done += len(batch)
        progress(done)


def _read(batch: Sequence[messages.OwnText]) -> list[messages.MessageScore]:
    spans = [Spans(m.starts, m.ends) for m in batch]
    texts = [s.text_of(m.body) for s, m in zip(spans, batch, strict=True)]
    sentiments, confidences = reader().sentiment.score(texts)
    return [
        messages.MessageScore(
            interaction_id=m.interaction_id,
            sentiment=float(sentiments[i]),
            confidence=float(confidences[i]),
            situations=[
                {"name": s.name, "confidence": round(s.confidence, 4), "span": raw} for s in found if (raw := spans[i].to_raw(s.start, s.end)) is not None
            ],
        )
        for i, (m, found) in enumerate(zip(batch, situations.find(texts), strict=True))
    ]
