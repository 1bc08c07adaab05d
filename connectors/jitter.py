from __future__ import annotations

import random


def jitter() -> float:
    """What share of a pause to wait, at least half: those who began to wait together do not come back together."""
    return random.uniform(0.5, 1.0)  # noqa: S311 - spreads retries, guards nothing
