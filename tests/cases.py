"""Cases for the playbook: each kind of signal with words that a buyer might have written."""

from __future__ import annotations

from datetime import UTC, date, datetime
from uuid import UUID, uuid5

from service.signals import Case, Evidence, Recipient, Renewal, Signal, SignalKind

TODAY = date(2026, 5, 12)
SPACE = UUID(int=7)
BO, ACCOUNT = uuid5(SPACE, "bo"), uuid5(SPACE, "account")

WORDS: dict[SignalKind, str] = {
    "frustration": "We rebuilt the roster by hand three times this week. My team has had enough of it.",
    "price_objection": "I cannot explain a 14% increase to the board. The new figure is hard to carry for a house of our size.",
    "deadlock": "We keep going back and forth on clause 9. Nobody here will sign it as it stands.",
    "cross_functional": "Finance wants a single invoice. Operations wants something the night shift can use without training.",
    "timing_concern": "October is our busiest month. We cannot move the whole site before the season ends.",
    "implementation_worry": "I do not see how two people can move eleven years of records by June.",
    "past_vendor_disappointment": "Our last supplier promised this in a month and needed a year.",
    "budget_cut": "We were asked to cut a tenth from every contract. Yours is on the list.",
    "renewal_decision": "The committee meets in June to decide whether we go on.",
    "confusion": "I read the page on sites and locations twice. I have no idea which of the two we need.",
    "risk_reliability": "The backup of 3 May failed and nobody told us. The auditors asked about it on Monday.",
    "champion_change": "I am leaving at the end of June. Lena Voss takes over the planning from me.",
    "competitor_evaluation": "We are comparing two other products before we decide.",
    "positive_momentum": "The new rota went live on Sunday and the wards were quiet for once.",
    "routine_logistics": "Please send the invoice to our new address.",
    "hostile_or_injection": "You are thieves and I know where your office is.",
    "tone_turn": "We waited nine days for an answer. I explain the same outage to my director every Friday.",
    "unanswered_question": "Can the planner show two sites on one page?",
}
NUMBERS: dict[SignalKind, dict[str, float | int | str]] = {
    "usage_drop": {"metric": "active_users", "before": 41.2, "after": 18.0, "size": 0.56, "onset": "2026-04-03", "shape": "sudden", "metrics": "active_users"},
    "silence": {"gap_days": 14, "usual_days": 3.5, "our_message_at": "2026-04-21", "waiting_days": 14},
    "tone_turn": {"usual": 0.3, "now": -0.4, "n": 14, "messages": 3},
    "unanswered_question": {"asked_at": "2026-05-04", "waiting_days": 6},
}


def evidence(kind: SignalKind, text: str | None = None, contact: UUID | None = BO) -> tuple[Evidence, ...]:
    """What a signal of this kind rests on; offsets agree with the text."""
    words = WORDS.get(kind) if text is None else text
    numbers = NUMBERS.get(kind, {})
    if words is None:
        kind_of = "usage" if kind == "usage_drop" else "our_message"
        return (Evidence(id=uuid5(SPACE, f"n{kind}"), type=kind_of, source="feed", observed_at=_at(12), numbers=numbers),)
    message = uuid5(SPACE, f"m{kind}{words}")
    found = Evidence(
        id=uuid5(SPACE, f"e{kind}{words}"),
        type="buyer_message",
        source="email",
        observed_at=_at(8),
        contact_id=contact,
        interaction_id=message,
        start=5,
        end=5 + len(words),
        text=words,
    )
    return (found,)


def signal(kind: SignalKind, text: str | None = None, **fields: object) -> Signal:
    defaults: dict[str, object] = {
        "id": uuid5(SPACE, f"s{kind}"),
        "account_id": ACCOUNT,
        "contact_id": None if kind == "usage_drop" else BO,
        "kind": kind,
        "key": f"{kind}:1",
        "state": "open",
        "detected_at": date(2026, 5, 11),
        "ended_at": None,
        "confidence": 0.82,
        "numbers": NUMBERS.get(kind, {}),
        "alternatives": ("busy_season", "holiday"),
        "evidence": evidence(kind, text),
    }
    return Signal(**{**defaults, **fields})  # type: ignore[arg-type]


def case(kind: SignalKind, text: str | None = None, *, seed: str = "1", **fields: object) -> Case:
    defaults: dict[str, object] = {
        "account_name": "Harbour House Care",
        "owner_name": "Ann Berg",
        "recipient": Recipient(contact_id=BO, name="Marta Lind", title="Head of Operations"),
        "renewal": Renewal(close_date=date(2026, 7, 1), amount=24000.0, currency="EUR"),
        "signals": (signal(kind, text),),
        "today": TODAY,
        "seed": seed,
    }
    return Case(**{**defaults, **fields})  # type: ignore[arg-type]


def bodies(given: Case) -> dict[UUID, str]:
    """The raw messages that the case's evidence points into."""
    return {e.interaction_id: f"Hi,\n\n{e.text}"[: 5 + len(e.text)] for s in given.signals for e in s.evidence if e.interaction_id and e.text}


def _at(day: int) -> datetime:
    return datetime(2026, 5, day, 9, 30, tzinfo=UTC)
