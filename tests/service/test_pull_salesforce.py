"""The runner with the real Salesforce connector against a sandbox org: tokens, limits and sweeps end to end."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest

from connectors.sandbox import Fault, Options, Sandbox, admin
from connectors.sandbox import running as sandbox_running
from service.connect import connect, open_source
from service.errors import Conflict
from service.pull import PullReport, pull
from service.store import connections, streams
from service.store.connections import Connection
from service.store.pool import transaction
from tests import builders
from tests.e2e.orgs import write_story

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
WEEK = timedelta(days=7)


@dataclass
class Org:
    sandbox: Sandbox
    workspace: UUID
    crm: UUID

    def pull(self, at: datetime = NOW) -> PullReport:
        return pull(self.workspace, self.crm, at)

    def connection(self) -> Connection:
        with transaction(self.workspace) as db:
            found = connections.get(db, self.crm)
        assert found is not None
        return found

    def together(self, count: int) -> list[object]:
        barrier = threading.Barrier(count)

        def one(_: int) -> object:
            barrier.wait(10)
            with suppress(Conflict):  # another has stopped the connection by then
                return self.pull()
            return None

        with ThreadPoolExecutor(count) as pool:
            return list(pool.map(one, range(count)))

    def accounts(self) -> dict[str, float | None]:
        with transaction(self.workspace) as db:
            rows = db.execute("SELECT name, arr FROM account WHERE connection_id = %s AND NOT deleted", [self.crm]).fetchall()
        return dict(rows)

    def drift(self, stream: str) -> tuple[int, ...]:
        with transaction(self.workspace) as db:
            [row] = db.execute(
                "SELECT lacking, vanished, stale FROM sweep WHERE connection_id = %s AND stream = %s AND kind = 'ids'", [self.crm, stream]
            ).fetchall()
        return tuple(row)


def config(sandbox: Sandbox) -> dict[str, str]:
    return {"domain": sandbox.domain, "consumer_key": sandbox.credentials.client_id, "endpoint": sandbox.url}


def connected(sandbox: Sandbox, **settings: str) -> Org:
    workspace = builders.workspace()
    secrets = {"consumer_secret": sandbox.credentials.client_secret}
    return Org(sandbox, workspace, connect(workspace, "salesforce", "crm", {**config(sandbox), **settings}, secrets))


@pytest.fixture
def sandbox(servers: str, tmp_path: Path) -> Iterator[Sandbox]:
    write_story(tmp_path)
    with sandbox_running(tmp_path, now=NOW) as made:
        yield made


def test_revoked_credentials_cost_three_token_attempts_at_most_with_eight_workers_and_every_run(sandbox: Sandbox) -> None:
    org = connected(sandbox)
    org.pull()
    admin.revoke(sandbox.org)
    before = sandbox.counters.calls["token"]
    for _ in range(3):
        org.together(8)
    assert sandbox.counters.calls["token"] - before <= 3
    assert org.connection().status == "auth_failed"
    with pytest.raises(Conflict, match="auth_failed"):
        org.pull()


def test_connecting_again_after_access_was_restored_reads_on(sandbox: Sandbox) -> None:
    org = connected(sandbox)
    admin.revoke(sandbox.org)
    org.pull()
    admin.restore(sandbox.org)
    connect(org.workspace, "salesforce", "crm", config(sandbox), {"consumer_secret": sandbox.credentials.client_secret})
    assert org.pull().errors == []
    assert len(org.accounts()) == 5


def test_eight_workers_at_one_expiry_log_in_once(sandbox: Sandbox) -> None:
    org = connected(sandbox)
    org.pull()
    admin.expire(sandbox.org)
    before = sandbox.counters.calls["token"]
    barrier = threading.Barrier(8)

    def one(_: int) -> None:
        source = open_source(org.workspace, org.connection())
        barrier.wait(10)
        assert source.discover()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(one, range(8)))
    assert sandbox.counters.calls["token"] - before == 1


def test_a_second_run_logs_in_no_more(sandbox: Sandbox) -> None:
    org = connected(sandbox)
    org.pull()
    before = sandbox.counters.calls["token"]
    org.pull(NOW + timedelta(minutes=20))
    assert sandbox.counters.calls["token"] == before


def test_at_the_share_of_the_daily_limit_it_parks_and_goes_on_by_itself(servers: str, tmp_path: Path) -> None:
    write_story(tmp_path)
    with sandbox_running(tmp_path, now=NOW, options=Options(daily_limit=20)) as sandbox:
        org = connected(sandbox, api_share="0.5", run_share="1")
        report = org.pull()
        assert report.parked is not None
        assert "of the 20 calls" in report.parked
        assert sandbox.counters.used <= 11, "one call may have been under way when the share was reached"
        assert org.connection().status == "active"
        assert org.connection().parked_reason == report.parked
        admin.reset_counters(sandbox.org)
        admin.set_options(sandbox.org, daily_limit=10_000)
        _an_hour_later(org)
        assert org.pull().parked is None
        assert len(org.accounts()) == 5
        assert org.connection().parked_until is None


def test_the_orgs_own_refusal_parks_it_too(sandbox: Sandbox) -> None:
    org = connected(sandbox)
    sandbox.faults.add(Fault(kind="limit_exceeded", on="query", times=100))
    assert org.pull().parked
    sandbox.faults.clear()
    assert org.pull().errors == []
    assert len(org.accounts()) == 5


def test_one_object_without_permission_does_not_stop_the_others(servers: str, tmp_path: Path) -> None:
    write_story(tmp_path)
    with sandbox_running(tmp_path, now=NOW, options=Options(hidden=frozenset({"EmailMessage"}))) as sandbox:
        org = connected(sandbox)
        report = org.pull()
        assert [e.partition(":")[0] for e in report.errors] == ["emails"]
        assert len(org.accounts()) == 5
        with transaction(org.workspace) as db:
            states = {s.name: s for s in streams.states(db)}
        assert states["emails"].error is not None
        assert states["tasks"].succeeded_at is not None


def test_what_left_the_users_sight_goes_with_the_weekly_sweep_and_comes_back_with_another(sandbox: Sandbox) -> None:
    org = connected(sandbox)
    org.pull()
    acme = sandbox.org.id_of("Account", "acme")
    admin.unshare(sandbox.org, "Account", [acme])
    org.pull(NOW + timedelta(days=1))
    assert "Acme" in org.accounts()
    org.pull(NOW + WEEK)
    assert "Acme" not in org.accounts()
    assert org.drift("accounts") == (0, 1, 0)
    admin.share(sandbox.org, "Account", [acme])
    org.pull(NOW + 2 * WEEK)
    assert "Acme" in org.accounts()


def test_a_row_purged_before_anybody_looked_is_found_gone(sandbox: Sandbox) -> None:
    org = connected(sandbox)
    org.pull()
    birch = sandbox.org.id_of("Account", "birch")
    admin.bin_row(sandbox.org, "Account", birch)
    admin.purge(sandbox.org, "Account", birch)
    org.pull(NOW + WEEK)
    assert "Birch" not in org.accounts()


def _an_hour_later(org: Org) -> None:
    """The wait is over, and what the org said then has been forgotten."""
    from service import jobs

    with transaction(org.workspace) as db:
        db.execute("UPDATE connection SET parked_until = now() - interval '1 second' WHERE connection_id = %s", [org.crm])
    for key in jobs.redis().scan_iter(f"*{org.crm}"):
        jobs.redis().delete(key)
