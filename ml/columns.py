"""What the heads of the reader vote on and what its trees decide, column by column."""

from __future__ import annotations

from ml.labels import EMOTIONS, PRIORITIES, SITUATIONS

CHURN_LEVELS = (1, 2, 3)
CLASSES = ("negative", "neutral", "positive")
_BOTH = (
    *(f"situation {n}" for n in SITUATIONS),
    *(f"emotion {n}" for n in EMOTIONS),
    "sentiment",
    *(f"churn {n}" for n in CHURN_LEVELS),
    *(f"priority {n}" for n in PRIORITIES[1:]),
)
VOTES = (*_BOTH, "order", "reflect")
"""Columns of the heads. The last two vote on sentences: does this one give orders to a machine, is it worth reflecting?"""
DECISIONS = (*_BOTH, *(f"class {n}" for n in CLASSES))
"""Columns of the trees. A class is one of sentiment."""
SITUATION = slice(0, len(SITUATIONS))
EMOTION = slice(SITUATION.stop, SITUATION.stop + len(EMOTIONS))
SENTIMENT = EMOTION.stop
CHURN = slice(SENTIMENT + 1, SENTIMENT + 1 + len(CHURN_LEVELS))
PRIORITY = slice(CHURN.stop, CHURN.stop + len(PRIORITIES) - 1)
CLASS = slice(PRIORITY.stop, PRIORITY.stop + len(CLASSES))
ON_TEXTS = slice(0, len(_BOTH))
ORDER, REFLECT = VOTES.index("order"), VOTES.index("reflect")
