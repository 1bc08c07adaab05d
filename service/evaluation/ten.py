"""Ten drafts to be read as they are: drawn by a fixed seed from the evidence sets, with their evidence and the critic's report. Printed as a page."""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from service.drafting import Drafted, draft
from service.drafting.rows import request
from service.evaluation.card import SETS

SEED, COUNT = 20_261_126, 10


def page(folder: Path = SETS) -> str:
    rows = [json.loads(line) for line in (folder / "evidence.ndjson").read_text(encoding="utf-8").splitlines()]
    chosen = random.Random(SEED).sample(rows, COUNT)  # noqa: S311 - for choosing rows
    return "\n".join(line for n, row in enumerate(chosen, 1) for line in _told(n, row))


def _told(number: int, row: dict[str, Any]) -> Iterator[str]:
    found = draft(request({k: v for k, v in row.items() if k != "situation"}))
    yield f"## {number}. `{row['id']}`, {row['channel']}, read as {found.situation}\n"
    for piece in row["evidence"]:
        yield f"* {piece['type']}: " + " / ".join(line for line in piece["text"].splitlines() if line.strip())
    yield ""
    yield from _draft(found)


def _draft(found: Drafted) -> Iterator[str]:
    if found.written is None:
        yield f"No draft: {found.reason}.\n"
        return
    yield from ("```", found.written.text, "```\n")
    scores = found.written.review.scores
    hints = ", ".join(f"{f.rule} ({f.severity})" for f in found.written.review.findings) or "nothing"
    figures = ", ".join(f"{name} {getattr(scores, name):.2f}" for name in scores.__dataclass_fields__)
    yield f"The critic finds {hints}; {figures}. Moves: {', '.join(found.written.plan)}.\n"


if __name__ == "__main__":
    sys.stdout.write(page())
