from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from service.api.problems import documented
from service.config import settings
from service.store.pool import transaction

router = APIRouter(prefix="/v1/health", tags=["health"], responses=documented(503))

PATIENCE = 2.0
"""Seconds. Whoever asks for health wants an answer, not another try."""


class Health(BaseModel):
    """`redis: false` slows work down and loses nothing: a sweep rings again."""

    database: bool
    redis: bool


@router.get("", response_model=Health)
def health() -> JSONResponse:
    """200 while the database answers, else 503. Needs no key and shows no data."""
    with transaction() as db:
        db.execute("SELECT 1")
    return JSONResponse({"database": True, "redis": _redis_answers()})


def _redis_answers() -> bool:
    url = settings().redis_url
    if url is None:
        return False
    try:
        with Redis.from_url(url, socket_timeout=PATIENCE, socket_connect_timeout=PATIENCE, retry=Retry(NoBackoff(), 0)) as client:
            return bool(client.ping())
    except (RedisError, OSError):
        return False
