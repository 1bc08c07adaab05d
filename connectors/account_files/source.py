from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from connectors.addresses import addresses
from connectors.base import Connector, Cursor, Finding, Page, Stream, StreamSchema
from connectors.cells import day_of, number_of, zone_of
from connectors.context import Context
from connectors.errors import ConnectorError, Misconfigured, StreamUnavailable
from connectors.records import Account, Contact, Opportunity, Record, Rejected, User
from connectors.tables import Column, read_rows

MAX_KEY = 200
"""Characters of an account's key: more does not fit an index of the database."""
MOST_SEATS = 2_147_483_647
MOST = 1e15
EARLIEST, LATEST = date(1990, 1, 1), date(2100, 1, 1)
_SYMBOLS = {"€": "EUR", "$": "USD", "£": "GBP"}

ACCOUNT_COLUMNS = {
    "account": Column(("account", "account_key", "account_id", "id", "key", "account_name", "customer", "company", "name"), required=True),
    "name": Column(("name", "account_name", "company_name", "company", "customer")),
    "website": Column(("website", "domain", "url", "web")),
    "owner_name": Column(("owner_name", "owner", "account_owner", "account_manager", "am", "csm")),
    "owner_email": Column(("owner_email", "owner_mail", "account_owner_email", "am_email", "csm_email")),
    "arr": Column(("arr", "acv", "mrr_x12", "annual_value", "contract_value", "annual_recurring_revenue")),
    "currency": Column(("currency", "currency_code", "iso_currency")),
    "renewal_date": Column(("renewal_date", "renewal", "contract_end", "renews_on", "end_date")),
    "region": Column(("region", "country", "country_code", "billing_country")),
    "timezone": Column(("timezone", "time_zone", "tz")),
    "seats": Column(("seats", "licenses", "licences", "users")),
}
CONTACT_COLUMNS = {
    "email": Column(("email", "e_mail", "mail", "address", "email_address"), required=True),
    "name": Column(("name", "full_name", "contact", "contact_name")),
    "title": Column(("title", "job_title", "role", "position")),
    "account": Column(("account", "account_key", "account_id", "account_name", "company", "customer"), required=True),
}


class Config(BaseModel):
    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)

    accounts: str
    """A CSV or NDJSON file with a row for each account, as the worker's machine sees it."""
    contacts: str | None = None
    """Another one with their people: email and account."""


class AccountFiles:
    def __init__(self, config: Config) -> None:
        self.accounts = Path(config.accounts)
        self.contacts = Path(config.contacts) if config.contacts else None

    def check(self, now: datetime) -> Sequence[Finding]:  # noqa: ARG002 - the interface of every source
        checked = [(self.accounts, ACCOUNT_COLUMNS), *([(self.contacts, CONTACT_COLUMNS)] if self.contacts else [])]
        return [_finding(path, columns) for path, columns in checked]

    def discover(self) -> Sequence[StreamSchema]:
        files = {"accounts": (self.accounts, ACCOUNT_COLUMNS), **({"contacts": (self.contacts, CONTACT_COLUMNS)} if self.contacts else {})}
        return [_schema(stream, path, columns) for stream, (path, columns) in files.items()]

    def streams(self) -> Sequence[Stream]:
        return [Stream(name="accounts"), *([Stream(name="contacts")] if self.contacts else [])]

    def read(self, stream: str, after: Cursor, until: datetime) -> Iterator[Page]:  # noqa: ARG002 - the files are small: read whole
        if stream == "accounts":
            yield _accounts_page(self.accounts)
        elif stream == "contacts" and self.contacts:
            yield _contacts_page(self.contacts, self.accounts)
        else:
            raise StreamUnavailable(f"account_files has no stream {stream}.")


def _schema(stream: str, path: Path, columns: Mapping[str, Column]) -> StreamSchema:
    try:
        next(read_rows(path, columns), None)
    except ConnectorError as error:
        return StreamSchema(stream=stream, problem=str(error))
    return StreamSchema(stream=stream, fields=tuple(columns))


def _finding(path: Path, columns: Mapping[str, Column]) -> Finding:
    try:
        next(read_rows(path, columns), None)
    except ConnectorError as error:
        return Finding(level="error", about=path.name, message=str(error))
    return Finding(level="ok", about=path.name, message="can be read")


def _accounts_page(path: Path) -> Page:
    records: dict[tuple[type, str], Record] = {}
    rejected = []
    for row in read_rows(path, ACCOUNT_COLUMNS):
        place = f"{path.name}:{row.line}"
        key = row.values["account"] or ""
        reason = row.problem or _unusable_key(key)
        if not reason and (Account, key) in records:
            reason = "an earlier row has the same account; the first one counts"
        if reason:
            rejected.append(Rejected(source_key=place, reason=reason))
            continue
        made, doubts = _account_records(key, row.values)
        rejected += [Rejected(source_key=place, reason=f"{doubt}; the account is read without it") for doubt in doubts]
        records |= {(type(record), record.key): record for record in made}
    if not records:
        raise Misconfigured(f"{path.name} holds no usable account. {_first_reason(rejected)}")
    return Page(records=list(records.values()), rejected=rejected)


