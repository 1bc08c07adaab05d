"""A back-test as a job: for a workspace with more usage than somebody should wait for while a page loads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import date, datetime
from typing import Any
from uuid import UUID

from service import backtest
from service.backtest import BackTest, Told
from service.long_jobs import Ended, Tell

_TITLE = "Look at them beside the budget"


def budget_trial(workspace_id: UUID, about: Mapping[str, Any], now: datetime, tell: Tell) -> Ended:
    """`about.usage_budget`. Reads only."""
    tell("Going once more through the days that were closed")
    found = backtest.run(workspace_id, about["usage_budget"], now, lambda done, total: tell(f"Day {done:,} of {total:,}", done, total))
    return Ended(said=found.summary, link=f"/console/policy?budget={found.budget:g}#budget", label=_TITLE, more={"tried": _plain(found)})


def found_by(result: Mapping[str, Any]) -> BackTest:
    """What a job that is done has found."""
    given = result["tried"]
    told, gone = ([_told(row) for row in given[name]] for name in ("told", "gone"))
    return BackTest(budget=given["budget"], since=_day(given["since"]), through=_day(given["through"]) if given["through"] else None, told=told, gone=gone)


def _plain(found: BackTest) -> dict[str, Any]:
    """As JSON holds it."""
    rows = {name: [{key: _text(value) for key, value in asdict(t).items()} for t in getattr(found, name)] for name in ("told", "gone")}
    return {"budget": found.budget, "since": _text(found.since), "through": _text(found.through), **rows}


def _text(value: Any) -> Any:
    return value if value is None or isinstance(value, str) else str(value)


def _told(row: Mapping[str, Any]) -> Told:
    days = {"day": _day(row["day"]), "other": _day(row["other"]) if row["other"] else None}
    return Told(**{**row, **days, "account_id": UUID(row["account_id"])})


def _day(text: str) -> date:
    return date.fromisoformat(text)
