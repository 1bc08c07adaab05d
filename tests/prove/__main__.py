"""`./dev prove`: kills in their hundreds, drafts and hostile bodies in their thousands. Resumes by seed."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent.parent
STATE = ROOT / ".venv" / "prove.json"
PAGE = ROOT / "docs" / "proof.md"
KILLS, KILLS_A_SEED = 200, 20
SEQUENCES, SEQUENCES_A_SEED = 1_000, 50
DRAFT_SEEDS, BODY_SEEDS = 10, 10
SCHEMA_SEEDS, EXAMPLES = 5, 100


def kills(seed: int) -> dict[str, Any]:
    """kill -9 of worker, Valkey, Postgres and API in the middle of pushes, each 200 times in ten seeds."""
    from tests.e2e import kills as harness

    with harness.rig() as rig:
        in_the_middle = harness.run(rig, KILLS_A_SEED, seed)
        settled = rig.settle()
        per = list(rig.tasks_per_suggestion().values())
    return {
        "kills": KILLS_A_SEED * len(harness.VICTIMS),
        "during a write": in_the_middle,
        "suggestions": len(per),
        "tasks made twice": sum(n > 1 for n in per),
        "tasks missing": sum(n == 0 for n in per),
        "stuck": sum(count for state, count in settled.items() if state != "done"),
    }


def plain(seed: int) -> dict[str, Any]:
    """The control: a plain create under kills."""
    import tempfile

    from tests.e2e import kills as harness

    with tempfile.TemporaryDirectory() as folder:
        wanted, made = harness.plain_create_under_kills(Path(folder), 10)
    return {"tasks wanted": wanted, "tasks made": made}


def sequences(seed: int) -> dict[str, Any]:
    """Seeded sequences of mail, edits, merges, faults of the org and workers that are killed, half of them in an org without a unique key."""
    import tempfile

    from service import servers
    from tests.e2e import sequences as harness
    from tests.e2e.verdict import faults_of
    from tests.e2e.worker import Workers

    counted = dict.fromkeys(("sequences", "kills", "faults of the org", "suggestions", *_WRONG), 0)
    with servers.throwaway():
        servers.migrate()
        workers = Workers.start()
        for n in range(SEQUENCES_A_SEED):
            mode: harness.Mode = "keyed" if n % 2 else "guarded"
            with tempfile.TemporaryDirectory() as folder, harness.world(Path(folder), workers, 1_000 * seed + n, mode) as one:
                harness.play(one)
                wrong = faults_of(one, harness.settle(one))
                for what, count in (("sequences", 1), ("kills", one.kills), ("faults of the org", one.faults), ("suggestions", len(one.made))):
                    counted[what] += count
                for what in wrong:
                    counted[what] += 1
        workers.stop()
    if not counted["kills"]:
        message = "No worker was killed in the middle of its work: they did none, and these sequences prove nothing."
        raise AssertionError(message)
    return counted


_WRONG = (
    *("rows lost", "rows that are not there", "rows twice", "rows of old words", "rows with another account", "workers that crashed", "stuck"),
    *("tasks lost", "tasks twice", "tasks made again", "tasks at another account", "people's edits overwritten"),
)


def years(seed: int) -> dict[str, Any]:
    """The scripted years that the suite does not play, one a seed, judged by their truth."""
    from tests.e2e import stories

    others = [name for name in sorted(stories.STORIES) if name != "tidewise"]
    with stories.told(others[seed % len(others)]) as made:
        found = made.compared()
    missed = [p for p in found.missed if p.kind in stories.ALL_FOUND]
    return {"years": 1, "turned tones, silences and drops that were missed": len(missed), "false alarms": len(found.false_alarms)}


def pages(seed: int) -> dict[str, Any]:
    """A worker that is killed on page after page of 600 emails, three a page, until all are there."""
    from service import servers
    from tests.e2e import pages as harness

    with servers.throwaway():
        servers.migrate()
        return harness.killed_on_each_page(seed)


def drafts(seed: int) -> dict[str, Any]:
    """A thousand compositions over every kind of signal: whatever is shown breaks no rule, and its quotes stand in the message."""
    import re

    from service.critic import Draft, review
    from service.critic.draft import Evidence
    from service.playbook import compose, render
    from tests import cases

    kinds = [*cases.WORDS, "usage_drop", "silence"]
    shown = broken = strange = 0
    for n in range(1000):
        kind = kinds[n % len(kinds)]
        case = cases.case(kind, seed=f"{seed}|{n}")
        draft = compose(case).draft
        if draft is None:
            continue
        shown += 1
        text, words = render(draft, cases.bodies(case)), " ".join(cases.bodies(case).values())
        evidence = (Evidence(id="e", type="buyer_message", text=words),) if words else ()
        found = review(Draft(id=n, text=text, evidence=evidence, recipient_name="Marta Lind", am_name="Ann Berg"))
        broken += bool(_NEVER & set(found.rules))
        strange += any(quoted.lower() not in words.lower() for quoted in re.findall(r'"([^"]+)"', text))
    return {"compositions": 1000, "drafts shown": shown, "breaking a rule": broken, "quotes not in the message": strange}


_NEVER = frozenset(
    {"DRF-1", "DRF-3", "DRF-5", "DRF-10", "DRF-12", "DRF-14", "CAL-2", "ETH-3", "ETH-4", "ETH-5", "ETH-6", "ETH-7", "ETH-9", "ETH-11", "PIT-6", "PIT-8"}
)
"""Rules that need no other evidence than the message."""


def bodies(seed: int) -> dict[str, Any]:
    """Random bytes as mail, random text as bodies: nothing raises but what is documented, nothing hangs."""
    import random

    from connectors.mail_files.parse import UnreadableMail, interaction
    from ml.text import own_text

    chance = random.Random(seed)
    parts = [
        "On ",
        "wrote:",
        "> ",
        "From: a\n",
        "-- \n",
        "\x00",
        "é",
        "<div>",
        "\n",
        " ",
        "Sent from",
        "Subject: x",
        "\u202e",
        "_" * 40,
        "----- Original",
        "\t",
    ]
    refused = 0
    for _ in range(500):
        text = "".join(chance.choice(parts) * chance.randint(1, 40) for _ in range(chance.randint(1, 80)))
        own = own_text(text)
        if any(text[a:b] not in own.text for a, b in own.spans):
            raise AssertionError("own text is not in the body")
        try:
            head = b"From: bo@acme.example\nDate: Mon, 5 Jan 2026 09:00:00 +0000\n" + chance.choice([b"\n", b""])
            interaction(head + text.encode("utf-8", "replace") + chance.randbytes(200), ("vendor.example",), datetime(2026, 2, 1, tzinfo=UTC))
        except UnreadableMail:
            refused += 1
    return {"bodies": 500, "refused with a reason": refused}


def schema(seed: int) -> dict[str, Any]:
    """The whole OpenAPI document under schemathesis, all checks on: what it allows is taken, what it forbids is refused, each answer is as it says."""
    import os

    import psycopg

    from service import servers
    from service.config import settings
    from tests import schema_fuzz, walk

    os.environ.update(schema_fuzz.WITHOUT_LIMIT)
    with servers.throwaway():
        servers.migrate()
        with psycopg.connect(str(settings().database_owner_url), autocommit=True) as owner:
            owner.execute("SET row_security = off")
            found = schema_fuzz.run(owner, walk.planted(owner), EXAMPLES, seed)
    for failure in sorted(found.failures | set(found.errors)):
        sys.stdout.write(f"{failure}\n")
    return {"requests": found.requests.total(), "failures": len(found.failures) + len(found.errors), "faults of ours": found.faults}


PARTS: dict[str, tuple[Callable[[int], dict[str, Any]], int]] = {
    "kills": (kills, KILLS // KILLS_A_SEED),
    "plain create (control)": (plain, 2),
    "scripted years": (years, 2),
    "sequences of failures": (sequences, SEQUENCES // SEQUENCES_A_SEED),
    "pages": (pages, 1),
    "drafts": (drafts, DRAFT_SEEDS),
    "hostile bodies": (bodies, BODY_SEEDS),
    "schema": (schema, SCHEMA_SEEDS),
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="./dev prove", description=__doc__)
    parser.add_argument("--fresh", action="store_true", help="forget finished seeds and begin anew")
    parser.add_argument("--only", choices=PARTS, help="one part")
    given = parser.parse_args()
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()
    done: dict[str, dict[str, Any]] = {} if given.fresh or not STATE.exists() else json.loads(STATE.read_text())
    for name, (count, seeds) in PARTS.items():
        if given.only not in (None, name):
            continue
        for seed in range(1, seeds + 1):
            if f"{name}|{seed}" not in done:
                done[f"{name}|{seed}"] = {**count(seed), "commit": commit, "on": f"{datetime.now(UTC):%Y-%m-%d}"}
                STATE.write_text(json.dumps(done))
                sys.stdout.write(f"{name}, seed {seed}: {done[f'{name}|{seed}']}\n")
                sys.stdout.flush()
    PAGE.write_text(page(done, PAGE.read_text()))


def page(done: dict[str, dict[str, Any]], before: str) -> str:
    """`before`: the page as it stands. A part of which nothing is known here, on another machine, stays as it was told."""
    told = {section.partition("\n")[0]: section.strip() for section in before.split("\n## ")[1:]}
    head = "# Proof\n\nWritten by `./dev prove`. Every row is a sum over its seeds; a cut run goes on where it stopped."
    sections = [_section(name, done) or told.get(name.capitalize()) for name in PARTS]
    return "\n\n## ".join([head, *(section for section in sections if section)]) + "\n"


def _section(name: str, done: dict[str, dict[str, Any]]) -> str | None:
    count, seeds = PARTS[name]
    rows = [done[f"{name}|{seed}"] for seed in range(1, seeds + 1) if f"{name}|{seed}" in done]
    if not rows:
        return None
    dates, commits = sorted({r["on"] for r in rows}), sorted({r["commit"] for r in rows})
    run = f"Seeds 1 to {len(rows)} of {seeds}, {', '.join(dates)}, commit {', '.join(commits)}."
    table = [f"| {what} | {sum(r[what] for r in rows):,} |" for what in rows[0] if what not in ("commit", "on")]
    return "\n".join([name.capitalize(), "", str(count.__doc__), "", run, "", "| what | count |", "|---|---|", *table])


if __name__ == "__main__":
    main()
