"""Whose mailbox is this? The domain that takes part in most of the mail, as sender or receiver."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path

from connectors.addresses import SHARED_DOMAINS, domain_of, is_ours
from connectors.base import Cursor
from connectors.folders import files
from connectors.mail_files.mbox import messages
from connectors.mail_files.parse import named_writer, people_of

SUFFIXES = (".eml", ".mbox", ".mbx", "mbox")
"""The last one: a mailbox exported from a Mac is a folder with a file of that name."""
SAMPLE = 500
SHARE = 0.6
CLEARLY = 0.9
"""The runner-up must be rarer than this share of the best: in the mail with one customer both sides are in every message."""


def most_frequent_domain(path: Path) -> str | None:
    """None when no domain is in at least 60% of a sample of the mail, or another one is in almost as much of it."""
    sample = list(islice(_people(path), SAMPLE))
    seen = Counter(domain for people in sample for domain in {domain_of(a) for a in people}.difference(SHARED_DOMAINS))
    (best, count), (_, next_count) = [*seen.most_common(2), ("", 0), ("", 0)][:2]
    return best if count and count >= SHARE * len(sample) and next_count < CLEARLY * count else None


def take_part(path: Path, our_domains: Collection[str]) -> bool:
    """Is anybody of ours among the senders and receivers of a sample of the mail?"""
    return any(is_ours(address, our_domains) for people in islice(_people(path), SAMPLE) for address in people)


def named_writers(path: Path, our_domains: Collection[str]) -> dict[str, str]:
    """Address -> the name that most of its mail bears, of whoever is not ours."""
    names: dict[str, Counter[str]] = defaultdict(Counter)
    for raw in _messages(path):
        found = named_writer(raw)
        if found and not is_ours(found[0], our_domains):
            names[found[0]][found[1]] += 1
    return {address: of.most_common(1)[0][0] for address, of in names.items()}


def _people(path: Path) -> Iterator[tuple[str, ...]]:
    return map(people_of, _messages(path))


def _messages(path: Path) -> Iterator[bytes]:
    for file, _ in files(path, SUFFIXES, Cursor()):
        # What cannot be read is said when the mail is read; here the others are enough.
        with suppress(OSError):
            for _, raw in messages(file):
                yield raw
