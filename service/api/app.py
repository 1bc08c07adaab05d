from __future__ import annotations

from fastapi import FastAPI

from service import console
from service.api import accounts, connections, health, problems, signals, suggestions


def create_app() -> FastAPI:
    """The composition root of the HTTP side: API and console over the same store functions."""
    app = FastAPI(
        title="Undertone",
        version="1",
        description="What changed at your customers, in whose words, how sure we are, and what else it could mean. Nothing is ever sent for you.",
        redoc_url=None,
    )
    problems.install(app)
    for resource in (accounts, signals, suggestions, connections, health):
        app.include_router(resource.router)
    app.include_router(console.router)
    app.add_exception_handler(console.SignInFirst, console.to_sign_in)
    return app
