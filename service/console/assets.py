"""Style, scripts, and the chart library straight from its wheel, compressed once."""

from __future__ import annotations

import gzip
import importlib.util
from functools import cache, lru_cache
from hashlib import sha256
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Header
from fastapi.responses import Response

from service.errors import NotFound

router = APIRouter(prefix="/console")

_STATIC = {
    "console.css": "text/css",
    "charts.js": "text/javascript",
    "critic.js": "text/javascript",
    "progress.js": "text/javascript",
    "upload.js": "text/javascript",
}
_FOREVER = {"Cache-Control": "public, max-age=31536000, immutable"}


@cache
def plotly_url() -> str:
    return f"/console/assets/plotly-{version('plotly')}.js"


@router.get("/assets/plotly-{release}.js")
def plotly(release: str) -> Response:
    if release != version("plotly"):
        message = "This version of the chart library is not installed."
        raise NotFound(message)
    return Response(_plotly(), media_type="text/javascript", headers={**_FOREVER, "Content-Encoding": "gzip"})


@router.get("/assets/{name}")
def asset(name: str, known: Annotated[str, Header(alias="If-None-Match", max_length=200)] = "") -> Response:
    kind = _STATIC.get(name)
    if kind is None:
        message = "There is no such file."
        raise NotFound(message)
    content = (files("service.console") / "static" / name).read_bytes()
    headers = {"Cache-Control": "no-cache", "ETag": f'"{sha256(content).hexdigest()[:32]}"'}
    if headers["ETag"] in known:
        return Response(status_code=304, headers=headers)
    return Response(_small(content), media_type=kind, headers={**headers, "Content-Encoding": "gzip"})


@lru_cache(maxsize=16)
def _small(content: bytes) -> bytes:
    return gzip.compress(content, 9, mtime=0)


@cache
def _plotly() -> bytes:
    """Found, not imported: importing plotly costs more than serving it."""
    spec = importlib.util.find_spec("plotly")
    assert spec is not None
    assert spec.origin is not None
    return gzip.compress((Path(spec.origin).parent / "package_data" / "plotly.min.js").read_bytes(), 6)
