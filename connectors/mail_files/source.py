from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from pydantic import BaseModel, ConfigDict, field_validator

from connectors.addresses import SHARED_DOMAINS
from connectors.base import Connector, Cursor, Finding, Page, Stream, StreamSchema
from connectors.context import Context
from connectors.errors import Misconfigured, StreamUnavailable
from connectors.folders import files, place
from connectors.mail_files.mbox import messages
from connectors.mail_files.parse import UnreadableMail, interaction
from connectors.mail_files.senders import SUFFIXES, take_part
from connectors.records import Interaction, Rejected

PAGE = 200
"""Messages a page: bodies are large, and a page is what memory holds."""


class Config(BaseModel):
    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)

    path: str
    """A folder of .eml and .mbox files, or one such file, as the worker's machine sees it."""
    our_domains: tuple[str, ...]
    """Mail from these is ours; several are parted by commas. At a mail provider, name single addresses instead."""

    @field_validator("our_domains", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        parts = value.split(",") if isinstance(value, str) else value
        return [str(p).strip().lower().lstrip("@").rstrip(".") for p in parts if str(p).strip()] if isinstance(parts, (list, tuple)) else parts

    @field_validator("our_domains")
    @classmethod
    def _tell_sides_apart(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not value:
            message = "name at least one domain of yours, or nobody could tell your side of the mail from the customer's"
            raise ValueError(message)
        if shared := [domain for domain in value if domain in SHARED_DOMAINS]:
            message = f"{shared[0]} is a mail provider: everybody there would be taken for you. Name your own address instead, like me@{shared[0]}"
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
        ours = ", ".join(self.our_domains)
        if not take_part(self.path, self.our_domains):
            message = f"nobody of {ours} takes part in any of the mail looked at: every message would count as a customer's. Check our_domains."
            return [Finding(level="warning", about="mail files", message=message)]
        return [Finding(level="ok", about="mail files", message=f"{count} files; ours is whatever comes from {ours}")]

    def discover(self) -> Sequence[StreamSchema]:
        return [StreamSchema(stream="emails", fields=("from", "to", "cc", "date", "subject", "message-id", "in-reply-to", "body"))]

    def streams(self) -> Sequence[Stream]:
        return [Stream(name="emails")]

    def read(self, stream: str, after: Cursor, until: datetime) -> Iterator[Page]:
        """Small files share a page; the cursor of a page stands for the last file that was read whole, and `resume` for a place in the next one."""
        if stream != "emails":
            message = f"mail_files has no stream {stream}."
            raise StreamUnavailable(message)
        batch = _Batch(whole=replace(after, resume=""))
        for path, cursor in files(self.path, SUFFIXES, after):
            if after.resume and cursor == batch.whole:
                continue
            for offset, raw in self._messages(path, _start_in(cursor, after.resume), batch):
                batch.take(raw, _source_key(place(path, self.path), offset), self.our_domains, until)
                if batch.is_full():
                    yield batch.page(resume=f"{_mark(cursor)}@{offset}")
            batch.whole = cursor
        yield batch.page()

    def _messages(self, path: Path, start: int, batch: _Batch) -> Iterator[tuple[int, bytes]]:
        try:
            yield from messages(path, start)
        except OSError as error:
            batch.rejected.append(Rejected(source_key=place(path, self.path), reason=f"the file cannot be read: {error.strerror}"))


def _source_key(name: str, offset: int) -> str:
    return f"{name}@{offset}" if offset else name


def _mark(file: Cursor) -> str:
    """Of a file as it is: another one when it is written to."""
    return hashlib.sha256(f"{file.at}|{file.key}".encode()).hexdigest()[:16]


def _start_in(file: Cursor, resume: str) -> int:
    mark, _, offset = resume.partition("@")
    return int(offset) if mark == _mark(file) else 0


@dataclass(slots=True)
class _Batch:
    """`whole`: stands for the last file that was read to its end."""

    whole: Cursor
    records: list[Interaction] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)

    def take(self, raw: bytes, source_key: str, our_domains: Collection[str], until: datetime) -> None:
        try:
            self.records.append(interaction(raw, our_domains, until))
        except UnreadableMail as problem:
            self.rejected.append(Rejected(source_key=source_key, reason=str(problem)))

    def is_full(self) -> bool:
        return len(self.records) + len(self.rejected) >= PAGE

    def page(self, resume: str = "") -> Page:
        """What has gathered, which is then forgotten."""
        page = Page(records=self.records, rejected=self.rejected, cursor=replace(self.whole, resume=resume))
        self.records, self.rejected = [], []
        return page


def _source(context: Context) -> MailFiles:
    return MailFiles(Config.model_validate(context.config))


CONNECTOR = Connector(config_model=Config, source=_source)
