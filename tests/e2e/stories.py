"""One scripted year through the whole path: sandbox org, pull, score, suggest, push, in this process."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from uuid import UUID

from connectors.sandbox import Sandbox
from connectors.sandbox import running as sandbox_running
from connectors.sandbox.stories import DEMO, last_moment
from service import servers, truth
from service.connect import connect
from service.pull import pull
from service.push import PushReport, approve, push
from service.score import score
from service.store import signals, suggestions
from service.store.pool import transaction
from service.suggest import suggest
from tests import builders

ROOT = Path(__file__).parent.parent / "stories"
ALL_FOUND = ("tone_turn", "silence", "usage_drop")
"""Kinds of moments of which none may be missed."""
STORIES = {"tidewise": DEMO, "ledgerleaf": ROOT / "ledgerleaf", "fieldnote": ROOT / "fieldnote"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A story after one whole run. `run` goes through all steps again."""

    story: Path
    now: datetime
    sandbox: Sandbox
    workspace_id: UUID
    crm: UUID
    usage: UUID

    def run(self) -> PushReport:
        pull(self.workspace_id, self.crm, self.now)
        pull(self.workspace_id, self.usage, self.now)
        score(self.workspace_id, self.now)
        suggest(self.workspace_id, self.now)
        approve(self.workspace_id, self.crm, self.now)
        return push(self.workspace_id, self.crm)

    def compared(self) -> truth.Comparison:
        with transaction(self.workspace_id) as db:
            found = [truth.Found(r.account_name, r.signal.kind, r.signal.detected_at) for r in signals.current(db, states=("open", "ended"))]
            opened = {s.account_name for s in suggestions.open_suggestions(db)}
        return truth.compare(truth.load(self.story), found, opened)


@contextmanager
def told(name: str) -> Iterator[Told]:
    story = STORIES[name]
    now = last_moment(story)
    with sandbox_running(story, now=now) as sandbox, servers.throwaway(UNDERTONE_NOW=now.isoformat()):
        servers.migrate()
        workspace_id = builders.workspace()
        config = {"domain": sandbox.domain, "consumer_key": sandbox.credentials.client_id, "endpoint": sandbox.url, "currency": "EUR"}
        crm = connect(workspace_id, "salesforce", "crm", config, {"consumer_secret": sandbox.credentials.client_secret})
        usage = connect(workspace_id, "usage_files", "usage", {"path": str(story / "usage.csv.gz")}, {})
        made = Told(story=story, now=now, sandbox=sandbox, workspace_id=workspace_id, crm=crm, usage=usage)
        made.run()
        yield made
