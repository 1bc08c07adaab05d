"""The console's pages: each file below reads what its page shows and answers its addresses."""

from __future__ import annotations

from fastapi import APIRouter

from service.console import (
    account,
    assets,
    connections,
    history,
    invitation,
    long_jobs,
    mapping,
    overview,
    people,
    policy,
    provider,
    setup,
    setup_actions,
    sign_in,
    signals,
    start,
)

router = APIRouter(include_in_schema=False)
for part in (
    assets,
    sign_in,
    overview,
    account,
    signals,
    connections,
    invitation,
    provider,
    people,
    policy,
    history,
    long_jobs,
    start,
    setup,
    setup_actions,
    mapping,
):
    router.include_router(part.router)
