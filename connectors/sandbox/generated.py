"""Text that is made up from a number: the bodies of an org too large to be written down."""

from __future__ import annotations

from functools import cache

_CLAUSES = (
    "the rosters for next week are in",
    "two of the shifts still need a name",
    "our team has looked at the export",
    "could you check the numbers for the night shift",
    "we have moved the review to the morning",
    "the new colleagues have their access now",
    "nothing else has changed on our side",
    "the summary went to everybody who asked",
)
_STEP = 7_919  # prime, so that neighbours begin at places far apart


def generated_text(number: int, length: int) -> str:
    """`length` characters, the same for the same number, another for most others."""
    head = f"Message {number}.\n"
    if length <= len(head):
        return head[:length]
    pool = _pool(length)
    start = number * _STEP % length
    return head + pool[start : start + length - len(head)]


@cache
def _pool(length: int) -> str:
    """Twice as long as what is cut from it."""
    sentences: list[str] = []
    written = 0
    while written < 2 * length:
        n = len(sentences)
        sentences.append(f"{_CLAUSES[n % 8].capitalize()} ({n}), and {_CLAUSES[(n * 5 + 3) % 8]}.\n")
        written += len(sentences[-1])
    return "".join(sentences)
