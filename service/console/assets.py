"""Style, scripts, and the chart library straight from its wheel, compressed once."""

from __future__ import annotations

import gzip
import importlib.util
from functools import cache
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path

from fastapi import APIRouter
from fastapi.responses import Response

from service.errors import NotFound

router = APIRouter(prefix="/console")

_STATIC = {"console.css": "text/css", "charts.js": "text/javascript", "progress.js": "text/javascript", "upload.js": "text/javascript"}
_FOREVER = {"Cache-Control": "public, max-age=31536000, immutable"}


def plotly_url() -> str:
    return f"/console/assets/plotly-{version('plotly')}.js"


@router.get("/assets/plotly-{release}.js")
def plotly(release: str) -> Response:
    if release != version("plotly"):
        message = "This version of the chart library is not installed."
        raise NotFound(message)
    return Response(_plotly(), media_type="text/javascript", headers={**_FOREVER, "Content-Encoding": "gzip"})


@router.get("/assets/{name}")
def asset(name: str) -> Response:
    kind = _STATIC.get(name)
    if kind is None:
        message = "There is no such file."
        raise NotFound(message)
    content = (files("service.console") / "static" / name).read_bytes()
    return Response(content, media_type=kind, headers={"Cache-Control": "no-cache"})


@cache
def _plotly() -> bytes:
    """Found, not imported: importing plotly costs more than serving it."""
    spec = importlib.util.find_spec("plotly")
    assert spec is not None
    assert spec.origin is not None
    return gzip.compress((Path(spec.origin).parent / "package_data" / "plotly.min.js").read_bytes(), 6)
