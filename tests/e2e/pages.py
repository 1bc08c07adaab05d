"""A connector that is killed on page after page, and what that costs."""

from __future__ import annotations

import os
import random
import tempfile
from datetime import timedelta
from pathlib import Path

from connectors.sandbox import Options
from connectors.sandbox import running as sandbox_running
from service.connect import connect
from service.store.pool import transaction
from tests import builders
from tests.e2e import hurried
from tests.e2e.orgs import write_story
from tests.e2e.sequences import START, STEP, World, insert, letter, time_passes
from tests.e2e.worker import KILLED, Workers

MAILS, A_PAGE = 600, 3
MOST_RUNS = 1_000


def killed_on_each_page(seed: int) -> dict[str, int]:
    chance = random.Random(seed)
    with tempfile.TemporaryDirectory() as name:
        write_story(Path(name))
        given = Path(name) / "pages"
        os.environ[hurried.PAGES] = str(given)
        workers = Workers.start()
        with sandbox_running(Path(name), now=START, options=Options(page_size=A_PAGE)) as sandbox:
            workspace_id = builders.workspace()
            config = {"domain": sandbox.domain, "consumer_key": sandbox.credentials.client_id, "endpoint": sandbox.url}
            connection_id = connect(workspace_id, hurried.MAILS, "crm", config, {"consumer_secret": sandbox.credentials.client_secret})
            one = World(sandbox, workers, workspace_id, connection_id, chance, "keyed")
            account = one.live_accounts()[0]
            for n in range(MAILS):
                one.now = START - timedelta(days=30) + timedelta(minutes=n // 4)
                insert(one, "EmailMessage", **letter(one, account))
            kills = runs = 0
            while runs < MOST_RUNS:
                runs += 1
                [end] = workers.run(workspace_id, connection_id, START + STEP, [(chance.randint(3, 7), chance.choice([0.0, 0.002, 0.01]))])
                kills += end == KILLED
                time_passes(one)
                if end == 0:
                    break
            with transaction(workspace_id) as db:
                landed = [key for (key,) in db.execute("SELECT key FROM interaction")]
        workers.stop()
        received = given.stat().st_size
    needed = MAILS // A_PAGE
    return {
        "pages": needed,
        "kills": kills,
        "pages read again": received - needed,
        "rows missing": MAILS - len(set(landed)),
        "rows twice": len(landed) - len(set(landed)),
    }
