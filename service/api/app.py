from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from fastapi.responses import RedirectResponse

from service import log
from service.api import (
    accounts,
    connections,
    contacts,
    drafts,
    export,
    health,
    ledger,
    messages,
    outcomes,
    policy,
    problems,
    read,
    review,
    scores,
    signals,
    suggestions,
    timeline,
    usage,
)
from service.api.boundary import Boundary
from service.config import settings
from service.console.app import router as console
from service.console.sign_in import NotLetIn, SignInFirst, to_form, to_sign_in


def create_app() -> FastAPI:
    """The composition root of the HTTP side: API and console over the same store functions."""
    app = FastAPI(
        title="Undertone",
        version="1",
        description="What changed at your customers, in whose words, how sure we are, and what else it could mean. Nothing is ever sent for you.",
        docs_url=None,  # its page would load scripts from elsewhere; /openapi.json opens in any tool
        redoc_url=None,
        redirect_slashes=False,
        lifespan=_serving,
    )
    problems.install(app)
    for resource in _RESOURCES:
        app.include_router(resource.router)
    app.include_router(console)
    app.add_exception_handler(SignInFirst, to_sign_in)
    app.add_exception_handler(NotLetIn, to_form)
    app.add_middleware(Boundary)

    @app.get("/", include_in_schema=False)
    def front_door() -> RedirectResponse:
        return RedirectResponse("/console", status_code=303)

    return app


_RESOURCES = (
    *(accounts, contacts, ledger, messages, timeline, signals, scores, usage, suggestions, outcomes, export),
    *(connections, policy, read, review, drafts, health),
)


@asynccontextmanager
async def _serving(_app: FastAPI) -> AsyncIterator[None]:
    """Only where a server runs the app: from here on its log lines are ours, too."""
    log.set_up(settings().log_level)
    yield
