"""Renewals that live elsewhere than on opportunities: keys of what stands for them, and contracts as renewals."""

from __future__ import annotations

from connectors.records import Opportunity, Record
from connectors.salesforce.row import Row

ON_ACCOUNT = ":renewal"
"""Ends the key of a renewal whose date stands on its account."""
CONTRACT_PREFIX = "800"
_ACTIVATED = "Activated"


def contract(row: Row) -> list[Record]:
    """An activated contract is renewed when it ends. A draft stands for nothing yet, and one that was terminated for nothing any more."""
    number = row.text("number")
    return [
        Opportunity(
            key=row.key,
            account_key=row.text("account_key"),
            name=f"Contract {number}" if number else "Contract",
            type="Renewal",
            stage=None,
            amount=None,
            close_date=row.day("renewal_date"),
            is_closed=False,
            is_won=False,
            modified_at=row.stamp,
            deleted=row.deleted or (row.text("state") or row.text("status")) != _ACTIVATED,
        )
    ]
