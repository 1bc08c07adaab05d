"""What may be said about a case, as slots for the phrase files. A slot exists only when evidence carries it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from uuid import UUID

from service.playbook import numbers
from service.playbook.usage_words import metric_name, read_drop
from service.playbook.wording import capitalised, counted, day_month, listed, number
from service.signals import Case, Evidence, Signal

_CAPITAL_ONLY = r"IT|HR|Legal|Sales|Support|Security|Operations|Compliance|Engineering|Production|Quality|Design|Research"
_ANY_CASE = r"finance|accounting|procurement|purchasing|marketing|logistics|controlling"
_DEPARTMENT = re.compile(rf"\b(?:{_CAPITAL_ONLY})\b|\b(?i:{_ANY_CASE})\b")
_AUDIENCE = re.compile(r"\b(?:the|our|my) (board|council|trustees|committee|management|directors?|boss|cfo|ceo|coo|partners|auditors)\b", re.I)
# One of several people, or a single one: "the board", "your CFO".
_BODIES = frozenset({"board", "council", "trustees", "committee", "management", "directors", "partners", "auditors"})


def gather(case: Case) -> dict[str, str]:
    """Everything the phrase files may draw on for this case's lead signal. No words of the buyer but the names of departments."""
    lead, writer = case.lead, case.recipient.contact_id if case.recipient else None
    slots = {**_seen(case), **_dates(case), **_usage(lead, case), **_silence(lead), **_tone(lead, case), **_departments(lead), **_audience(lead, writer)}
    renewal = f"; the renewal date is {day_month(case.renewal.close_date, case.today)}" if case.renewal else ""
    return {"renewal_note": renewal, **slots}


def _seen(case: Case) -> dict[str, str]:
    spoken = [item for item in case.lead.evidence if item.type == "buyer_message"]
    if not spoken:
        return {"seen": "what is on record", "basis": "what is on record"}
    days = sorted({item.observed_at.date() for item in spoken})
    span = f"of {day_month(days[0], case.today)}" if len(days) == 1 else f"between {day_month(days[0], case.today)} and {day_month(days[-1], case.today)}"
    by = _writers(case, spoken)
    seen = f"a passage {span} by {by}" if len(spoken) == 1 else f"a series of {len(spoken)} passages {span} by {by}"
    return {"seen": seen, "basis": counted(len(spoken), "passage"), "latest": day_month(days[-1], case.today)}


def _writers(case: Case, spoken: Sequence[Evidence]) -> str:
    writers = {item.contact_id for item in spoken}
    if case.recipient and writers == {case.recipient.contact_id}:
        return case.recipient.name or "a contact without a name in the CRM"
    return "another contact" if len(writers) == 1 else f"{len(writers)} people"


def _dates(case: Case) -> dict[str, str]:
    asked, ours = numbers.day(case.lead, "asked_at"), numbers.day(case.lead, "our_message_at")
    found = {"asked_on": asked, "our_date": ours}
    return {name: day_month(day, case.today) for name, day in found.items() if day}


def _usage(lead: Signal, case: Case) -> dict[str, str]:
    drop = read_drop(lead, case.today) if lead.kind == "usage_drop" else None
    if drop is None:
        return {"metric": "use", "also": ""} if lead.kind == "usage_drop" else {}
    others = [name for key in numbers.words(lead, "metrics") if (name := metric_name(key)) != drop.metric]
    peers = numbers.amount(lead, "peers")
    return {
        **{"metric": drop.metric, "change": drop.change, "window": drop.window, "size_note": f" ({drop.size} less)" if drop.size else ""},
        "peers_note": f", with comparable accounts at {round(100 * peers)}% of their level" if peers is not None and 0.5 <= peers <= 1.5 else "",
        "also": f" (and in {listed(sorted(set(others)))})" if others else "",
        "basis": f"the daily counts of {listed([drop.metric, *sorted(set(others))])}",
    }


def _silence(lead: Signal) -> dict[str, str]:
    gap, usual, waiting = (numbers.amount(lead, key) for key in ("gap_days", "usual_days", "waiting_days"))
    slots = {
        "gap_note": f" for {counted(round(gap), 'business day')}" if gap else "",
        "waiting_note": f" for {counted(round(waiting), 'business day')}" if waiting else "",
    }
    if lead.kind == "silence":
        slots["basis"] = f"their own pace, nine answers in ten within {number(usual)} business days" if usual else "the length of the gap"
    return slots


def _tone(lead: Signal, case: Case) -> dict[str, str]:
    usual, now, baseline, turned = numbers.tone(lead, "usual"), numbers.tone(lead, "now"), numbers.amount(lead, "n"), numbers.amount(lead, "messages")
    if lead.kind != "tone_turn":
        return {}
    slots = {
        "turn_messages": counted(int(turned), "message") if turned else "the recent messages",
        "latest": day_month(lead.evidence_at, case.today),
        "tone_note": f", {now:+.1f} where {usual:+.1f} is usual on a scale from -1 to +1" if usual is not None and now is not None else "",
    }
    return {**slots, "basis": f"a comparison with {counted(int(baseline), 'earlier message')}"} if baseline else slots


def departments(lead: Signal) -> list[str]:
    """As the evidence names them, each once, in the order of appearance."""
    texts = [item.text for item in lead.evidence if item.type == "buyer_message" and item.text]
    found = [match.group() for text in texts for match in _DEPARTMENT.finditer(text)]
    given = [word for word in numbers.words(lead, "departments") if _DEPARTMENT.fullmatch(word) or _DEPARTMENT.fullmatch(capitalised(word))]
    return list(dict.fromkeys(capitalised(word) for word in [*found, *given]))[:5]


def _departments(lead: Signal) -> dict[str, str]:
    named = departments(lead) if lead.kind == "cross_functional" else []
    slots = {"departments_note": f": {listed(named)}" if named else ""}
    return {**slots, "departments": listed(named)} if len(named) > 1 else slots


def _audience(lead: Signal, writer: UUID | None) -> dict[str, str]:
    """Who has to be convinced, if the recipient named them."""
    for item in lead.evidence:
        match = _AUDIENCE.search(item.text or "") if item.contact_id == writer else None
        if match:
            word = match.group(1).lower()
            who = f"the {word}" if word in _BODIES else f"your {word.upper() if len(word) == 3 else word}"
            return {"audience_note": f"; {who} was mentioned"}
    return {"audience_note": ""}
