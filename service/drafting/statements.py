"""Facts and offers in a language whose sentences the engine does not take apart: passed on whole, or left out."""

from __future__ import annotations

import re
from collections.abc import Iterator

from service.critic import lexicon as critic
from service.critic.draft import Evidence
from service.critic.quantities import quantities
from service.drafting.facts import MOST_WORDS, Fact, People
from service.drafting.lexicon import any_of, expression, lowered, of_language, sentences_of, speaks, tokens
from service.drafting.register import Address, spoken_to

_MOST_OFFER_WORDS = 26
_STEM, _LEAST_STEM, _LEAST_NAME = 5, 3, 3
_GERMAN_ZU = re.compile(r"\b(ab|an|auf|aus|bei|bereit|durch|ein|fest|frei|her|hin|los|mit|nach|um|vor|weg|weiter|zurück|zusammen)zu(?=\w{3,}$)|\bzu (?=\w+$)")
"""The "zu" of an infinitive, which does not stand behind "könnte"."""


def told(piece: Evidence, people: People, lang: str) -> Iterator[Fact]:
    """Its sentences, those that may be passed on, with the full stop that a frame leaves to them: it ends with a colon."""
    for start, end in sentences_of(piece.text, lang):
        plain = " ".join(piece.text[start:end].split()).rstrip(".!")
        text = re.sub(rf",? (?:{of_language(lang)['contrast']}) ", f" {of_language(lang)['joined']} ", plain)
        if _may_be_told(text, people, lang):
            yield Fact(piece.id, piece.type, f"{_after_colon(text, lang)}.", is_clause=True)


def _after_colon(text: str, lang: str) -> str:
    """A sentence keeps its capital behind a colon in German alone."""
    if lang == "de":
        return text[0].upper() + text[1:]
    return text[0].lower() + text[1:] if any_of("openers", lang).match(text) else text


def _may_be_told(text: str, people: People, lang: str) -> bool:
    """Names nobody who is written to or who writes: "Ida has it" would not do in a mail from Ida."""
    return (
        3 <= len(text.split()) <= MOST_WORDS
        and re.search(r"[?;\"“”„«»]|:(?!\d)", text) is None
        and not expression("internal", lang).search(text)
        and not _names_either(text, people)
        and any(token in critic.words("stop", lang) for token in tokens(text))
        and speaks(text, lang)
    )


def _names_either(text: str, people: People) -> bool:
    names = [part for name in (people.am_name, people.recipient_name) for part in (name or "").split() if len(part) >= _LEAST_NAME]
    return any(re.search(rf"\b{re.escape(part)}\b", text) for part in names)


def is_owned(fact: Fact, lang: str) -> bool:
    """Whether it says who has a matter in hand."""
    return expression("owner", lang).search(fact.text) is not None


def offer_phrase(piece: Evidence, people: People, lang: str, address: Address) -> str | None:
    """ "Ihnen das Protokoll schicken": what could follow "Ich könnte". None where it does not read like that, or says du to somebody called Sie."""
    text = re.sub(rf"^{of_language(lang)['lead_in']}", "", " ".join(piece.text.split()).rstrip(".!"), flags=re.IGNORECASE)
    if lang == "de":
        text = _GERMAN_ZU.sub(lambda m: m[1] or "", text)
    first = tokens(text)[:1]
    if not first or not 2 <= len(text.split()) <= _MOST_OFFER_WORDS or re.search(r"[?;:\"“”„«»]", text):
        return None
    if _names_either(text, people) or not speaks(text, lang) or spoken_to(text, lang) not in (None, address) or not _is_infinitive(text, lang):
        return None
    return text[0].lower() + text[1:] if lang != "de" or any_of("openers", lang).match(text) else text


def _is_infinitive(text: str, lang: str) -> bool:
    """German has its infinitive at the end, the others at the start."""
    if lang == "de":
        last = text.rsplit(" ", 1)[-1]
        return last.islower() and expression("offer", lang).fullmatch(last) is not None
    return expression("offer", lang).match(text) is not None


def stems(text: str, lang: str) -> frozenset[str]:
    """What two texts about the same thing have in common."""
    stop = critic.words("stop", lang)
    return frozenset(t[:_STEM] for t in tokens(text) if t not in stop and len(t) > _LEAST_STEM)


def fits_question(asked: str, fact: Fact, lang: str) -> bool:
    """A question for a time or a number is answered by one."""
    asks_when = any_of("when", lang).match(lowered(asked).lstrip("¿ "))
    return not asks_when or bool(quantities(fact.text, lang))
