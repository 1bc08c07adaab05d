"""An account as the playbook sees it: what is going on, who would be written to, what stands in the calendar. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from service.signals import Case, Recipient, Renewal, Signal
from service.store.accounts import ContactRow, Profile


def case_of(profile: Profile, contacts: Sequence[ContactRow], found: Sequence[Signal], seed: str, today: date, anger: float = 0.0) -> Case:
    """The playbook's view of an account. `found`: its signals, the lead first."""
    renewal = Renewal(close_date=profile.renewal_date, amount=profile.renewal_amount, currency=profile.currency) if profile.renewal_date else None
    return Case(
        account_name=profile.name,
        owner_name=profile.owner_name if profile.owner_active else None,
        recipient=_recipient(addressee(profile, contacts, found[0])),
        renewal=renewal,
        signals=tuple(found),
        today=today,
        seed=seed,
        anger=anger,
    )


def acting_owner(profile: Profile) -> str | None:
    """The owner; their manager once the owner has left."""
    return profile.owner_key if profile.owner_active else profile.manager_key


def addressee(profile: Profile, contacts: Sequence[ContactRow], lead: Signal) -> ContactRow | None:
    """Who wrote the evidence; for usage the renewal's primary contact; else who last wrote to us. Who wrote it may have opted out; the others have not."""
    by_id = {c.contact_id: c for c in contacts}
    wrote = lead.contact_id or next((e.contact_id for e in reversed(lead.evidence) if e.type == "buyer_message" and e.contact_id), None)
    if wrote:
        return by_id.get(wrote)
    primary = by_id.get(profile.primary_contact_id) if profile.primary_contact_id else None
    if primary and primary.may_be_written_to:
        return primary
    return next((c for c in contacts if c.last_wrote_at and c.may_be_written_to), None)


def _recipient(contact: ContactRow | None) -> Recipient | None:
    """Never one who opted out."""
    if contact is None or not contact.may_be_written_to:
        return None
    return Recipient(contact_id=contact.contact_id, name=contact.name, title=contact.title, preference=contact.preference)
