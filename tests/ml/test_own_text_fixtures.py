"""Own text against expectations that somebody else marked by hand: no foreign character, and nearly every message exact."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from ml.text import own_text
from tests.conftest import skip_or_fail

READING = Path(__file__).parent / "reading"
EXACT = 0.95


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Characters that are not blank: `foreign` were kept and are not the writer's, `lost` are the writer's and were not kept."""

    name: str
    foreign: int
    lost: int


def rows(file: str) -> Iterator[dict[str, Any]]:
    return map(json.loads, (READING / file).read_text(encoding="utf-8").splitlines())


def visible(text: str, spans: Sequence[Sequence[int]]) -> set[int]:
    return {i for start, end in spans for i in range(start, end) if not text[i].isspace()}


def verdict(name: str, text: str, own: Sequence[Sequence[int]]) -> Verdict:
    expected, kept = visible(text, own), visible(text, own_text(text).spans)
    return Verdict(name=name, foreign=len(kept - expected), lost=len(expected - kept))


def check(verdicts: Sequence[Verdict]) -> None:
    wrong = [v for v in verdicts if v.foreign or v.lost]
    share = 1 - len(wrong) / len(verdicts)
    listed = "\n".join(f"{v.name}: {v.foreign} foreign, {v.lost} lost" for v in wrong)
    assert not any(v.foreign for v in wrong), f"words of others were kept:\n{listed}"
    assert share >= EXACT, f"{share:.1%} of {len(verdicts)} messages exact:\n{listed}"


def test_own_text_of_sixty_messages_written_for_it_is_as_marked():
    verdicts = [verdict(row["id"], row["text"], row["own"]) for row in rows("own_text_mine.ndjson")]
    assert len(verdicts) == 60
    check(verdicts)


def test_own_text_of_real_messages_is_as_marked(data):
    file = data / "text" / "email_reply_fixtures.parquet"
    if not file.exists():
        skip_or_fail("not run: needs UNDERTONE_DATA with text/email_reply_fixtures.parquet")
    texts = {hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest(): text for text in pq.read_table(file)["text"].to_pylist()}
    marked = list(rows("own_text_real.ndjson"))
    assert len(marked) == 61
    check([verdict(row["file"], texts[row["sha256"]], row["own"]) for row in marked])
