"""Retrain: the reader learns from the corrections of a workspace, and is promoted only when it is better on those it did not learn from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from types import ModuleType
from typing import Any
from uuid import UUID

from ml.artifact import BrokenArtifact, unpacked
from ml.reader import MOST_CHARS
from ml.reading import Model
from ml.train import corpus, team
from ml.train.corpus import Row
from ml.train.team import Comparison, Corrected
from service.errors import Conflict, Unavailable
from service.messages import reader, reader_of, taught
from service.spans import Spans
from service.store import accounts, models, workspaces
from service.store.models import CorrectedMessage, ModelRow
from service.store.pool import transaction

NEEDS_CORPUS = (
    "Retraining needs scikit-learn and the shipped corpus (ml/data/buyer_messages/train.ndjson), and this installation lacks one of them."
    " Install the package undertone-crm with its dependencies, or work in a clone."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Retrained:
    """`learned` and `comparison.held_out`: corrected messages; `known`: messages of the shipped corpus."""

    version: str
    learned: int
    known: int
    comparison: Comparison


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """`in_use` names the reader; `trouble` is a sentence where a promoted one is not used. `corrected`, `held_out`: messages there are to learn from now."""

    in_use: str
    trouble: str | None
    corrected: int
    held_out: int
    history: Sequence[ModelRow]


def shipped_corpus() -> list[Row]:
    """Raises Unavailable where it is not installed."""
    try:
        return corpus.read("train")
    except OSError as problem:
        raise Unavailable(NEEDS_CORPUS) from problem


def retrain(workspace_id: UUID, read_known: Callable[[], Sequence[Row]] = shipped_corpus, rounds: int | None = None) -> Retrained:
    """Minutes of work. Raises Conflict where there are too few corrections, and where another one was promoted or rolled back meanwhile."""
    rows = _corrected(workspace_id)
    learned, held_out = [c.row for c in rows if not c.held_out], [c for c in rows if c.held_out]
    if len(learned) < team.FEWEST_LEARNED or len(held_out) < team.FEWEST_HELD_OUT:
        message = (
            f"There are {len(rows)} corrected messages with words of their own, copies counted once: {len(learned)} to learn from and {len(held_out)}"
            f" held out to judge by. It takes {team.FEWEST_LEARNED} and {team.FEWEST_HELD_OUT}, so 30 or a few more: about every third is held out."
        )
        raise Conflict(message)
    retraining, present, shipped, known = _retraining(), reader_of(workspace_id), reader().said, read_known()
    made = retraining.retrained(shipped.model, known, learned, rounds or retraining.ROUNDS)
    meta, weights = retraining.frozen(made, shipped.version, len(learned))
    stored = unpacked(team.NAME, meta, lambda _: weights, "memory", "try again")
    # Judged is what will be used: weights that were rounded to be kept.
    comparison = team.compared(present.said.model, Model.of(stored), held_out, known)
    done = Retrained(version=stored.version, learned=len(learned), known=len(known), comparison=comparison)
    _record(workspace_id, done, shipped.version, present.since, meta, weights)
    return done


def _record(workspace_id: UUID, done: Retrained, base: str, since: int | None, meta: dict[str, Any], weights: bytes) -> None:
    promoted = done.comparison.promoted
    figures = {"learned": done.learned, "known": done.known, **asdict(done.comparison)}
    with transaction(workspace_id) as db:
        change = workspaces.next_change(db)
        if models.in_use(db, base).since != since:
            message = "Another reader was promoted or rolled back while this one was learning, so it was compared with the wrong one. Run it again."
            raise Conflict(message)
        models.append(db, done.version, base, "promoted" if promoted else "refused", meta, weights if promoted else None, figures, change)
        if promoted:
            accounts.mark_all_due(db)


def roll_back(workspace_id: UUID) -> tuple[str, str]:
    """(version that was given up, version that reads now). Raises Conflict where nothing was promoted."""
    with transaction(workspace_id) as db:
        change = workspaces.next_change(db)
        latest = next((m for m in models.history(db) if m.state == "promoted"), None)
        if latest is None:
            message = "The shipped reader is in use; there is nothing to roll back."
            raise Conflict(message)
        models.roll_back(db, latest.model_id, change)
        accounts.mark_all_due(db)
    return latest.version, reader_of(workspace_id).said.version


def standing(workspace_id: UUID) -> Standing:
    rows = _corrected(workspace_id)
    with transaction(workspace_id) as db:
        history = models.history(db)
    return Standing(
        in_use=reader_of(workspace_id).said.version,
        trouble=_trouble(workspace_id, history),
        corrected=len(rows),
        held_out=sum(c.held_out for c in rows),
        history=history,
    )


def _trouble(workspace_id: UUID, history: Sequence[ModelRow]) -> str | None:
    latest = next((m for m in history if m.state == "promoted"), None)
    if latest is None:
        return None
    if latest.base != reader().said.version:
        return f"{latest.version} was taught beside {latest.base}; this installation ships {reader().said.version}. Teach it again with `undertone retrain`."
    try:
        taught(workspace_id, latest.model_id)
    except BrokenArtifact as problem:
        return f"{latest.version} cannot be used, and the shipped reader reads instead: {problem}."
    return None


def _retraining() -> ModuleType:
    """The module that learns: heavy, and wanted here alone."""
    try:
        from ml.train import retraining
    except ImportError as problem:
        raise Unavailable(NEEDS_CORPUS) from problem
    return retraining


def _corrected(workspace_id: UUID) -> list[Corrected]:
    """What there is to learn from. A message without words of its own teaches nothing; of copies of a text the one that was corrected last counts."""
    with transaction(workspace_id) as db:
        found = models.corrected(db)
    own = ((m, Spans(m.starts, m.ends).text_of(m.body)[:MOST_CHARS]) for m in found)
    return list({team.author_of(text): _row(m, text) for m, text in own if text.strip()}.values())


def _row(message: CorrectedMessage, own: str) -> Corrected:
    reading = message.reading
    read = Row(
        id=str(message.interaction_id),
        author=team.author_of(own),
        brief=team.author_of(own),
        language=reading.language,
        channel=message.kind,
        own=own,
        sentiment=reading.sentiment,
        emotions=tuple(e.name for e in reading.emotions),
        situations=tuple(s.name for s in reading.situations),
        churn_risk=reading.churn_risk,
        priority=reading.priority,
        spans=(),
        slices=(),
    )
    said: dict[str, Any] = {label: tuple(value) if isinstance(value, list) else value for label, value in message.corrections.items()}
    return Corrected(row=replace(read, **said), labels=frozenset(message.corrections))
