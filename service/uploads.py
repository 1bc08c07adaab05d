"""Files that somebody gives in the browser: kept in a folder of their workspace, checked by the connectors that will read them, connected.

Nothing of a file's own name is used: what it is shows in its first bytes. A second upload takes the place of the first.
"""

from __future__ import annotations

import shutil
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import IO, Any, BinaryIO
from uuid import UUID, uuid4

from connectors import registry
from connectors.addresses import SHARED_DOMAINS, domain_of
from connectors.base import Cursor
from connectors.context import alone
from connectors.errors import ConnectorError
from connectors.mail_files.senders import most_frequent_domain
from connectors.records import User
from service import correspondents, long_jobs
from service.config import settings
from service.connect import connect
from service.errors import BadInput
from service.store import connections, quarantine
from service.store.pool import transaction

MOST_BYTES = 200_000_000
"""Of one upload, all its files together."""
MOST_UNPACKED = 2_000_000_000
MOST_MESSAGES = 50_000
"""Files of a zip that are read."""
OWN_READING = timedelta(minutes=15)
"""For so long the job alone reads them."""
_GZIP, _ZIP = b"\x1f\x8b", b"PK\x03\x04"
_HEAD = 4096

NAMES: Mapping[str, str] = {"account_files": "uploaded accounts", "mail_files": "uploaded mail", "usage_files": "uploaded usage"}
"""What the connections are called, by connector, in the order in which they are read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """Open files; `our_domains`: whose mail is ours, "" to find out."""

    accounts: BinaryIO | None = None
    contacts: BinaryIO | None = None
    mail: Sequence[BinaryIO] = ()
    usage: BinaryIO | None = None
    our_domains: str = ""


def receive(workspace_id: UUID, upload: Upload, by: str, now: datetime) -> UUID:
    """Keeps the files, connects them and asks for their reading. Returns the job. Raises BadInput, and then nothing has changed."""
    _mind_names(workspace_id)
    folder = _folder(workspace_id)
    if upload.accounts is None and not (folder / "accounts").exists():
        raise BadInput("Choose the file with your accounts: mail and usage are about them.")
    with _staged(folder) as staged:
        _store(staged, upload)
        configs = _configs(staged, folder, upload.our_domains, now)
        for connector, config in configs.items():
            _check(connector, config, now)
        placed = {connector: _placed(config, staged, folder) for connector, config in configs.items()}
        _replace(staged, folder)
    made = [connect(workspace_id, connector, NAMES[connector], config, {}, by=by, pull_in=OWN_READING) for connector, config in placed.items()]
    with transaction(workspace_id) as db:  # what was wrong with the file before says nothing about this one
        for connection_id in made:
            quarantine.ask(db, connection_id, None, None)
    return long_jobs.ask(workspace_id, "first_read", {"connections": [str(c) for c in made]}, by, "uploaded files")


def _mind_names(workspace_id: UUID) -> None:
    with transaction(workspace_id) as db:
        taken = [name for connector, name in NAMES.items() if (found := connections.by_name(db, name)) and found.connector != connector]
    if taken:
        raise BadInput(f"A connection of another kind is called {taken[0]}. Uploaded files cannot take its place.")


def _folder(workspace_id: UUID) -> Path:
    return settings().home / "uploads" / str(workspace_id)


@contextmanager
def _staged(folder: Path) -> Iterator[Path]:
    """Beside the files that are in use, and gone afterwards."""
    staged = folder / f"new-{uuid4()}"
    staged.mkdir(parents=True, mode=0o700)
    try:
        yield staged
    finally:
        shutil.rmtree(staged, ignore_errors=True)


def _store(staged: Path, upload: Upload) -> None:
    tables = {"accounts": upload.accounts, "contacts": upload.contacts, "usage": upload.usage}
    for kind, file in tables.items():
        if file is not None:
            _copy(file, _new(staged / kind, kind + _table_suffix(file)))
    for number, file in enumerate(upload.mail):
        _store_mail(staged / "mail", f"mail-{number:05}", file)


def _store_mail(folder: Path, name: str, file: BinaryIO) -> None:
    head = _peek(file)
    if not head.startswith(_ZIP):
        _copy(file, _new(folder, name + _mail_suffix(head)))
        return
    try:
        with zipfile.ZipFile(file) as archive:
            _unpack(archive, folder, name)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, zlib.error, EOFError):
        raise BadInput("The zip file with mail is damaged or locked with a password. Pack it anew, or choose the messages themselves.") from None


def _unpack(archive: zipfile.ZipFile, folder: Path, name: str) -> None:
    members = [m for m in archive.infolist() if not m.is_dir() and m.filename.lower().endswith((".eml", ".mbox", ".mbx"))]
    if not members:
        raise BadInput("The zip file holds no .eml and no .mbox file.")
    if len(members) > MOST_MESSAGES:
        raise BadInput(f"The zip file holds more than {MOST_MESSAGES:,} messages. Give them as one .mbox file, or connect the folder they lie in.")
    left = MOST_UNPACKED
    for number, member in enumerate(members):
        with archive.open(member) as packed:
            head = packed.read(_HEAD)
            left -= _copy(packed, _new(folder, f"{name}-{number:05}{'.mbox' if head.startswith(b'From ') else '.eml'}"), head, most=left)


def _copy(source: IO[bytes], target: Path, head: bytes = b"", most: int = MOST_BYTES) -> int:
    """In blocks. Raises BadInput above `most` bytes: what a zip says of its own size need not be true."""
    written = len(head)
    with target.open("wb") as file:
        file.write(head)
        while block := source.read(1 << 20):
            written += len(block)
            if written > most:
                raise BadInput("The mail is too large once it is unpacked. Connect the folder it lies in instead: docs/connectors.md says how.")
            file.write(block)
    return written


def _new(folder: Path, name: str) -> Path:
    folder.mkdir(exist_ok=True, mode=0o700)
    return folder / name


def _peek(file: BinaryIO) -> bytes:
    head = file.read(_HEAD)
    file.seek(0)
    return head


def _table_suffix(file: BinaryIO) -> str:
    head = _peek(file)
    packed = head.startswith(_GZIP)
    try:
        text = zlib.decompressobj(31).decompress(head, _HEAD) if packed else head
    except zlib.error:
        raise BadInput("A file is compressed and damaged. Pack it anew, or give it as it is.") from None
    return (".ndjson" if text.lstrip(b"\xef\xbb\xbf \r\n\t").startswith(b"{") else ".csv") + (".gz" if packed else "")


def _mail_suffix(head: bytes) -> str:
    if head.startswith(b"From "):
        return ".mbox"
    first = head.lstrip().partition(b"\n")[0]
    if b"\x00" in head or b":" not in first:
        raise BadInput("The file with mail is neither an .mbox nor an .eml file, nor a zip of such. Export the mailbox as one of these.")
    return ".eml"


def _configs(staged: Path, folder: Path, our_domains: str, now: datetime) -> dict[str, dict[str, str]]:
    """Settings of each connection that these files make or change. What was uploaded before and not now stays."""
    accounts, contacts = _only(staged, folder, "accounts"), _only(staged, folder, "contacts")
    found: dict[str, dict[str, str]] = {}
    mail = {}
    if (staged / "mail").exists():
        ours = our_domains.strip() or _our_domain(staged / "mail", str(accounts), now)
        mail = {"mail_files": {"path": str(staged / "mail"), "our_domains": ours}}
    people = contacts or _named_by_mail(staged, folder, Path(str(accounts)))
    if any((staged / kind).exists() for kind in ("accounts", "contacts", "people")):
        found["account_files"] = {"accounts": str(accounts), **({"contacts": str(people)} if people else {})}
    found |= mail
    if (staged / "usage").exists():
        found["usage_files"] = {"path": str(staged / "usage")}
    return found


def _named_by_mail(staged: Path, folder: Path, accounts: Path) -> Path | None:
    """Without a file of contacts the mail says what its people are called. Whose mail is ours need not be known: ours is no account's domain."""
    found = staged / "people" / "people.csv"
    mail = next((place / "mail" for place in (staged, folder) if (place / "mail").exists()), None)
    if any((staged / kind).exists() for kind in ("accounts", "mail")) and mail and correspondents.write(mail, accounts, (), found):
        return found
    return _only(staged, folder, "people")


