"""Settings: bad values are refused by name, and no value is ever printed."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, strategies

from service import config
from service.config import Settings, read
from service.errors import SettingError

KEY = base64.b64encode(b"k" * 32).decode()
SECRET = "hushhush"

BAD = {
    "DATABASE_URL": [
        SECRET,
        f"mysql://u:{SECRET}@h/d",
        f"postgresql//u:{SECRET}@h/d",
        f"postgresql://u:{SECRET}%zz@h/d",
        f"postgresql://u:{SECRET}@h:port/d",
        f"postgresql://u:{SECRET}%00@h/d",
        f"postgresql://u:{SECRET} x@h/d",
        f"postgresql://[{SECRET}/d",
    ],
    "DATABASE_OWNER_URL": [f"http://{SECRET}"],
    "REDIS_URL": [SECRET, f"http://:{SECRET}@h", f"redis://:{SECRET}@h:x/0"],
    "UNDERTONE_KEYS": [
        SECRET,
        f"a:{SECRET}",
        f"a:{KEY},b",
        f"a:{KEY},a:{KEY}",
        f":{KEY}",
        f"a b:{KEY}",
        f"a.b:{KEY}",
        f"{'x' * 33}:{KEY}",
        "a:\u00e9",
        f"a:{KEY[:-2]}",
    ],
    "UNDERTONE_NOW": [SECRET, "tomorrow", "2026-13-01", "0001-01-01", "9999-12-31T23:59:59-14:00"],
    "UNDERTONE_HOST": [f"{SECRET} x", "a/b", "a@b", "\u00e9"],
    "UNDERTONE_PORT": [SECRET, "0", "65536", "-1", "1.5", "\u00b2", "\u0661", "9" * 5000, "0x1f"],
    "UNDERTONE_PUBLIC_URL": [SECRET, f"javascript:{SECRET}", f"https://u:{SECRET}@h", "https://", "https://h?x=1", "https://h:x", "https://h/<b>"],
    "UNDERTONE_POOL_SIZE": [SECRET, "0", "201"],
    "UNDERTONE_PUSH_LEASE": [SECRET, "1", "601"],
    "UNDERTONE_REQUESTS_PER_MINUTE": [SECRET, "0", "1000001", "-5"],
    "UNDERTONE_REQUESTS_BURST": [SECRET, "0", "1e3"],
    "UNDERTONE_LOG_LEVEL": [SECRET, "TRACE"],
    "UNDERTONE_OIDC_ISSUER": [f"https://login.example.com/{SECRET}", SECRET],
    "UNDERTONE_OIDC_CLIENT_ID": [SECRET],
    "UNDERTONE_OIDC_CLIENT_SECRET": [SECRET],
}


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in BAD.items() for value in values])
def test_a_bad_value_is_refused_by_name_and_not_printed(name, value):
    with pytest.raises(SettingError) as caught:
        read({name: value})
    assert name in str(caught.value)
    assert SECRET not in str(caught.value)
    assert len(value) < 9 or value not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


@given(strategies.dictionaries(strategies.sampled_from(sorted(BAD)), strategies.text(max_size=60), max_size=4))
def test_no_text_breaks_the_reading_of_settings(environ):
    try:
        assert isinstance(read(environ), Settings)
    except SettingError as error:
        assert any(name in str(error) for name in environ)


def test_nothing_set_is_a_machine_of_its_own_on_loopback():
    found = read({})
    assert (found.database_url, found.redis_url, found.keys, found.fixed_now) == (None, None, (), None)
    assert (found.host, found.port, found.public_url) == ("127.0.0.1", 8321, "http://127.0.0.1:8321")


def test_an_empty_setting_counts_as_not_given():
    assert read(dict.fromkeys(BAD, " ")) == read({})


def test_settings_are_read_as_written():
    found = read(
        {
            "DATABASE_URL": "postgresql://app:p%40ss@db:5432/undertone?sslmode=require",
            "REDIS_URL": "rediss://:x@cache/1",
            "UNDERTONE_HOME": "/srv/undertone",
            "UNDERTONE_DATA": "/srv/data",
            "UNDERTONE_KEYS": f"b:{KEY}, a:{KEY}",
            "UNDERTONE_NOW": "2026-03-02T09:00:00+01:00",
            "UNDERTONE_HOST": "0.0.0.0",
            "UNDERTONE_PORT": "80",
            "UNDERTONE_PUBLIC_URL": "https://undertone.example.com/",
            "UNDERTONE_POOL_SIZE": "3",
            "UNDERTONE_PUSH_LEASE": "9",
            "UNDERTONE_LOG_LEVEL": "debug",
        }
    )
    assert found.database_url == "postgresql://app:p%40ss@db:5432/undertone?sslmode=require"
    assert found.redis_url == "rediss://:x@cache/1"
    assert (found.home, found.data) == (Path("/srv/undertone"), Path("/srv/data"))
    assert [key_id for key_id, _ in found.keys] == ["b", "a"]
    assert found.fixed_now == datetime(2026, 3, 2, 8, tzinfo=UTC)
    assert (found.host, found.port, found.public_url) == ("0.0.0.0", 80, "https://undertone.example.com")
    assert (found.pool_size, found.push_lease, found.log_level) == (3, timedelta(seconds=9), "DEBUG")


OIDC = {"UNDERTONE_OIDC_ISSUER": "https://login.example.com/", "UNDERTONE_OIDC_CLIENT_ID": "undertone", "UNDERTONE_OIDC_CLIENT_SECRET": SECRET}
BAD_OIDC = {
    "UNDERTONE_OIDC_ISSUER": ["http://login.example.com", "https://u:p@h", "https://h?x=1", "https://", "javascript:x", "https://h/<b>"],
    "UNDERTONE_OIDC_CLIENT_ID": ["a b", "\u00e9", "x" * 4097],
    "UNDERTONE_OIDC_CLIENT_SECRET": [f"{SECRET} x", "\u00e9"],
}


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in BAD_OIDC.items() for value in values])
def test_a_sign_in_provider_that_cannot_be_trusted_or_typed_is_refused(name, value):
    with pytest.raises(SettingError, match=name) as caught:
        read({**OIDC, name: value})
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize("name", OIDC)
def test_half_a_sign_in_provider_is_none(name):
    with pytest.raises(SettingError, match="belong together"):
        read({**OIDC, name: ""})


def test_a_sign_in_provider_is_read_as_written_and_its_secret_is_not_shown():
    found = read(OIDC)
    assert (found.oidc_issuer, found.oidc_client_id, found.oidc_client_secret) == ("https://login.example.com/", "undertone", SECRET)
    assert SECRET not in repr(found)
    assert read({**OIDC, "UNDERTONE_OIDC_ISSUER": "http://127.0.0.1:8080"}).oidc_issuer == "http://127.0.0.1:8080"


def test_an_address_of_colons_makes_a_url_that_opens():
    assert read({"UNDERTONE_HOST": "::1"}).public_url == "http://[::1]:8321"


def test_a_clock_that_is_held_still_does_not_hold_what_has_to_end(monkeypatch):
    monkeypatch.setenv("UNDERTONE_NOW", "2001-01-01")
    config.settings.cache_clear()
    try:
        assert config.now() == datetime(2001, 1, 1, tzinfo=UTC)
        assert config.real_time().year > 2001
    finally:
        monkeypatch.undo()
        config.settings.cache_clear()
