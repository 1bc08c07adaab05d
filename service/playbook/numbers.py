"""What the playbook reads from `Signal.numbers` and `Evidence.numbers`. Nothing else is looked at, everything is optional.

| kind                 | key            | meaning                                                              |
|----------------------|----------------|----------------------------------------------------------------------|
| usage_drop           | metric         | name of the leading metric, as in the usage file ("seats")           |
|                      | before, after  | typical daily value before and since                                 |
|                      | size           | share lost, 0..1                                                     |
|                      | onset          | first day of the change, ISO date                                    |
|                      | shape          | "sudden" | "fade" | "abandoned" (one metric at zero) | "stopped" (all)|
|                      | metrics        | all metrics that fell, comma separated                               |
|                      | peers          | ratio of comparable accounts in the same weeks (1.0 = unchanged)     |
| silence              | gap_days       | business days without a word                                         |
|                      | usual_days     | this contact's p90 gap in business days                              |
|                      | our_message_at | day of our unanswered message, ISO date                              |
| tone_turn            | usual, now     | tone before and now, -1..1                                           |
|                      | n, messages    | messages in the baseline, messages in the turn                       |
| unanswered_question  | asked_at       | day of the question, ISO date                                        |
|                      | waiting_days   | business days since                                                  |
| renewal_decision     | decided        | 1: notice was given; 0 or absent: being weighed                      |
| cross_functional     | departments    | comma separated, where the scorer names them                         |
| hostile_or_injection | nature         | "insult" | "threat" | "injection"                                    |

The signal's own numbers win over those of its evidence.
"""

from __future__ import annotations

import math
from datetime import date

from service.signals import Signal


def _value(signal: Signal, key: str) -> float | int | str | None:
    for numbers in (signal.numbers, *(item.numbers for item in signal.evidence)):
        if key in numbers:
            return numbers[key]
    return None


def amount(signal: Signal, key: str) -> float | None:
    """A finite number of zero or more, or None."""
    value = _value(signal, key)
    if isinstance(value, str) or value is None or not math.isfinite(value) or value < 0:
        return None
    return float(value)


def tone(signal: Signal, key: str) -> float | None:
    value = _value(signal, key)
    return float(value) if isinstance(value, int | float) and -1 <= value <= 1 else None


def day(signal: Signal, key: str) -> date | None:
    value = _value(signal, key)
    try:
        return date.fromisoformat(value[:10]) if isinstance(value, str) else None
    except ValueError:
        return None


def word(signal: Signal, key: str) -> str | None:
    value = _value(signal, key)
    return value.strip() or None if isinstance(value, str) else None


def words(signal: Signal, key: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in (word(signal, key) or "").split(",") if part.strip())
