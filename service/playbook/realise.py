"""From a plan of moves to sentences: one frame per part, every slot filled from evidence."""

from __future__ import annotations

from uuid import UUID

from service.playbook.facts import Facts, greeting
from service.playbook.phrasebook import Situation, choose, pieces
from service.playbook.wording import full_name
from service.signals import Case, Move, Part, Segment

_MOVES: dict[str, Move] = {"ACK": "ACK", "VAL": "VAL", "REF": "REF", "INFO": "INFO", "CHK": "CHK", "CLOSE": "CLOSE"}
# Slots that hold a fact about this account, as opposed to small grammar.
_FACT_SLOTS = frozenset({"metric", "Metric", "change", "window", "Window", "size", "our_date", "asked_on", "departments", "heard", "unheard", "audience"})


def realise(case: Case, situation: Situation, facts: Facts, seed: str) -> tuple[Segment, ...] | None:
    """A draft for this seed; None when some part has no frame that the facts allow."""
    body = []
    for part in situation.order:
        frame = choose(situation.frames[part], facts.slots, f"{seed}|{part}")
        if frame is None:
            return None
        body.append(_segment(part, frame, case, facts))
    return (Segment(move="GREET", parts=(greeting(case),), evidence_ids=()), *body, *_sign_off(case, situation, seed))


def _segment(part: str, frame: str, case: Case, facts: Facts) -> Segment:
    parts: list[Part] = []
    used: set[str] = set()
    for piece, is_slot in pieces(frame):
        used |= {piece} if is_slot else set()
        if is_slot and piece == "quote" and facts.quote:
            parts.append(facts.quote.quote)
        elif is_slot:
            _append(parts, facts.slots[piece])
        else:
            _append(parts, piece)
    return Segment(move=_MOVES[part.split(".", maxsplit=1)[0]], parts=tuple(parts), evidence_ids=_rests_on(used, case, facts))


def _append(parts: list[Part], text: str) -> None:
    """Neighbouring strings become one, so that only quotes cut a sentence."""
    last = parts[-1] if parts else None
    if isinstance(last, str):
        parts[-1] = last + text
    else:
        parts.append(text)


def _rests_on(used: set[str], case: Case, facts: Facts) -> tuple[UUID, ...]:
    if used & _FACT_SLOTS:
        return tuple(item.id for item in case.lead.evidence)
    return (facts.quote.evidence.id,) if facts.quote and used & {"quote", "said_on"} else ()


def _sign_off(case: Case, situation: Situation, seed: str) -> tuple[Segment, ...]:
    """A closing formula and the owner's name; nothing where the name is unknown."""
    owner = full_name(case.owner_name)
    formula = choose(situation.frames["CLOSE.sign"], {}, f"{seed}|CLOSE.sign")
    return (Segment(move="CLOSE", parts=(f"{formula}\n{owner}",), evidence_ids=()),) if owner and formula else ()