def _only(staged: Path, folder: Path, kind: str) -> Path | None:
    return next((file for place in (staged / kind, folder / kind) if place.exists() for file in place.iterdir()), None)


def _our_domain(mail: Path, accounts: str, now: datetime) -> str:
    """That of most of the account owners; else the one that takes part in most of the mail."""
    source = registry.connector("account_files").source(alone({"accounts": accounts}))
    try:
        records = [r for page in source.read("accounts", Cursor(), now) for r in page.records]
    except ConnectorError as error:
        raise BadInput(str(error)) from None
    owners = Counter(domain_of(r.email) for r in records if isinstance(r, User) and r.email)
    known = [domain for domain, _ in owners.most_common() if domain not in SHARED_DOMAINS]
    found = known[0] if known else most_frequent_domain(mail)
    if found is None:
        raise BadInput("Whose mail is yours cannot be told from the files. Fill in the mail domain of your company, like vendor.com.")
    return found


def _check(connector: str, config: Mapping[str, str], now: datetime) -> None:
    known = registry.connector(connector)
    try:
        checked = known.config_model.model_validate(dict(config)).model_dump(mode="json")
        findings = known.source(alone(checked)).check(now)
    except ValueError as error:
        raise BadInput(_first_of(error)) from None
    except ConnectorError as error:
        raise BadInput(str(error)) from None
    wrong = [f for f in findings if f.level == "error"]
    if wrong:
        raise BadInput(wrong[0].message)


def _first_of(error: ValueError) -> str:
    details: list[Any] = getattr(error, "errors", list)()
    return f"{details[0]['msg'].removeprefix('Value error, ')}." if details else str(error)


def _placed(config: Mapping[str, str], staged: Path, folder: Path) -> dict[str, str]:
    return {name: value.replace(str(staged), str(folder), 1) for name, value in config.items()}


def _replace(staged: Path, folder: Path) -> None:
    """A reader that is at work just now finds its file gone, says so, and is tried again."""
    for new in list(staged.iterdir()):
        old = folder / new.name
        if old.exists():
            old.rename(staged / f"old-{new.name}")
        new.rename(old)
