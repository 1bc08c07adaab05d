"""Settings, read once from the environment. Bad values are refused by name; their content is never printed."""

from __future__ import annotations

import base64
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from service.errors import SettingError


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """docs/configuration.md lists these; a test compares the two."""

    database_url: str | None = field(default=None, repr=False)
    database_owner_url: str | None = field(default=None, repr=False)
    redis_url: str | None = field(default=None, repr=False)
    home: Path = Path()
    keys: tuple[tuple[str, bytes], ...] = field(default=(), repr=False)
    data: Path | None = None
    fixed_now: datetime | None = None
    host: str = "127.0.0.1"
    port: int = 8321
    public_url: str = "http://127.0.0.1:8321"
    pool_size: int = 10
    push_lease: timedelta = timedelta(seconds=60)
    requests_per_minute: int = 3000
    requests_burst: int = 600
    log_level: str = "INFO"
    model_url: str | None = None
    model_name: str | None = None
    model_key: str | None = field(default=None, repr=False)
    oidc_issuer: str | None = None
    oidc_client_id: str | None = None
    oidc_client_secret: str | None = field(default=None, repr=False)


def default_home() -> Path:
    if os.name == "posix" and os.geteuid() == 0:
        return Path("/var/lib/undertone")
    return Path.home() / ".local" / "state" / "undertone"


def read(environ: Mapping[str, str]) -> Settings:
    """Raises SettingError naming the first setting that cannot be used. A setting that is empty counts as not given."""
    given = {name: value.strip() for name, value in environ.items() if value.strip()}
    host = _host(given, "UNDERTONE_HOST", "127.0.0.1")
    port = _whole_number(given, "UNDERTONE_PORT", default=8321, low=1, high=65535)
    model_url, model_name, model_key = _model(given)
    oidc_issuer, oidc_client_id, oidc_client_secret = _provider(given)
    return Settings(
        database_url=_url(given, "DATABASE_URL", _POSTGRES),
        database_owner_url=_url(given, "DATABASE_OWNER_URL", _POSTGRES),
        redis_url=_url(given, "REDIS_URL", _REDIS),
        home=Path(given.get("UNDERTONE_HOME") or default_home()),
        keys=_keys(given.get("UNDERTONE_KEYS", "")),
        data=Path(given["UNDERTONE_DATA"]) if "UNDERTONE_DATA" in given else None,
        fixed_now=_time(given, "UNDERTONE_NOW"),
        host=host,
        port=port,
        public_url=_public_url(given, "UNDERTONE_PUBLIC_URL") or f"http://{f'[{host}]' if ':' in host else host}:{port}",
        pool_size=_whole_number(given, "UNDERTONE_POOL_SIZE", default=10, low=1, high=200),
        push_lease=timedelta(seconds=_whole_number(given, "UNDERTONE_PUSH_LEASE", default=60, low=2, high=600)),
        requests_per_minute=_whole_number(given, "UNDERTONE_REQUESTS_PER_MINUTE", default=3000, low=1, high=1_000_000),
        requests_burst=_whole_number(given, "UNDERTONE_REQUESTS_BURST", default=600, low=1, high=1_000_000),
        log_level=_one_of(given, "UNDERTONE_LOG_LEVEL", "INFO", ("DEBUG", "INFO", "WARNING", "ERROR")),
        model_url=model_url,
        model_name=model_name,
        model_key=model_key,
        oidc_issuer=oidc_issuer,
        oidc_client_id=oidc_client_id,
        oidc_client_secret=oidc_client_secret,
    )


@cache
def settings() -> Settings:
    return read(os.environ)


def now() -> datetime:
    """The one place that reads the clock. UNDERTONE_NOW holds it still, for replays and the demo."""
    return settings().fixed_now or real_time()


def real_time() -> datetime:
    """The clock whatever UNDERTONE_NOW says: keys, sessions and sign-in links end by it."""
    return datetime.now(UTC)


_POSTGRES = ("postgresql", "postgres")
_REDIS = ("redis", "rediss")
_HOST = re.compile(r"[A-Za-z0-9._:-]{1,255}")
_KEY_ID = re.compile(r"[A-Za-z0-9_-]{1,32}")
_BROKEN_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})|%00")
"""libpq refuses such a URL in a message that repeats the password."""
_YEARS = range(2000, 2100)


def _whole_number(given: Mapping[str, str], name: str, *, default: int, low: int, high: int) -> int:
    text = given.get(name, str(default))
    if not re.fullmatch(r"[0-9]{1,9}", text) or not low <= int(text) <= high:
        message = f"{name} must be a whole number from {low} to {high}."
        raise SettingError(message)
    return int(text)


def _one_of(given: Mapping[str, str], name: str, default: str, allowed: tuple[str, ...]) -> str:
    text = given.get(name, default).upper()
    if text not in allowed:
        message = f"{name} must be one of {', '.join(allowed)}."
        raise SettingError(message)
    return text


def _host(given: Mapping[str, str], name: str, default: str) -> str:
    text = given.get(name, default)
    if not _HOST.fullmatch(text):
        message = f"{name} must be a host name or an address like 127.0.0.1."
        raise SettingError(message)
    return text


