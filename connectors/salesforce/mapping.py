"""Which fields of the org hold what: how many rows the settings find, and which fields look as if they were meant. Counts only, never a name."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Protocol, runtime_checkable

from connectors.base import Finding
from connectors.errors import StreamUnavailable
from connectors.salesforce import soql
from connectors.salesforce.client import Client
from connectors.salesforce.config import RenewalSource, SalesforceConfig
from connectors.salesforce.schema import Column, Schema

_MOST_ROWS = 20_000
"""Looked at, of one source of renewal dates: ten calls."""
_MOST_CANDIDATES = 4
"""Of one setting."""
_ACCOUNT_FIELDS = ("seats_field", "arr_field", "region_field", "timezone_field")
_ADVICE = (
    "Say where renewal dates live: renewal_source (opportunity, account, contract), with renewal_types (values of the opportunity type) "
    "or renewal_date_field (a date on Account)."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A field of Account that a setting may mean. `filled` of `total` accounts have a value in it."""

    setting: str
    field: str
    label: str
    filled: int
    total: int

    def __str__(self) -> str:
        return f"{self.setting}={self.field} ({self.label}): filled for {self.filled:,} of {self.total:,} accounts"


@runtime_checkable
class Mapping(Protocol):
    """A source whose settings name fields of the other side."""

    def candidates(self) -> Sequence[Candidate]: ...

    def preview(self, now: datetime) -> Sequence[Finding]: ...


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What a field must be and be called: by its label or name, in the languages that orgs are mostly kept in."""

    types: frozenset[str]
    called: re.Pattern[str]


def _wanted(types: str, called: str) -> _Wanted:
    return _Wanted(frozenset(types.split()), re.compile(called, re.IGNORECASE))


_WANTED = {
    "renewal_date_field": _wanted(
        "date datetime", r"renew|(contract|subscription|term|licen[cs]e) (end|expir)|expir|verlängerung|vertragsende|renouvel|fin de contrat|renovaci"
    ),
    "seats_field": _wanted("int double", r"\bseat|licen[cs]|\busers?\b|nutzer|lizenz|utilisateur|usuario"),
    "arr_field": _wanted("currency double", r"\barr\b|\bmrr\b|\bacv\b|recurring|annual (contract )?(value|revenue)|contract value|jahresumsatz"),
    "region_field": _wanted("string picklist", r"\bregion|territor|\bcountry"),
    "timezone_field": _wanted("string picklist", r"time ?zone|zeitzone"),
}


def candidates(client: Client, schema: Schema, settings: Sequence[str] = tuple(_WANTED)) -> list[Candidate]:
    """Best filled first, for each of the settings."""
    columns = schema.table("Account").columns.values()
    meant = {setting: list(islice((c for c in columns if _may_be(c, _WANTED[setting])), _MOST_CANDIDATES)) for setting in settings}
    if not any(meant.values()):
        return []
    total = client.count("SELECT COUNT() FROM Account")
    found = (Candidate(setting=setting, field=c.name, label=c.label, filled=_filled(client, c.name), total=total) for setting, cs in meant.items() for c in cs)
    return sorted(found, key=lambda c: (settings.index(c.setting), -c.filled))


def choices(schema: Schema) -> dict[str, list[str]]:
    """Fields of Account by the setting that could name them, whatever they are called."""
    columns = schema.table("Account").columns.values()
    return {setting: sorted(c.name for c in columns if c.type in wanted.types) for setting, wanted in _WANTED.items()}


def preview(client: Client, schema: Schema, config: SalesforceConfig, now: datetime) -> Iterator[Finding]:
    total = client.count("SELECT COUNT() FROM Account")
    yield _renewals(client, schema, config, now, total)
    table = schema.table("Account")
    for setting in _ACCOUNT_FIELDS:
        field = getattr(config, setting)
        column = table.column(field) if table.can_read(field or "") else None
        if column is not None:
            filled = _filled(client, column.name) if column.filterable else None
            yield _fill(client, schema, setting, column, filled, total)


def _fill(client: Client, schema: Schema, setting: str, column: Column, filled: int | None, total: int) -> Finding:
    about = f"Account.{column.name}"
    if filled is None:
        return Finding(level="ok", about=about, message=f"read as {setting}; how many accounts have one cannot be counted")
    message = f"{filled:,} of {total:,} accounts have one; read as {setting}"
    if filled or not total:
        return Finding(level="ok", about=about, message=message)
    return Finding(level="warning", about=about, message=f"{message}. {_suggestion(client, schema, setting)}")


def _renewals(client: Client, schema: Schema, config: SalesforceConfig, now: datetime, total: int) -> Finding:
    dates: Counter[str] = Counter()
    told, complete = [], True
    for source in config.renewal_source:
        keys, said, all_read = _dated(client, schema, config, source, now)
        dates.update(keys)
        told.append(said)
        complete = complete and all_read
    several = sum(number > 1 for number in dates.values())
    have = f"{len(dates):,} accounts have a renewal date, {several:,} have two or more, {max(0, total - len(dates)):,} none"
    where = "; ".join(told)
    if not dates:
        advice = f"{_ADVICE} {_suggestion(client, schema, 'renewal_date_field')}".rstrip()
        return Finding(level="warning", about="renewals", message=f"no renewal is found ({where}). {advice}")
    limit = "" if complete else f"; counted over the first {_MOST_ROWS:,}"
    return Finding(level="ok", about="renewals", message=f"{have} ({where}{limit})")


def _dated(client: Client, schema: Schema, config: SalesforceConfig, source: RenewalSource, now: datetime) -> tuple[list[str], str, bool]:
    """The accounts of this source's dates, an account once for each; in words; whether that is all."""
    try:
        name, field, where, words = _SOURCES[source](schema, config, now)
    except StreamUnavailable:
        return [], f"{source}: cannot be read", True
    if not where:
        return [], words, True
    query = soql.select([field], name, where)
    held = list(islice((str(row[field]) for row in client.rows(query) if row.get(field)), _MOST_ROWS + 1))
    return held[:_MOST_ROWS], f"{min(len(held), _MOST_ROWS):,} {words}", len(held) <= _MOST_ROWS


