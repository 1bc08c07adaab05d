"""Files of a folder as a stream: in order of their arrival, so that a cursor can say how far they were read."""

from __future__ import annotations

import os
import stat
from collections.abc import Collection, Iterator
from datetime import UTC, datetime
from pathlib import Path

from connectors.base import Cursor
from connectors.characters import clean
from connectors.errors import Misconfigured


def files(path: Path, suffixes: Collection[str], after: Cursor) -> Iterator[tuple[Path, Cursor]]:
    """Each file under `path` (or `path` itself) that came or changed since `after`, with the cursor that stands for having read it.

    Links are not followed: a folder of mail must not lead out of itself. Raises Misconfigured when there is no such path.
    """
    arrived = sorted((at, str(file)) for file in _found(path, tuple(suffixes)) if (at := _arrived_at(file, follow=file == path)) is not None)
    for at, name in arrived:
        if after.at is None or at >= after.at:
            yield Path(name), Cursor(at=at, key=clean(name))


def place(path: Path, folder: Path) -> str:
    """Where a file stands in its folder, for a person to find it."""
    return clean(str(path.relative_to(folder) if path != folder else path.name))[-500:]


def _found(path: Path, suffixes: tuple[str, ...]) -> list[Path]:
    try:
        is_file = stat.S_ISREG(path.stat().st_mode)
    except (OSError, ValueError) as error:
        why = f" ({error.strerror})" if isinstance(error, PermissionError) else ""
        raise Misconfigured(f"There is no file or folder {clean(str(path))}{why}. Check the path, as the worker's machine sees it.") from None
    if is_file:
        return [path]
    return [Path(folder, name) for folder, _, names in os.walk(path) for name in names if name.lower().endswith(suffixes) and not name.startswith(".")]


def _arrived_at(path: Path, *, follow: bool) -> datetime | None:
    """None for a link, a pipe, or a file that has just gone.

    The change of the inode, not of the content: a copied or unpacked file keeps its old content's time, and would be passed over.
    """
    try:
        found = path.stat(follow_symlinks=follow)
    except OSError:
        return None
    return datetime.fromtimestamp(found.st_ctime, UTC) if stat.S_ISREG(found.st_mode) else None
