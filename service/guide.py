"""Setting up a connection step by step: which steps there are, what each needs, and which are done, told from what is stored and found."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Protocol, runtime_checkable
from uuid import UUID

from connectors.base import Finding
from service.store import conditions, connections
from service.store.connections import Connection
from service.store.pool import transaction

StepName = Literal["settings", "metadata", "secrets", "check", "fields", "pull", "preview", "on"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    name: StepName
    title: str
    needs: str
    how: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Guide:
    """`secrets`: the secret that each way to sign in needs, by the setting `auth`. `questions`: settings that are asked for.
    `follow`: settings that follow from another one when it changes, unless they are given with it."""

    steps: tuple[Step, ...]
    secrets: Mapping[str, str] = field(default_factory=dict)
    questions: Mapping[str, str] = field(default_factory=dict)
    follow: Mapping[str, str] = field(default_factory=dict)

    def merged(self, stored: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
        """What was set before stays; what is given wins."""
        outdated = {self.follow[name] for name in given if name in self.follow}
        return {name: value for name, value in stored.items() if name not in outdated} | dict(given)

    def secret_for(self, config: Mapping[str, Any]) -> str | None:
        return self.secrets.get(str(config.get("auth", next(iter(self.secrets), ""))))


class Candidate(Protocol):
    """A field of the other side that a setting may mean; as text, with how many records have a value in it."""

    @property
    def setting(self) -> str: ...

    @property
    def field(self) -> str: ...


@runtime_checkable
class Mapped(Protocol):
    """A source whose settings name fields of the other side."""

    def candidates(self) -> Sequence[Candidate]: ...

    def preview(self, now: datetime) -> Sequence[Finding]: ...


@runtime_checkable
class Choosing(Protocol):
    """A source that knows, for each setting that names a field, all fields of the other side that could hold it."""

    def choices(self) -> Mapping[str, Sequence[str]]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a connection is. `findings`: of a check just made, None without one."""

    connection: Connection | None = None
    secrets: frozenset[str] = frozenset()
    read: bool = False
    findings: Sequence[Finding] | None = None


def progress(workspace_id: UUID, name: str, findings: Sequence[Finding] | None = None) -> Progress:
    with transaction(workspace_id) as db:
        found = connections.by_name(db, name)
        if found is None:
            return Progress()
        secrets = frozenset(connections.secrets_of(db, found.connection_id))
        read = any(s.connection_id == found.connection_id and (s.succeeded_at or s.landed) for s in conditions.streams(db))
    return Progress(connection=found, secrets=secrets, read=read, findings=findings)


def is_done(step: Step, guide: Guide, p: Progress) -> bool:
    if p.connection is None:
        return False
    found = p.findings or ()
    approved = p.connection.push_approved_at is not None
    done: dict[StepName, bool] = {
        "settings": True,
        "secrets": guide.secret_for(p.connection.config) in p.secrets,
        "check": p.findings is not None and all(f.level != "error" for f in found),
        "metadata": any(f.level == "ok" and _is_key(f, p.connection) for f in found),
        "fields": p.findings is not None and all(f.level == "ok" for f in found if not _is_key(f, p.connection)),
        "pull": p.read,
        "preview": approved,
        "on": approved,
    }
    return done[step.name]


def _is_key(finding: Finding, connection: Connection) -> bool:
    """Whether the line of a check is about the field that makes each task unique."""
    return finding.about == f"Task.{connection.config.get('key_field')}"


def listing(guide: Guide, p: Progress) -> Iterator[str]:
    """Every step in a line, and how to do the open ones."""
    for number, step in enumerate(guide.steps, 1):
        done = is_done(step, guide, p)
        yield f"{number} of {len(guide.steps)}  {'done' if done else 'open'}  {step.title}"
        if not done:
            yield from explained(step)


def is_command(line: str) -> bool:
    """Whether a line of a step's `how` is typed on a machine's command line."""
    return line.removeprefix("or: ").startswith(("undertone ", "sf ", "cd "))


def explained(step: Step) -> Iterator[str]:
    yield f"              needs {step.needs}"
    yield from (f"              - {line}" for line in step.how)
