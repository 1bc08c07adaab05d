"""Everything that a draft may be made of: slots for the frames, and what must be told."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, partial

from service.drafting import facts, failures, statements
from service.drafting.facts import MATERIAL, Fact
from service.drafting.known import Span
from service.drafting.offered import Offered
from service.drafting.recalled import recalled
from service.drafting.theirs import OPEN_QUESTION, Filling, Slots, words_of

MOST_TOLD, MOST_FACTS, MOST_IN_CHAT = 7, 4, 2
LONG_STEM = 5
"""Letters of a word long enough to tell by itself that two texts speak of one thing."""


@dataclass(frozen=True, slots=True)
class Told:
    """Something the draft has to say under INFO, with its own slots."""

    move: str
    slots: Slots


@dataclass(frozen=True, slots=True)
class OpenQuestion:
    """One that no fact answers by its words. `may_be_answered`: by an offer, or by something that is told."""

    evidence_id: str
    span: Span
    text: str
    may_be_answered: bool


@dataclass(frozen=True)
class Material(Offered):
    @cached_property
    def slots(self) -> Slots:
        """What frames may draw on anywhere in the draft."""
        found: dict[str, tuple[Filling, ...]] = {}
        for name, filling in self._found():
            found[name] = (*found.get(name, ()), filling)
        return found

    def _found(self) -> Iterator[tuple[str, Filling]]:
        yield from self.their_words()
        yield from self.mentioned()
        yield from self.read_as()
        yield from zip(("offer_verb_phrase", "second_offer"), self.offers, strict=False)
        yield from self._silence()
        yield from self._owned()
        yield from self._causes()
        if self._bound:
            yield "material", Filling((self._bound.text,), (self._bound.evidence_id,))

    def _owned(self) -> Iterator[tuple[str, Filling]]:
        if self.failing and self._fault_named and self.failing == self._fault_named[0]:
            yield "fault_named", Filling((self._fault_named[1],), (self.failing.evidence_id,))
        elif self.failing:
            said = failures.as_ours(self.failing.text)
            is_long = len(said.split()) > failures.LONGEST_WITH_SORRY or ", and " in said
            filling = Filling((said,), (self.failing.evidence_id,))
            yield "failure_long" if is_long else "failure", filling
            if failures.is_surely_ours(said):
                yield "our_failure", filling

    @cached_property
    def is_explained(self) -> bool:
        """Use fell, and they or our records say what happened at that time: then nobody is asked what has changed."""
        is_known = bool(self.said.own.strip()) or not _CAUSES.isdisjoint(self.slots) or any(f.type != "usage" for f in self.facts)
        return self.is_english and self.situation == "usage_drop" and is_known

    def _causes(self) -> Iterator[tuple[str, Filling]]:
        """What our notes say of why use fell: what we have heard, and what they told us."""
        if self.situation != "usage_drop" or not self.is_english:
            return
        for piece in self.pieces:
            if piece.type == "crm_note" and (said := recalled(piece.text, self.people)):
                yield "recalled", Filling((said,), (piece.id,))
        for note in self.notes:
            said = re.sub(r"\bthe customer's\b", "your", re.sub(r"\bthe customer\b(?!')", "you", note.text))
            if note.is_clause and _PAST.search(said) and not _NO_CAUSE.search(_DATE.sub("", said)):
                yield "cause", Filling((said,), (note.evidence_id,))

    @cached_property
    def failing(self) -> Fact | None:
        """What our records say went wrong."""
        found = failures.failure(self._troubles)
        return found or (self._fault_named[0] if self._fault_named else None)

    @cached_property
    def _fault_named(self) -> tuple[Fact, str] | None:
        return failures.named(self._troubles)

    @property
    def _troubles(self) -> list[Fact]:
        return [f for f in self.facts if f.type in TROUBLE] if self.is_english else []

    @cached_property
    def is_due(self) -> bool:
        """We failed, and what is offered makes it good: it is done, and not proposed. About money, scope and an end they decide themselves."""
        return self.failing is not None and not self.is_theirs_to_decide

    @property
    def is_reproached(self) -> bool:
        """They complain of us, and our records speak of the matter: then we are sorry that they had to, whatever the cause."""
        is_known = bool(self.facts or self.terms) and self.situation in _OF_OUR_DOING
        return self.is_confirmed or (self.said.is_negative and is_known and self._reproaches)

    @property
    def _reproaches(self) -> bool:
        """They speak of us, and of what was not done or done wrong."""
        return _REPROACH.search(self.said.own) is not None and _OF_US.search(self.said.own) is not None

    @property
    def is_redress(self) -> bool:
        """We are reproached, and what is offered for it needs no word of theirs."""
        return self.is_reproached and not self.is_theirs_to_decide and not self.is_meeting

    @property
    def is_done_unasked(self) -> bool:
        return self.is_own_act and (self.situation not in _UNHURRIED or self.is_confirming)

    def _changes(self) -> Iterator[Told]:
        """A change in use that the customer can see as well."""
        for piece, change in self.figures[:1]:
            if not self.is_contradictory and (self.situation == "usage_drop" or self.questions or not self.said.own.strip()):
                yield Told("INFO.usage", {name: (Filling((getattr(change, name),), (piece.id,)),) for name in ("metric", "before", "after", "window")})
                return

    def _silence(self) -> Iterator[tuple[str, Filling]]:
        if not self.is_english or self.situation != "silence":
            return
        last, topic = facts.last_contact(self.pieces), facts.noted_topic(self.pieces)
        if last and not self.said.own.strip():
            since, evidence_id, _ = last
            yield "last_contact", Filling((since,), (evidence_id,))
        if topic and not (last and topic[0] in last[0] and not self.said.own.strip()):
            yield "topic", Filling((topic[0],), (topic[1],))

    def told(self, *, is_strict: bool = False) -> list[Told]:
        """Figures first, then answers, what the terms say, what is known, and who has it. `is_strict`: each open question is said to be open."""
        answers, open_ones = self._asked
        left = [question for question in open_ones if is_strict or not question.may_be_answered]
        rest = self._rest(is_strict=is_strict) if self.is_english else (*self._terms(), *self._state())
        causes = [Told("INFO.cause", {name: self.slots[name]}) for name in sorted(_CAUSES & self.slots.keys())]
        found = [*self._changes(), *answers, *self._unanswered(left), *rest, *causes]
        return found[:MOST_TOLD]

    @property
    def _noted(self) -> list[Fact]:
        """Notes that speak of what was asked, and beside trouble those that say when it ends."""
        if self.is_confirmed:
            matter = self.stems(" ".join([self.said.own, *(f.text for f in self.facts)]))
            ends = [f for f in self.notes if f.is_clause and _ENDS.search(f.text) and matter & self.stems(f.text)]
            if ends:
                return ends
        asked = self.stems(" ".join(text for _, _, text in self.questions)) - {"what", "there"}
        return [f for f in self.notes if f.is_clause and any(len(stem) == LONG_STEM for stem in asked & self.stems(f.text))]

    @cached_property
    def _asked(self) -> tuple[list[Told], list[OpenQuestion]]:
        """Answers, and what stays open."""
        known, answers, open_ones = [*self.facts, *self.terms], list[Told](), list[OpenQuestion]()
        for evidence_id, span, text in self.questions[:3]:
            answer = facts.best_match(text, self._fitting(text, [*known, *self.notes]), self.stems)
            if answer is None:
                open_ones.append(OpenQuestion(evidence_id, span, text, self._may_be_answered([*known, *self.figures])))
                continue
            beside = [f for f in known if f.evidence_id == answer.evidence_id] or [answer]
            told = beside[: beside.index(answer) + 1] if answer in beside else [answer]
            known = [f for f in known if f not in told]
            answers += [Told("INFO.answer", {"answer": (Filling((f.text,), (f.evidence_id,)),)}) for f in told]
        return answers, open_ones

    def _fitting(self, question: str, known: Sequence[Fact]) -> list[Fact]:
        """What has the form of an answer to it."""
        fits = facts.fits_question if self.is_english else partial(statements.fits_question, lang=self.lang)
        return [f for f in known if fits(question, f)]

    def _may_be_answered(self, known: Sequence[object]) -> bool:
        """By an offer, or by something that is told: whether it is, they are asked."""
        return bool(known) or "offer_verb_phrase" in self.slots

    @cached_property
    def is_question_met(self) -> bool:
        """They asked, and something is told that may be the answer; whether it is only they can say."""
        return bool(self.questions) and bool(self.facts or self.terms or self.figures or self._asked[0])

    @property
    def is_answered(self) -> bool:
        """Something on record speaks of what they asked, and nothing they asked is left."""
        answers, open_ones = self._asked
        return bool(answers) and not open_ones

    def _unanswered(self, left: Sequence[OpenQuestion]) -> Iterator[Told]:
        """Several are said to be open in one breath."""
        if left:
            yield Told("INFO.unanswered", self._asked_by(left[0]) if self.is_english and len(left) == 1 else {})

    def _asked_by(self, question: OpenQuestion) -> Slots:
        slots: dict[str, tuple[Filling, ...]] = {}
        told = [i for i in self.inquiries if i.evidence_id == question.evidence_id and i.start < question.span[1] and question.span[0] < i.end]
        if self.situation != OPEN_QUESTION and told:
            slots["open"] = (words_of(question.evidence_id, (told[0].start, told[0].end), is_quoted=False),)
        owner = facts.owner_of(self.pieces)
        if owner:
            slots["owner"] = (Filling((owner[0],), (owner[1],)),)
        return slots

    @cached_property
    def _answered(self) -> frozenset[str]:
        """What is told in an answer, and nowhere else."""
        return frozenset(str(part) for answer in self._asked[0] for filling in answer.slots["answer"] for part in filling.parts)

    @cached_property
    def _bound(self) -> Fact | None:
        """What binds us where both sides stand firm: it is said beside what they hold to, and not again."""
        return next((f for f in self.terms if f.is_clause and f.type == "contract"), None) if self.situation == "deadlock" else None

    def _terms(self) -> Iterator[Told]:
        return (_of_fact(fact) for fact in self.terms[:2] if fact.text not in self._answered and fact != self._bound)

    def _state(self) -> Iterator[Told]:
        """Outside English, where nothing is put in another order."""
        for fact in [f for f in self._untold if f.type not in MATERIAL][:MOST_FACTS]:
            yield _of_fact(fact, "INFO.owner" if statements.is_owned(fact, self.lang) else "INFO.fact")

    def _rest(self, *, is_strict: bool) -> Iterator[Told]:
        """In the order of the evidence, what went wrong first where something did. `is_strict`: what has nothing to do with the matter as well."""
        left, places = self._untold, {e.id: n for n, e in enumerate(self.pieces)}
        asked = self.stems(self.said.own) if self.wishes or self.questions else frozenset()
        left = [f for f in left if f.type not in MATERIAL or not self._is_bill_beside_trouble(f)]
        if not is_strict and self.situation not in _UNHURRIED:
            offers = " ".join(e.text for e in self.pieces if e.type == "offer")
            matter = self.stems(f"{self.said.own} {offers}")
            left = [f for f in left if f.type in TROUBLE or matter & self.stems(f.text)] or left
        met = {f.evidence_id for f in [*left, *self.facts] if asked & self.stems(f.text)}
        left.sort(key=lambda f: (f.type not in TROUBLE if self.is_confirmed else f.evidence_id not in met, places[f.evidence_id]))
        yield from map(_of_fact, left[: MOST_FACTS if self.request.channel != "chat" else MOST_IN_CHAT])
        owner = facts.owner_of(self.pieces)
        if owner and not left:
            yield Told("INFO.owner", {"owner": (Filling((owner[0],), (owner[1],)),)})

    @property
    def _untold(self) -> list[Fact]:
        """What no answer has told."""
        known = [*self._noted, *self.facts, *(f for f in self.terms[:3] if f != self._bound)]
        told = [f for f in known if f.text not in self._answered and not (self.situation == "renewal_notice" and (f.type == "usage" or _ARRIVED.match(f.text)))]
        return [f for f in told if f.is_clause or not self._is_theirs(f)] or told

    def _is_theirs(self, fact: Fact) -> bool:
        """All its figures stand in their message: in key words it tells them nothing."""
        figures = set(re.findall(r"\d+", fact.text))
        return bool(figures) and figures <= set(re.findall(r"\d+", self.said.own)) and "offer_verb_phrase" in self.slots

    def _is_bill_beside_trouble(self, fact: Fact) -> bool:
        """Who complains is not reminded of a bill that they do not speak of."""
        is_unasked = self.is_confirmed and _OWED.search(fact.text) is not None
        return fact.type == "billing" and (is_unasked or "paid in full" in fact.text) and not _MONEY.search(self.said.own_lower)


TROUBLE = ("ticket", "incident")
_UNHURRIED = frozenset({"renewal_notice", "usage_drop", "silence", "deadlock"})
"""Moments in which nothing is done that they have not asked for, and all that is known is told."""
_ENDS = re.compile(r"\b(?:expect\w*|planned|due|ready|released?|corrected|repaired|arrives?|ships?)\b.*\d", re.IGNORECASE)
_OF_US = re.compile(r"\b(?:you|your|yours|nobody|invoices?|contract|told|received)\b", re.IGNORECASE)
_REPROACH = re.compile(
    r"\b(?:again|still (?:no|not|nothing|waiting)|received nothing|nor any|nobody|no (?:reply|explanation)|(?:third|fourth|second) time|told (?:\w+ )?people"
    r"|you promised|were to be|was to be|is late|are late|the wrong|wrong (?:name|company|address)|not acceptable)\b",
    re.IGNORECASE,
)
_ARRIVED = re.compile(r"(?:(?:the|your|written) )?(?:letter|notice|message|it) (?:came|arrived|reached us|was received|dated)\b", re.IGNORECASE)
"""What only says when their notice came."""
_DATE = re.compile(r"\b\d{1,2} [A-Z][a-z]+")
_OF_OUR_DOING = frozenset({"frustration", "risk_reliability", "hostile_or_injection", "tone_turn", "confusion", "implementation_worry"})
_NO_CAUSE = re.compile(r"\d{2}|\b(?:reply|answer\w*|called|mail|asked|we|our|I|according|apparently|reception|said|told|mentioned)\b")
"""In notes of figures, of what passed between us, and of what others said."""
_CAUSES = frozenset({"cause", "recalled"})
_PAST = re.compile(r"\b(?:let|fell|was|were|has|have|had|\w{3,}ed|left|went|began|took|moved|bought|became)\b")
_OWED = re.compile(r"\b(?:unpaid|overdue|outstanding|past due|not (?:been )?paid|reminder|due on|open since)\b", re.IGNORECASE)
_MONEY = re.compile(r"\b(?:invoices?|bills?|billed|pay(?:ment|ing)?|paid|charged?)\b")


def _of_fact(fact: Fact, move: str = "") -> Told:
    is_term = fact.type in MATERIAL
    return Told(move or ("INFO.material" if is_term else "INFO.fact"), {"material" if is_term else "fact": (Filling((fact.text,), (fact.evidence_id,)),)})
