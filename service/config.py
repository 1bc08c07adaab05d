"""Settings, read once from the environment. Bad values are refused by name; their content is never printed."""

from __future__ import annotations

import base64
import binascii
import os
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

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
    log_level: str = "INFO"


def default_home() -> Path:
    if os.name == "posix" and os.geteuid() == 0:
        return Path("/var/lib/undertone")
    return Path.home() / ".local" / "state" / "undertone"


def read(environ: dict[str, str]) -> Settings:
    """Raises SettingError naming the first setting that cannot be used."""
    host = environ.get("UNDERTONE_HOST", "127.0.0.1")
    port = _whole_number(environ, "UNDERTONE_PORT", default=8321, low=0, high=65535)
    return Settings(
        database_url=environ.get("DATABASE_URL"),
        database_owner_url=environ.get("DATABASE_OWNER_URL"),
        redis_url=environ.get("REDIS_URL"),
        home=Path(environ.get("UNDERTONE_HOME") or default_home()),
        keys=_keys(environ.get("UNDERTONE_KEYS", "")),
        data=Path(environ["UNDERTONE_DATA"]) if environ.get("UNDERTONE_DATA") else None,
        fixed_now=_time(environ, "UNDERTONE_NOW"),
        host=host,
        port=port,
        public_url=environ.get("UNDERTONE_PUBLIC_URL", f"http://{host}:{port}").rstrip("/"),
        pool_size=_whole_number(environ, "UNDERTONE_POOL_SIZE", default=10, low=1, high=200),
        log_level=_one_of(environ, "UNDERTONE_LOG_LEVEL", "INFO", ("DEBUG", "INFO", "WARNING", "ERROR")),
    )


@cache
def settings() -> Settings:
    return read(dict(os.environ))


def now() -> datetime:
    """The one place that reads the clock. UNDERTONE_NOW holds it still, for replays and the demo."""
    return settings().fixed_now or datetime.now(UTC)


def _whole_number(environ: dict[str, str], name: str, *, default: int, low: int, high: int) -> int:
    text = environ.get(name, str(default))
    if not text.isdigit() or not low <= int(text) <= high:
        message = f"{name} must be a whole number from {low} to {high}."
        raise SettingError(message)
    return int(text)


def _one_of(environ: dict[str, str], name: str, default: str, allowed: tuple[str, ...]) -> str:
    text = environ.get(name, default).upper()
    if text not in allowed:
        message = f"{name} must be one of {', '.join(allowed)}."
        raise SettingError(message)
    return text


def _time(environ: dict[str, str], name: str) -> datetime | None:
    text = environ.get(name)
    if not text:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        message = f"{name} must be a time like 2026-10-30T18:00:00Z."
        raise SettingError(message) from None
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def _keys(text: str) -> tuple[tuple[str, bytes], ...]:
    """UNDERTONE_KEYS is `id:base64` pairs, the one that encrypts first, e.g. `2026b:...,2026a:...`; each key has 32 bytes."""
    return tuple(_key(pair) for pair in text.split(",") if pair.strip())


def _key(pair: str) -> tuple[str, bytes]:
    key_id, _, encoded = pair.strip().partition(":")
    try:
        key = base64.b64decode(encoded, validate=True)
    except binascii.Error:
        key = b""
    if not key_id or len(key) != 32:
        message = "UNDERTONE_KEYS must be id:base64 pairs with 32 bytes each, separated by commas. Make one with: undertone key secret"
        raise SettingError(message)
    return key_id, key