_Source = tuple[str, str, str, str]
"""Object, the field that names the account, the condition (empty: it cannot be asked), and what it counts."""


def _on_opportunities(schema: Schema, config: SalesforceConfig, _now: datetime) -> _Source:
    table, kind = schema.table("Opportunity"), config.opportunity_type_field
    if not (kind and config.renewal_types and table.can_read(kind) and table.can_read("IsClosed")):
        return "Opportunity", "AccountId", "", "the type of opportunities cannot be read"
    listed = next(soql.lists(config.renewal_types))
    words = f"open opportunities are renewals ({kind}: {', '.join(config.renewal_types)})"
    return "Opportunity", "AccountId", f"IsClosed = false AND {kind} IN {listed} AND AccountId != null", words


def _on_accounts(schema: Schema, config: SalesforceConfig, now: datetime) -> _Source:
    column = schema.table("Account").column(config.renewal_date_field)
    if column is None or not column.filterable:
        return "Account", "Id", "", f"Account.{config.renewal_date_field} cannot be read"
    since = now.date().isoformat() if column.type != "datetime" else soql.moment(now)
    return "Account", "Id", f"{column.name} >= {since}" if column.type in ("date", "datetime") else f"{column.name} != null", _ahead(column)


def _ahead(column: Column) -> str:
    return f"accounts have a {column.name} that lies ahead" if column.type in ("date", "datetime") else f"accounts have a {column.name}"


def _on_contracts(schema: Schema, _config: SalesforceConfig, now: datetime) -> _Source:
    table = schema.table("Contract")
    state = "StatusCode" if table.can_read("StatusCode") else "Status"
    return "Contract", "AccountId", f"{state} = 'Activated' AND EndDate >= {now.date().isoformat()}", "activated contracts end ahead"


_SOURCES = {"opportunity": _on_opportunities, "account": _on_accounts, "contract": _on_contracts}


def _suggestion(client: Client, schema: Schema, setting: str) -> str:
    found = [str(c) for c in candidates(client, schema, (setting,)) if c.filled]
    return f"May be meant: {'; '.join(found)}." if found else ""


def _may_be(column: Column, wanted: _Wanted) -> bool:
    return column.filterable and column.type in wanted.types and bool(wanted.called.search(f"{column.label} / {column.name.replace('_', ' ')}"))


def _filled(client: Client, field: str) -> int:
    return client.count(f"SELECT COUNT() FROM Account WHERE {field} != null")
