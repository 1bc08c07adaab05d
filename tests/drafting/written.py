"""The text of a draft on a few pieces of evidence."""

from __future__ import annotations

from service.critic.draft import Evidence
from service.drafting import draft
from service.drafting.request import Request


def body(*pieces: tuple[str, str], situation: str | None = None, channel: str = "email") -> str:
    evidence = tuple(Evidence(id=f"E{n}", type=kind, text=text) for n, (kind, text) in enumerate(pieces, 1))
    found = draft(Request(id="r1", evidence=evidence, am_name="Ida Beck", recipient_name="Kim Osei", channel=channel, situation=situation))
    assert found.written, found.reason
    return found.written.text
