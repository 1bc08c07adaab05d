"""The sets of benchmarks/drafting, as rows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from service.errors import BadInput

Row = dict[str, Any]


def read(folder: Path, name: str) -> list[Row]:
    """Raises BadInput that names the file, and the line if one is no JSON object."""
    path = folder / f"{name}.ndjson"
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as problem:
        message = f"The test set {path} cannot be read ({problem}). It lies in benchmarks/drafting of a clone; --sets names another folder."
        raise BadInput(message) from None
    return [_row(line, path, number) for number, line in enumerate(lines, 1) if line.strip()]


def _row(line: str, path: Path, number: int) -> Row:
    try:
        row = json.loads(line)
    except ValueError:
        row = None
    if not isinstance(row, dict):
        message = f"Line {number} of {path} is no JSON object. Put the whole file there again."
        raise BadInput(message)
    return row