def _unusable_key(key: str) -> str:
    return "the account is missing" if not key else f"the account has more than {MAX_KEY} characters" if len(key) > MAX_KEY else ""


def _first_reason(rejected: Sequence[Rejected]) -> str:
    if not rejected:
        return "It has no rows below the first line."
    file, _, line = rejected[0].source_key.rpartition(":")
    return f"{file}, line {line}: {rejected[0].reason}."


def _account_records(key: str, cells: Mapping[str, str | None]) -> tuple[list[Account | User | Opportunity], list[str]]:
    """The account, its owner and its renewal, as far as the row names them; and what of the row could not be read."""
    doubts: list[str] = []
    owner = _owner(cells, doubts)
    seats = _number(cells["seats"], "seats", MOST_SEATS, doubts)
    account = Account(
        key=key,
        name=cells["name"] or key,
        website=cells["website"],
        owner_key=owner.key if owner else None,
        region=cells["region"],
        timezone=_timezone(cells["timezone"], doubts),
        seats=None if seats is None else int(seats),
        arr=_number(cells["arr"], "arr", MOST, doubts),
        currency=_currency(cells["currency"], doubts),
    )
    return [account, *([owner] if owner else []), *_renewal(account, cells["renewal_date"], doubts)], doubts


def _owner(cells: Mapping[str, str | None], doubts: list[str]) -> User | None:
    email = next(iter(addresses(cells["owner_email"] or "")), None)
    name = cells["owner_name"]
    if cells["owner_email"] and not email:
        doubts.append("owner_email is no address like ann@vendor.example")
    if name and len(name) > MAX_KEY:
        doubts.append(f"owner_name has more than {MAX_KEY} characters")
        name = None
    if not name and not email:
        return None
    return User(key=email or f"owner:{name}", name=name or str(email).partition("@")[0], email=email)


def _renewal(account: Account, cell: str | None, doubts: list[str]) -> list[Opportunity]:
    if cell is None:
        return []
    on = day_of(cell)
    if on is None or not EARLIEST <= on <= LATEST:
        doubts.append("renewal_date is not a date like 2026-03-31")
        return []
    return [
        Opportunity(
            key=f"renewal:{account.key}",
            account_key=account.key,
            name=f"{account.name} renewal",
            type="Renewal",
            stage=None,
            amount=account.arr,
            close_date=on,
            is_closed=False,
            is_won=False,
        )
    ]


def _contacts_page(path: Path, accounts: Path) -> Page:
    keys = _keys_by_name(accounts)
    records: dict[str, Contact] = {}
    rejected = []
    for row in read_rows(path, CONTACT_COLUMNS):
        email = next(iter(addresses(row.values["email"] or "")), "")
        account = keys.get((row.values["account"] or "").lower())
        reason = row.problem or _unusable_contact(email, account, known=email in records)
        if reason:
            rejected.append(Rejected(source_key=f"{path.name}:{row.line}", reason=reason))
            continue
        records[email] = Contact(key=email, account_key=account, name=row.values["name"], email=email, title=row.values["title"])
    return Page(records=list(records.values()), rejected=rejected)


def _unusable_contact(email: str, account: str | None, *, known: bool) -> str:
    if not email:
        return "the email is missing or no address like bo@acme.example"
    if account is None:
        return "its account is not in the accounts file, or several there have its name"
    return "an earlier row has the same e-mail address; the first one counts" if known else ""


def _keys_by_name(accounts: Path) -> dict[str, str]:
    """Account keys by key and by name, in lower case: exports name an account either way. A name that several have is none."""
    rows = [row.values for row in read_rows(accounts, ACCOUNT_COLUMNS) if row.values["account"]]
    keys = {str(r["account"]).lower(): str(r["account"]) for r in rows}
    named: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        named[(row["name"] or "").lower()].add(keys[str(row["account"]).lower()])
    return {name: next(iter(of)) for name, of in named.items() if name and len(of) == 1} | keys


def _number(cell: str | None, what: str, most: float, doubts: list[str]) -> float | None:
    if cell is None:
        return None
    number = number_of(cell)
    if number is None or not 0 <= number <= most:
        doubts.append(f"{what} is not a number like 1200" if number is None else f"{what} must be between 0 and {most:,.0f}")
        return None
    return number


def _timezone(cell: str | None, doubts: list[str]) -> str | None:
    if cell is None or zone_of(cell):
        return cell
    doubts.append("timezone is not one like Europe/Berlin")
    return None


def _currency(cell: str | None, doubts: list[str]) -> str | None:
    if cell is None:
        return None
    code = _SYMBOLS.get(cell, cell.upper())
    if re.fullmatch("[A-Z]{3}", code):
        return code
    doubts.append("currency is not a code like EUR")
    return None


def _source(context: Context) -> AccountFiles:
    return AccountFiles(Config.model_validate(context.config))


CONNECTOR = Connector(config_model=Config, source=_source)
