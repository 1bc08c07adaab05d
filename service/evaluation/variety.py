"""How much texts repeat each other and themselves. Over lists of words; where a text has gaps, over its stretches."""

from __future__ import annotations

import gzip
import math
import random
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from statistics import fmean

Tokens = Sequence[str]
Gram = tuple[str, ...]
SAMPLE, SAMPLES = 60, 5
ORDERS = 4


def runs(tokens: Tokens, length: int) -> Iterator[Gram]:
    return (tuple(tokens[n : n + length]) for n in range(len(tokens) - length + 1))


def distinct(texts: Iterable[Tokens], length: int = 2) -> float:
    """Different runs of so many words among all of them; none goes from one text into the next."""
    found = [run for text in texts for run in runs(text, length)]
    return len(set(found)) / len(found) if found else math.nan


def gzip_ratio(texts: Sequence[str]) -> float:
    """Bytes before by bytes after."""
    plain = "\n".join(texts).encode()
    return len(plain) / len(gzip.compress(plain, compresslevel=9, mtime=0))


def self_bleu(texts: Sequence[Tokens], seed: str) -> float:
    """Mean BLEU-4 of each of 60 against the other 59, over five such samples."""
    draws = random.Random(seed)  # noqa: S311
    return fmean(_self_bleu(draws.sample(texts, min(SAMPLE, len(texts)))) for _ in range(SAMPLES))


def _self_bleu(texts: Sequence[Tokens]) -> float:
    counted = [_counts(text) for text in texts]
    return fmean(_bleu(mine, [*counted[:n], *counted[n + 1 :]]) for n, mine in enumerate(counted))


def bleu(text: Tokens, references: Sequence[Tokens]) -> float:
    """Of one text, 0 to 1, with the brevity penalty by the reference nearest in length. Where no run of a length is shared, half of one counts, then a
    quarter, and so on (Chen and Cherry 2014, method 3; the default of sacrebleu)."""
    return _bleu(_counts(text), [_counts(reference) for reference in references])


def _counts(text: Tokens) -> list[Counter[Gram]]:
    """Of the runs of each length."""
    return [Counter(runs(text, length)) for length in range(1, ORDERS + 1)]


def _bleu(mine: Sequence[Counter[Gram]], references: Sequence[Sequence[Counter[Gram]]]) -> float:
    if not mine[-1]:
        return 0.0
    logs, misses = [], 0
    for order, counts in enumerate(mine):
        held = [reference[order] for reference in references]
        hits = sum(min(count, max(other.get(gram, 0) for other in held)) for gram, count in counts.items())
        misses += not hits
        logs.append(math.log((hits or 0.5**misses) / counts.total()))
    size = mine[0].total()
    nearest = min((reference[0].total() for reference in references), key=lambda other: (abs(other - size), other))
    return math.exp(fmean(logs) + min(0.0, 1 - nearest / size))


def containment(text: Sequence[Tokens], earlier: Sequence[Tokens], length: int = 4) -> float:
    """Share of the different four-word runs of a text that an earlier one holds; each given by its stretches."""
    mine = _all(text, length)
    return len(mine & _all(earlier, length)) / len(mine) if mine else 0.0


def longest_run(text: Sequence[Tokens], earlier: Sequence[Tokens]) -> int:
    """Words of the longest run that both hold."""
    length = 0
    while _all(text, length + 1) & _all(earlier, length + 1):
        length += 1
    return length


def _all(stretches: Sequence[Tokens], length: int) -> set[Gram]:
    return {run for tokens in stretches for run in runs(tokens, length)}


def overlaps(texts: Sequence[Sequence[Tokens]], pairs: int, seed: str) -> list[float]:
    """Containment of random pairs of different texts, sorted."""
    draws = random.Random(seed)  # noqa: S311
    held = [_all(text, 4) for text in texts]
    found = []
    for _ in range(pairs):
        a, b = draws.sample(range(len(held)), 2)
        found.append(len(held[a] & held[b]) / len(held[a]) if held[a] else 0.0)
    return sorted(found)
