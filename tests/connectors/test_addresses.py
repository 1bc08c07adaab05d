"""Whose side is an address on? Nobody's mail may be taken for somebody else's."""

from __future__ import annotations

from email.headerregistry import Address
from email.utils import formataddr

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.addresses import SHARED_DOMAINS, addresses, direction, domain_of, is_ours

OURS = ("ours.example",)


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        # A name is never taken for an address.
        ('"boss@ours.example" <bo@theirs.example>', ["bo@theirs.example"]),
        ("boss@ours.example <bo@theirs.example>", ["bo@theirs.example"]),
        ("boss@ours.example via Desk <bo@theirs.example>, x@y.example", ["bo@theirs.example", "x@y.example"]),
        ("=?utf-8?q?boss=40ours=2Eexample?= <bo@theirs.example>", ["bo@theirs.example"]),
        ("'bo@theirs.example' <bo@theirs.example>", ["bo@theirs.example"]),
        # Good ones beside damaged ones are kept.
        ("a@x.example; b@y.example", ["a@x.example", "b@y.example"]),
        ("Ek, Bo <bo@x.example>", ["bo@x.example"]),
        ("Bo <bo@x.example>, broken <", ["bo@x.example"]),
        ("not at all, bo@x.example", ["bo@x.example"]),
        ("Team: a@x.example, b@y.example;", ["a@x.example", "b@y.example"]),
        ("'bo@x.example', \"eve@x.example\"", ["bo@x.example", "eve@x.example"]),
        ("BO@X.Example, bo@x.example.", ["bo@x.example"]),
        ("<bo@x.example", ["bo@x.example"]),
        ('"Bo <bo@x.example>', ["bo@x.example"]),
        ('B" <bo@x.example>, "C" <c@y.example>', ["bo@x.example", "c@y.example"]),
        # What is no address is left out.
        ("undisclosed-recipients:;", []),
        ("", []),
        ("bo(at)x.example", []),
        ("bo\x00@x.example", []),
        ("bo@x.example\x00", []),
        ("@x.example", []),
        ("bo@", []),
        (f"{'a' * 65}@x.example", []),
        (f"bo@{'x' * 250}.example", []),
    ],
)
def test_addresses_of_a_header(header, expected):
    assert list(addresses(header)) == expected


def test_a_damaged_header_costs_no_other_header():
    assert addresses('"broken <', "bo@x.example", "(((", "eve@x.example") == ("bo@x.example", "eve@x.example")


@pytest.mark.timeout(60)
@pytest.mark.parametrize("piece", ["(", '"', "a@b.example,", "<", ",", "\\", "a@[", "a@", "a@b <", "=?utf-8?b?", ":;"])
def test_no_header_takes_long(piece):
    assert len(addresses(piece * 50_000)) <= 1


NAMES = st.text(st.characters(min_codepoint=32, max_codepoint=0x2FF, exclude_characters="\x7f"), max_size=20)
LOCALS = st.text("abcdefghijklmnopqrstuvwxyz0123456789.+-_'", min_size=1, max_size=20).filter(
    lambda s: not s.startswith((".", "'")) and not s.endswith((".", "'")) and ".." not in s
)
DOMAINS = st.lists(st.text("abcdefghijklmnopqrstuvwxyz0123456789", min_size=1, max_size=10), min_size=2, max_size=4).map(".".join)


@settings(max_examples=150)
@given(st.lists(st.tuples(NAMES, LOCALS, DOMAINS), min_size=1, max_size=5))
def test_what_the_mail_library_writes_is_read_back(people):
    header = ", ".join(
        str(Address(name, local, domain)) if i % 2 else formataddr((name, f"{local}@{domain}")) for i, (name, local, domain) in enumerate(people)
    )
    assert list(addresses(header)) == list(dict.fromkeys(f"{local}@{domain}" for _, local, domain in people))


@settings(max_examples=200)
@given(st.text(max_size=80) | st.text('a@b.c<>,;:"()[]\\ \n', max_size=80))
def test_any_text_gives_addresses_or_none(text):
    for address in addresses(text):
        assert domain_of(address)
        assert address == address.lower()
        assert not set(address) & set(' \x00\n<>,;"')


@pytest.mark.parametrize(
    ("sender", "to", "expected"),
    [
        ("ann@ours.example", ["bo@theirs.example"], "out"),
        ("ann@mail.ours.example", ["bo@theirs.example", "tim@ours.example"], "out"),
        ("ann@ours.example", ["tim@ours.example"], "internal"),
        ("ann@ours.example", [], "out"),
        ("bo@theirs.example", ["ann@ours.example"], "in"),
        ("bo@notours.example", ["ann@ours.example"], "in"),
        ("bo@ours.example.theirs.example", ["ann@ours.example"], "in"),
        (None, ["ann@ours.example"], "unknown"),
    ],
)
def test_the_senders_side_decides_and_a_domain_that_only_looks_like_ours_is_not(sender, to, expected):
    assert direction(sender, iter(to), OURS) == expected


def test_at_a_mail_provider_only_the_address_itself_is_ours():
    assert is_ours("me@gmail.com", ("me@gmail.com",))
    assert not is_ours("you@gmail.com", ("me@gmail.com",))
    assert not is_ours("notme@gmail.com", ("me@gmail.com",))
    assert "gmail.com" in SHARED_DOMAINS
