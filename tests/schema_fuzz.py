"""The whole OpenAPI document against the running app, by schemathesis: few examples in the suite, many in `./dev prove`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import psycopg
import schemathesis
from schemathesis import engine
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import events

from service.api import create_app
from tests import walk
from tests.client import TestClient, key
from tests.filled import Filled
from tests.walk import Rows

WITHOUT_LIMIT = {"UNDERTONE_REQUESTS_PER_MINUTE": "1000000", "UNDERTONE_REQUESTS_BURST": "1000000"}
"""Settings under which no call is refused for being one of many."""
_TOO_LARGE = 413
"""A list that is longer than it may be makes a body that is larger than it may be: refused as well, by a status that schemathesis does not expect there."""


@dataclass(slots=True)
class Found:
    """`requests` by phase; `failures`: operation, check and message, each once."""

    operations: set[str] = field(default_factory=set)
    requests: Counter[str] = field(default_factory=Counter)
    statuses: Counter[int] = field(default_factory=Counter)
    failures: set[str] = field(default_factory=set)
    errors: list[str] = field(default_factory=list)
    """Of schemathesis itself: what it could not try."""

    @property
    def faults(self) -> int:
        return sum(count for status, count in self.statuses.items() if status >= 500)


def run(owner: psycopg.Connection[Any], whose: Filled, examples: int, seed: int) -> Found:
    """Every check that schemathesis has, in all of its phases, in one filled workspace."""
    app = create_app()
    headers = key(whose.workspace_id)
    api = TestClient(app)
    described = api.get("/openapi.json").json()
    _name_cursors(described, api, Rows(owner, whose.workspace_id), headers)
    schema = schemathesis.openapi.from_dict(described, config=_config(headers, examples, seed))
    schema.app = app
    found = Found()
    for event in engine.from_schema(schema).execute():
        _note(event, found)
    return found


def _config(headers: Mapping[str, str], examples: int, seed: int) -> SchemathesisConfig:
    """No check is off."""
    return SchemathesisConfig.from_dict(
        {
            "headers": dict(headers),
            "seed": seed,
            "workers": 1,
            "continue-on-failure": True,
            "suppress-health-check": ["all"],
            "generation": {"max-examples": examples, "no-shrink": True, "database": "none"},
            "checks": {"negative_data_rejection": {"expected-statuses": [400, 401, 403, 404, 405, 406, 409, _TOO_LARGE, 415, 422]}},
        }
    )


def _name_cursors(described: Mapping[str, Any], api: TestClient, rows: Rows, headers: Mapping[str, str]) -> None:
    """What a cursor may be, no schema can say. In the fuzzed document it is the one that leads to the second page of its listing, and nothing else."""
    for operation in walk.operations(described):
        for parameter in operation.parameters:
            if parameter["name"] == "cursor":
                page = api.get(walk.url(operation, rows), params={"limit": 1}, headers=dict(headers)).json()
                parameter["schema"].update(anyOf=[{"type": "string", "enum": [page["next"]]}, {"type": "null"}])


def _note(event: events.EngineEvent, found: Found) -> None:
    if isinstance(event, events.NonFatalError):
        found.errors.append(f"{event.label}: {event.value!r}")
    if isinstance(event, events.FatalError):
        raise event.exception
    if not isinstance(event, events.ScenarioFinished):
        return
    if event.label and event.recorder.interactions:
        found.operations.add(event.label)
    found.requests[str(event.phase.value)] += len(event.recorder.interactions)
    found.statuses.update(i.response.status_code for i in event.recorder.interactions.values() if i.response)
    for case_id, checks in event.recorder.checks.items():
        answer = event.recorder.interactions[case_id].response
        said = answer.content[:400].decode(errors="replace") if answer else "no answer"
        found.failures.update(
            f"{event.label}: {c.name}: {c.failure_info.failure.message[:600]}\n{c.failure_info.code_sample}\n{said}" for c in checks if c.failure_info
        )
