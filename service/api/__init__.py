"""The HTTP API: one file per resource, put together in create_app()."""

from service.api.app import create_app

__all__ = ["create_app"]
