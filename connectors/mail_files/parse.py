"""One raw message (RFC 5322 and what is sent instead of it) to an Interaction."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterator
from datetime import UTC, datetime, timedelta
from email.errors import HeaderParseError
from email.header import decode_header
from email.parser import BytesHeaderParser, BytesParser
from email.policy import Compat32
from email.utils import parseaddr, parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from connectors.addresses import addresses, direction, is_ours
from connectors.automatic import is_automatic
from connectors.characters import clean, decoded
from connectors.markup import html_to_text
from connectors.records import Interaction

if TYPE_CHECKING:
    from email.message import Message as AnyMessage

    Message = AnyMessage[str, str]

MAX_CHARS = 64_000
"""As much of a body as is ever read for its tone."""
MAX_SUBJECT = 1_000
MAX_HEADER = 50_000
MAX_NAME = 80
EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)
CLOCK_SKEW = timedelta(days=1)

_MAX_PARSED = 10_000_000
"""Bytes, without most of what is attached: words stand before that, or nowhere."""
_MAX_BOUNDARIES = 50_000
_MAX_LINES = 1_000_000
_MAX_NESTED_LINES = 50_000_000
"""The parser looks at every line once per level of nesting; no letter comes near, a message built to keep it busy does."""
_ATTACHED = re.compile(
    rb"(\n[Cc]ontent-[Tt]ype: ?(?:application|image|audio|video)/[^\r\n]*\r?\n(?:[^\r\n]+\r?\n){0,20}\r?\n)(?:[A-Za-z0-9+/]{1,80}={0,2}\r?\n)+"
)
"""What is attached in base64: left out before the parsing, which is most of the work on such a mail."""

_MESSAGE_ID = re.compile(r"<([^<>\s]{1,250})>")
_BARE_ID = re.compile(r"[^<>\s]{1,200}@[^<>\s]{1,49}")
_NO_NAME = re.compile(r"[@\d<>()\[\]/|;:]|^\W*$|\bvia\b|=\?")
_ROLE = re.compile(
    r"(no-?reply|do-?not-?reply|info|office|hello|contact|support|help(desk)?|service|sales|billing|accounts?|invoices?|admin|team|news(letter)?)([.+_-].*)?"
)
"""A box that several people share: the name beside it is nobody's."""
_BLANKS = re.compile(r"\s+")
_ENCODED_WORD = r"=\?[\w*.+-]{1,60}\?[bq]\?[^?\s]{0,1000}\?="
_ENCODED = re.compile(rf"{_ENCODED_WORD}(?:\s+{_ENCODED_WORD})*", re.IGNORECASE | re.ASCII)
_OUT_OF_ROOM = "its parts or lines are too many, or nested too deeply, for a letter"


class UnreadableMail(Exception):
    """Why a message cannot become an interaction; never what it says."""


class _AsSent(Compat32):
    """Header values as they came, undecoded. The older policy of the email package, since it never raises on a malformed header."""

    def header_fetch_parse(self, name: str, value: str) -> Any:  # noqa: ARG002 - the interface of every policy
        return value


_POLICY = _AsSent()


def interaction(raw: bytes, our_domains: Collection[str], until: datetime) -> Interaction:
    """Keyed by Message-ID, else by a hash of who wrote what to whom and when. Raises UnreadableMail."""
    raw = _ATTACHED.sub(rb"\1", _trimmed(raw))
    message = _parsed(raw[:_MAX_PARSED])
    sender = _sender(message, our_domains)
    to, cc = addresses(*_all(message, "To")), addresses(*_all(message, "Cc"))
    subject, body = _words(_header(message, "Subject"))[:MAX_SUBJECT], body_of(message)
    sent_at = _sent_at(message, until)
    message_id = _one_id(message, "Message-ID")
    return Interaction(
        key=message_id or _hash(sender, *to, *cc, sent_at.isoformat(), subject, body),
        kind="email",
        direction=direction(sender, (*to, *cc), our_domains),
        occurred_at=sent_at,
        from_email=sender,
        to_emails=to,
        cc_emails=cc,
        subject=subject,
        body=body[:MAX_CHARS],
        body_truncated=len(body) > MAX_CHARS or len(raw) > _MAX_PARSED,
        message_id=message_id,
        in_reply_to=_one_id(message, "In-Reply-To") or _last_reference(message),
        automatic=is_automatic(_headers_that_tell(message, sender), subject, body),
    )


def people_of(raw: bytes) -> tuple[str, ...]:
    """Everybody whom the headers name as sender or receiver, sender first."""
    message = BytesHeaderParser(policy=_POLICY).parsebytes(_trimmed(raw[:MAX_HEADER]))
    return addresses(*_all(message, "From"), *_all(message, "To"), *_all(message, "Cc"))


def named_writer(raw: bytes) -> tuple[str, str] | None:
    """(address, name) of the sender, as the headers have them; None where a machine wrote, or no name of a person stands there."""
    message = BytesHeaderParser(policy=_POLICY).parsebytes(_trimmed(raw[:MAX_HEADER]))
    header = _header(message, "From")
    senders, name = addresses(header), _words(parseaddr(header)[0]).strip(" '\"")
    if len(senders) != 1 or _NO_NAME.search(name) or not 1 < len(name) <= MAX_NAME:
        return None
    automatic = _ROLE.fullmatch(senders[0].partition("@")[0]) or is_automatic(_headers_that_tell(message, senders[0]), "", "")
    return None if automatic else (senders[0], name)


