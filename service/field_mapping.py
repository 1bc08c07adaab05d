"""Which field of the other side holds what of ours: what was read by the settings as they are, and what would be read by others."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice
from typing import Any
from uuid import UUID

from connectors.base import Cursor, Finding, Source
from connectors.records import Account, Opportunity, Record
from service.connect import UNTIL_ASKED, checked_config, connect, open_source
from service.guide import Candidate, Choosing, Guide, Mapped
from service.store import accounts, streams
from service.store.connections import Connection
from service.store.pool import transaction

MOST_EXAMPLES = 3
_LOOKED_AT = 2_000
"""Records of a preview: a page of a CRM."""
_OURS: Mapping[str, tuple[str, type, str]] = {
    "seats_field": ("Seats", Account, "seats"),
    "arr_field": ("Yearly value", Account, "arr"),
    "region_field": ("Region", Account, "region"),
    "timezone_field": ("Time zone", Account, "timezone"),
    "renewal_date_field": ("Renewal date", Opportunity, "close_date"),
}
"""Setting -> what we call it, and where it stands in what a source delivers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One of ours. `source`: the other side's field, "" for none. `candidates`: those that look as if they were meant, the best filled first;
    `choices`: all that could hold it."""

    setting: str
    name: str
    source: str
    examples: Sequence[str]
    candidates: Sequence[str] = ()
    choices: Sequence[str] = ()

    @property
    def is_unknown(self) -> bool:
        """The other side shows no such field, or one of another type."""
        return bool(self.source and self.choices) and self.source.casefold() not in {c.casefold() for c in self.choices}


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """`fields` with examples of what would be read, and what the other side says in counts."""

    config: Mapping[str, Any]
    fields: Sequence[Field]
    findings: Sequence[Finding]


def current(workspace_id: UUID, connection: Connection) -> list[Field]:
    """With what has been read. Raises ConnectorError, and Conflict where it has no fields to be mapped."""
    source = open_source(workspace_id, connection)
    with transaction(workspace_id) as db:
        examples = accounts.examples(db, connection.connection_id, MOST_EXAMPLES)
    return _fields(connection.config, {s: examples.get(attribute, []) for s, (_, _, attribute) in _OURS.items()}, source)


def preview(workspace_id: UUID, connection: Connection, guide: Guide, given: Mapping[str, str], now: datetime) -> Preview:
    """What other settings would read; stores nothing. Raises BadInput naming the setting that is wrong, and ConnectorError."""
    config = checked_config(connection.connector, guide.merged(connection.config, given))
    source = open_source(workspace_id, replace(connection, config=config))
    offered = {s.name for s in source.streams()}
    records = [r for stream in ("accounts", "opportunities") if stream in offered for r in _some(source, stream, now)]
    examples = {setting: _examples(records, kind, attribute) for setting, (_, kind, attribute) in _OURS.items()}
    return Preview(config=config, fields=_fields(config, examples, source), findings=source.preview(now) if isinstance(source, Mapped) else ())


def save(workspace_id: UUID, connection: Connection, guide: Guide, given: Mapping[str, str], by: str) -> None:
    """What has been read by other settings is read again from its start: no stamp of a row tells that we look at another field of it."""
    config = guide.merged(connection.config, given)
    with transaction(workspace_id) as db:
        was_read = [s.name for s in streams.states(db) if s.connection_id == connection.connection_id and s.landed]
    connect(workspace_id, connection.connector, connection.name, config, {}, by=by, pull_in=None if was_read else UNTIL_ASKED)
    with transaction(workspace_id) as db:
        for name in {"accounts", "opportunities"} & set(was_read):
            streams.restart(db, connection.connection_id, name)


def is_mapped(config: Mapping[str, Any]) -> bool:
    return any(setting in config for setting in _OURS)


def names() -> dict[str, str]:
    """What we call what each setting names."""
    return {setting: name for setting, (name, _, _) in _OURS.items()}


def by_setting(candidates: Sequence[Candidate]) -> dict[str, list[Candidate]]:
    found = defaultdict[str, list[Candidate]](list)
    for candidate in candidates:
        found[candidate.setting].append(candidate)
    return dict(found)


def _fields(config: Mapping[str, Any], examples: Mapping[str, Sequence[str]], source: Source) -> list[Field]:
    proposed = by_setting(source.candidates()) if isinstance(source, Mapped) else {}
    choices = source.choices() if isinstance(source, Choosing) else {}
    return [
        Field(
            setting=setting,
            name=name,
            source=config.get(setting) or "",
            examples=examples.get(setting, ()),
            candidates=[str(c) for c in proposed.get(setting, ())],
            choices=choices.get(setting, ()),
        )
        for setting, (name, _, _) in _OURS.items()
        if setting in config
    ]


def _some(source: Source, stream: str, now: datetime) -> list[Record]:
    return list(islice((r for page in source.read(stream, Cursor(), now) for r in page.records), _LOOKED_AT))


def _examples(records: Sequence[Record], kind: type, attribute: str) -> list[str]:
    values = (getattr(r, attribute, None) for r in records if isinstance(r, kind))
    return list(islice(dict.fromkeys(shown(v) for v in values if v is not None), MOST_EXAMPLES))


def shown(value: object) -> str:
    return f"{value:,.0f}" if isinstance(value, float) else str(value)
