"""Rows of users, accounts, contacts and opportunities as records."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from connectors.addresses import addresses
from connectors.records import Account, Contact, Opportunity, Record, User
from connectors.salesforce.config import SalesforceConfig
from connectors.salesforce.row import Row, UnusableRow

_MOST_SEATS = 2**31 - 1
_RENEWAL = "Renewal"


def user(row: Row) -> list[Record]:
    """People of ours only: portal users are customers, and automated ones nobody."""
    if row.text("user_type") not in (None, "Standard"):
        return []
    return [
        User(
            key=row.key,
            name=row.needed("name"),
            email=_address(row),
            active=row.flag("active"),
            manager_key=row.text("manager_key"),
            modified_at=row.stamp,
        )
    ]


def account(row: Row, config: SalesforceConfig) -> list[Record]:
    """With its renewal, where the org keeps that date on the account."""
    made = Account(
        key=row.key,
        name=row.needed("name"),
        website=row.text("website"),
        owner_key=row.text("owner_key"),
        region=row.text("region") or row.text("country"),
        timezone=row.text("timezone"),
        seats=_seats(row),
        arr=row.number("arr"),
        currency=row.text("currency") or config.currency,
        modified_at=row.stamp,
        deleted=row.deleted,
        merged_into_key=row.text("merged_into_key"),
    )
    return [made] if config.renewal_date_field is None else [made, _renewal_of(made, row)]


def contact(row: Row) -> list[Record]:
    return [
        Contact(
            key=row.key,
            account_key=row.text("account_key"),
            name=row.text("name"),
            email=_address(row),
            title=row.text("title"),
            opted_out=row.flag("opted_out"),
            modified_at=row.stamp,
            deleted=row.deleted,
            merged_into_key=row.text("merged_into_key"),
        )
    ]


def opportunity(row: Row, config: SalesforceConfig, primary_contacts: Mapping[str, str]) -> list[Record]:
    return [
        Opportunity(
            key=row.key,
            account_key=row.text("account_key"),
            name=row.needed("name"),
            type=_type(row.text("type"), config.renewal_types),
            stage=row.text("stage"),
            amount=row.number("amount"),
            close_date=row.day("close_date"),
            is_closed=row.flag("is_closed"),
            is_won=row.flag("is_won"),
            primary_contact_key=primary_contacts.get(row.key),
            modified_at=row.stamp,
            deleted=row.deleted,
        )
    ]


def _renewal_of(account: Account, row: Row) -> Opportunity:
    return Opportunity(
        key=f"{account.key}:renewal",
        account_key=account.key,
        name=f"{account.name} renewal",
        type=_RENEWAL,
        stage=None,
        amount=account.arr,
        close_date=row.day("renewal_date"),
        is_closed=False,
        is_won=False,
        modified_at=account.modified_at,
        deleted=account.deleted,
    )


def _type(value: str | None, renewal_types: Collection[str]) -> str | None:
    """An org's own word for a renewal becomes ours."""
    return _RENEWAL if value in renewal_types else value


def _seats(row: Row) -> int | None:
    number = row.number("seats")
    if number is None:
        return None
    if not 0 <= number <= _MOST_SEATS:
        message = "the number of seats is negative or too large"
        raise UnusableRow(message)
    return round(number)


def _address(row: Row) -> str | None:
    return next(iter(addresses(row.text("email") or "")), None)
