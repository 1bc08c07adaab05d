"""Model files: arrays in .npz or weights in .json, metadata beside them, every hash checked at load, no pickle. And word lists.

`<name>.json` holds {"files": {file: sha256}, ...metadata}; its own small numbers may live in it directly.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import yaml

MODELS = Path(__file__).parent / "models"
WORDS = Path(__file__).parent / "words"
Array = npt.NDArray[Any]


class BrokenArtifact(Exception):
    """A model file is missing, changed or of another format; the message says which and what to run."""


@dataclass(frozen=True, slots=True)
class Artifact:
    name: str
    version: str
    """Name and the first 8 hex digits of the content's hash: stored beside every score made with it."""
    meta: Mapping[str, Any]
    arrays: Mapping[str, Array]


def save(name: str, meta: Mapping[str, Any], arrays: Mapping[str, Array] | None = None, folder: Path = MODELS) -> Artifact:
    """Write `<name>.json` and, if there are arrays, `<name>.npz`. The same content gives the same bytes."""
    folder.mkdir(parents=True, exist_ok=True)
    body, content = packed(name, meta, arrays)
    if arrays:
        (folder / f"{name}.npz").write_bytes(content)
    (folder / f"{name}.json").write_text(json.dumps(body, indent=1, sort_keys=True) + "\n")
    return load(name, folder)


def load(name: str, folder: Path = MODELS) -> Artifact:
    path, mend = folder / f"{name}.json", f"rebuild it with python -m ml.train.{name}"
    try:
        body: dict[str, Any] = json.loads(path.read_text())
    except (OSError, ValueError) as problem:
        raise BrokenArtifact(f"{path} cannot be read ({problem}); {mend}") from None
    return unpacked(name, body, lambda file: (folder / file).read_bytes(), str(folder), mend)


def packed(name: str, meta: Mapping[str, Any], arrays: Mapping[str, Array] | None) -> tuple[dict[str, Any], bytes]:
    """(metadata with all hashes, arrays as one file), to keep anywhere; `unpacked` takes both back."""
    content = _packed(arrays) if arrays else b""
    body = {"files": {f"{name}.npz": hashlib.sha256(content).hexdigest()} if arrays else {}, **meta}
    return body | {"sha256": _digest(body)}, content


def unpacked(name: str, body: Mapping[str, Any], read: Callable[[str], bytes], where: str, mend: str) -> Artifact:
    """`read` gives the content of a file by its name; it may raise OSError. `where` it is kept and how to `mend` it stand in the message of BrokenArtifact."""
    body = dict(body)
    claimed = body.pop("sha256", None)
    if claimed != _digest(body):
        raise BrokenArtifact(f"{name}.json in {where} was changed after training; {mend}")
    arrays: dict[str, Array] = {}
    for file, digest in body["files"].items():
        try:
            content = read(file)
        except OSError as problem:
            raise BrokenArtifact(f"{file} in {where} cannot be read ({problem}); {mend}") from None
        if hashlib.sha256(content).hexdigest() != digest:
            raise BrokenArtifact(f"{file} in {where} does not match its recorded hash; {mend}")
        with np.load(BytesIO(content), allow_pickle=False) as stored:
            arrays.update({key: stored[key] for key in stored.files})
    return Artifact(name, f"{name}-{claimed[:8]}", body, arrays)


def words(name: str) -> Mapping[str, Any]:
    """The word list `ml/words/<name>.yaml`, which is part of the package."""
    return yaml.load((WORDS / f"{name}.yaml").read_bytes(), Loader=yaml.CSafeLoader)  # type: ignore[no-any-return]


def _digest(body: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()


def _packed(arrays: Mapping[str, Array]) -> bytes:
    """np.savez stamps no time since numpy writes a fixed date into the zip, so equal arrays give equal bytes."""
    buffer = BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, **dict(sorted(arrays.items())))
    return buffer.getvalue()
