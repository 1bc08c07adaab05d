from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from connectors.addresses import addresses
from connectors.base import Connector, Cursor, Finding, Page, Stream
from connectors.errors import Misconfigured, StreamUnavailable
from connectors.records import Account, Contact, Opportunity, Record, Rejected, User
from connectors.tables import Column, Row, UnreadableTable, read_rows

ACCOUNT_COLUMNS = {
    "account": Column(("account", "account_key", "account_id", "id", "key", "account_name", "customer", "company"), required=True),
    "name": Column(("name", "account_name", "company_name", "company", "customer")),
    "website": Column(("website", "domain", "url", "web")),
    "owner_name": Column(("owner_name", "owner", "account_owner", "account_manager", "am", "csm")),
    "owner_email": Column(("owner_email", "owner_mail", "account_owner_email", "am_email", "csm_email")),
    "arr": Column(("arr", "acv", "mrr_x12", "annual_value", "contract_value", "annual_recurring_revenue")),
    "currency": Column(("currency", "currency_code", "iso_currency")),
    "renewal_date": Column(("renewal_date", "renewal", "contract_end", "renews_on", "end_date")),
    "region": Column(("region", "country", "country_code", "billing_country")),
    "seats": Column(("seats", "licenses", "licences", "users")),
}
CONTACT_COLUMNS = {
    "email": Column(("email", "e_mail", "mail", "address", "email_address"), required=True),
    "name": Column(("name", "full_name", "contact", "contact_name")),
    "title": Column(("title", "job_title", "role", "position")),
    "account": Column(("account", "account_key", "account_id", "account_name", "company", "customer"), required=True),
}


class Config(BaseModel):
    model_config = ConfigDict(extra="forbid")

    accounts: str
    contacts: str | None = None


class AccountFiles:
    def __init__(self, config: Config) -> None:
        self.accounts = Path(config.accounts)
        self.contacts = Path(config.contacts) if config.contacts else None

    def check(self, now: datetime) -> Sequence[Finding]:  # noqa: ARG002 - the interface of every source
        checked = [(self.accounts, ACCOUNT_COLUMNS), *([(self.contacts, CONTACT_COLUMNS)] if self.contacts else [])]
        return [_finding(path, columns) for path, columns in checked]

    def streams(self) -> Sequence[Stream]:
        return [Stream(name="accounts"), *([Stream(name="contacts")] if self.contacts else [])]

    def read(self, stream: str, after: Cursor, until: datetime) -> Iterator[Page]:  # noqa: ARG002 - the files are small: read whole
        if stream == "accounts":
            yield _accounts_page(self.accounts)
        elif stream == "contacts" and self.contacts:
            yield _contacts_page(self.contacts, self.accounts)
        else:
            raise StreamUnavailable(f"account_files has no stream {stream}.")


def _finding(path: Path, columns: Mapping[str, Column]) -> Finding:
    try:
        next(iter(read_rows(path, columns)), None)
    except UnreadableTable as error:
        return Finding(level="error", about=path.name, message=str(error))
    return Finding(level="ok", about=path.name, message="can be read")


def _accounts_page(path: Path) -> Page:
    records: dict[tuple[type, str], Record] = {}
    rejected = []
    for row in read_rows(path, ACCOUNT_COLUMNS):
        try:
            made = _account_records(row)
        except ValueError as problem:
            rejected.append(Rejected(source_key=f"{path.name}:{row.line}", reason=str(problem)))
            continue
        if (Account, made[0].key) in records:
            rejected.append(Rejected(source_key=f"{path.name}:{row.line}", reason="an earlier row has the same account; the first one counts"))
            continue
        records |= {(type(record), record.key): record for record in made}
    if not records:
        raise Misconfigured(f"{path.name} holds no usable account. {rejected[0].reason if rejected else 'It has no rows below the first line.'}")
    return Page(records=list(records.values()), rejected=rejected)


def _account_records(row: Row) -> list[Any]:
    """The account first, then its owner and its renewal, where the row names them. Raises ValueError with the reason."""
    cells = row.values
    key = cells["account"]
    if not key:
        raise ValueError("no account")
    owner = _owner(cells)
    account = Account(
        key=key,
        name=cells["name"] or key,
        website=cells["website"],
        owner_key=owner.key if owner else None,
        region=cells["region"],
        seats=int(s) if (s := _number(cells["seats"], "seats")) is not None else None,
        arr=_number(cells["arr"], "arr"),
        currency=(cells["currency"] or "").upper()[:3] or None,
    )
    return [account, *([owner] if owner else []), *_renewal(key, account, cells)]


def _owner(cells: Mapping[str, str | None]) -> User | None:
    email = next(iter(addresses(cells["owner_email"] or "")), None)
    name = cells["owner_name"]
    if not name and not email:
        return None
    return User(key=email or f"owner:{name}", name=name or str(email).partition("@")[0], email=email)


def _renewal(key: str, account: Account, cells: Mapping[str, str | None]) -> list[Opportunity]:
    if not cells["renewal_date"]:
        return []
    return [
        Opportunity(
            key=f"renewal:{key}",
            account_key=key,
            name=f"{account.name} renewal",
            type="Renewal",
            stage=None,
            amount=account.arr,
            close_date=_date(cells["renewal_date"]),
            is_closed=False,
            is_won=False,
        )
    ]


def _contacts_page(path: Path, accounts: Path) -> Page:
    keys = _keys_by_name(accounts)
    records: dict[str, Contact] = {}
    rejected = []
    for row in read_rows(path, CONTACT_COLUMNS):
        email = next(iter(addresses(row.values["email"] or "")), None)
        account = keys.get((row.values["account"] or "").lower())
        if email is None or account is None:
            reason = "no e-mail address" if email is None else "its account is not in the accounts file"
            rejected.append(Rejected(source_key=f"{path.name}:{row.line}", reason=reason))
            continue
        records.setdefault(email, Contact(key=email, account_key=account, name=row.values["name"], email=email, title=row.values["title"]))
    return Page(records=list(records.values()), rejected=rejected)


def _keys_by_name(accounts: Path) -> dict[str, str]:
    """Account keys by key and by name, in lower case: exports name an account either way."""
    rows = [row.values for row in read_rows(accounts, ACCOUNT_COLUMNS) if row.values["account"]]
    by_name = {str(r["name"]).lower(): str(r["account"]) for r in rows if r["name"]}
    return by_name | {str(r["account"]).lower(): str(r["account"]) for r in rows}


def _number(cell: str | None, what: str) -> float | None:
    """ "12,500.00", "12.500,00 €" and "12500" alike."""
    if cell is None:
        return None
    digits = re.sub(r"[^\d.,-]", "", cell)
    if "," in digits and digits.rfind(",") > digits.rfind(".") and not re.fullmatch(r"-?\d{1,3}(,\d{3})+", digits):
        digits = digits.replace(".", "").replace(",", ".")
    try:
        number = float(digits.replace(",", ""))
    except ValueError:
        raise ValueError(f"{what} is not a number") from None
    if not math.isfinite(number) or not 0 <= number <= 1e15:
        raise ValueError(f"{what} must be between 0 and 10^15")
    return number


def _date(cell: str | None) -> date:
    try:
        return datetime.fromisoformat((cell or "").replace("/", "-")).date()
    except ValueError:
        raise ValueError("renewal_date is not a date like 2026-03-31") from None


def _source(config: Mapping[str, Any], secrets: Mapping[str, str]) -> AccountFiles:  # noqa: ARG001 - files need none
    return AccountFiles(Config.model_validate(config))


CONNECTOR = Connector(config_model=Config, source=_source)
