"""Names of people, companies and places are taken out before anything is scored: a message reads the same whoever wrote it.

A word counts as a name where it is capitalised inside a sentence, or at its start when no ordinary text uses it in lower case.
German writes every noun with a capital; there, and at the start of a sentence, the vocabulary decides, unless the word stands where only a name can stand.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from ml.features import mixed
from ml.labels import LANGUAGES
from ml.tokens import Flags, Hashes, Ints, Tokens

LONGEST_CHAIN = 3
"""Particles in a row."""
_SHOUTED = 0.5
"""Share of words in capitals from which on capitals are a tone of voice."""
_FEW = 0.4
"""Share of the words of a sentence up to which those of another script are names."""
_LONGEST_LINE, _MOST_LINES = 4, 3
"""Words of a line of a signature, and such lines."""
_STEP = np.uint64(0xFF51AFD7ED558CCD)
_ADDRESS = re.compile(r"[^\s@]{1,254}@\S+|\b(?:https?://|www\.)\S+", re.IGNORECASE)


def without_addresses(text: str) -> str:
    """Mail and web addresses hold names too, in lower case. Offsets stay what they are."""
    return _ADDRESS.sub(lambda m: " " * len(m[0]), text) if "@" in text or "www." in text or "http" in text else text


@dataclass(frozen=True, slots=True)
class Masker:
    """All ascending checksums. `vocabulary`: words that ordinary text uses in lower case; `german`: such of German text, and `nouns` those it writes with a
    capital; `openers`: words before a capitalised one at the start of a sentence ("Dear", "Thanks"), where any other word is taken for part of a name;
    `subjects`: ordinary words before what is said of somebody ("Nothing has"), there too; `led`: pairs of a place's preposition and a bare German noun."""

    vocabulary: Hashes
    german: Hashes
    nouns: Hashes
    openers: Hashes
    subjects: Hashes
    led: Hashes

    def __call__(self, t: Tokens, text: Ints) -> Tokens:
        """With every name, and every run of names, read as one token that says nothing. Units are sentences; `text`: which one each stands in."""
        if not len(t.hashes):
            return t
        dots = _inner_dots(t)
        names = _whole(self._sure(t, dots) | _signed(t, text), t, dots)
        bare = (t.count(~names & ~t.has("stop")) == 0) & (t.count(names) > 0)
        names |= t.has("full_stop") & bare[t.unit]  # "Zorn Ltd." below a mail ends no sentence
        kept = ~(names & t.shifted(names))
        return t.anonymous(names).chosen(kept, t.unit[kept], t.units)

    def _sure(self, t: Tokens, dots: Flags) -> Flags:
        """Words that are names by themselves."""
        starts = ~t.shifted(~t.has("end") | dots)
        german = _is_german(t)[t.unit]
        may_be = t.capital & ~t.has("kept") & ~t.has("pronouns")
        known, nouns = _in(t.hashes, self.vocabulary, may_be), _in(t.hashes, self.nouns, may_be)
        ordinary = np.where(german, nouns | _in(t.hashes, self.german, may_be & starts), known & starts)
        given = t.has("given_names_that_are_words") & ~t.ahead(t.has("never_after_a_name"))
        titled = t.shifted(_reached(t.has("titles"), t.has("particles") | dots, t))
        names = may_be & (~ordinary | given | titled | self._in_a_slot(t, starts, german) | t.ahead(dots & t.ahead(_touching(t))))
        names |= may_be & (_paired(t) | t.ahead(_paired(t) & may_be))
        uncased = t.has("uncased")
        names |= uncased & (t.count(uncased) <= _FEW * t.words)[t.unit]  # in a sentence that is written with other letters
        names |= self._initials(t) | _before_a_legal_form(may_be & ~_common(t), t)
        foreign = (known & ~nouns) | t.of_any("nouns_that_are_names", "given_names_that_are_words")
        names |= may_be & german & ~starts & t.shifted(names & t.capital & foreign)
        inside = may_be & ~german & ~starts
        german_leads = np.where(nouns, t.ahead(names), t.ahead(t.has("joins") & t.ahead(names)))
        leads = np.where(german, german_leads, self._leads(t, names, inside, known & ~given, starts))
        found: Flags = names | (may_be & starts & ~_common(t) & leads)
        return found

    def _leads(self, t: Tokens, names: Flags, inside: Flags, words: Flags, starts: Flags) -> Flags:
        """What stands at the start of a sentence, before the rest of a name or another name."""
        opens = _in(t.hashes, self.openers, t.capital & starts)
        rest = _led(names | inside, t.has("particles"), t) | (inside & words) | (t.has("joins") & t.ahead(inside))
        leads: Flags = t.ahead(rest) & ~opens
        return leads

    def _in_a_slot(self, t: Tokens, starts: Flags, german: Flags) -> Flags:
        """Ordinary words where a name must be meant."""
        of = _languages(t)[t.unit]
        does = np.choose(of, [t.ahead(t.has(f"done_{language}")) for language in LANGUAGES])
        before = starts & does & ~_common(t) & ~_in(t.hashes, self.subjects, starts & t.capital)
        bare = german & t.shifted(t.has("german_places")) & t.capital
        bare &= ~_in(pairs(t), self.led, bare)
        led = ~starts & t.shifted(t.of_any("leads", "german_places", "titles") | t.capital)
        joined = starts & (does | t.ahead(t.has("joins")))
        slots: Flags = before | bare | (t.has("nouns_that_are_names") & german & (led | joined))
        return slots

    def _initials(self, t: Tokens) -> Flags:
        """Companies and countries written in capitals."""
        capitals = t.has("capitals") & ~t.has("kept")
        loud = t.count(t.has("capitals")) > _SHOUTED * t.words
        return capitals & (~_in(t.hashes, self.vocabulary, capitals) | (t.has("states") & ~loud[t.unit]))


