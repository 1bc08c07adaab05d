"""Questions of theirs, followed through a conversation: asked, asked again, answered by our side or taken back."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from ml.conversation import Conversation, Dated, Message
from ml.situations import Question
from ml.taking_up import Basis, Settled, Stems, Vocabulary, in_other_words, near, said_in, stems, takes_up

REPEATED = 0.5
"""Share of a question's words that make a later one the same question."""
MOST_PENDING = 50


@dataclass(slots=True)
class Asked:
    """One question, where it was asked again, and how it was settled."""

    question: Question
    stems: Stems
    again: list[tuple[Dated, Question]] = field(default_factory=list)
    settled: Settled | None = None


@dataclass(slots=True)
class Inquiry:
    """The questions of one message."""

    dated: Dated
    asked: list[Asked]
    repeats: list[int] = field(default_factory=list)
    """Later messages that ask one of them again while it is open."""
    replied: bool = False
    """Something came back that takes none of them up."""
    left_on: date | None = None
    """From this day on it is no longer followed, and stays as it is."""

    @property
    def message(self) -> Message:
        return self.dated.message

    @property
    def open(self) -> list[Asked]:
        return [a for a in self.asked if a.settled is None]


def inquiries(conversation: Conversation) -> list[Inquiry]:
    """In the order in which they were asked."""
    follower = _Follower()
    for dated in conversation.dated:
        if not dated.message.automatic:
            follower.read(dated)
    return follower.all


class _Follower:
    def __init__(self) -> None:
        self.all: list[Inquiry] = []
        self._pending: list[Inquiry] = []
        self._vocabulary = Vocabulary()

    def read(self, dated: Dated) -> None:
        m, said = dated.message, said_in(dated.message)
        if m.spoken or m.ours:
            self._answer(dated, said)
        elif m.theirs and m.traits:
            self._take_back(dated, said)
            self._ask(dated)
        self._vocabulary.learn(said)

    def _answer(self, dated: Dated, said: Stems) -> None:
        for inquiry in self._pending:
            taken = self._taken(dated.message, said, inquiry)
            for asked, basis in taken:
                asked.settled = Settled(dated.message.id, dated.day, "answered", basis)
            inquiry.replied |= not taken and near(dated.message, inquiry.message)
        self._pending = [i for i in self._pending if i.open]

    def _taken(self, reply: Message, said: Stems, inquiry: Inquiry) -> list[tuple[Asked, Basis]]:
        found = [(a, basis) for a in inquiry.open if (basis := takes_up(reply, said, inquiry.message, a.stems, self._vocabulary))]
        return found or [(a, "other_words") for a in inquiry.open if in_other_words(reply, said, inquiry.message, a.stems)]

    def _take_back(self, dated: Dated, said: Stems) -> None:
        m = dated.message
        assert m.traits is not None
        theirs = [i for i in self._pending if i.message.contact == m.contact]
        close = [i for i in theirs if near(m, i.message)]
        if m.traits.withdrawn:
            self._settle(close or theirs, Settled(m.id, dated.day, "withdrawn", "own_words"))
        elif m.traits.thanks and not m.traits.questions:
            thanked = [i for i in close if i.replied and not any(a.stems & said for a in i.open)]
            self._settle(thanked, Settled(m.id, dated.day, "answered", "thanks"))

    def _settle(self, settled: list[Inquiry], how: Settled) -> None:
        for asked in (a for i in settled for a in i.open):
            asked.settled = how
        self._pending = [i for i in self._pending if i.open]

    def _ask(self, dated: Dated) -> None:
        m = dated.message
        assert m.traits is not None
        fresh = []
        for question in m.traits.questions:
            new = Asked(question, stems(question.terms))
            known = next(((i, a) for i in self._pending if i.message.contact == m.contact for a in i.open if _repeats(new, a)), None)
            if known is None:
                fresh.append(new)
                continue
            inquiry, earlier = known
            earlier.again.append((dated, question))
            inquiry.repeats = list(dict.fromkeys([*inquiry.repeats, m.id]))
        if fresh:
            self.all.append(Inquiry(dated, fresh))
            self._pending.append(self.all[-1])
            self._leave_oldest(dated.day)

    def _leave_oldest(self, day: date) -> None:
        """So that a flood of questions cannot slow everything down."""
        while len(self._pending) > MOST_PENDING:
            self._pending.pop(0).left_on = day


def _repeats(new: Asked, old: Asked) -> bool:
    return len(new.stems & old.stems) > REPEATED * min(len(new.stems), len(old.stems))
