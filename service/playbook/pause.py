"""The pause before an angry message is answered: read, name, look at oneself."""

from __future__ import annotations

ANGRY = 0.6
"""How sure the reader is of anger from which on there is a pause (STR-12)."""
CARD = (
    "Read their message again, slowly, to its end.",
    "Say aloud what you think they feel, and write it down in one line.",
    "Ask what you feel yourself, and let that settle before you change a word.",
)
LINE = "Before you mark the draft as used, Undertone asks for that line."
