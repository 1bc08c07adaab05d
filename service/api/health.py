from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from redis.exceptions import RedisError

from service import jobs
from service.api.problems import documented
from service.errors import SettingError
from service.store.pool import transaction

router = APIRouter(prefix="/v1/health", tags=["health"], responses=documented(503))


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
    try:
        return bool(jobs.redis().ping())
    except (RedisError, OSError, SettingError):
        return False
