from __future__ import annotations

from typing import Any, Literal
from uuid import UUID

from fastapi import APIRouter
from fastapi.responses import Response
from pydantic import BaseModel

from service.api.access import Reader
from service.api.pages import After, Limit, answer, decode, encode, page
from service.api.problems import documented
from service.errors import no_such
from service.store import accounts
from service.store.accounts import AccountRow
from service.store.pool import transaction

router = APIRouter(prefix="/v1/accounts", tags=["accounts"], responses=documented(401, 403, 404, 422, 503))


class Driver(BaseModel):
    name: str
    points: int
    reason: str


class Outlook(BaseModel):
    """`score` is the sum of the drivers' points. It is no probability."""

    level: Literal["likely", "open", "at_risk", "unknown"]
    score: int
    drivers: list[Driver]
    unknown_parts: list[str]
    scored_at: str


class Account(BaseModel):
    id: UUID
    name: str
    owner: str | None
    region: str | None
    seats: int | None
    arr: float | None
    currency: str | None
    renewal_date: str | None
    renewal_amount: float | None
    outlook: Outlook | None


class Accounts(BaseModel):
    items: list[Account]
    next: str | None


@router.get("", response_model=Accounts)
def list_accounts(caller: Reader, level: Literal["likely", "open", "at_risk", "unknown"] | None = None, cursor: After = None, limit: Limit = 50) -> Response:
    """By name, each with its outlook."""
    with transaction(caller.workspace_id) as db:
        rows = accounts.listing(db, level=level, after=decode(cursor), most=limit)
    return page([_json(r) for r in rows], limit, encode(rows[-1].name, rows[-1].account_id) if rows else None)


@router.get("/{account_id}", response_model=Account)
def get_account(caller: Reader, account_id: UUID) -> Response:
    with transaction(caller.workspace_id) as db:
        row = accounts.get(db, account_id)
    if row is None:
        raise no_such("account")
    return answer(_json(row))


def _json(row: AccountRow) -> dict[str, Any]:
    outlook = {
        "level": row.level,
        "score": row.score,
        "drivers": row.drivers,
        "unknown_parts": row.unknown_parts,
        "scored_at": row.scored_at,
    }
    return {
        "id": row.account_id,
        "name": row.name,
        "owner": row.owner_name,
        "region": row.region,
        "seats": row.seats,
        "arr": row.arr,
        "currency": row.currency,
        "renewal_date": row.renewal_date,
        "renewal_amount": row.renewal_amount,
        "outlook": outlook if row.level else None,
    }
