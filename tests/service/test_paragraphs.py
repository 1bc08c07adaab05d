"""What lands in the CRM has the paragraphs that the engine made."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from uuid import uuid4

import pytest

from service.critic.draft import Channel
from service.critic.draft import Evidence as Piece
from service.drafting import Request, draft
from service.playbook import render
from service.playbook.drafting import segments
from service.signals import Evidence

SAID = "The restore of Tuesday took nine hours and our planners had to wait. Can you tell me when the last full restore was tested?"
KNOWN = (
    Piece(id="f", type="product", text="The last full restore was tested on 4 May."),
    Piece(id="o", type="offer", text="send the log of the last restore"),
)


def drafts(channel: Channel) -> Iterator[tuple[str, str]]:
    """(as the engine wrote it, as it is shown)"""
    told, interaction = uuid4(), uuid4()
    at = datetime(2026, 5, 8, 9, tzinfo=UTC)
    message = Evidence(id=told, type="buyer_message", source="mail", observed_at=at, interaction_id=interaction, start=0, end=len(SAID), text=SAID)
    for n in range(24):
        evidence = (Piece(id=str(told), type="buyer_message", text=SAID), *KNOWN[n % 2 :])
        written = draft(Request(id=n, channel=channel, am_name="Ann Lee", recipient_name="Bo Berg", evidence=evidence)).written
        if written:
            yield written.text, render(segments(written, (message,)), {interaction: SAID}, channel)


@pytest.mark.parametrize("channel", ["email", "chat"])
def test_a_draft_is_shown_in_the_paragraphs_in_which_it_was_written(channel: Channel) -> None:
    found = list(drafts(channel))
    assert len(found) >= 12
    assert [shown for _, shown in found] == [written for written, _ in found]
