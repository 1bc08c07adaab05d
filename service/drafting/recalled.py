"""Notes of what the recipient told us, as one reminds them of it: "Kim mentioned in May that the hall moves" is "you mentioned in May that ..."."""

from __future__ import annotations

import re

from service.drafting.facts import INTERNAL, People, personal

_TOLD = re.compile(
    r"(?P<name>[\w'’-]+(?: [\w'’-]+)?) (?P<how>(?:mentioned|said|told us|wrote)(?: by phone| in a call| on the phone)?"
    r"(?: on \d{1,2} [A-Z]\w+| in [A-Z]\w+| last (?:year|month|week|spring|summer|autumn|winter))?) that (?P<what>.+)"
)
_NOT_TO_THEM = re.compile(r"\b(?:we|our|us|I|my)\b|[;:?]")


def recalled(text: str, people: People) -> str | None:
    """None of a note of any other kind, or that names anybody else."""
    told = _TOLD.match(" ".join(text.split()).rstrip("."))
    name = people.first_names[1]
    if not told or not name or told["name"] not in (name, people.recipient_name):
        return None
    what = personal(told["what"], people)
    return f"you {told['how']} that {what}" if what and not _NOT_TO_THEM.search(what) and not INTERNAL.search(what) else None
