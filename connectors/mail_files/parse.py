"""One raw message (RFC 5322 and what is sent instead of it) to an Interaction."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from email.header import decode_header, make_header
from email.message import Message as AnyMessage
from email.parser import BytesParser
from email.policy import compat32
from email.utils import parsedate_to_datetime

from connectors.addresses import addresses, direction
from connectors.automatic import is_automatic
from connectors.markup import html_to_text
from connectors.records import Interaction

MAX_CHARS = 64_000
"""As much of a body as is ever read for its tone."""
EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)
CLOCK_SKEW = timedelta(days=1)

Message = AnyMessage[str, str]

_MESSAGE_ID = re.compile(r"<[^<>\s]{1,250}>")
_BLANKS = re.compile(r"\s+")


class UnreadableMail(Exception):
    """Why a message cannot become an interaction; never what it says."""


def interaction(raw: bytes, our_domains: Collection[str], until: datetime) -> Interaction:
    """Keyed by Message-ID, else by a hash of the whole message. Raises UnreadableMail.

    The older policy of the email package is used on purpose: it never raises on a malformed header, real mail being what it is.
    """
    message = BytesParser(policy=compat32).parsebytes(raw)
    sender = next(iter(addresses(_header(message, "From") or _header(message, "Sender"))), None)
    if sender is None:
        raise UnreadableMail("no sender's address: this is no e-mail, or its headers are damaged")
    to, cc = addresses(*_all(message, "To")), addresses(*_all(message, "Cc"))
    subject, body = _header(message, "Subject")[:1000], body_of(message)
    message_id = _one_id(message, "Message-ID")
    return Interaction(
        key=message_id or f"sha256:{hashlib.sha256(raw).hexdigest()[:40]}",
        kind="email",
        direction=direction(sender, (*to, *cc), our_domains),
        occurred_at=_sent_at(message, until),
        from_email=sender,
        to_emails=to,
        cc_emails=cc,
        subject=subject,
        body=body[:MAX_CHARS],
        body_truncated=len(body) > MAX_CHARS,
        message_id=message_id,
        in_reply_to=_one_id(message, "In-Reply-To") or _last_reference(message),
        automatic=is_automatic({name: _plain(value) for name, value in message.items()}, subject, body),
    )


def body_of(message: Message) -> str:
    """The first readable text: plain where there is one, else HTML as text. "" for a message of attachments only."""
    texts = [part for part in message.walk() if part.get_content_maintype() == "text" and part.get_content_disposition() != "attachment"]
    plain = [text for part in texts if part.get_content_subtype() == "plain" and (text := _decoded(part)).strip()]
    if plain:
        return plain[0]
    html = [text for part in texts if part.get_content_subtype() == "html" and (text := _decoded(part)).strip()]
    return html_to_text(html[0]) if html else ""


def _decoded(part: Message) -> str:
    payload = part.get_payload(decode=True)
    if not isinstance(payload, bytes):
        return ""
    for charset in (part.get_content_charset() or "utf-8", "utf-8", "cp1252"):
        try:
            return payload.decode(charset).replace("\r\n", "\n")
        except (UnicodeDecodeError, LookupError):
            continue
    return payload.decode("latin-1").replace("\r\n", "\n")


def _sent_at(message: Message, until: datetime) -> datetime:
    """The Date header; where it is missing or absurd, when the last server on the way received it."""
    stamps = [_header(message, "Date"), *(value.rpartition(";")[2] for value in _all(message, "Received"))]
    times = [at for stamp in stamps if (at := _time(stamp)) is not None]
    believable = [at for at in times if EARLIEST <= at <= until + CLOCK_SKEW]
    if believable:
        return believable[0]
    raise UnreadableMail("its date lies in the future or before 1990" if times else "it has no readable date")


def _time(stamp: str) -> datetime | None:
    try:
        at = parsedate_to_datetime(stamp.strip())
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def _header(message: Message, name: str) -> str:
    return next(iter(_all(message, name)), "")


def _all(message: Message, name: str) -> list[str]:
    return [_plain(value) for value in message.get_all(name, [])]


def _plain(value: object) -> str:
    """Decoded and on one line; as it stands where it cannot be decoded."""
    text = str(value)
    with suppress(ValueError, LookupError, UnicodeError):
        text = str(make_header(decode_header(text)))
    return _BLANKS.sub(" ", text).strip()


def _one_id(message: Message, name: str) -> str | None:
    found = _MESSAGE_ID.search(_header(message, name))
    return found.group() if found else None


def _last_reference(message: Message) -> str | None:
    found = _MESSAGE_ID.findall(_header(message, "References"))
    return found[-1] if found else None
