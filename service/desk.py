"""A suggestion as a person works on it: what their text may rest on, what the critic says of it, and another draft. Nothing of it is kept."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from uuid import UUID

from ml.moves import MOVES, Move
from service import critic, drafting, policy
from service.audit import earlier_drafts, made_from
from service.case import case_of
from service.critic.case import Case as Reviewed
from service.critic.draft import Evidence as Piece
from service.critic.draft import Marked, Review
from service.critic.review import review_case
from service.drafting.engine import as_draft
from service.drafting.request import Written
from service.drafting.windows import ACCOUNT, Window
from service.playbook import render
from service.playbook.compose import situation_of
from service.playbook.drafting import asked_again, request_for, resting_on
from service.signals import Case
from service.store import accounts, messages, signals, workspaces
from service.store.pool import Db
from service.store.suggestions import SuggestionRow
from service.task import draft_text, quoted_messages

_SEEDS = ("", "b", "c", "d")
"""From which another draft is looked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """`request`: what the draft was made from, beside it all else that the suggestion rests on. `draft`: ours, as it is shown, None where there is none;
    `sentences` are its own, each with its move."""

    suggestion: SuggestionRow
    request: drafting.Request
    draft: str | None
    sentences: Sequence[tuple[str, Move]]
    policy: critic.Policy
    """By what the workspace's critic goes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """`moves`: those that the text makes, in the usual order; a guess where a sentence is not ours."""

    text: str
    review: Review
    moves: Sequence[Move]


def read(db: Db, row: SuggestionRow, bodies: dict[UUID, str] | None = None) -> Desk | None:
    """`bodies`: of the messages that the draft quotes. None where all that the suggestion rested on is gone."""
    profiles = accounts.profiles(db, [row.account_id])
    known = signals.by_ids(db, row.signal_ids)
    found = [known[i] for i in row.signal_ids if i in known]
    if not profiles or not found:
        return None
    case = case_of(profiles[0], accounts.contacts(db, [row.account_id]), found, seed=str(row.suggestion_id), today=row.opened_at)
    bodies = messages.bodies(db, quoted_messages(row.draft)) if bodies is None else bodies
    draft = draft_text(row.draft, bodies, row.last_draft)
    return Desk(
        suggestion=row,
        request=_request(db, row, case),
        draft=draft,
        sentences=_sentences(row, bodies) if draft is not None else (),
        policy=policy.current(db).critic,
    )


def review(desk: Desk, text: str) -> Looked:
    """Against every rule. Sentences of our draft that still stand as they were keep the moves for which they were written."""
    case = Reviewed(replace(as_draft(desk.request, desk.request.situation, text), marked=tuple(_marks(desk.sentences, text))))
    made = {move for sentence in case.moves for move in sentence.moves}
    return Looked(text=text, review=review_case(case, desk.policy), moves=[move for move in MOVES if move in made])


def another(db: Db, desk: Desk, today: date) -> str | None:
    """A draft from the same evidence that sounds like none that was shown, this one included, and that stands as if a person had typed it if one does; None
    where what is known does not carry one."""
    earlier = earlier_drafts(db, today, workspaces.last_change(db))
    windows = earlier.windows(desk.suggestion.account_id, desk.suggestion.owner_key)
    shown = Window(*ACCOUNT, [desk.draft or ""])
    # Windows leave out what a sentence was given, an offer for one: of several seeds the draft that shares least with what is shown.
    for asked in (replace(desk.request, windows=windows), desk.request):
        written = [w for seed in _SEEDS for w in _others(desk, replace(asked, seed=f"{asked.seed}{seed}"))]
        if written:
            return min(written, key=lambda w: (review(desk, w.text).review.verdict == "bad", shown.shared(w.text))).text
    return None


def _others(desk: Desk, request: drafting.Request) -> Iterator[Written]:
    found = drafting.draft(request)
    yield from (w for w in (found.written, *found.alternatives) if w and w.text != desk.draft)


def _request(db: Db, row: SuggestionRow, case: Case) -> drafting.Request:
    made = made_from(db, row.suggestion_id)
    request = asked_again(made, str(row.suggestion_id), ()) if made else request_for(case, situation_of(case.lead))
    return replace(request, evidence=tuple(_together(request.evidence, resting_on(case))))


def _together(first: Sequence[Piece], more: Sequence[Piece]) -> Iterator[Piece]:
    yield from first
    known = {(p.id, p.type) for p in first}
    yield from (p for p in more if (p.id, p.type) not in known)


def _sentences(row: SuggestionRow, bodies: dict[UUID, str]) -> list[tuple[str, Move]]:
    spoken = row.last_draft
    return [(render([s], bodies, spoken.channel, spoken.lang) if spoken else render([s], bodies), s.move) for s in row.draft or ()]


def _marks(sentences: Sequence[tuple[str, Move]], text: str) -> Iterator[Marked]:
    at = 0
    for sentence, move in sentences:
        start = text.find(sentence, at)
        if sentence and start >= 0:
            at = start + len(sentence)
            yield Marked(start, at, move)
