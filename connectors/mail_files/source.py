from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, field_validator

from connectors.base import Connector, Cursor, Finding, Page, Stream
from connectors.errors import Misconfigured
from connectors.folders import files
from connectors.mail_files.mbox import messages
from connectors.mail_files.parse import UnreadableMail, interaction
from connectors.records import Interaction, Rejected

SUFFIXES = (".eml", ".mbox", ".mbx")
PAGE = 200
"""Messages a page: bodies are large, and a page is what memory holds."""


class Config(BaseModel):
    """`our_domains`: mail from these is ours, separated by commas."""

    model_config = ConfigDict(extra="forbid")

    path: str
    our_domains: tuple[str, ...]

    @field_validator("our_domains", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        parts = value.split(",") if isinstance(value, str) else value
        return [str(p).strip().lower().lstrip("@") for p in parts if str(p).strip()] if isinstance(parts, (list, tuple)) else parts

    @field_validator("our_domains")
    @classmethod
    def _at_least_one(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not value:
            message = "name at least one domain of yours, or nobody could tell your side of the mail from the customer's"
            raise ValueError(message)
        return value


class MailFiles:
    def __init__(self, config: Config) -> None:
        self.path = Path(config.path)
        self.our_domains = config.our_domains

    def check(self, now: datetime) -> Sequence[Finding]:  # noqa: ARG002 - the interface of every source
        try:
            count = sum(1 for _ in files(self.path, SUFFIXES, Cursor()))
        except Misconfigured as error:
            return [Finding(level="error", about="mail files", message=str(error))]
        if not count:
            return [Finding(level="warning", about="mail files", message=f"{self.path} holds no .eml or .mbox file yet.")]
        return [Finding(level="ok", about="mail files", message=f"{count} files; ours is whatever comes from {', '.join(self.our_domains)}")]

    def streams(self) -> Sequence[Stream]:
        return [Stream(name="emails")]

    def read(self, stream: str, after: Cursor, until: datetime) -> Iterator[Page]:  # noqa: ARG002 - one stream
        for path, cursor in files(self.path, SUFFIXES, after):
            yield from self._pages(path, until)
            yield Page(records=(), cursor=cursor)

    def _pages(self, path: Path, until: datetime) -> Iterator[Page]:
        try:
            found = messages(path)
            while batch := list(islice(found, PAGE)):
                yield self._page(path, batch, until)
        except OSError as error:
            yield Page(records=(), rejected=[Rejected(source_key=self._place(path), reason=f"the file cannot be read: {error.strerror}")])

    def _page(self, path: Path, batch: Sequence[tuple[int, bytes]], until: datetime) -> Page:
        records: list[Interaction] = []
        rejected: list[Rejected] = []
        for offset, raw in batch:
            try:
                records.append(interaction(raw, self.our_domains, until))
            except UnreadableMail as problem:
                place = self._place(path) + (f"@{offset}" if offset else "")
                rejected.append(Rejected(source_key=place, reason=str(problem)))
        return Page(records=records, rejected=rejected)

    def _place(self, path: Path) -> str:
        return str(path.relative_to(self.path)) if path != self.path else path.name


def _source(config: Mapping[str, Any], secrets: Mapping[str, str]) -> MailFiles:  # noqa: ARG001 - files need none
    return MailFiles(Config.model_validate(config))


CONNECTOR = Connector(config_model=Config, source=_source)
