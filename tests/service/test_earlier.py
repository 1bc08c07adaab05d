"""Earlier drafts: nobody is written to unasked twice in ten business days, and nobody reads the same thing twice."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from service.earlier import Earlier
from service.signals import Segment

KIM, LEE, SUGGESTION = UUID(int=1), UUID(int=2), UUID(int=9)
ACCOUNT, OTHER = UUID(int=3), UUID(int=4)
SAID = (
    Segment(move="GREET", parts=("Dear Kim,",), evidence_ids=()),
    Segment(move="REF", parts=("I could go through the open points with your crew, one by one.",), evidence_ids=()),
)


@dataclass(frozen=True)
class Row:
    suggestion_id: UUID = SUGGESTION
    account_id: UUID = ACCOUNT
    contact_id: UUID | None = KIM
    owner_key: str | None = "ann"
    opened_at: date = date(2026, 5, 4)
    draft: tuple[Segment, ...] = SAID


def test_nobody_is_written_to_unasked_a_second_time_within_ten_business_days() -> None:
    earlier = Earlier([Row()])
    assert "4 May" in (earlier.too_soon(KIM, UUID(int=10), date(2026, 5, 15)) or "")
    assert earlier.too_soon(KIM, UUID(int=10), date(2026, 5, 18)) is None


def test_somebody_else_and_the_suggestion_itself_are_not_held_back() -> None:
    earlier = Earlier([Row()])
    assert earlier.too_soon(LEE, UUID(int=10), date(2026, 5, 5)) is None
    assert earlier.too_soon(KIM, Row.suggestion_id, date(2026, 5, 5)) is None
    assert earlier.too_soon(None, UUID(int=10), date(2026, 5, 5)) is None


def test_what_was_said_to_an_account_weighs_more_than_what_was_said_to_others() -> None:
    earlier = Earlier([Row()])
    again = "I could go through the open points with your crew, one by one."
    assert not all(window.allows(again) for window in earlier.windows(ACCOUNT, "ann"))
    assert len(earlier.windows(OTHER, None)) == 1


def test_greetings_do_not_count_as_said_before() -> None:
    earlier = Earlier([Row()])
    assert all(window.allows("Dear Kim,") for window in earlier.windows(ACCOUNT, "ann"))
