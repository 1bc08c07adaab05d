"""The console's pages: each file below reads what its page shows and answers its addresses."""

from __future__ import annotations

from fastapi import APIRouter

from service.console import (
    account,
    assets,
    connections,
    day,
    history,
    invitation,
    link,
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
    suggestion,
)

router = APIRouter(include_in_schema=False)
for part in (
    *(account, assets, connections, day, history, invitation, link, long_jobs, mapping),
    *(overview, people, policy, provider, setup, setup_actions, sign_in, signals, start, suggestion),
):
    router.include_router(part.router)
