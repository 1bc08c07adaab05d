"""What people say of a suggestion, or of how a message was read: kept beside it, never over it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, Literal
from uuid import UUID

from ml.labels import EMOTIONS, PRIORITIES, SITUATIONS
from service.errors import BadInput, Conflict, no_such
from service.playbook.report import good_until
from service.playbook.wording import day_month
from service.store import corrections, readings, signals, suggestions, workspaces
from service.store.corrections import Correction, Label, Source
from service.store.pool import Db, transaction
from service.store.readings import StoredReading
from service.store.suggestions import SuggestionRow, Verdict

MOST_EMOTIONS = 3
ACCEPTED: frozenset[Verdict] = frozenset({"used", "edited"})
"""Somebody took the draft and wrote."""
MOST_SNOOZED = 90
"""Days for which a suggestion may be put off: evidence of a quarter ago is no reason to write."""


def give(
    workspace_id: UUID,
    suggestion_id: UUID,
    verdict: Verdict,
    source: Literal["api", "console", "link"],
    today: date,
    *,
    note: str | None = None,
    felt: str | None = None,
    until: date | None = None,
    instead: Mapping[Label, Any] | None = None,
) -> None:
    """`felt`: what the account manager thinks that the buyer feels. `until`: with not_now, the day on which it is wanted again. `instead`: with
    wrong_reading, what the message it rests on says (see `message_of`). Raises BadInput where the buyer was angry and a draft is said to be used without
    `felt`, and where a field does not go with the verdict, Conflict where the draft is stale."""
    line = " ".join((felt or "").split()) or None
    _check_fields(verdict, today, until, instead)
    with transaction(workspace_id) as db:
        row = suggestions.get(db, suggestion_id)
        if row is None:
            raise no_such("suggestion")
        if verdict in ACCEPTED and (reason := stale(row, today)):
            message = f"This draft is stale: {reason}. Look at the account anew before you write; not_now and wrong_reading can still be said."
            raise Conflict(message)
        if row.pause and verdict in ACCEPTED and line is None:
            message = "Their message is angry. Read it again and say in one line, as `felt`, what you think they feel; then mark the draft as used."
            raise BadInput(message)
        for label, value in (instead or {}).items():
            _correct(db, _named(message_of(db, row)), label, value, "console")
        suggestions.add_feedback(db, suggestion_id, verdict, source, note, line, workspaces.next_change(db), until)


def _check_fields(verdict: Verdict, today: date, until: date | None, instead: Mapping[Label, Any] | None) -> None:
    if until is not None and (verdict != "not_now" or not 1 <= (until - today).days <= MOST_SNOOZED):
        message = f"`until` goes with not_now and is a day from tomorrow on, {MOST_SNOOZED} days ahead at the most."
        raise Conflict(message)
    if instead and verdict != "wrong_reading":
        message = "What they meant instead goes with wrong_reading."
        raise BadInput(message)


def message_of(db: Db, row: SuggestionRow) -> UUID | None:
    """The newest message of theirs that the suggestion's lead rests on; None where it rests on numbers."""
    lead = signals.by_ids(db, row.signal_ids[:1]).get(row.signal_ids[0])
    said = [e for e in lead.evidence if e.type == "buyer_message" and e.interaction_id] if lead else []
    return max(said, key=lambda e: e.observed_at).interaction_id if said else None


def _named(interaction_id: UUID | None) -> UUID:
    if interaction_id is None:
        message = "This suggestion rests on no message whose reading could be corrected. Say in words what we got wrong."
        raise Conflict(message)
    return interaction_id


def stale(row: SuggestionRow, today: date) -> str | None:
    """Why the draft of a suggestion is not to be used any more; None where it may be, or there has never been one."""
    last = row.last_draft
    if last is None:
        return None
    if last.answered:
        return "they have written since it was made"
    until = good_until(last.made_on)
    return f"it was good until {day_month(until, today)}" if today > until else None


def correct(workspace_id: UUID, interaction_id: UUID, label: Label, value: Any, source: Source, model_version: str | None = None) -> UUID:
    """What a person says instead of the reading that was shown (the newest, if no version is named). Returns the message's account."""
    with transaction(workspace_id) as db:
        return _correct(db, interaction_id, label, value, source, model_version)


def _correct(db: Db, interaction_id: UUID, label: Label, value: Any, source: Source, model_version: str | None = None) -> UUID:
    is_right, wanted = _WANTED[label]
    if not is_right(value):
        message = f"The value of {label} must be {wanted}."
        raise BadInput(message)
    row = readings.get(db, interaction_id, model_version)
    if row is None:
        raise no_such("message")
    if row.reading is None or row.model_version is None:
        message = "This message has no such reading to correct: only what a customer wrote is read. Ask for the account's messages to see theirs."
        raise Conflict(message)
    made = Correction(
        interaction_id=interaction_id,
        model_version=row.model_version,
        label=label,
        predicted=_predicted(row.reading, label),
        corrected=int(value) if label == "churn_risk" else value,
        source=source,
    )
    corrections.append(db, made, workspaces.next_change(db))
    return row.account_id


def _predicted(reading: StoredReading, label: Label) -> Any:
    """In the shape of a correction. Of the mood of a message from which the reader abstained, nothing was predicted."""
    values = {
        "sentiment": None if reading.abstained else reading.sentiment,
        "emotions": None if reading.abstained else [e.name for e in reading.emotions],
        "situations": [s.name for s in reading.situations],
        "churn_risk": reading.churn_risk,
        "priority": reading.priority,
    }
    return values[label]


def _is_sentiment(value: Any) -> bool:
    return type(value) in (int, float) and -1 <= value <= 1


def _are_emotions(value: Any) -> bool:
    return _are_names(value, EMOTIONS) and 1 <= len(value) <= MOST_EMOTIONS and (len(value) == 1 or "neutral" not in value)


def _are_situations(value: Any) -> bool:
    return _are_names(value, SITUATIONS)


def _is_churn_risk(value: Any) -> bool:
    """JSON knows one kind of number: 2.0 is 2."""
    return type(value) in (int, float) and value in range(4)


def _is_priority(value: Any) -> bool:
    return value in PRIORITIES


def _are_names(value: Any, known: tuple[str, ...]) -> bool:
    return isinstance(value, list) and all(isinstance(v, str) and v in known for v in value) and len(set(value)) == len(value)


_WANTED: dict[Label, tuple[Callable[[Any], bool], str]] = {
    "sentiment": (_is_sentiment, "a number from -1 (negative) to 1 (positive)"),
    "emotions": (_are_emotions, f'a list of 1 to {MOST_EMOTIONS} different names of: {", ".join(EMOTIONS)}; "neutral" stands alone'),
    "situations": (_are_situations, f"a list, which may be empty, of different names of: {', '.join(SITUATIONS)}"),
    "churn_risk": (_is_churn_risk, "0, 1, 2 or 3"),
    "priority": (_is_priority, f"one of: {', '.join(PRIORITIES)}"),
}
