"""What the evidence of a draft says: the buyer's own words and mood, what they asked, and what kind of moment this is."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

from ml.labels import NEGATIVE_EMOTIONS
from ml.orders import has_form
from ml.text import own_text, sentences
from service.critic import lexicon
from service.critic.draft import Evidence
from service.critic.wording import Token, lowered, quoted, tokens

if TYPE_CHECKING:
    from ml.reader import Reading

SURE = 0.5
_MOST_ROUTINE = 40
"""Words of a message that nobody said is plain business, and that may be taken for it."""
CALM = 0.75
"""Confidence of "neutral" from which a message is plain business."""
_CHARGED = frozenset(
    "frustration price_objection deadlock cross_functional budget_cut past_vendor_disappointment risk_reliability"
    " implementation_worry confusion timing_concern".split()
)
_WINS = frozenset({"positive_momentum"})
_SENT = re.compile(
    r"\b(?:sent to|sent on|we (?:sent|wrote|answered)|(?:our|my|last|earlier|previous) (?:\w+ )?(?:mail|e-?mail|letter|answer|reply|draft|message|note)"
    r"|(?:mail|answer|reply|draft|message) (?:of|from|sent)|wrote to)\b|\bgesendet|\bgeschickt|\benvoyé|\benviad"
)
"""In a note about a mail of ours."""
_LEAST_SENT = 6
_OF_THEMSELVES = re.compile(r"\b(?:i feel|feel(?:ing)?|i look|look like|i am|i'm|thinks?|siento|sinto|ich fühle|me sens|j'ai l'air|like an? )\b")
_HEADER = re.compile(r"^(?:>|(?:on|am|le|el|em|von|from|de)\b.{0,80}(?:wrote|schrieb|écrit|escribió|escreveu|:))", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Mood:
    """As the reader of messages sees it; see ml.reader."""

    emotions: tuple[tuple[str, float], ...]
    situations: tuple[str, ...]
    sentiment: float
    orders: tuple[tuple[int, int], ...]

    @property
    def is_negative(self) -> bool:
        return any(name in NEGATIVE_EMOTIONS and sure >= SURE for name, sure in self.emotions)

    @property
    def is_positive(self) -> bool:
        return not self.is_negative and self.sentiment > 0.3

    @property
    def is_calm(self) -> bool:
        return any(name == "neutral" and sure >= CALM for name, sure in self.emotions)


@lru_cache(maxsize=512)
def reading_of(own: str) -> Reading:
    """Remembered, for evidence stays as it is while a person types, and while drafts from it are tried."""
    from ml.reader import load

    return load().read([own])[0]


@lru_cache(maxsize=512)
def mood(own: str) -> Mood:
    found = reading_of(own)
    return Mood(tuple((e.name, e.confidence) for e in found.emotions), tuple(s.name for s in found.situations), found.sentiment, found.orders)


@lru_cache(maxsize=512)
def _own(text: str) -> str:
    return own_text(text).text


@dataclass(frozen=True)
class Said:
    evidence: Sequence[Evidence]
    lang: str
    given: str | None
    """The situation, where the caller knows it."""

    @cached_property
    def messages(self) -> list[str]:
        """Own texts of the buyer."""
        return [_own(e.text) for e in self.evidence if e.type == "buyer_message"]

    @cached_property
    def own(self) -> str:
        return "\n".join(self.messages)

    @cached_property
    def own_lower(self) -> str:
        return lowered(self.own)

    @cached_property
    def own_tokens(self) -> tuple[Token, ...]:
        return tokens(self.own)

    @cached_property
    def removed(self) -> str:
        """What stands in the buyer's messages and is not their own: quoted lines of ours and of third parties."""
        lines = [line for e in self.evidence if e.type == "buyer_message" for line in e.text.splitlines() if line.strip() and line.strip() not in self.own]
        return "\n".join(line.lstrip("> ") for line in lines if not _HEADER.match(line.strip()) or line.lstrip().startswith(">"))

    def texts(self, *types: str) -> list[str]:
        """Of evidence of these types; of all but tracking without any."""
        return [e.text for e in self.evidence if (e.type in types if types else e.type != "tracking")]

    @cached_property
    def ours(self) -> str:
        """All that may be said beside the buyer's words."""
        return "\n".join(self.records)

    @property
    def records(self) -> list[str]:
        return [e.text for e in self.evidence if e.type not in ("buyer_message", "tracking")]

    @cached_property
    def sent(self) -> list[str]:
        """What we wrote to them before, where a note quotes it."""
        noted = [text for text in self.texts("crm_note") if _SENT.search(lowered(text))]
        return [text[s + 1 : e - 1] for text in noted for s, e in quoted(text) if len(text[s:e].split()) >= _LEAST_SENT]

    @cached_property
    def all(self) -> str:
        return lowered("\n".join([self.own, self.ours]))

    @cached_property
    def mood(self) -> Mood | None:
        return mood(self.own) if self.own.strip() else None

    @cached_property
    def orders(self) -> list[str]:
        """Sentences of the buyer's that instruct a machine, or look like it."""
        told = lexicon.phrases("order", self.lang)
        is_told = told.search(self.own_lower) is not None
        found = [self.own[s:e] for s, e in sentences(self.own) if (is_told and told.search(self.own_lower[s:e])) or has_form(self.own[s:e])]
        found += self._hidden
        spans = self.mood.orders if (found or self.given is None) and self.mood else ()
        return list(dict.fromkeys([*found, *(self.own[s:e] for s, e in spans)]))

    @property
    def _hidden(self) -> list[str]:
        """What stands in comments of the raw message, and sentences of it that speak to a machine."""
        raw = [e.text for e in self.evidence if e.type == "buyer_message"]
        told = lexicon.phrases("order", self.lang)
        comments = [match for text in raw for match in re.findall(r"<!--(.*?)-->", text, re.DOTALL)]
        spoken = [
            text[s:e] for text in raw if told.search(lowered(text)) for s, e in sentences(text) if "<!--" not in text[s:e] and told.search(lowered(text[s:e]))
        ]
        return [*comments, *spoken]

    @cached_property
    def situations(self) -> frozenset[str]:
        if self.given:
            return frozenset({self.given, *(("renewal_notice",) if self.is_notice else ())})
        read = frozenset(self.mood.situations) if self.mood else frozenset()
        return read | self._of_evidence

    @property
    def _of_evidence(self) -> frozenset[str]:
        """Where nothing was said, numbers and notes tell."""
        found = {"renewal_notice", "renewal_decision"} if self.is_notice else set()
        if not self.own.strip():
            types = {e.type for e in self.evidence}
            found |= {"usage_drop"} if "usage" in types else set()
            found |= {"silence"} if "usage" not in types and self._is_unanswered else set()
        return frozenset(found)

    @property
    def _is_unanswered(self) -> bool:
        return any(lexicon.phrases("unanswered", lang).search(lowered(text)) for text in self.texts("crm_note") for lang in lexicon.LANGUAGES)

    @cached_property
    def is_silence(self) -> bool:
        return "silence" in self.situations and (self.given is not None or not self.own.strip())

    @cached_property
    def is_notice(self) -> bool:
        noted = lowered("\n".join(self.texts("contract", "crm_note")))
        told = lexicon.phrases("notice", self.lang).search(self.own_lower) is not None
        return bool(self.own.strip()) and (told or lexicon.phrases("notice_noted", self.lang).search(noted) is not None)

    @property
    def _is_charged(self) -> bool:
        """The caller says so; the reader, which costs as much as the rest, need not be asked."""
        return self.given in _CHARGED and bool(self.own.strip())

    @cached_property
    def is_negative(self) -> bool:
        """Whether the buyer voiced something that wants to be acknowledged."""
        if self._is_charged:
            return True
        if self.is_win or self.is_routine or not self.own.strip():
            return False
        if self.given:
            return lexicon.pattern("emotion", self.lang).search(self.own_lower) is not None
        return self.mood is not None and (self.mood.is_negative or (not self.mood.is_calm and self.mood.sentiment <= -0.1))

    @cached_property
    def is_win(self) -> bool:
        if self.given:
            return self.given in _WINS
        return self.mood is not None and self.mood.is_positive and "positive_momentum" in self.mood.situations

    @cached_property
    def is_routine(self) -> bool:
        """A plain question or arrangement, without any feeling in it."""
        if self.given not in (None, "routine_logistics") or self.mood is None:
            return False
        if self.given is None and len(self.own_tokens) > _MOST_ROUTINE:
            return False
        bare = lexicon.pattern("emotion", self.lang).search(self.own_lower) is None
        return bare and not self.mood.is_negative and ("routine_logistics" in self.mood.situations or self.mood.is_calm)

    @cached_property
    def is_hostile(self) -> bool:
        return bool(self.insults)

    @cached_property
    def insults(self) -> list[str]:
        """Words of abuse; not those that they use of themselves."""
        said = [self.own_lower[s:e] for s, e in sentences(self.own)]
        return [m[0] for text in said if not _OF_THEMSELVES.search(text) for m in lexicon.pattern("insult", self.lang).finditer(text)]

    @cached_property
    def questions(self) -> list[str]:
        """What they asked, each sentence once; not a question that only vents."""
        found = [self.own[s:e] for s, e in sentences(self.own) if self.own[s:e].rstrip(" \"'”»)").endswith("?")]
        return [
            q
            for q in found
            if lexicon.phrases("direct_question", self.lang).search(lowered(q)) and not lexicon.phrases("rhetorical", self.lang).search(lowered(q))
        ]

    @cached_property
    def quotable(self) -> str:
        """What may stand in quotation marks: the buyer's words, and terms that evidence defines or sets in quotation marks itself."""
        terms = [text[s:e] for text in self.texts("product", "ticket", "crm_note", "contract", "quote", "incident", "project") for s, e in quoted(text)]
        defined = [match for text in self.texts("product") for match in re.findall(r"(?:^|[;,.] *)([^;,.=]{2,40}?) *=", text)]
        notes = self.texts("crm_note") if not self.own.strip() else []
        return "\n".join([self.own, *terms, *defined, *notes])
