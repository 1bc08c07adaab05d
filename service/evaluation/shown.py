"""Drafts as they are shown, and the checks each of them has to pass whatever it came from."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from service.critic import Review, review
from service.critic.draft import Marked
from service.critic.grounding import unsourced
from service.critic.lexicon import language
from service.critic.said import Said
from service.critic.wording import Wording
from service.drafting import Drafted, Request, Written
from service.drafting.engine import as_draft, known_to_critic
from service.drafting.render import marked, text_of

_DIGITS = re.compile(r"\d+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """A request and what was drafted for it."""

    request: Request
    drafted: Drafted

    @property
    def written(self) -> Written:
        assert self.drafted.written, "only of what was drafted"
        return self.drafted.written


def shown(drafted: Drafted) -> Iterator[Written]:
    if drafted.written:
        yield drafted.written
    yield from drafted.alternatives


def marks(request: Request, drafted: Drafted, written: Written) -> tuple[Marked, ...]:
    return marked(written.segments, drafted.texts, request.channel, request.lang)


def is_whole(request: Request, drafted: Drafted, written: Written) -> bool:
    """Its segments give its text again."""
    return text_of(written.segments, drafted.texts, request.channel, request.lang) == written.text


def reviewed(request: Request, drafted: Drafted, written: Written) -> Review:
    return review(as_draft(request, drafted.situation, written.text, marks(request, drafted, written)))


def as_a_strangers(request: Request, written: Written) -> Review:
    """The critic is told neither what each sentence does nor more of the moment than the request says."""
    return review(as_draft(request, request.situation, written.text))


def claims_without_source(request: Request, drafted: Drafted, written: Written) -> int:
    lang = language(request.lang)
    said = Said(request.evidence, lang, known_to_critic(drafted.situation))
    return len(unsourced(Wording(written.text), said, request.recipient_name, request.am_name, lang))


def digits_without_source(request: Request, written: Written) -> int:
    """Groups of digits that stand in no evidence: a check that knows nothing of the critic."""
    known = set(_DIGITS.findall(" ".join(e.text for e in request.evidence if e.type != "tracking")))
    return sum(group not in known for group in _DIGITS.findall(written.text))
