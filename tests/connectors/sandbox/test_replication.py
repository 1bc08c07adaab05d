"""What changed and what was deleted in a span of time."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from connectors.sandbox import Sandbox, admin
from tests.connectors.sandbox.orgs import refusal

_SPAN = {"start": "2026-03-02T08:00:59+00:00", "end": "2026-03-02T10:00:59+00:00"}


def _told(api: httpx.Client, path: str, **span: str) -> dict[str, Any]:
    answer: dict[str, Any] = api.get(f"sobjects/Account/{path}", params={**_SPAN, **span}).raise_for_status().json()
    return answer


def test_changes_and_deletions_are_told_until_the_orgs_own_time(sandbox: Sandbox, api: httpx.Client) -> None:
    first, second, third = (sandbox.org.id_of("Account", key) for key in ("a1", "a2", "a3"))
    admin.edit(sandbox.org, "Account", first, {"Name": "Renamed"})
    admin.bin_row(sandbox.org, "Account", second)
    admin.purge(sandbox.org, "Account", third)
    assert _told(api, "updated") == {"ids": [first], "latestDateCovered": "2026-03-02T09:00:00.000+0000"}
    deleted = _told(api, "deleted")
    assert [row["id"] for row in deleted["deletedRecords"]] == [second, third]
    assert deleted["latestDateCovered"] == "2026-03-02T09:00:00.000+0000"
    admin.undelete(sandbox.org, "Account", second)
    assert [row["id"] for row in _told(api, "deleted")["deletedRecords"]] == [third]
    assert second in _told(api, "updated")["ids"]


def test_seconds_of_the_span_are_cut_off(sandbox: Sandbox, api: httpx.Client) -> None:
    row_id = sandbox.org.id_of("Account", "a1")
    admin.edit(sandbox.org, "Account", row_id, {"Name": "x"}, stamp="2026-03-02T08:30:30.000+0000")
    assert _told(api, "updated", start="2026-03-02T08:30:59+00:00")["ids"] == [row_id]
    assert _told(api, "updated", end="2026-03-02T08:30:59+00:00")["ids"] == []


@pytest.mark.parametrize(
    ("path", "span"),
    [
        ("updated", {"start": "2026-01-30T09:00:00+00:00"}),
        ("deleted", {"start": "2026-02-14T09:00:00+00:00"}),
        ("updated", {"start": "2026-03-02T10:00:00+00:00", "end": "2026-03-02T10:00:59+00:00"}),
        ("updated", {"start": "2026-03-02T11:00:00+00:00"}),
        ("deleted", {"start": "2026-03-02T08:00:00"}),
        ("deleted", {"end": "soon"}),
    ],
)
def test_a_span_too_long_ago_too_short_or_without_zone_is_refused(api: httpx.Client, path: str, span: dict[str, str]) -> None:
    assert refusal(api.get(f"sobjects/Account/{path}", params={**_SPAN, **span})) == (400, "INVALID_REPLICATION_DATE")


def test_what_is_out_of_sight_is_not_told_of(sandbox: Sandbox, api: httpx.Client) -> None:
    row_id = sandbox.org.id_of("Account", "a1")
    admin.edit(sandbox.org, "Account", row_id, {"Name": "x"})
    admin.unshare(sandbox.org, "Account", [row_id])
    assert _told(api, "updated")["ids"] == _told(api, "deleted")["deletedRecords"] == []
