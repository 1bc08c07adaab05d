"""Text that talks to a machine rather than to a person."""

from __future__ import annotations

import re

_INSTRUCTION = re.compile(
    r"\b(?:ignore|disregard|forget)\b.{0,40}\b(?:instruction|prompt|rule|above|previous|prior)|\bsystem prompt\b|\byou are now\b"
    r"|\bas an ai\b|\{\{|\{%|\{!|<script|<!--|\bset (?:the )?(?:health|risk|churn|priority|score)\b|=(?:HYPERLINK|IMPORT|cmd\|)",
    re.IGNORECASE | re.DOTALL,
)


def holds_instruction(text: str) -> bool:
    return _INSTRUCTION.search(text) is not None
