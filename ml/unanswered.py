"""Questions of theirs that nobody on our side answered.

Whether a message takes a question up is told by shared content words. Where that is in doubt (a question of one or two content
words, a brief reply in the thread, a call without notes) it counts as answered: to accuse our side wrongly helps nobody.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date

from ml.alternatives import BY_KIND
from ml.conversation import Conversation, Dated, Message
from ml.moments import Moment, Span
from ml.situations import Question

PATIENCE = 5
"""Working days in which an answer is in time."""
STEM = 6
"""Word stems are compared by their first letters: a stemmer keeps "scheduling" and "schedule" apart."""
FEW = 2
"""A question of so few content words can be answered without any of them."""
BRIEF, BRIEF_WORDS = 4, 15
"""Content words, and words, of a reply that may be a bare "yes, from Monday on"."""
LEAST_WORDS = 4
TELLING = 3
"""Content words beyond those of a receipt: such a reply says something."""
COMMON = 0.25
"""A word in more than this share of the account's messages says little about what a message is about."""
LEARNED = 12
"""Messages after which that share is known."""
REPEATED = 0.5
"""Share of a question's words that make a later one the same question."""
MOST_PENDING = 50
SURE, SURE_WHEN_REPLIED, SURE_WHEN_REPEATED = 0.75, 0.65, 0.85
RECEIPT = frozenset({"thank", "thanks", "note", "noted", "receiv", "receip", "forwar", "passed", "pass"})
"""Beginnings of what a mere receipt is made of."""

Stems = frozenset[str]


def stems(terms: Iterable[str]) -> Stems:
    return frozenset(term[:STEM] for term in terms)


@dataclass(frozen=True, slots=True)
class _Open:
    message: int
    question: Question
    stems: Stems


@dataclass(slots=True)
class _Asked:
    """The questions of one message that are still open, with later messages that repeat them."""

    dated: Dated
    due: date
    open: list[_Open]
    raised: list[_Open] = field(default_factory=list)
    """What was open when the time was up."""
    repeats: list[int] = field(default_factory=list)
    replied: bool = False

    @property
    def message(self) -> Message:
        return self.dated.message


def unanswered(conversation: Conversation) -> list[Moment]:
    reader = _Reader(conversation)
    for dated in conversation.dated:
        if not dated.message.automatic:
            reader.read(dated)
    reader.tick(conversation.today)
    return reader.found + [_moment(asked, conversation, None) for asked in reader.pending if asked.raised]


