"""Small English: dates, numbers, lists, names. Every function returns words a person would write."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from datetime import date

MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip


def day_month(day: date, today: date) -> str:
    """12 May, with the year when a reader could otherwise take it for another May."""
    words = f"{day.day} {MONTHS[day.month - 1]}"
    return words if abs((today - day).days) <= 300 else f"{words} {day.year}"


def day_month_year(day: date) -> str:
    """12 May 2026"""
    return f"{day.day} {day:%b %Y}"


def number(value: float) -> str:
    """41, 2.5, 1,200: at most one decimal below ten, none above."""
    shown = round(value, 1) if abs(value) < 10 else round(value)
    return f"{int(shown):,}" if shown == int(shown) else f"{shown:,}"


def percent(share: float) -> str:
    return f"{round(100 * share)}%"


def listed(items: Sequence[str], joint: str = "and") -> str:
    """a / a and b / a, b and c"""
    if len(items) <= 1:
        return "".join(items)
    return f"{', '.join(items[:-1])} {joint} {items[-1]}"


def counted(count: int, noun: str, plural: str | None = None) -> str:
    """1 message, 3 messages"""
    return f"{count} {noun if count == 1 else plural or noun + 's'}"


def capitalised(text: str) -> str:
    return text[:1].upper() + text[1:]


def folded(text: str) -> str:
    """One line: every run of white space is one space."""
    return " ".join(text.split())


def full_name(name: str | None) -> str | None:
    """A name fit to stand under a message, or None."""
    shown = folded(name or "")
    plain = all(char.isalpha() or unicodedata.category(char) == "Mn" or char in " .'’-" for char in shown)
    return shown if 2 <= len(shown) <= 60 and plain else None


def without_controls(text: str) -> str:
    """No control, bidirectional or other invisible characters; line breaks and tabs stay."""
    return "".join(char for char in text if char in "\n\t" or unicodedata.category(char) not in {"Cc", "Cf", "Co", "Cs", "Cn"})
