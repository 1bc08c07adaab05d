"""Files of a folder as a stream: in order of their last change, so that a cursor can say how far they were read."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import UTC, datetime
from pathlib import Path

from connectors.base import Cursor
from connectors.errors import Misconfigured


def files(path: Path, suffixes: Collection[str], after: Cursor) -> Iterator[tuple[Path, Cursor]]:
    """Each file under `path` (or `path` itself) changed since `after`, with the cursor that stands for having read it.

    Links are not followed: a folder of mail must not lead out of itself. Raises Misconfigured when there is no such path.
    """
    if not path.exists():
        raise Misconfigured(f"There is no file or folder {path}. Check the path, as the worker's machine sees it.")
    found = [path] if path.is_file() else [p for p in path.rglob("*") if p.is_file() and not p.is_symlink() and not p.name.startswith(".")]
    stamped = sorted((_changed_at(p), str(p)) for p in found if p.name.lower().endswith(tuple(suffixes)) or p == path)
    for at, name in stamped:
        if after.at is None or at >= after.at:
            yield Path(name), Cursor(at=at, key=name)


def _changed_at(path: Path) -> datetime:
    return datetime.fromtimestamp(path.stat().st_mtime, UTC)
