"""Why somebody is not to be written to: they have opted out, or asked for a time of peace. Pure."""

from __future__ import annotations

from datetime import date

from service.playbook.wording import day_month
from service.store.accounts import ContactRow

ASKED = "they asked"
"""Every reason begins so: a draft that was held back for one comes back once it no longer holds."""


def restraint(contact: ContactRow | None, today: date) -> str | None:
    """None where they may be written to."""
    if contact is None:
        return None
    stated = contact.preference
    if stated and stated.opted_out:
        return f"{ASKED} not to be written to (recorded on {day_month(stated.stated_at.date(), today)})"
    if contact.opted_out:
        return f"{ASKED} not to be written to, as the CRM has it"
    if stated and stated.no_contact_until and stated.no_contact_until > today:
        return f"{ASKED} for nothing before {day_month(stated.no_contact_until, today)}"
    return None