class _Reader:
    def __init__(self, conversation: Conversation) -> None:
        self.conversation = conversation
        self.pending: list[_Asked] = []
        self.found: list[Moment] = []
        self._seen = 0
        self._messages_with = Counter[str]()

    def read(self, dated: Dated) -> None:
        self.tick(dated.day)
        m = dated.message
        said = stems(m.traits.terms) if m.traits else frozenset()
        if m.spoken or m.ours:
            self._answer(dated, said)
        elif m.theirs and m.traits:
            self._take_back(dated, said)
            self._ask(dated)
        self._seen += 1
        self._messages_with.update(said)

    def tick(self, day: date) -> None:
        """The time is up on the morning of `due`, before anything is said that day."""
        for asked in self.pending:
            if day >= asked.due and not asked.raised:
                asked.raised = list(asked.open)

    def _answer(self, dated: Dated, said: Stems) -> None:
        for asked in self.pending:
            before = len(asked.open)
            taken = [q for q in asked.open if self._takes_up(dated.message, said, asked.message, q)]
            taken = taken or [q for q in asked.open if _answers_in_other_words(dated.message, said, asked.message, q)]
            asked.open = [q for q in asked.open if q not in taken]
            asked.replied |= before == len(asked.open) and _near(dated.message, asked.message)
        self._close(dated.day)

    def _takes_up(self, reply: Message, said: Stems, asked: Message, question: _Open) -> bool:
        with_asker = reply.contact in (None, asked.contact)
        if reply.traits is None:
            return reply.spoken and with_asker
        weight = sum(0.5 if self._is_common(stem) else 1.0 for stem in said & question.stems)
        if reply.spoken:
            return weight >= 1 or (with_asker and len(question.stems) <= FEW)
        if _near(reply, asked):
            return weight >= 1
        return with_asker and weight >= min(2, len(question.stems)) and weight > 0

    def _is_common(self, stem: str) -> bool:
        return self._seen >= LEARNED and self._messages_with[stem] > COMMON * self._seen

    def _take_back(self, dated: Dated, said: Stems) -> None:
        m = dated.message
        assert m.traits is not None
        theirs = [asked for asked in self.pending if asked.message.contact == m.contact]
        near = [asked for asked in theirs if _near(m, asked.message)]
        if m.traits.withdrawn:
            settled = near or theirs
        elif m.traits.thanks and not m.traits.questions:
            settled = [a for a in near if a.replied and not any(q.stems & said for q in a.open)]
        else:
            return
        for asked in settled:
            asked.open = []
        self._close(dated.day)

    def _ask(self, dated: Dated) -> None:
        m = dated.message
        assert m.traits is not None
        fresh = []
        for question in m.traits.questions:
            new = _Open(m.id, question, stems(question.terms))
            known = next((a for a in self.pending if a.message.contact == m.contact and _repeats(new, a)), None)
            if known is None:
                fresh.append(new)
            elif m.id not in known.repeats:
                known.repeats.append(m.id)
        if fresh:
            self.pending.append(_Asked(dated, self.conversation.morning_after(dated.day, PATIENCE), fresh))
            self._forget_oldest()

    def _forget_oldest(self) -> None:
        """So that a flood of questions cannot slow everything down; what was raised stays open."""
        while len(self.pending) > MOST_PENDING:
            oldest = self.pending.pop(0)
            if oldest.raised:
                self.found.append(_moment(oldest, self.conversation, None))

    def _close(self, day: date) -> None:
        closed = [asked for asked in self.pending if not asked.open]
        if closed:
            self.pending = [asked for asked in self.pending if asked.open]
            self.found += [_moment(asked, self.conversation, day) for asked in closed if asked.raised]


def _near(later: Message, asked: Message) -> bool:
    """In the same thread; where threads are not known, with the same person."""
    if later.thread is None or asked.thread is None:
        return later.contact == asked.contact
    return later.thread == asked.thread


def _answers_in_other_words(reply: Message, said: Stems, asked: Message, question: _Open) -> bool:
    """No word in common with any question of the mail, and still an answer: to hardly any words, in hardly any, or with something to say.

    People answer in their own words, and a reply in the thread that is more than a receipt gets the benefit of the doubt.
    """
    if reply.traits is None or reply.spoken or not _near(reply, asked):
        return False
    told, words = said - RECEIPT, reply.traits.words
    if words < LEAST_WORDS or not told:
        return False
    brief = len(told) <= BRIEF and words <= BRIEF_WORDS
    return len(question.stems) <= FEW or len(told) >= TELLING or (brief and told == said and not reply.traits.thanks)


def _repeats(new: _Open, asked: _Asked) -> bool:
    return any(len(new.stems & old.stems) > REPEATED * min(len(new.stems), len(old.stems)) for old in asked.open)


def _moment(asked: _Asked, conversation: Conversation, ended: date | None) -> Moment:
    sure = SURE_WHEN_REPEATED if asked.repeats else SURE_WHEN_REPLIED if asked.replied else SURE
    return Moment(
        kind="unanswered_question",
        state="ended" if ended else "open",
        detected_at=asked.due,
        contact=asked.message.contact,
        anchor=asked.message.id,
        messages=(asked.message.id, *asked.repeats),
        spans=tuple(Span(q.message, q.question.start, q.question.end) for q in asked.raised),
        numbers={"asked_at": asked.dated.day.isoformat(), "waiting_days": conversation.calendar.between(asked.dated.day, ended or conversation.today)},
        confidence=sure,
        alternatives=BY_KIND["unanswered_question"],
        ended_at=ended,
    )
