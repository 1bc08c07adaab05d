"""People as their own mail names them, for whoever has mail and no list of contacts: each belongs to the one account whose website has their domain."""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Collection
from pathlib import Path

from connectors.account_files.source import ACCOUNT_COLUMNS
from connectors.addresses import SHARED_DOMAINS, domain_of
from connectors.mail_files.senders import named_writers
from connectors.tables import read_rows


def write(mail: Path, accounts: Path, our_domains: Collection[str], to: Path) -> bool:
    """A file of contacts, at `to`. False, and no file, where the mail names nobody of theirs."""
    keys = _keys_by_domain(accounts)
    found = [(address, name, keys[domain_of(address)]) for address, name in named_writers(mail, our_domains).items() if domain_of(address) in keys]
    if not found:
        return False
    to.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with to.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("email", "name", "account"), *sorted(found)])
    return True


def _keys_by_domain(accounts: Path) -> dict[str, str]:
    """A domain that several accounts share tells nobody's account."""
    keys: dict[str, set[str]] = defaultdict(set)
    for row in read_rows(accounts, ACCOUNT_COLUMNS):
        domain = _domain(row.values["website"] or "")
        if row.values["account"] and domain and domain not in SHARED_DOMAINS:
            keys[domain].add(row.values["account"])
    return {domain: next(iter(of)) for domain, of in keys.items() if len(of) == 1}


def _domain(website: str) -> str:
    """As the store takes it from an account's website."""
    bare = website.lower().removeprefix("https://").removeprefix("http://").removeprefix("www.")
    return bare.partition("/")[0].partition(":")[0]
