"""Messages: from raw body to own text, from own text to scores. Only the customer's side is ever scored."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cache, lru_cache
from uuid import UUID

from ml import artifact, situations
from ml import reader as readers
from ml.reading import Model
from ml.sentiment import Sentiment
from service.own_text import read_own_text
from service.spans import Spans
from service.store import messages, models, unscored, workspaces
from service.store.pool import transaction
from service.store.readings import Emotion, Quote, Situation, StoredReading
from service.unscored import each_alone, is_outage

log = logging.getLogger("undertone.messages")

BATCH = 512
TAUGHT_AT_HAND = 4
"""Readers of workspaces that one process keeps loaded, at 25 MB each."""
MOST_CHARS = 1_000_000
"""Read together: memory stays flat where every message of a batch is a long one."""


@dataclass(frozen=True, slots=True)
class Reader:
    """The models of one version. The tone detector goes by `sentiment` and the word list, all else by what `said` reads.

    `since`: the change number at which the workspace last came to another reader. What an earlier one wrote meanwhile is older than what this one writes.
    """

    sentiment: Sentiment
    said: readers.Reader
    since: int | None = None

    @property
    def version(self) -> str:
        return f"{self.sentiment.version}+words{situations.VERSION}+{self.said.version}{f'@{self.since}' if self.since else ''}"


@cache
def reader() -> Reader:
    """As shipped."""
    return Reader(Sentiment.load(), readers.load())


def reader_of(workspace_id: UUID) -> Reader:
    """The one that the workspace taught, or the shipped one."""
    with transaction(workspace_id) as db:
        in_use = models.in_use(db, reader().said.version)
    said = _taught_or_shipped(workspace_id, in_use.model_id) if in_use.model_id else reader().said
    return replace(reader(), said=said, since=in_use.since)


@lru_cache(maxsize=TAUGHT_AT_HAND)
def _taught_or_shipped(workspace_id: UUID, model_id: UUID) -> readers.Reader:
    try:
        return taught(workspace_id, model_id)
    except artifact.BrokenArtifact:
        log.error("the workspace's own reader cannot be used, the shipped one reads; `undertone retrain --status` says why", extra={"workspace": workspace_id})  # noqa: TRY400
        return reader().said


def taught(workspace_id: UUID, model_id: UUID) -> readers.Reader:
    """Raises BrokenArtifact where its bytes are not those that were stored."""
    with transaction(workspace_id) as db:
        meta, weights = models.weights(db, model_id) or ({}, b"")
    stored = artifact.unpacked("team", meta, lambda _: weights, "the table reader_model", "teach it again with `undertone retrain`")
    return readers.Reader(Model.of(stored))


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


def read_messages(workspace_id: UUID, by: Reader, today: date, progress: Callable[[int], None]) -> int:
    """Scores what has no score under the version of this reader. What cannot be read steps aside until tomorrow, and is told."""
    done = 0
    while True:
        with transaction(workspace_id) as db:
            batch = messages.unscored(db, by.version, BATCH, today)
            if not batch:
                return done
            found, failed = _read_apart(batch, by, workspace_id)
            messages.append_scores(db, found, by.version, workspaces.next_change(db))
            unscored.record(db, "message", failed, by.version, today)
            unscored.clear(db, "message", [score.interaction_id for score in found])
            done += len(found)
        progress(done)


def _read_apart(batch: Sequence[messages.OwnText], by: Reader, workspace_id: UUID) -> tuple[list[messages.MessageScore], dict[UUID, str]]:
    """All at once; where that fails, one by one, so that a message that cannot be read takes no other with it."""
    try:
        return _read(batch, by), {}
    except Exception as error:
        if is_outage(error):
            raise
        found: list[messages.MessageScore] = []
        by_id = {m.interaction_id: m for m in batch}
        failed = each_alone(by_id, lambda i: found.extend(_read([by_id[i]], by)), "message", workspace_id)
        return found, failed


def _read(batch: Sequence[messages.OwnText], by: Reader) -> list[messages.MessageScore]:
    spans = [Spans(m.starts, m.ends) for m in batch]
    texts = [s.text_of(m.body) for s, m in zip(spans, batch, strict=True)]
    sentiments, confidences = by.sentiment.score(texts)
    readings = [_stored(r, s) for r, s in zip(_readings(texts, by.said), spans, strict=True)]
    return [
        messages.MessageScore(
            interaction_id=m.interaction_id,
            sentiment=float(sentiments[i]),
            confidence=float(confidences[i]),
            situations=[
                {"name": s.name, "confidence": round(s.confidence, 4), "span": raw} for s in found if (raw := spans[i].to_raw(s.start, s.end)) is not None
            ],
            reading=readings[i],
        )
        for i, (m, found) in enumerate(zip(batch, situations.find(texts), strict=True))
    ]


def _readings(texts: Sequence[str], said: readers.Reader) -> Iterator[readers.Reading]:
    group: list[str] = []
    chars = 0
    for text in texts:
        if group and chars + len(text) > MOST_CHARS:
            yield from said.read(group)
            group, chars = [], 0
        group.append(text)
        chars += len(text)
    yield from said.read(group)


def _stored(reading: readers.Reading, spans: Spans) -> StoredReading:
    placed = ((spans.to_raw(q.start, q.end), q.why) for q in reading.quotes)
    return StoredReading(
        language=reading.language,
        sentiment=reading.sentiment,
        confidence=reading.confidence,
        abstained=reading.abstained,
        emotions=tuple(Emotion(name=e.name, confidence=e.confidence, alternative=e.alternative) for e in reading.emotions),
        situations=tuple(Situation(name=s.name, confidence=s.confidence) for s in reading.situations),
        churn_risk=reading.churn_risk,
        priority=reading.priority,
        quotes=tuple(Quote(start=raw[0], end=raw[1], why=why) for raw, why in placed if raw is not None),
    )
