"""Logs: one JSON object a line on stderr. Only named fields leave the program, so no body, address or token can."""

from __future__ import annotations

import json
import logging
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
    | {"new", "updated", "skipped", "method", "route", "error_type", "where"}
)
"""What a record's `extra` may carry: ids, counts, names of ours."""

context: ContextVar[dict[str, str]] = ContextVar("log_context", default={})  # noqa: B039 - replaced, never mutated


class JsonLines(logging.Formatter):
    """Every value is JSON-encoded in ASCII, so no text can end a line or look like another one."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            # A library's message without its arguments: those may be an address, a query, somebody's words.
            "message": record.msg if isinstance(record.msg, str) else type(record.msg).__name__,
            **{name: value for name, value in (context.get() | record.__dict__).items() if name in FIELDS},
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
    for own_format in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logging.getLogger(own_format).handlers.clear()
        logging.getLogger(own_format).propagate = True
    for noisy in ("httpx", "urllib3", "simple_salesforce", "asyncio"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
