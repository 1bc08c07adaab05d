"""Mail addresses and whose side they are on."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from email import utils

from connectors.records import Direction

SHARED_DOMAINS = tuple(
    "gmail.com googlemail.com outlook.com hotmail.com hotmail.co.uk hotmail.fr hotmail.de live.com live.co.uk msn.com yahoo.com yahoo.co.uk yahoo.fr"
    " yahoo.de yahoo.es ymail.com rocketmail.com icloud.com me.com mac.com aol.com proton.me protonmail.com pm.me gmx.de gmx.net gmx.at gmx.ch gmx.com"
    " web.de t-online.de freenet.de mail.com mail.ru yandex.ru yandex.com orange.fr wanadoo.fr free.fr sfr.fr laposte.net neuf.fr libero.it tiscali.it"
    " virgilio.it terra.com.br uol.com.br bol.com.br ig.com.br sapo.pt telefonica.net btinternet.com sky.com virginmedia.com ntlworld.com talktalk.net"
    " comcast.net verizon.net att.net sbcglobal.net cox.net charter.net bellsouth.net shaw.ca rogers.com sympatico.ca bigpond.com optusnet.com.au"
    " xtra.co.nz qq.com 163.com 126.com sina.com naver.com hanmail.net rediffmail.com zoho.com fastmail.com hey.com tutanota.com".split()
)
"""Domains of mail providers: they say nothing about the company that somebody writes for."""

_MAX_HEADER = 50_000
_LENIENT: dict[str, bool] = {"strict": False} if getattr(utils, "supports_strict_parsing", False) else {}
"""Newer versions of the library give up a whole header for one damaged address; the good ones beside it are wanted."""
_NAMED_BY_ADDRESS = re.compile(r"(^|[,;>])[^<>,;\"@]*@[^<>,;\"]*(?=<[^<>\s]{1,254}>)")
"""boss@ours.com <bob@theirs.com>: a name without quotation marks that looks like an address, and is none."""
_IN_BRACKETS = re.compile(r"<([^<>\s]{1,254})>")
_MOST_COMMENTS = 50
_ADDRESS = re.compile(r"[^\s@<>,;:\"()\[\]\x00-\x1f\x7f]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})*")


def addresses(*headers: str) -> tuple[str, ...]:
    """Lower-case addresses of address headers, each once, in order. What is no address is left out.

    Headers are given as they were sent: a name decoded before could hold an address of its own.
    """
    return tuple(dict.fromkeys(address for header in headers for address in _of_one(header)))


def domain_of(address: str) -> str:
    return address.rpartition("@")[2]


def direction(sender: str | None, recipients: Iterable[str], our_domains: Collection[str]) -> Direction:
    """By the sender's side; what stays among ourselves is `internal`, so what names nobody (blind copies) is not. `unknown` without a sender."""
    if sender is None:
        return "unknown"
    if not is_ours(sender, our_domains):
        return "in"
    to = list(recipients)
    return "internal" if to and all(is_ours(r, our_domains) for r in to) else "out"


def is_ours(address: str, our_domains: Collection[str]) -> bool:
    """A subdomain of ours is ours as well. A whole address may stand among the domains."""
    domain = domain_of(address)
    return any(ours in (domain, address) or domain.endswith(f".{ours}") for ours in our_domains)


def _of_one(header: str) -> list[str]:
    bounded = _bounded(header)
    found = [address.strip(" '\"<>.").lower() for _, address in utils.getaddresses([bounded], **_LENIENT)]
    usable = [address for address in found if _is_address(address)]
    # A quotation mark that is never closed hides everything behind it from the library.
    return usable or [address for address in _IN_BRACKETS.findall(bounded.lower()) if _is_address(address)]


def _bounded(header: str) -> str:
    """Ready for the library, which calls itself for every comment inside a comment."""
    if len(header) > _MAX_HEADER:
        header = header[:_MAX_HEADER].rpartition(",")[0]
    if header.count("(") > _MOST_COMMENTS:
        header = header.replace("(", " ").replace(")", " ")
    return _NAMED_BY_ADDRESS.sub(r"\1", header)


def _is_address(text: str) -> bool:
    return len(text) <= 254 and _ADDRESS.fullmatch(text) is not None
