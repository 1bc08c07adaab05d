"""A story of many mails, and a process that pulls them: its last word is its peak memory in bytes."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

FIRST = datetime(2025, 1, 6, 9, tzinfo=UTC)
YEAR = timedelta(days=350)
BODY = (
    "Hello Ann,\n\nthe rota for the west wing went out this morning and two people have asked about the night shift on the 14th.\n"
    "Could you send the short guide again, the one with the swap form? We would like to print it for the board.\n\nThanks,\nBo\n\n"
    "Bo Lind\nOperations\nAcme Care\n\nOn Mon, 6 Jan 2025 at 09:00, Ann Berg <ann@vendor.example> wrote:\n> Hello Bo,\n"
    "> here is the plan for next week.\n> Ann\n"
)


def story(folder: Path, mails: int, size: int = 0) -> None:
    """A year of one vendor's mail with 50 accounts, in the sandbox's format. `size`: characters that a body has at least."""
    meta = {"name": "bench", "product": "rotas", "our_domain": "vendor.example", "first_day": "2025-01-01", "last_day": "2025-12-31"}
    (folder / "story.json").write_text(json.dumps(meta))
    _write(folder / "users.ndjson", [{"key": "u1", "name": "Ann Berg", "email": "ann@vendor.example", "active": True, "manager": None}])
    accounts = [
        {"key": f"a{n}", "name": f"Acme {n}", "website": f"acme{n}.example", "owner": "u1", "region": "GB", "seats": 9, "arr": 1, "currency": "GBP"}
        for n in range(50)
    ]
    _write(folder / "accounts.ndjson", accounts)
    _write(
        folder / "contacts.ndjson",
        [{"key": f"c{n}", "account": f"a{n}", "name": "Bo Lind", "email": f"bo@acme{n}.example", "title": "Operations"} for n in range(50)],
    )
    for empty in ("opportunities", "tasks", "events"):
        _write(folder / f"{empty}.ndjson", [])
    with (folder / "emails.ndjson").open("w") as file:
        for n in range(mails):
            file.write(json.dumps(_mail(n, mails, size)) + "\n")


def _mail(n: int, mails: int, size: int) -> dict[str, object]:
    at = FIRST + n * YEAR / mails
    mail = {
        "key": f"m{n}",
        "account": f"a{n % 50}",
        "at": f"{at:%Y-%m-%dT%H:%M:%SZ}",
        "from": f"bo@acme{n % 50}.example",
        "to": ["ann@vendor.example"],
        "cc": [],
    }
    return {
        **mail,
        "subject": f"Rota {n}",
        "body": f"{BODY}{_filler(n, size - len(BODY))}{n}",
        "message_id": f"<{n}@acme.example>",
        "in_reply_to": None,
        "incoming": True,
    }


def _filler(seed: int, size: int) -> str:
    """Words, so that it packs no better than what people write."""
    chance = random.Random(seed)
    words = BODY.split()
    return " ".join(chance.choices(words, k=size // 4))[:size] if size > 0 else ""


def _write(path: Path, rows: list[dict[str, object]]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def peak_of_a_pull(folder: Path, mails: int) -> int:
    """Bytes. The org runs in a process of its own."""
    from connectors.sandbox import Credentials
    from service import servers
    from service.connect import connect
    from service.pull import pull
    from service.store import workspaces
    from service.store.pool import transaction

    now = datetime(2026, 1, 1, tzinfo=UTC)
    with servers.throwaway():
        servers.migrate()
        workspace_id, known = uuid4(), Credentials()
        with transaction(workspace_id) as db:
            workspaces.create(db, workspace_id, "bench")
        if mails:
            argv = [sys.executable, "-m", "connectors.sandbox", "--story", str(folder), "--now", now.isoformat()]
            with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as org:
                assert org.stdout is not None
                url = org.stdout.readline().split(" answers at ")[1].split(";")[0]
                config = {"domain": "undertone-sandbox.my", "consumer_key": known.client_id, "endpoint": url}
                report = pull(workspace_id, connect(workspace_id, "salesforce", "crm", config, {"consumer_secret": known.client_secret}), now)
                org.terminate()
            assert report.landed >= mails, report
    return _peak()


def _peak() -> int:
    """From the kernel's account of this program; getrusage would carry the parent's peak over."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) * 1024


if __name__ == "__main__":
    sys.stdout.write(f"{peak_of_a_pull(Path(sys.argv[1]), int(sys.argv[2]))}\n")
