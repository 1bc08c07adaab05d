"""A tone that turns: cooler messages in a row by one person, until two in the old tone.

The thresholds were set by simulating steady and turning writers; tests/ml/test_dynamics.py repeats that.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from math import exp

from ml.alternatives import BY_KIND
from ml.conversation import Conversation, Dated, Message
from ml.moments import Moment, MomentState, Span
from ml.said import FRESH
from ml.tone import BLAME, Usual, accusation, midmean

MIN_BASELINE = 6
LONGEST_BASELINE = 40
COOLER = -0.7
"""Evidence above which a single message is not in the old tone: a turned person has a milder day, too."""
CONFIRMED = 4.3
"""Evidence of two or more such messages in a row, on different days, that makes a turn."""
FORMING = 3.0
LONGEST_RUN = 5
"""Days that are looked at together before a turn is confirmed."""
SEEN_VOICED, SEEN_SILENT = 2, 3
MOST_SURE = 0.95


def tone_turns(conversation: Conversation) -> list[Moment]:
    writers: dict[str, _Writer] = {}
    for dated in conversation.dated:
        m = dated.message
        if m.theirs and m.contact is not None and m.traits is not None and m.confidence > 0:
            writers.setdefault(m.contact, _Writer(m.contact)).read(dated)
    return [moment for writer in writers.values() for moment in writer.moments(conversation.today)]


@dataclass(slots=True)
class _Run:
    """Cooler messages in a row. The habit they are compared with is frozen with the first of them."""

    usual: Usual
    days: dict[date, list[Message]] = field(default_factory=dict)
    evidence: float = 0.0
    turned_on: date | None = None
    back: list[Message] = field(default_factory=list)
    """Messages in the old tone since the last cooler one."""

    @property
    def cooler(self) -> list[Message]:
        return [m for day in self.days.values() for m in day]

    @property
    def last_day(self) -> date:
        return max(self.days)

    def add(self, dated: Dated) -> None:
        self.days.setdefault(dated.day, []).append(dated.message)
        self.back.clear()
        if self.turned_on is None:
            self._judge(dated.day)

    def _judge(self, today: date) -> None:
        """By the most telling of the last days: a mild message before the first cold one must not dilute the turn."""
        days = list(self.days.items())
        ends = [days[-n:] for n in range(1, min(len(days), LONGEST_RUN) + 1)]
        weighed = [(self.usual.evidence([messages for _, messages in end]), end) for end in ends]
        self.evidence = max(evidence for evidence, _ in weighed)
        confirmed = [(evidence, end) for evidence, end in weighed if evidence >= CONFIRMED and self._is_seen_enough(end)]
        if confirmed:
            self.evidence, end = max(confirmed, key=lambda pair: pair[0])
            self.turned_on, self.days = today, dict(end)

    def _is_seen_enough(self, days: Sequence[tuple[date, list[Message]]]) -> bool:
        """One bad day after a mild one is no turn: it takes two days that are cooler in more than a number, and three where nobody says why."""
        cooler = [messages for _, messages in days if self.usual.supports(messages)]
        is_voiced = any(accusation(m) > 0 for messages in cooler for m in messages)
        return len(cooler) >= (SEEN_VOICED if is_voiced else SEEN_SILENT)


@dataclass(slots=True)
class _Writer:
    contact: str
    habit: deque[Message] = field(default_factory=lambda: deque(maxlen=LONGEST_BASELINE))
    run: _Run | None = None
    ended: list[tuple[_Run, date]] = field(default_factory=list)

    def read(self, dated: Dated) -> None:
        if self.run is None and len(self.habit) < MIN_BASELINE:
            self.habit.append(dated.message)
            return
        run = self.run or _Run(Usual(list(self.habit)))
        if run.usual.evidence([[dated.message]]) > COOLER:
            run.add(dated)
            self.run = run
        else:
            self._back(run, dated)

    def _back(self, run: _Run, dated: Dated) -> None:
        """One message in the old tone breaks what was forming; it takes two to end a turn."""
        run.back.append(dated.message)
        if run.turned_on is None:
            self.habit.extend([*run.cooler, dated.message])
            self.run = None
        elif len(run.back) > 1:
            self.ended.append((run, dated.day))
            self.habit.extend(run.back)
            self.run = None

    def moments(self, today: date) -> Iterator[Moment]:
        yield from (self._moment(run, "ended", run.turned_on, ended_at=day) for run, day in self.ended if run.turned_on)
        run = self.run
        if run and run.turned_on:
            yield self._moment(run, "open", run.turned_on)
        elif run and run.evidence >= FORMING and today <= run.last_day + FRESH:
            yield self._moment(run, "forming", run.last_day)

    def _moment(self, run: _Run, state: MomentState, detected_at: date, ended_at: date | None = None) -> Moment:
        cooler = run.cooler
        return Moment(
            kind="tone_turn",
            state=state,
            detected_at=detected_at,
            contact=self.contact,
            anchor=cooler[0].id,
            messages=tuple(m.id for m in cooler),
            spans=tuple(Span(m.id, s.start, s.end) for m in cooler for s in m.held_against_us if s.name in BLAME),
            numbers={
                "usual": round(run.usual.tone, 3),
                "now": round(midmean([(m.sentiment, m.confidence) for m in cooler]), 3),
                "n": len(run.usual.earlier),
                "messages": len(cooler),
            },
            confidence=min(MOST_SURE, 1 / (1 + exp(-run.evidence / CONFIRMED))),
            alternatives=BY_KIND["tone_turn"],
            ended_at=ended_at,
        )
