"""What cannot be read is unknown: while the CRM refuses us, weeks go by and nobody is taken to have fallen silent or to have left."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID

import pytest

from connectors.sandbox import Sandbox
from connectors.sandbox import running as sandbox_running
from connectors.sandbox.stories import DEMO, last_moment
from service.connect import connect
from service.pull import pull
from service.score import score
from service.store import accounts, connections, signals, suggestions
from service.store.pool import transaction
from service.suggest import suggest
from tests import builders

NOW = last_moment(DEMO)
CUT = NOW - timedelta(days=30)
LATER = CUT + timedelta(days=24)
ABSENCES = ("silence", "unanswered_question", "usage_drop")


@pytest.fixture(scope="module")
def cut_off(servers: str) -> Iterator[tuple[UUID, Sandbox]]:
    """A workspace that was read, scored and given suggestions a month before the story ends; then its login was revoked and its usage file no longer read."""
    with sandbox_running(DEMO, now=NOW) as sandbox:
        workspace_id = builders.workspace()
        config = {"domain": sandbox.domain, "consumer_key": sandbox.credentials.client_id, "endpoint": sandbox.url}
        crm = connect(workspace_id, "salesforce", "crm", config, {"consumer_secret": sandbox.credentials.client_secret})
        usage = connect(workspace_id, "usage_files", "usage", {"path": str(DEMO / "usage.csv.gz")}, {})
        for connection_id in (crm, usage):
            pull(workspace_id, connection_id, CUT)
        score(workspace_id, CUT)
        suggest(workspace_id, CUT)
        sandbox.tokens.revoke()
        yield workspace_id, sandbox


def open_by_kind(workspace_id: UUID) -> Counter[str]:
    with transaction(workspace_id) as db:
        return Counter(s.signal.kind for s in signals.current(db, states=("open",)))


def leads(workspace_id: UUID) -> dict[UUID, str]:
    with transaction(workspace_id) as db:
        return {s.suggestion_id: s.lead_kind for s in suggestions.open_suggestions(db)}


def test_weeks_without_a_login_raise_no_silence_and_no_drop_and_the_outlook_is_unknown(cut_off):
    workspace_id, _ = cut_off
    before, led = open_by_kind(workspace_id), leads(workspace_id)
    assert before["silence"]
    with transaction(workspace_id) as db:
        crm = connections.by_name(db, "crm")
    report = pull(workspace_id, crm.connection_id, LATER)
    assert report.errors
    score(workspace_id, LATER)
    suggest(workspace_id, LATER)
    after = open_by_kind(workspace_id)
    assert {kind: after[kind] for kind in ABSENCES} == {kind: before[kind] for kind in ABSENCES}
    assert not [kind for s, kind in leads(workspace_id).items() if s not in led and kind in ABSENCES]
    with transaction(workspace_id) as db:
        assert connections.by_name(db, "crm").status == "auth_failed"
        rows = accounts.listing(db, most=1000)
    assert {r.level for r in rows} == {"unknown"}
    assert all({"mood", "usage", "renewal"} <= set(r.unknown_parts) for r in rows)

    # The control: were the same feeds taken to be read on time, silence would be concluded from them.
    with transaction(workspace_id) as db:
        db.execute("UPDATE connection SET status = 'active'")
        db.execute("UPDATE stream SET succeeded_at = %s, error = NULL, error_since = NULL", [LATER])
        accounts.mark_all_due(db)
    score(workspace_id, LATER)
    assert open_by_kind(workspace_id)["silence"] > after["silence"]
