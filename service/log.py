"""Logs: one JSON object a line on stderr. Only named fields leave the program, so no body, address or token can."""

from __future__ import annotations

import json
import logging
import re
import sys
import traceback
from contextvars import ContextVar
from datetime import UTC, datetime

FIELDS = frozenset(
    {
        "workspace",
        "connection",
        "stream",
        "job",
        "job_id",
        "account",
        "suggestion",
        "signal",
        "status",
        "rows",
        "rejected",
        "attempt",
        "wait",
        "seconds",
        "calls",
    }
    | {"new", "updated", "skipped", "method", "route", "error_type", "where", "child", "exit_code"}
)
"""What a record's `extra` may carry: ids, counts, names of ours."""

_PLACES = re.compile(r"%%|%(?:\(\w+\))?[#0 +-]*[\d*]*(?:\.[\d*]+)?[a-zA-Z]")
"""Where a template's arguments go."""
_QUIET = ("httpx", "urllib3", "simple_salesforce", "asyncio", "celery", "kombu")
"""Libraries that tell of each thing they do: what goes well is told by our own lines, once."""

context: ContextVar[dict[str, str]] = ContextVar("log_context", default={})  # noqa: B039 - replaced, never mutated


class JsonLines(logging.Formatter):
    """Every value is JSON-encoded in ASCII, so no text can end a line or look like another one."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": _message(record),
            **{name: value for name, value in (context.get() | record.__dict__).items() if name in FIELDS},
        }
        if record.exc_info and record.exc_info[1] is not None:
            # The message of a database error quotes parameters, which may be somebody's words: type and place only.
            line["error_type"] = type(record.exc_info[1]).__name__
            line["where"] = [f"{f.filename}:{f.lineno} {f.name}" for f in traceback.extract_tb(record.exc_info[2])[-6:]]
        return json.dumps(line, default=str, ensure_ascii=True)


def _message(record: logging.LogRecord) -> str:
    """A library's without its arguments: those may be an address, a query, somebody's words."""
    if not isinstance(record.msg, str):
        return type(record.msg).__name__
    return _PLACES.sub(lambda place: "%" if place[0] == "%%" else "...", record.msg) if record.args else record.msg


def set_up(level: str = "INFO") -> None:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for own_format in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logging.getLogger(own_format).handlers.clear()
        logging.getLogger(own_format).propagate = True
    for noisy in _QUIET:
        logging.getLogger(noisy).setLevel(logging.WARNING)
