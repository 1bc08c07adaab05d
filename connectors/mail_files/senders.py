"""Whose mailbox is this? The domain that takes part in most of the mail, as sender or receiver."""

from __future__ import annotations

from collections import Counter
from email.parser import BytesHeaderParser
from itertools import islice
from pathlib import Path

from connectors.addresses import SHARED_DOMAINS, addresses, domain_of
from connectors.base import Cursor
from connectors.folders import files
from connectors.mail_files.mbox import messages

SAMPLE = 500
SHARE = 0.6


def most_frequent_domain(path: Path) -> str | None:
    """None when no domain is in at least 60% of a sample of the mail."""
    seen: Counter[str] = Counter()
    count = 0
    for file, _ in files(path, (".eml", ".mbox", ".mbx"), Cursor()):
        for _, raw in islice(messages(file), SAMPLE - count):
            headers = BytesHeaderParser().parsebytes(raw)
            people = addresses(*(str(headers.get(name, "")) for name in ("From", "To", "Cc")))
            seen.update({domain_of(a) for a in people} - set(SHARED_DOMAINS))
            count += 1
        if count >= SAMPLE:
            break
    best = seen.most_common(1)
    return best[0][0] if best and best[0][1] >= SHARE * count else None
