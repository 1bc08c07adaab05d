"""A client of the whole HTTP application, without a socket."""

from __future__ import annotations

import warnings

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # starlette prefers httpx2, which is not among the locked packages
    from starlette.testclient import TestClient

__all__ = ["TestClient"]
