"""What weighs on the buyer, followed through a conversation: voiced, voiced again, acknowledged by our side or over.

A concern is acknowledged when a later message of ours takes up its words (ml.taking_up). Only the first reply that says something
may do so in quite other words, and only if it takes up nothing else of that mail: otherwise any later mail of a long thread would.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date

from ml.asked import Inquiry
from ml.conversation import Conversation, Dated, Message
from ml.labels import SituationName
from ml.said import FRESH
from ml.situations import Question, Situation
from ml.stems import words_in
from ml.taking_up import Basis, Settled, Stems, Vocabulary, in_other_words, near, said_in, stems, takes_up, tells

WEIGHING: frozenset[SituationName] = frozenset(
    {
        *("frustration", "risk_reliability", "price_objection", "deadlock", "implementation_worry"),
        *("timing_concern", "past_vendor_disappointment", "confusion", "budget_cut", "usage_drop"),
    }
)
HOSTILE: SituationName = "hostile_or_injection"
JOINT = 3
"""Characters between sentences of one passage: a full stop, a blank, a line break."""
MOST_OF_A_MAIL = 50
"""The surest; nobody voices more by hand."""
MOST_OPEN = 200
"""Concerns followed at a time, so that a flood cannot slow everything down; an older one stays as it is."""
MOST_VOICES = 10
"""Of one concern, the latest, to which a reply is held."""
_OVER = stems(
    words_in(
        "good fine well clear set sorted solved resolved fixed settled dealt works working runs running loads smoothly nicely normal gone found figured"
        " problem problems issue issues concern worry worries matter trouble everything fully great perfect side end never mind nevermind disregard ignore"
        " gut ordnung geklärt gelöst behoben erledigt funktioniert läuft geht klappt problem thema fehler wieder jetzt inzwischen"
        " tout ordre réglé résolu marche fonctionne maintenant nouveau problème"
        " todo solucionado resuelto arreglado funciona problema tudo resolvido certo agora"
    )
)
"""What a sentence that says "it is over" is made of besides its subject."""


@dataclass(frozen=True, slots=True)
class Passage:
    """Sentences of one message that speak of one concern: `start` and `end` of the first of them and what adjoins it."""

    situation: SituationName
    confidence: float
    start: int
    end: int
    stems: Stems


@dataclass(slots=True, eq=False)
class Concern:
    """`stems`: of all that was said of it. Whether something later is the same concern is told by the first words alone."""

    first: Passage
    voices: list[tuple[Dated, Passage]]
    stems: Stems
    since: date
    settled: list[tuple[date, Settled]] = field(default_factory=list)
    """Each with the day since which it had been open."""
    open: bool = True
    replied: bool = False
    """A reply to the last voicing said something, so that no later one is taken for an answer in other words."""

    @property
    def last(self) -> Dated:
        return self.voices[-1][0]

    def voice(self, dated: Dated, passage: Passage) -> None:
        self.since = self.since if self.open else dated.day
        self.open, self.replied = True, False
        self.stems |= passage.stems
        self.voices.append((dated, passage))

    def settle(self, how: Settled) -> None:
        self.settled.append((self.since, how))
        self.open = False


def concerns(conversation: Conversation, asked: Iterable[Inquiry]) -> list[Concern]:
    """In the order in which they were first voiced. `asked`: the questions of the same conversation."""
    listener = _Listener(asked)
    for dated in conversation.dated:
        if not dated.message.automatic:
            listener.read(dated)
    return listener.all


def weighing_on(m: Message, question: Question) -> SituationName | None:
    """What a question voices besides; HOSTILE where it is that."""
    found = [s for s in m.situations if _overlap(s, question) and (s.name in WEIGHING or s.name == HOSTILE)]
    surest = max(found, key=lambda s: (s.name == HOSTILE, s.confidence), default=None)
    return surest.name if surest else None


class _Listener:
    def __init__(self, asked: Iterable[Inquiry]) -> None:
        self.all: list[Concern] = []
        self._open: list[Concern] = []
        self._vocabulary = Vocabulary()
        self._answered = {(i.message.id, a.settled.message) for i in asked for a in i.asked if a.settled and a.settled.basis == "words"}
        """(their mail, our reply) where a question of the mail is answered in its own words."""

    def read(self, dated: Dated) -> None:
        m, said = dated.message, said_in(dated.message)
        if m.spoken or m.ours:
            self._hear_us(dated, said)
        elif m.theirs and m.traits:
            if m.traits.over is not None:
                self._end(dated, stems(m.traits.over) - _OVER)
            for passage in passages(m):
                self._hear_them(dated, passage)
        self._vocabulary.learn(said)

    def _hear_us(self, dated: Dated, said: Stems) -> None:
        reply = dated.message
        taken = {c: basis for c in self._open if (basis := self._takes_up(reply, said, c))}
        touched = {c.last.message.id for c in taken} | {mail for mail, by in self._answered if by == reply.id}
        for concern in self._open:
            first = concern not in taken and not concern.replied and concern.last.message.id not in touched
            if first and in_other_words(reply, said, concern.last.message, concern.stems):
                taken[concern] = "other_words"
            concern.replied |= tells(reply, said) and near(reply, concern.last.message)
        for concern, basis in taken.items():
            concern.settle(Settled(reply.id, dated.day, "acknowledged", basis))
        self._close()

    def _takes_up(self, reply: Message, said: Stems, concern: Concern) -> Basis | None:
        voiced = (takes_up(reply, said, dated.message, concern.stems, self._vocabulary) for dated, _ in concern.voices[-MOST_VOICES:])
        return next(filter(None, voiced), None)

    def _end(self, dated: Dated, subject: Stems) -> None:
        """What they name is over; where they name nothing, what they voiced in this thread."""
        m = dated.message
        theirs = [c for c in self._open if c.last.message.contact == m.contact]
        over = [c for c in theirs if (c.stems & subject if subject else near(m, c.last.message))]
        for concern in over:
            concern.settle(Settled(m.id, dated.day, "withdrawn", "own_words"))
        self._close()

    def _hear_them(self, dated: Dated, passage: Passage) -> None:
        known = next((c for c in reversed(self.all[-MOST_OPEN:]) if self._is_same(c, dated, passage)), None)
        if known is None:
            known = Concern(passage, [(dated, passage)], passage.stems, dated.day)
            self.all.append(known)
        elif known.last.message.id != dated.message.id:
            known.voice(dated, passage)
        if known not in self._open:
            self._open = [*self._open, known][-MOST_OPEN:]

    def _is_same(self, known: Concern, dated: Dated, passage: Passage) -> bool:
        if known.first.situation != passage.situation or self._vocabulary.weight(known.first.stems & passage.stems) < 1:
            return False
        before, now = known.last.message, dated.message
        same_person = before.contact == now.contact and (now.contact is not None or near(now, before))
        return same_person and (known.open or dated.day <= known.last.day + FRESH)

    def _close(self) -> None:
        self._open = [c for c in self._open if c.open]


def passages(m: Message) -> list[Passage]:
    """Of one message, by place. A sentence belongs to one of them: not to a question, which has an entry of its own, nor to hostile text."""
    others: list[Situation | Question] = [*(m.traits.questions if m.traits else ()), *(s for s in m.situations if s.name == HOSTILE)]
    surest_first = sorted((s for s in m.situations if s.name in WEIGHING), key=lambda s: (-s.confidence, s.start))[:MOST_OF_A_MAIL]
    chosen: list[Situation] = []
    for s in surest_first:
        if not any(_overlap(s, other) for other in [*others, *chosen]):
            chosen.append(s)
    return _joined(sorted(chosen, key=lambda s: s.start))


def _joined(found: Sequence[Situation]) -> list[Passage]:
    """Sentences that adjoin, or share words, and speak of the same make one passage."""
    joined: list[Passage] = []
    for s in found:
        new = Passage(s.name, s.confidence, s.start, s.end, stems(s.terms))
        at = next((n for n, old in enumerate(joined) if old.situation == new.situation and (new.start - old.end <= JOINT or new.stems & old.stems)), None)
        if at is None:
            joined.append(new)
        else:
            joined[at] = _with(joined[at], new)
    return joined


def _with(old: Passage, new: Passage) -> Passage:
    end = new.end if new.start - old.end <= JOINT else old.end
    return Passage(old.situation, max(old.confidence, new.confidence), old.start, end, old.stems | new.stems)


def _overlap(a: Situation | Question, b: Situation | Question) -> bool:
    return a.start < b.end and b.start < a.end