def _signed(t: Tokens, text: Ints) -> Flags:
    """Lines below a closing, or below such a line, that are nothing but capitalised words: who writes, and for whom."""
    capital = t.capital | t.has("capitals")
    bare = (t.count(~capital & ~t.has("particles") & ~t.has("comma")) == 0) & (t.words <= _LONGEST_LINE)
    closing = (t.count(t.has("closings")) > 0) & (t.words <= _LONGEST_LINE)
    signed = np.zeros(t.units, dtype=bool)
    before = np.concatenate([[False], text[1:] == text[:-1]])
    for _ in range(_MOST_LINES):
        above = np.concatenate([[False], (closing | signed)[:-1]])
        signed |= before & above & bare & ~closing
    return signed[t.unit] & capital


def pairs(t: Tokens) -> Hashes:
    """Of each token and the one before it, in 32 bits as all checksums are."""
    with np.errstate(over="ignore"):
        return mixed(t.shifted(t.hashes) * _STEP + t.hashes) >> np.uint64(32)


def _touching(t: Tokens) -> Flags:
    """Tokens with nothing between them and the one before."""
    touching: Flags = np.concatenate([[False], (t.start[1:] == t.end[:-1]) & (t.unit[1:] == t.unit[:-1])])
    return touching


def _paired(t: Tokens) -> Flags:
    """Behind "&"."""
    wide = np.concatenate([[False], t.start[1:] - t.end[:-1] == len(" & ")])
    paired: Flags = t.glued & wide & (t.capital & t.shifted(t.capital))
    return paired


def _inner_dots(t: Tokens) -> Flags:
    """Full stops within a sentence and right behind a word: of an abbreviation or an address ("Dr. Sommer", "Booking.com"). They end nothing."""
    return t.has("full_stop") & _touching(t) & t.ahead(np.ones(len(t.hashes), dtype=bool))


def _is_german(t: Tokens) -> Flags:
    """Units. What may stand within a name of another language counts for none."""
    within = t.of_any("particles", "joins") & t.ahead(t.capital | t.has("particles")) & t.shifted(t.capital | t.of_any("particles", "articles"))
    counted = ~within & (~t.capital | t.of_any("german", "de"))
    hits = t.count(counted & t.of_any("german", "de"))
    others = np.max([t.count(counted & t.has(language)) for language in LANGUAGES if language != "de"], axis=0)
    german: Flags = (hits >= np.maximum(2, t.count(counted) / 12)) & (hits >= others)
    return german


def _languages(t: Tokens) -> Ints:
    """Place in LANGUAGES of each unit's language; the first where none is known."""
    found: Ints = np.argmax([t.count(t.has(language)) for language in LANGUAGES], axis=0)
    return found


def _is_english(t: Tokens) -> Flags:
    """Units. What may begin a name counts for no language."""
    counted = ~(t.has("particles") & t.ahead(t.capital | t.has("particles")))
    english: Flags = np.argmax([t.count(counted & t.has(language)) for language in LANGUAGES], axis=0) == LANGUAGES.index("en")
    return english


def _common(t: Tokens) -> Flags:
    return t.of_any(*LANGUAGES, "greetings")


def _before_a_legal_form(may_be: Flags, t: Tokens) -> Flags:
    """All capitalised words in front of "Ltd" or "AG"."""
    form = t.has("legal_forms") & (t.capital | t.has("capitals"))
    part = form & t.shifted(may_be)
    for _ in range(LONGEST_CHAIN):
        part |= may_be & t.ahead(part)
    return part


def _whole(names: Flags, t: Tokens, dots: Flags) -> Flags:
    """With what belongs to a name: particles and "and" between two of them, what is joined by a hyphen, its title, its article, its legal form."""
    joins = (t.has("particles") | t.has("joins")) & ~t.capital
    capital = t.capital | t.has("capitals")
    names = names | (capital & t.has("kept") & t.ahead(names & ~t.has("organs") & (t.capital | t.glued)))
    named = names | (t.has("titles") & t.ahead(names))
    part = names | (_led(named, joins, t) & joins & t.shifted(_reached(names | t.has("titles"), joins, t)))
    small = t.has("small_legal_forms")
    goes_on = (
        t.glued | (capital & t.of_any("kept", "legal_forms")) | small | (joins & t.ahead(small)) | dots | (_touching(t) & t.shifted(dots) & ~t.has("stop"))
    )
    for _ in range(LONGEST_CHAIN):
        part |= goes_on & t.shifted(part)
    before = (
        t.of_any("titles", "articles")
        | (t.has("particles_in_english") & _is_english(t)[t.unit])
        | (dots & t.shifted(t.capital))
        | (t.capital & (t.ahead(dots) | t.has("beginnings")))
    )
    for _ in range(LONGEST_CHAIN):
        part |= before & t.ahead(part)
    return part


def _reached(start: Flags, through: Flags, t: Tokens) -> Flags:
    """`start`, and the tokens behind it that are `through`."""
    for _ in range(LONGEST_CHAIN):
        start = start | (through & t.shifted(start))
    return start


def _led(goal: Flags, through: Flags, t: Tokens) -> Flags:
    """`goal`, and the tokens before it that are `through`."""
    for _ in range(LONGEST_CHAIN):
        goal = goal | (through & t.ahead(goal))
    return goal


def _in(hashes: Hashes, sums: Hashes, among: Flags) -> Flags:
    """Which of the tokens `among` these are known."""
    found = np.zeros(len(hashes), dtype=bool)
    at = np.flatnonzero(among)
    if len(sums):
        found[at] = sums[np.minimum(np.searchsorted(sums, hashes[at]), len(sums) - 1)] == hashes[at]
    return found
