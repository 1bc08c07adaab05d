from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from redis.exceptions import RedisError

from service import jobs
from service.store.pool import transaction

router = APIRouter(prefix="/v1/health", tags=["health"])


class Health(BaseModel):
    """`redis: false` slows work down and loses nothing: a sweep rings again."""

    database: bool
    redis: bool


@router.get("", response_model=Health)
def health() -> JSONResponse:
    """200 while the database answers, else 503. Needs no key and shows no data."""
    with transaction() as db:
        db.execute("SELECT 1")
    try:
        jobs.waiting()
        redis = True
    except (RedisError, OSError):
        redis = False
    return JSONResponse({"database": True, "redis": redis})
