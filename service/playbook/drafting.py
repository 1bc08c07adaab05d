"""A case as the drafting engine sees it, and its draft as a suggestion keeps it: by reference to the buyer's words, never the words themselves."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache
from importlib.resources import files
from typing import cast
from uuid import UUID

import yaml

from service import drafting
from service.critic.draft import Channel, Review
from service.critic.draft import Evidence as Piece
from service.critic.rules import rules
from service.drafting.render import joined
from service.drafting.windows import ACCOUNT, Window
from service.playbook import numbers
from service.playbook.asked import WRITTEN, proposes_a_talk
from service.playbook.usage_words import read_drop
from service.playbook.wording import capitalised, day_month, full_name
from service.signals import Case, Evidence, Made, Move, Part, Quote, Report, Segment, Source

OFFER = "offer"
ENGLISH = "en"


def request_for(case: Case, situation: str, windows: Sequence[Window] = ()) -> drafting.Request:
    """What the engine is asked about the lead signal of a case: a mail in English unless they have asked for something else."""
    wish = case.recipient.preference if case.recipient else None
    return drafting.Request(
        id=case.seed,
        channel=(wish and wish.channel) or "email",
        lang=(wish and wish.language) or ENGLISH,
        am_name=full_name(case.owner_name),
        recipient_name=case.recipient.name if case.recipient else None,
        evidence=tuple(_pieces(case, situation, windows)),
        situation=situation,
        windows=tuple(windows),
    )


def made(request: drafting.Request, review: Review) -> Made:
    """What has to be kept of a draft so that it can be made again."""
    return Made(
        situation=request.situation or "",
        channel=request.channel,
        lang=request.lang,
        am_name=request.am_name,
        recipient_name=request.recipient_name,
        pieces=tuple(Source(id=e.id, type=e.type, text=e.text) for e in request.evidence),
        report=Report(
            checked=sum(request.lang in rule.languages for rule in rules()),
            findings=tuple(dict.fromkeys((f.rule, f.severity) for f in review.findings)),
        ),
    )


def asked_again(given: Made, seed: str, windows: Sequence[Window]) -> drafting.Request:
    """The request that a draft came of."""
    return drafting.Request(
        id=seed,
        channel=cast(Channel, given.channel),
        lang=given.lang,
        am_name=given.am_name,
        recipient_name=given.recipient_name,
        evidence=tuple(Piece(id=p.id, type=p.type, text=p.text) for p in given.pieces),
        situation=given.situation,
        windows=tuple(windows),
    )


def _pieces(case: Case, situation: str, windows: Sequence[Window]) -> Iterator[Piece]:
    writer = case.recipient.contact_id if case.recipient else None
    for evidence in case.lead.evidence:
        if evidence.type == "buyer_message" and evidence.text and evidence.contact_id == writer and _holds(evidence):
            yield Piece(id=str(evidence.id), type="buyer_message", text=evidence.text)
    wish = case.recipient.preference if case.recipient else None
    if wish and wish.language not in (None, ENGLISH):
        return  # ours are in English
    yield from _figures(case)
    offer = _offer(situation, case.seed, windows, written=bool(wish and wish.channel in WRITTEN))
    if offer:
        yield Piece(id=OFFER, type="offer", text=offer)


def resting_on(case: Case) -> tuple[Piece, ...]:
    """What a person may go by who writes about a case: the words and figures of all its signals, each once. Nothing that we would offer."""
    found = (piece for signal in case.signals for piece in _pieces(replace(case, signals=(signal,)), "", ()))
    return tuple({(p.id, p.type): p for p in found}.values())


def _offer(situation: str, seed: str, windows: Sequence[Window], *, written: bool) -> str | None:
    """One that they have not been made yet, where there is one. `written`: none that means a talk."""
    offers = [offer for offer in _offers().get(situation, []) if not (written and proposes_a_talk(offer))]
    first = int.from_bytes(hashlib.sha256(seed.encode()).digest()[:4]) % max(len(offers), 1)
    turned = [*offers[first:], *offers[:first]]
    return min(turned, key=lambda offer: max((w.worn(offer) for w in windows if w.most_shared == ACCOUNT[0]), default=0.0), default=None)


def _holds(evidence: Evidence) -> bool:
    """Offsets and text agree: otherwise we do not know what we would be quoting."""
    located = evidence.interaction_id is not None and evidence.start is not None and evidence.end is not None
    return located and evidence.end - evidence.start == len(evidence.text or "")  # type: ignore[operator]


def _figures(case: Case) -> Iterator[Piece]:
    lead = case.lead
    source = str(lead.evidence[0].id if lead.evidence else lead.id)
    drop = read_drop(lead, case.today) if lead.kind == "usage_drop" else None
    if drop:
        before, _, after = drop.change.removeprefix("from ").partition(" to ")
        amount, _, unit = after.partition(" a ")
        text = f"{capitalised(drop.metric)}: {before.removeprefix('about ')}{f' a {unit}' if unit else ''}, {amount} a {unit or 'day'} {drop.window}."
        yield Piece(id=source, type="usage", text=text)
    asked = numbers.day(lead, "our_message_at") if lead.kind == "silence" else None
    if lead.kind == "silence":
        since = f" since our message of {day_month(asked, case.today)}" if asked else ""
        yield Piece(id=source, type="crm_note", text=f"No reply{since}.")


def segments(written: drafting.Written, evidence: Sequence[Evidence]) -> tuple[Segment, ...]:
    """`evidence`: what the pieces of the draft were made from."""
    by_id = {str(e.id): e for e in evidence}
    return tuple(
        Segment(
            move=cast(Move, s.move.partition(".")[0]),
            parts=tuple(_part(part, by_id) for part in s.parts),
            evidence_ids=tuple(UUID(name) for name in s.evidence_ids if name in by_id),
            joined=goes_on,
        )
        for s, goes_on in zip(written.segments, joined(written.segments), strict=True)
    )


def _part(part: str | drafting.Words, by_id: Mapping[str, Evidence]) -> Part:
    if isinstance(part, str):
        return part
    found = by_id[part.evidence_id]
    if found.interaction_id is None or found.start is None:
        message = f"Evidence {found.id} has no place in a message."
        raise ValueError(message)
    return Quote(interaction_id=found.interaction_id, start=found.start + part.start, end=found.start + part.end, is_quoted=part.is_quoted, opens=part.opens)


@cache
def _offers() -> dict[str, list[str]]:
    found: dict[str, list[str]] = yaml.safe_load((files("service.playbook") / "offers.yaml").read_text(encoding="utf-8"))
    return found


def compared(draft: Sequence[Segment]) -> str:
    """A kept draft as windows compare it: without greeting, name and the buyer's words."""
    said = (s for s in draft if s.move not in ("GREET", "CLOSE"))
    return "\n".join("".join(part if isinstance(part, str) else "\n" for part in s.parts) for s in said)
