"""What evidence holds: the buyer's messages and how they read, what was asked, facts and terms, and what kind of moment it is."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

from ml.labels import NEGATIVE
from ml.reader import ROUTINE, Reading
from ml.text import own_text, sentences
from service.critic.draft import Evidence
from service.critic.said import Said, reading_of
from service.drafting import facts, leads, mentions, quotable, retold, situation, statements
from service.drafting.befallen import befallen
from service.drafting.clauses import Clause, ranked
from service.drafting.facts import FACTS, MATERIAL, Fact, People
from service.drafting.failures import joined
from service.drafting.lexicon import WORD
from service.drafting.orders import is_order, without_orders, without_requests
from service.drafting.register import Address, address_of
from service.drafting.request import Request
from service.drafting.retold import Inquiry, Message, Sentence
from service.drafting.usage import UsageChange, contradict, usage_change

Span = tuple[int, int]
_WISH = re.compile(
    r"\b(?:please|kindly|could you|can you|can u|would you|what happens if|do (?:you|u) mean|how (?:do|can) (?:i|we)|what (?:are|r) (?:you|u) doing"
    r"|may (?:i|we) (?:ask|have)"
    r"|(?:i|we)(?:'d| would) (?:like|want|need)|(?:i|we) (?:need|want|ask|must have|request)|send (?:me|us)|give (?:me|us)|pls|as soon as)\b",
    re.IGNORECASE,
)
_NEWCOMER = re.compile(
    r"\b(?:i'm|i am) (?:\w+ and (?:i'm|i am) )?(?:taking over|the new |new (?:here|in|at|to) )|\bmy predecessor\b"
    r"|\bi(?:'ve| have)? (?:just )?(?:took|taken) (?:it )?over\b"
    r"|\bnew (?:\w+ ){1,2}(?:at|in|for|of) .{2,40}\bsince\b",
    re.IGNORECASE,
)
_GREETING = re.compile(r"\W*(?:hi|hey|hello|hallo|hola|ciao|salut|moin|namaste|aloha|dear|bonjour|good (?:morning|day|afternoon|evening))\b", re.IGNORECASE)
_TIP = re.compile(
    r"\b(?:heads[- ]up|for transparency|(?:as (?:a matter of )?|out of )(?:a )?courtesy|wanted you to (?:know|hear)|before you hear|to be open with you"
    r"|thought you should know)\b",
    re.IGNORECASE,
)
LEAST_QUESTION_WORDS = 3
GLAD = 0.5
"""Sentiment of a message that is surely good news."""


@dataclass(frozen=True, slots=True)
class Heard:
    """One message of the buyer: where its own words lie, and how it reads."""

    piece: Evidence
    spans: tuple[Span, ...]
    reading: Reading

    def inside(self, start: int, end: int) -> Span:
        """Offsets into the own text as offsets into the message."""
        done = 0
        for s, e in self.spans:
            if start < done + (e - s) + 1:
                return s + start - done, min(s + end - done, e)
            done += e - s + 1
        return self.spans[-1]

    @property
    def weighty(self) -> list[Span]:
        return [self.inside(q.start, q.end) for q in self.reading.quotes]


@dataclass(frozen=True)
class Known:
    request: Request

    @property
    def lang(self) -> str:
        return self.request.lang

    @property
    def is_english(self) -> bool:
        """Only English is taken apart: its clauses woven in, its facts and offers fitted into a sentence."""
        return self.lang == "en"

    @cached_property
    def address(self) -> Address:
        return address_of(self.said.own, [e.text for e in self.pieces if e.type == "offer"], self.lang)

    @cached_property
    def people(self) -> People:
        return People(self.request.am_name, self.request.recipient_name)

    @cached_property
    def pieces(self) -> tuple[Evidence, ...]:
        return tuple(e for e in self.request.evidence if e.type != "tracking")

    @cached_property
    def said(self) -> Said:
        return Said(self.request.evidence, self.lang, None)

    @cached_property
    def heard(self) -> list[Heard]:
        """The buyer's messages that hold words of their own, the last one first. Beside a complaint no good news of theirs is answered."""
        messages = [(e, own_text(e.text)) for e in reversed(self.pieces) if e.type == "buyer_message"]
        found = [Heard(e, own.spans, reading_of(own.text)) for e, own in messages if own.text.strip()]
        is_complaint = any(h.reading.sentiment <= NEGATIVE for h in found)
        return [h for h in found if h.reading.sentiment < GLAD] if is_complaint else found

    @cached_property
    def ordered(self) -> list[tuple[str, Span]]:
        """Sentences that talk to a machine, or tell what the answer has to say: they are left out of everything."""
        marked = frozenset(self.said.orders)
        return [
            (h.piece.id, (s + a, s + b))
            for h in self.heard
            for s, e in h.spans
            for a, b in sentences(h.piece.text[s:e])
            if (text := h.piece.text[s + a : s + b]) in marked or is_order(text)
        ]

    @cached_property
    def clauses(self) -> list[Clause]:
        found = [c for h in self.heard for c in self._ranked(h) if self._names.isdisjoint(WORD.findall(c.text))]
        return sorted(found, key=lambda c: (-c.score, c.evidence_id, c.start, c.end))

    def _ranked(self, heard: Heard) -> list[Clause]:
        told = heard.piece.id, heard.piece.text, self.usable(heard), heard.weighty
        return ranked(*told) if self.is_english else quotable.ranked(*told, self.lang)

    @cached_property
    def told_back(self) -> list[tuple[Sentence, ...]]:
        """Ways to tell back what they wrote, the best of all their messages first; what carries nothing only where nothing else can be told."""
        found = sorted((told for message in self._messages for told in retold.told_back(message)), key=lambda told: -told[0].score)
        return [told for told in found if told[0].carries] or found

    @cached_property
    def leading(self) -> list[Sentence]:
        """What they wrote that is a reason for what is offered, of each message."""
        offers = [e.text for e in self.pieces if e.type == "offer"]
        return [s for message in self._messages for s in leads.leading(message, offers)] if offers and self.is_english else []

    @cached_property
    def losses(self) -> list[Sentence]:
        """What went wrong for them, of each message."""
        return [s for message in self._messages for s in leads.losses(message)] if self.is_english else []

    @cached_property
    def befallen(self) -> list[tuple[str, Span]]:
        """What hit them and is no doing of ours, by message."""
        return [(message.evidence_id, span) for message in self._messages for span in befallen(message)] if self.is_english and not self.is_confirmed else []

    @cached_property
    def inquiries(self) -> list[Inquiry]:
        """What they asked and asked for, as far as it can be told back; nothing beside words that tell what to answer."""
        if self.ordered or self.situation == "hostile_or_injection" or not self.is_english:
            return []
        return [found for message in self._messages for found in retold.inquiries(message)]

    @cached_property
    def _names(self) -> frozenset[str]:
        """What they call us, and themselves: it stands in no sentence that we say back."""
        return frozenset(f"{self.request.am_name or ''} {self.request.recipient_name or ''}".split())

    @cached_property
    def _messages(self) -> list[Message]:
        """Each of those heard, as far as it may be told back."""
        return [
            Message(
                evidence_id=heard.piece.id,
                text=heard.piece.text,
                spans=self.usable(heard),
                weighty=heard.weighty,
                names=self._names,
                is_glad=self.situation == "positive_momentum",
            )
            for heard in self.heard
        ]

    def usable(self, heard: Heard) -> list[Span]:
        """Its own words without what tells somebody what to write, and without what stands beside that; none where nothing else is read in it."""
        if self.situation == "hostile_or_injection" and not self._has_concern(heard):
            return []
        return without_requests(heard.piece.text, self._not_ordered(heard), is_ordered=bool(self._orders(heard)))

    def _has_concern(self, heard: Heard) -> bool:
        is_read = any(s.name not in ROUTINE for s in heard.reading.situations)
        return is_read or self.said.is_hostile or self.said.is_negative

    def _not_ordered(self, heard: Heard) -> list[Span]:
        return without_orders(heard.piece.text, heard.spans, self._orders(heard))

    def _orders(self, heard: Heard) -> list[Span]:
        return [span for name, span in self.ordered if name == heard.piece.id]

    @cached_property
    def facts(self) -> list[Fact]:
        """Usage first where the moment is about usage."""
        found = self._facts()
        return sorted(found, key=lambda f: f.type != "usage") if self.situation == "usage_drop" else found

    def _facts(self) -> list[Fact]:
        return [f for e in self.pieces if e.type in FACTS and not (e.type == "usage" and usage_change(e.text, self.lang)) for f in self._told(e)]

    def _told(self, piece: Evidence) -> list[Fact]:
        """Not what a ticket has of an order of theirs."""
        found = joined(facts.told(piece, self.people)) if self.is_english else statements.told(piece, self.people, self.lang)
        return [f for f in found if not is_order(f.text)]

    @cached_property
    def figures(self) -> list[tuple[Evidence, UsageChange]]:
        """Changes in use that are told as such."""
        return [(e, change) for e in self.pieces if e.type == "usage" and (change := usage_change(e.text, self.lang))]

    @cached_property
    def notes(self) -> list[Fact]:
        """What our notes say: it may answer a question, and is not told unasked."""
        return [f for e in self.pieces if e.type == "crm_note" for f in self._told(e)] if self.is_english else []

    @cached_property
    def terms(self) -> list[Fact]:
        """What the contract, a quote or a bill says: the buyer has to know it."""
        return [f for e in self.pieces if e.type in MATERIAL for f in self._told(e)]

    @cached_property
    def is_contradictory(self) -> bool:
        return contradict([e.text for e in self.pieces if e.type == "usage"], self.lang)

    @cached_property
    def questions(self) -> list[tuple[str, Span, str]]:
        """(evidence id, span, words) of what was asked, without the question mark."""
        asked = frozenset(self.said.questions)
        found = []
        for h in self.heard:
            for s, e in self._not_ordered(h):
                for a, b in sentences(h.piece.text[s:e]):
                    text = h.piece.text[s + a : s + b]
                    if text in asked and len(text.split()) >= LEAST_QUESTION_WORDS:
                        found.append((h.piece.id, (s + a, s + a + len(text.rstrip("?! "))), text))
        return found

    @cached_property
    def wishes(self) -> list[str]:
        """Sentences of theirs that ask for something to be done."""
        return [text for start, end in sentences(self.said.own) if _WISH.search(text := self.said.own[start:end])]

    @cached_property
    def is_newcomer(self) -> bool:
        """Who writes has just come to the matter, and says so."""
        return self.is_english and _NEWCOMER.search(self.said.own) is not None

    @cached_property
    def is_greeted(self) -> bool:
        """Their last message begins with a greeting: then so does the answer, in a chat as well."""
        return bool(self.heard) and _GREETING.match(self.heard[0].piece.text) is not None

    @cached_property
    def is_tip(self) -> bool:
        """They need not have told us."""
        return self.is_english and _TIP.search(self.said.own) is not None

    @property
    def is_confirmed(self) -> bool:
        """Our own records say that something went wrong."""
        return any(e.type in ("incident", "ticket") for e in self.pieces)

    @cached_property
    def departments(self) -> list[str]:
        return mentions.departments([h.piece.text[s:e] for h in self.heard for s, e in self.usable(h)], self.lang)

    @cached_property
    def situation(self) -> str:
        return self.request.situation if self.request.situation and not self._is_noticed else situation.lead(self)

    @property
    def _is_noticed(self) -> bool:
        return self.request.situation == "renewal_decision" and self.said.is_notice

    @cached_property
    def priority(self) -> str:
        return next((h.reading.priority for h in self.heard if h.reading.priority != "unknown"), "unknown")