def _url(given: Mapping[str, str], name: str, schemes: tuple[str, ...]) -> str | None:
    text = given.get(name)
    if text is None:
        return None
    parts = _split(text)
    if parts is None or parts.scheme not in schemes or _BROKEN_ESCAPE.search(text) or re.search(r"\s", text):
        message = f"{name} must be a URL like {schemes[0]}://user:password@host/0, with special characters of the password as %XX."
        raise SettingError(message)
    return text


def _public_url(given: Mapping[str, str], name: str) -> str | None:
    text = given.get(name)
    if text is None:
        return None
    parts = _split(text)
    plain = parts and parts.hostname and parts.username is None and not parts.query and not parts.fragment
    if not parts or not plain or parts.scheme not in ("http", "https") or re.search(r"[\s\"'<>\\]", text):
        message = f"{name} must be the address people open, like https://undertone.example.com, without a login."
        raise SettingError(message)
    return text.rstrip("/")


def _model(given: Mapping[str, str]) -> tuple[str | None, str | None, str | None]:
    """Address, name and key of a language model: the first two together or none at all."""
    url, name, key = (given.get(setting) for setting in ("UNDERTONE_MODEL_URL", "UNDERTONE_MODEL_NAME", "UNDERTONE_MODEL_KEY"))
    if (url is None) is not (name is None) or (key is not None and url is None):
        message = (
            "UNDERTONE_MODEL_URL and UNDERTONE_MODEL_NAME belong together, and UNDERTONE_MODEL_KEY to them. Set both of the first two, or none of the three."
        )
        raise SettingError(message)
    if url is not None and not _is_safe_url(url):
        message = "UNDERTONE_MODEL_URL must be like https://models.example.com/v1, without a login or a query; http:// is for this machine alone."
        raise SettingError(message)
    if name is not None and not (len(name) <= 200 and name.isprintable()):
        message = "UNDERTONE_MODEL_NAME must be the name that the server knows the model by, of at most 200 characters."
        raise SettingError(message)
    if key is not None and not re.fullmatch(r"[!-~]{1,4096}", key):
        message = "UNDERTONE_MODEL_KEY must be the key alone, in plain letters and signs without blanks."
        raise SettingError(message)
    return url.rstrip("/") if url else None, name, key


def _provider(given: Mapping[str, str]) -> tuple[str | None, str | None, str | None]:
    """Issuer, client id and client secret: all three or none at all."""
    issuer, client_id, secret = found = tuple(given.get(name) for name in ("UNDERTONE_OIDC_ISSUER", "UNDERTONE_OIDC_CLIENT_ID", "UNDERTONE_OIDC_CLIENT_SECRET"))
    if None in found and set(found) != {None}:
        message = "UNDERTONE_OIDC_ISSUER, UNDERTONE_OIDC_CLIENT_ID and UNDERTONE_OIDC_CLIENT_SECRET belong together. Set all three, or none of them."
        raise SettingError(message)
    if issuer is not None and not _is_safe_url(issuer):
        message = "UNDERTONE_OIDC_ISSUER must be like https://login.example.com, without a login or a query; http:// is for this machine alone."
        raise SettingError(message)
    if not all(re.fullmatch(r"[!-~]{1,4096}", text or "-") for text in (client_id, secret)):
        message = "UNDERTONE_OIDC_CLIENT_ID and UNDERTONE_OIDC_CLIENT_SECRET must be as the provider shows them, in plain letters and signs without blanks."
        raise SettingError(message)
    return issuer, client_id, secret


def _is_safe_url(text: str) -> bool:
    """Keys and private words go there, so that plain HTTP is for this machine alone."""
    parts = _split(text)
    plain = parts and parts.hostname and parts.username is None and not parts.query and not parts.fragment
    if not parts or not plain or re.search(r"[\s\"'<>\\]", text):
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and is_this_machine(parts.hostname))


def is_this_machine(host: str | None) -> bool:
    return host is not None and re.fullmatch(r"localhost|127(?:\.\d{1,3}){3}|::1", host) is not None


def _split(text: str) -> SplitResult | None:
    """None where the parts of a URL cannot be told, its port included."""
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError:
        return None
    return parts


def _time(given: Mapping[str, str], name: str) -> datetime | None:
    text = given.get(name)
    if text is None:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        at = None
    if at is None or at.year not in _YEARS:
        message = f"{name} must be a time like 2026-10-30T18:00:00Z."
        raise SettingError(message)
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def _keys(text: str) -> tuple[tuple[str, bytes], ...]:
    """UNDERTONE_KEYS is `id:base64` pairs, the one that encrypts first, e.g. `2026b:...,2026a:...`; each key has 32 bytes."""
    keys = tuple(_key(pair) for pair in text.split(",") if pair.strip())
    if len({key_id for key_id, _ in keys}) < len(keys):
        message = "UNDERTONE_KEYS names two keys by the same id; what one of them encrypted could not be read. Give each its own id."
        raise SettingError(message)
    return keys


def _key(pair: str) -> tuple[str, bytes]:
    key_id, _, encoded = pair.strip().partition(":")
    try:
        key = base64.b64decode(encoded, validate=True)
    except ValueError:
        key = b""
    if not _KEY_ID.fullmatch(key_id) or len(key) != 32:
        message = "UNDERTONE_KEYS must be id:base64 pairs with 32 bytes each, separated by commas. Make one with: undertone key secret"
        raise SettingError(message)
    return key_id, key
