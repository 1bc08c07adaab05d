"""Figures of a text: words, sentences, reading grade, seconds to speak."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from statistics import fmean

from service.critic.case import Case
from service.critic.wording import Span

WORDS_A_MINUTE = 155
"""Of calm speech."""
_VOWELS = re.compile(r"[aeiouyáéíóúàâêîôûäëïöüãõæœ]+")
_SILENT_E = re.compile(r"[^aeiouyl]e$")


@dataclass(frozen=True, slots=True)
class Figure:
    value: float
    span: Span


def words(case: Case) -> Figure:
    """Greeting and closing included, as the reader sees them."""
    return Figure(len(case.text.tokens), (0, len(case.text.text)))


def seconds(case: Case) -> Figure:
    return Figure(60 * len(case.text.tokens) / WORDS_A_MINUTE, (0, len(case.text.text)))


def sentences(case: Case) -> Figure:
    return Figure(len(case.text.sentences), case.text.body)


def longest_sentence(case: Case) -> Figure | None:
    lengths = [(len(case.text.words(span)), span) for span in case.text.sentences]
    return Figure(*max(lengths)) if lengths else None


def mean_sentence(case: Case) -> Figure | None:
    lengths = [len(case.text.words(span)) for span in case.text.sentences]
    return Figure(fmean(lengths), case.text.body) if lengths else None


def grade(case: Case) -> Figure | None:
    """English: Flesch-Kincaid. German: first Wiener Sachtextformel. None for other languages, and for a text too short to be graded."""
    found = [t.word for t in case.text.words(case.text.body) if t.word[0].isalpha()]
    count = len(case.text.sentences)
    if len(found) < 25 or not count or case.lang not in ("en", "de"):
        return None
    mean, parts = len(found) / count, [syllables(word, case.lang) for word in found]
    if case.lang == "en":
        return Figure(0.39 * mean + 11.8 * fmean(parts) - 15.59, case.text.body)
    long_words, six, ones = (100 * sum(test) / len(found) for test in ([p >= 3 for p in parts], [len(w) > 6 for w in found], [p == 1 for p in parts]))
    return Figure(0.1935 * long_words + 0.1672 * mean + 0.1297 * six - 0.0327 * ones - 0.875, case.text.body)


@lru_cache(maxsize=4096)
def syllables(word: str, lang: str) -> int:
    """About: groups of vowels, without a silent e in English."""
    groups = len(_VOWELS.findall(word))
    return max(1, groups - (1 if lang == "en" and groups > 1 and _SILENT_E.search(word) else 0))


def quotes(case: Case) -> Figure:
    return Figure(len(case.text.quotes), case.text.quotes[-1] if case.text.quotes else case.text.body)


def longest_quote(case: Case) -> Figure | None:
    lengths = [(len(case.text.words(span)), span) for span in case.text.quotes]
    return Figure(*max(lengths)) if lengths else None


def questions(case: Case) -> Figure:
    """Questions of ours; those that only repeat the buyer's do not count."""
    asked = [(s, e) for s, e in case.text.questions if case.text.lower[s:e].strip(' "“”„?.') not in case.said.own_lower and not case.text.is_quoted(e - 1)]
    return Figure(len(asked), asked[-1] if asked else case.text.body)


def subject_length(case: Case) -> Figure | None:
    spans = case.scope("subject")
    return Figure(len(case.text.text[slice(*spans[0])].split(":", 1)[1].strip()), spans[0]) if spans else None


METRICS: Mapping[str, Callable[[Case], Figure | None]] = {
    f.__name__: f for f in (words, seconds, sentences, longest_sentence, mean_sentence, grade, quotes, longest_quote, questions, subject_length)
}
