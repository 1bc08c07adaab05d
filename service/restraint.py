"""Why somebody is not to be written to: they have opted out, or asked for a time of peace. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

from service.playbook.wording import day_month
from service.signals import Signal
from service.store.accounts import ContactRow

ASKED = "they asked"
"""Every reason begins so: a draft that was held back for one comes back once it no longer holds."""


def restraint(contact: ContactRow | None, today: date, requests: Iterable[Signal] = ()) -> str | None:
    """None where they may be written to. `requests`: of the account, not to be written to, that nobody has answered yet."""
    if contact is None:
        return None
    stated = contact.preference
    if stated and stated.opted_out:
        return f"{ASKED} not to be written to (recorded on {day_month(stated.stated_at.date(), today)})"
    if contact.opted_out:
        return f"{ASKED} not to be written to, as the CRM has it"
    if stated and stated.no_contact_until and stated.no_contact_until > today:
        return f"{ASKED} for nothing before {day_month(stated.no_contact_until, today)}"
    days = [s.detected_at for s in requests if s.contact_id == contact.contact_id]
    return f"{ASKED} on {day_month(max(days), today)}, in their own words, not to be written to" if days else None


def is_settled(signal: Signal, contacts: Sequence[ContactRow]) -> bool:
    """Of a request not to be written to: a person has recorded since what they want, or the CRM knows that they have opted out."""
    who = next((c for c in contacts if c.contact_id == signal.contact_id), None)
    if who is None:
        return False
    return who.opted_out or (who.preference is not None and who.preference.stated_at >= max(e.observed_at for e in signal.evidence))
