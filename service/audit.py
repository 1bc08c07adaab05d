"""The record of every draft that was shown, and how one is made again from it: the same, byte for byte, while what it was made from exists."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from typing import Literal
from uuid import UUID

from service.case import acting_owner
from service.drafting import draft
from service.earlier import MONTHS, MOST_OF_TEAM, Earlier
from service.errors import no_such
from service.playbook import render
from service.playbook.drafting import asked_again, segments
from service.playbook.wording import full_name
from service.policy import Policy, report_of
from service.signals import Evidence, Made, Report, Source
from service.store import accounts, drafts, messages, signals, suggestions
from service.store.accounts import Profile
from service.store.drafts import Draft, DraftRow
from service.store.pool import Db, transaction
from service.store.suggestions import Suggestion
from service.task import quoted_messages
from service.versions import engine_version, rules_version

Verdict = Literal["same", "inputs_erased", "inputs_changed", "other_version", "differs"]
SENTENCES: dict[Verdict, str] = {
    "same": "same, byte for byte",
    "inputs_erased": "inputs erased: the words it rested on are gone, and nobody can make it again",
    "inputs_changed": "inputs changed: a name or a message in the CRM is no longer what it was",
    "other_version": "made by another version of the engine or the rules, which writes something else now",
    "differs": "differs, although nothing that it was made from has changed: please report this",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Audited:
    """A draft that was shown, and what came of making it again. `evidence` are ids."""

    draft_id: UUID
    suggestion_id: UUID
    version: int
    made_on: date
    recorded_at: datetime
    seed: str
    evidence: tuple[str, ...]
    engine_version: str
    rules_version: str
    report: Report
    sha256: str
    verdict: Verdict


def earlier_drafts(db: Db, on: date, known_through: int) -> Earlier:
    """What a draft of this day must not repeat, as of a change."""
    return Earlier(drafts.past(db, on - timedelta(days=30 * MONTHS), MOST_OF_TEAM, known_through), known_through)


def keep(db: Db, shown: Suggestion, made: Made | None, profile: Profile, earlier: Earlier, today: date, change_no: int, policy: Policy) -> None:
    """Writes down a draft that this version of a suggestion is the first to show. In the transaction, and with the change, that writes the version."""
    if made is None or shown.draft is None:
        return
    text = render(shown.draft, messages.bodies(db, quoted_messages(shown.draft)), made.channel, made.lang)
    row = Draft(
        suggestion_id=shown.suggestion_id,
        version=shown.version,
        made_on=today,
        seed=str(shown.suggestion_id),
        situation=made.situation,
        channel=made.channel,
        lang=made.lang,
        contact_id=shown.contact_id,
        owner_key=acting_owner(profile),
        signed=profile.owner_active,
        pieces=[_kept(piece) for piece in made.pieces],
        inputs_sha256=_digest(made),
        known_through=earlier.known_through,
        opened_from=earlier.opened_from,
        engine_version=engine_version(),
        rules_version=rules_version(),
        report=report_of(policy, made.report, text, made.channel, made.lang),
        sha256=hashlib.sha256(text.encode()).digest(),
    )
    drafts.append(db, row, change_no)


def audit(workspace_id: UUID, id_: UUID) -> list[Audited]:
    """Makes every draft of a suggestion, or the one draft of this id, again; the newest first. Raises NotFound where there is neither."""
    with transaction(workspace_id) as db:
        rows = drafts.audited(db, id_)
        if not rows and suggestions.get(db, id_) is None:
            raise no_such("suggestion or draft")
        return [_audited(row, _verdict(db, row)) for row in rows]


def made_from(db: Db, suggestion_id: UUID) -> Made | None:
    """What the newest draft of a suggestion was made from, as it is today; None where there has been none, or words of it are gone."""
    rows = drafts.audited(db, suggestion_id, most=1)
    return _made_from(db, rows[0], _evidence_of(db, rows[0])) if rows else None


def _evidence_of(db: Db, row: DraftRow) -> dict[UUID, Evidence]:
    return signals.evidence_by_ids(db, [UUID(p["id"]) for p in row.pieces if p["type"] == "buyer_message"])


def _verdict(db: Db, row: DraftRow) -> Verdict:
    evidence = _evidence_of(db, row)
    made = _made_from(db, row, evidence)
    if made is None:
        return "inputs_erased"
    if _digest(made) != row.inputs_sha256:
        return "inputs_changed"
    found = draft(asked_again(made, row.seed, _earlier(db, row).windows(row.account_id, row.owner_key)))
    if found.written is not None:
        figures = [Evidence(id=UUID(p["id"]), type="usage", source="", observed_at=row.recorded_at) for p in row.pieces if _is_id(p) and "text" in p]
        again = segments(found.written, [*evidence.values(), *figures])
        if hashlib.sha256(render(again, messages.bodies(db, quoted_messages(again)), row.channel, row.lang).encode()).digest() == row.sha256:
            return "same"
    return "differs" if (row.engine_version, row.rules_version) == (engine_version(), rules_version()) else "other_version"


def _made_from(db: Db, row: DraftRow, evidence: dict[UUID, Evidence]) -> Made | None:
    """None where words are gone."""
    pieces = list(_sources(row, evidence))
    if len(pieces) < len(row.pieces):
        return None
    recipient, owner = accounts.names(db, row.account_id, row.contact_id, row.owner_key)
    return Made(
        situation=row.situation,
        channel=row.channel,
        lang=row.lang,
        am_name=full_name(owner) if row.signed else None,
        recipient_name=recipient,
        pieces=tuple(pieces),
        report=row.report,
    )


def _sources(row: DraftRow, evidence: dict[UUID, Evidence]) -> Iterator[Source]:
    for piece in row.pieces:
        if "text" in piece:
            yield Source(id=piece["id"], type=piece["type"], text=piece["text"])
        elif (found := evidence.get(UUID(piece["id"]))) and found.text:
            yield Source(id=piece["id"], type=piece["type"], text=found.text)


def _earlier(db: Db, row: DraftRow) -> Earlier:
    found = earlier_drafts(db, row.made_on, row.known_through)
    for one in drafts.opened(db, row.opened_from, row.change_no) if row.opened_from is not None else ():
        found.add(one)
    return found


def _kept(piece: Source) -> dict[str, str]:
    """The words of a buyer stand in message_text alone."""
    return {"id": piece.id, "type": piece.type} if piece.type == "buyer_message" else asdict(piece)


def _digest(made: Made) -> bytes:
    """Of all that the engine is given but the earlier drafts, which cannot change."""
    given = {**asdict(made), "report": None}
    return hashlib.sha256(json.dumps(given, sort_keys=True).encode()).digest()


def _audited(row: DraftRow, verdict: Verdict) -> Audited:
    same = {name: getattr(row, name) for name in ("draft_id", "suggestion_id", "version", "made_on", "recorded_at", "seed", "engine_version", "rules_version")}
    evidence: Sequence[str] = [p["id"] for p in row.pieces if _is_id(p)]
    return Audited(**same, evidence=tuple(evidence), report=row.report, sha256=row.sha256.hex(), verdict=verdict)


def _is_id(piece: dict[str, str]) -> bool:
    """An offer is no evidence that anybody could look up."""
    return piece["type"] != "offer"
