"""Replay: rows of the quarantine are read again after something has been mended. Asked for by a person, carried out by the next pull."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import timedelta
from functools import partial
from uuid import UUID

from connectors.base import Fetching, Page, Source, Stream
from service.config import real_time
from service.connect import known
from service.store import audit_log, connections, quarantine, streams
from service.store.pool import Db, transaction
from service.turn import Held, Outcome, Run, StreamReport, take_turn

CHUNK = 1_000
_LINE, _BYTE = re.compile(r"(.+):(\d+)"), re.compile(r"(.+)@(\d+)")
_OF_FILES = frozenset({"account_files", "mail_files", "usage_files"})


def replay(workspace_id: UUID, connection_id: UUID, stream: str | None = None, source_key: str | None = None, by: str = audit_log.COMMAND_LINE) -> int:
    """Asks for one row, all of a stream, or all of the connection. Returns how many rows will be read again."""
    with transaction(workspace_id) as db:
        found = quarantine.ask(db, connection_id, stream, source_key)
        if found:
            connections.schedule_pull(db, connection_id, timedelta(0))
            after = {"rows": found, "stream": stream, "row": source_key}
            audit_log.write(db, real_time(), by, "replay rows", known(db, connection_id).name, after=after)
    return found


def place(connector: str, source_key: str) -> str:
    """A key of a CRM is as it is."""
    return place_in_file(source_key) if connector in _OF_FILES else source_key


def place_in_file(source_key: str) -> str:
    """For somebody who opens it: accounts.csv, line 3."""
    if found := _LINE.fullmatch(source_key):
        return f"{found[1]}, line {int(found[2]):,}"
    if found := _BYTE.fullmatch(source_key):
        return f"{found[1]}, the message that begins at byte {int(found[2]):,}"
    return source_key


def carry_out(run: Run, source: Source, every: Sequence[Stream]) -> Iterator[StreamReport]:
    """By key where the source can be asked for single rows; else the stream starts anew. Raises Misconfigured."""
    with transaction(run.workspace_id) as db:
        asked = set(quarantine.asked(db, run.connection_id))
    for stream in (s for s in every if s.name in asked):
        if isinstance(source, Fetching):
            yield take_turn(run, stream, partial(_fetch, run, source, stream.name), _end)
        else:
            with transaction(run.workspace_id) as db:
                quarantine.begin_rereading(db, run.connection_id, stream.name)
                streams.restart(db, run.connection_id, stream.name)


def _fetch(run: Run, source: Fetching, stream: str, held: Held) -> bool:
    while keys := _asked_keys(run, stream):
        for page in source.fetch(stream, keys):
            held.land(Page(records=page.records, rejected=page.rejected, unread=page.unread))
        held.land(Page(records=()), also=partial(_drop, run, stream, keys))
        if held.time_is_up:
            return False
    return True


def _asked_keys(run: Run, stream: str) -> list[str]:
    with transaction(run.workspace_id) as db:
        return quarantine.asked_keys(db, run.connection_id, stream, CHUNK)


def _drop(run: Run, stream: str, keys: Sequence[str], db: Db) -> None:
    quarantine.drop_asked(db, run.connection_id, stream, keys)


def _end(db: Db, held: Held, outcome: Outcome) -> None:  # noqa: ARG001 - what failed stays asked for
    streams.give_back(db, held.run.connection_id, held.name, held.lease.fence)
