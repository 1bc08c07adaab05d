"""Quiet hours: no task appears by itself while people are at home."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from service import policy
from service.cli.app import app
from service.errors import BadInput
from service.quiet import QuietHours, over_at, parse
from service.store import outbox, signals, workspaces
from service.store.pool import transaction
from service.suggest import suggest
from tests import builders
from tests.filled import fill

NIGHT = QuietHours(start=time(18), end=time(8), zone="Europe/Berlin")
NOON = QuietHours(start=time(12), end=time(13), zone="America/New_York")


NO_HOURS = ["", "18-8", "18:00-08:00", "18:00-08:00 Mars/Base", "24:00-08:00 UTC", "08:00-08:00 UTC", "18:00-08:00 ../etc/passwd", "OFF", "18:00-08:00 UTC\n"]


@pytest.mark.parametrize("text", NO_HOURS)
def test_what_are_no_quiet_hours_is_refused(text):
    with pytest.raises(BadInput, match="Europe/Berlin"):
        parse(text)


@pytest.mark.parametrize(
    ("at", "quiet", "over"),
    [
        ("2026-03-02T17:30+01:00", NIGHT, None),
        ("2026-03-02T18:00+01:00", NIGHT, "2026-03-03T08:00+01:00"),
        ("2026-03-03T07:59+01:00", NIGHT, "2026-03-03T08:00+01:00"),
        ("2026-03-03T08:00+01:00", NIGHT, None),
        ("2026-03-28T22:00+01:00", NIGHT, "2026-03-29T08:00+02:00"),
        ("2026-03-02T17:30+00:00", NOON, "2026-03-02T13:00-05:00"),
        ("2026-03-02T12:30+00:00", NOON, None),
        ("2026-03-02T12:30+00:00", None, None),
    ],
)
def test_they_end_by_the_clock_on_the_wall(at, quiet, over):
    found = over_at(datetime.fromisoformat(at), quiet)
    assert found == (datetime.fromisoformat(over) if over else None)


@given(st.datetimes(datetime(2025, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC)), st.times(), st.times(), st.sampled_from(["UTC", "Asia/Tokyo"]))
def test_the_end_is_never_quiet_and_within_a_day(at, start, end, zone):
    if start == end:
        return
    quiet = QuietHours(start=start, end=end, zone=zone)
    over = over_at(at, quiet)
    if over is not None:
        assert timedelta(0) < over - at <= timedelta(days=1)
        assert over_at(over, quiet) is None
        assert over.astimezone(ZoneInfo(zone)).time() == end


def _run_at(workspace: UUID) -> datetime:
    with transaction(workspace) as db:
        at, connection_id = db.execute("SELECT run_at, connection_id FROM outbox").fetchone() or (None, None)
        assert outbox.anything_due(db, connection_id) is (at <= datetime.now(UTC))
    return at


def test_a_suggestion_made_in_quiet_hours_waits_in_the_outbox_until_they_are_over(workspace: UUID):
    tonight = datetime.now(UTC).replace(hour=20, minute=0) + timedelta(days=1)
    policy.change(workspace, {"quiet_hours": "18:00-08:00 UTC"}, "test", "", None, tonight)
    with transaction(workspace) as db:
        assert policy.current(db).quiet_hours == QuietHours(start=time(18), end=time(8), zone="UTC")
    _suggest_at(workspace, tonight)
    morning = (tonight + timedelta(days=1)).replace(hour=8, minute=0, second=0, microsecond=0)
    assert _run_at(workspace) == morning


def test_outside_of_them_and_without_them_it_is_due_at_once(workspace: UUID):
    fill(workspace, "Ours")
    assert _run_at(workspace) <= datetime.now(UTC)


def _suggest_at(workspace: UUID, at: datetime) -> None:
    with transaction(workspace) as db:
        account_id = builders.account(db, builders.connection(db))
        signals.append(db, [builders.signal(account_id, detected_at=at.date())], "m", workspaces.next_change(db))
    suggest(workspace, at)


def test_the_command_sets_and_ends_them(workspace: UUID):
    with transaction(workspace) as db:
        builders.connection(db)
    for text, expected in (("18:00-08:00 Europe/Berlin", NIGHT), ("off", None)):
        CliRunner().invoke(app, ["push", "--preview", "--quiet-hours", text, "-w", f"test {workspace}"])
        with transaction(workspace) as db:
            assert policy.current(db).quiet_hours == expected
