"""What is no matter to tell back: a feeling, a slip, a joke, a word of chat, a turn that joins it to what stands before."""

from __future__ import annotations

import re
from collections.abc import Sequence

from service.drafting.lexicon import words

_CHAT = re.compile(
    r"\b(?:idk|lol|haha|btw|tbh|imo|fyi|u|ur|pls|plz|yrs?|thats|dont|cant|wont|doesnt|didnt|isnt|w/o|w/)(?!\w)"
    r"|\bM(?:me|lle|rs?|s)\.$|[:;]-?[)(D]|!|\.\.\.|…",
    re.IGNORECASE,
)
_TURN = re.compile(
    r"(?:the (?:boys|girls|people|others) (?:say|don't)|the \w+ (?:don't|doesn't|do|did|didn't)$"
    r"|firstly|secondly|thirdly|fourthly|lastly|finally|besides|moreover|unless|anyway|frankly|apparently|personally|maybe|perhaps|\w+ed\b)"
    r"|.*\b(?:don't get me wrong|as you know|you know|i see|mind you|so to speak|they say|i mean|i admit|to say the least|of course)\b",
    re.IGNORECASE,
)
_FEELING = re.compile(
    r"\b(?:afraid|scared|ashamed|embarrass\w*|nervous|regret\w*|keen|tired|worried|worry|losing|blamed?|shout\w*|angry|furious|fed up|sad|proud"
    r"|dread\w*|love|hate|pray|joke|coffee|laugh\w*|funny|honestly|patience|dream\w*|sleep|cry|fear|hope|sorry|stupid|silly)\b",
    re.IGNORECASE,
)
_LEARNER = re.compile(
    r"\b(?:informations|advices|softwares|feedbacks|equipments|sayed|teached|explain me|communicate you|i am agree|am agreed|it do not|he do not|she do not"
    r"|we was|they was|to small|to big|to much|to late|how this works\?"
    r"|(?:two|three|four|five|six|seven|eight|nine|ten|twelve) (?:time|day|week|month|year|order)\b(?! (?:of|in|at|per|slot|window|limit|notice|contract))"
    r"|(?:makes|stands|works|waits|lies|runs|is waiting|are waiting) since|since (?:two|three|four|five|\d+) (?:days|weeks|months|years)"
    r"|(?<!did )(?<!does )(?<!'t )(?<!to )\bit (?:say|work|go|come|need|show|give|make|take|stop)(?! it)|app finish|tablet fall"
    r"|has reduce|to be reduce|stop to \w+|orders? of [\w ]+ was|i write english|my english)\b",
    re.IGNORECASE,
)


TO_BE_READ = re.compile(r"\b(?:find|see|read) (?:this |it )?(?:below|attached|enclosed|as)\b|\bbe (?:advised|informed)\b", re.IGNORECASE)
"""A courtesy around what stands in the message, and no request."""


_OF_THEMSELVES = re.compile(
    r"(?:good (?:morning|day|afternoon|evening)|hello|hi|greetings)\b"
    r"|.*\b(?:i|we) (?:couldn't (?:\w+ )?answer|could not answer|had no answer|didn't know what to)\b"
    r"|(?:our|my) (?:\w+ )?experience (?:is|was|has been)\b|.*\bone\b[^.]*, the other\b",
    re.IGNORECASE,
)
"""A greeting, and what they own up to: nobody wants to hear it from us."""


def is_aside(said: str) -> bool:
    return any(pattern.search(said) for pattern in (_CHAT, _FEELING)) or _OF_THEMSELVES.match(said) is not None or _TURN.match(said) is not None


def is_jotted(before: str, said: str) -> bool:
    """A sentence that begins in lower case, as in a chat, with words left out."""
    return said[:1].islower() and not said.startswith(("i ", "i'")) and before.rstrip()[-1:] in ("", ".", "?", "!")


def is_of_learner(text: str) -> bool:
    """Slips of somebody who writes in a language that is not theirs: told back, they would sound like mockery."""
    return _LEARNER.search(text) is not None


_SPLICED = re.compile(r", (?:can't|cannot|won't|don't|didn't|couldn't|isn't|aren't)\b", re.IGNORECASE)
"""Who does not do it stands only in front of the comma."""
_HEADLESS = re.compile(r"\d|(?:to|on|in|at|for|with|from|of|by|under|between|one|two|three|four|five)\b", re.IGNORECASE)
_COMPARED = re.compile(r"(?:more|less|fewer|better|worse|rather) than\b", re.IGNORECASE)
_SOMEBODY = frozenset({"i", "we", "you", "he", "she", "they"})
_PARTICIPLES = frozenset("left made sent lost paid cut set put found told built held kept may might".split())


def is_headless(said: str, found: Sequence[str]) -> bool:
    """No sentence by itself: who does it stands elsewhere, or a participle behind a thing is its only verb. `found`: its tokens."""
    if _SPLICED.search(said) or _COMPARED.match(said):
        return True
    stands = not _SOMEBODY.isdisjoint(found) or not (words("finite") - _PARTICIPLES).isdisjoint(found)
    return _HEADLESS.match(said) is not None and not stands
