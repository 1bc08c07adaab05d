"""Logs: one JSON object a line on stderr. Only named fields leave the program, so no body, address or token can."""

from __future__ import annotations

import json
import logging
import sys
import traceback
from contextvars import ContextVar
from datetime import UTC, datetime

FIELDS = frozenset(
    {"workspace", "connection", "stream", "job", "account", "suggestion", "signal", "status", "rows", "rejected", "attempt", "wait", "seconds"}
    | {"new", "updated", "skipped", "method", "route", "error_type", "where"}
)
"""What a record's `extra` may carry: ids, counts, names of ours."""

context: ContextVar[dict[str, str]] = ContextVar("log_context", default={})  # noqa: B039 - replaced, never mutated


class JsonLines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **context.get(),
            **{name: value for name, value in record.__dict__.items() if name in FIELDS},
        }
        if record.exc_info and record.exc_info[1] is not None:
            # The message of a database error quotes parameters, which may be somebody's words: type and place only.
            line["error_type"] = type(record.exc_info[1]).__name__
            line["where"] = [f"{f.filename}:{f.lineno} {f.name}" for f in traceback.extract_tb(record.exc_info[2])[-6:]]
        return json.dumps(line, default=str, ensure_ascii=True)


def set_up(level: str = "INFO") -> None:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for noisy in ("httpx", "urllib3", "simple_salesforce", "asyncio"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