def body_of(message: Message) -> str:
    """What can be read at once: the plain texts where there are any, else HTML as text. "" for a message of attachments only.

    A message that is attached was written by somebody else, and is left out.
    """
    texts = [part for part in _parts(message) if part.get_content_maintype() == "text" and not _is_attachment(part)]
    return _joined(texts, "plain") or _joined(texts, "html")


def _parsed(raw: bytes) -> Message:
    if not raw:
        raise UnreadableMail("it is empty")
    lines, low = raw.count(b"\n"), raw.lower()
    nested = low.count(b"multipart/") + low.count(b"message/")
    if lines > _MAX_LINES or lines * nested > _MAX_NESTED_LINES or raw.count(b"\n--") > _MAX_BOUNDARIES:
        raise UnreadableMail(_OUT_OF_ROOM)
    try:
        return BytesParser(policy=_POLICY).parsebytes(raw)
    except RecursionError:
        raise UnreadableMail(_OUT_OF_ROOM) from None


def _trimmed(raw: bytes) -> bytes:
    """A byte-order mark or an empty line on top would hide all headers."""
    return raw.removeprefix(b"\xef\xbb\xbf").lstrip(b"\r\n\x00")


def _parts(message: Message) -> Iterator[Message]:
    waiting = [message]
    while waiting:
        part = waiting.pop()
        yield part
        children = part.get_payload() if part.get_content_maintype() == "multipart" else None
        if isinstance(children, list):
            waiting += [child for child in reversed(children) if not isinstance(child, str)]


def _is_attachment(part: Message) -> bool:
    return part.get_content_disposition() == "attachment" or bool(part.get_param("filename", header="content-disposition"))


def _joined(texts: list[Message], subtype: str) -> str:
    found: list[str] = []
    for part in texts:
        if part.get_content_subtype() == subtype and sum(map(len, found)) <= MAX_CHARS:
            text = _text_of(part)
            found.append(html_to_text(text) if subtype == "html" else text)
    return "\n\n".join(text.strip("\n") for text in found if text.strip())


def _text_of(part: Message) -> str:
    payload = part.get_payload(decode=True)
    return decoded(payload, part.get_content_charset()) if isinstance(payload, bytes) else ""


def _sender(message: Message, our_domains: Collection[str]) -> str:
    """Groups that pass mail on write themselves into From; then the person is named beside it."""
    named = addresses(*_all(message, "From")) or addresses(*_all(message, "Sender"))
    if not named:
        raise UnreadableMail("no sender's address: this is no e-mail, or its headers are damaged")
    original = addresses(*_all(message, "X-Original-From"), *_all(message, "X-Original-Sender"))
    return original[0] if original and is_ours(named[0], our_domains) else named[0]


def _sent_at(message: Message, until: datetime) -> datetime:
    """The Date header; where it is missing or absurd, when the last server on the way received it."""
    absurd = False
    for stamp in (_header(message, "Date"), *(value.rpartition(";")[2] for value in _all(message, "Received"))):
        at = _time(stamp)
        if at is not None and EARLIEST <= at <= until + CLOCK_SKEW:
            return at
        absurd = absurd or at is not None
    raise UnreadableMail("its date lies in the future or before 1990" if absurd else "it has no readable date")


def _time(stamp: str) -> datetime | None:
    try:
        at = parsedate_to_datetime(stamp[:200])
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def _headers_that_tell(message: Message, sender: str) -> dict[str, str]:
    """With the type of an invitation inside, which stands for the message's own."""
    headers = {name.lower(): _as_text(str(value)) for name, value in message.items()}
    invitation = next((part for part in _parts(message) if part.get_content_type() == "text/calendar" and not _is_attachment(part)), None)
    if invitation is not None:
        headers["content-type"] = _header(invitation, "Content-Type")
    return headers | {"from": sender}


def _header(message: Message, name: str) -> str:
    return next(iter(_all(message, name)), "")


def _all(message: Message, name: str) -> list[str]:
    return [_as_text(str(value)) for value in message.get_all(name, [])]


def _as_text(value: str) -> str:
    """On one line; the parser keeps bytes beyond ASCII as surrogates."""
    value = value[:MAX_HEADER]
    text = clean(value) if value.isascii() else decoded(value.encode("utf-8", "surrogateescape"))
    return _BLANKS.sub(" ", text).strip()


def _words(text: str) -> str:
    """With RFC 2047 words decoded; as it stands where that cannot be done."""
    return _BLANKS.sub(" ", _ENCODED.sub(_decoded_words, text)).strip() if "=?" in text else text


def _decoded_words(found: re.Match[str]) -> str:
    try:
        parts = decode_header(found.group())
    except (HeaderParseError, ValueError):
        return found.group()
    return "".join(decoded(part, charset) if isinstance(part, bytes) else part for part, charset in parts)


def _one_id(message: Message, name: str) -> str | None:
    text = _header(message, name)
    found = _MESSAGE_ID.search(text) or _BARE_ID.fullmatch(text)
    return f"<{found.group().strip('<>')}>" if found else None


def _last_reference(message: Message) -> str | None:
    found = _MESSAGE_ID.findall(_header(message, "References"))
    return f"<{found[-1]}>" if found else None


def _hash(*parts: str) -> str:
    return f"sha256:{hashlib.sha256(chr(0).join(parts).encode()).hexdigest()[:40]}"
