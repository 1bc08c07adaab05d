"""Mail addresses and whose side they are on."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from email.utils import getaddresses

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


def addresses(*headers: str) -> tuple[str, ...]:
    """Lower-case addresses of address headers, each once, in order. What is no address is left out."""
    found = (address.strip().lower() for _, address in getaddresses(headers))
    return tuple(dict.fromkeys(a for a in found if _is_address(a)))


def domain_of(address: str) -> str:
    return address.rpartition("@")[2]


def direction(sender: str | None, recipients: Iterable[str], our_domains: Collection[str]) -> Direction:
    """By the sender's side; what stays among ourselves is `internal`. `unknown` without a sender."""
    if sender is None:
        return "unknown"
    if not is_ours(sender, our_domains):
        return "in"
    others = [r for r in recipients if not is_ours(r, our_domains)]
    return "out" if others else "internal"


def is_ours(address: str, our_domains: Collection[str]) -> bool:
    """A subdomain of ours is ours as well."""
    domain = domain_of(address)
    return any(domain == ours or domain.endswith(f".{ours}") for ours in our_domains)


def _is_address(text: str) -> bool:
    local, at, domain = text.rpartition("@")
    return bool(at and local and domain) and len(text) <= 254 and not any(c.isspace() or c < " " for c in text)
