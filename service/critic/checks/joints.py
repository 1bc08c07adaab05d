"""Words such as "but" that take back what was just acknowledged, told from the same words that do nothing of the kind."""

from __future__ import annotations

import re
from collections.abc import Iterator

from service.critic import lexicon
from service.critic.case import Case
from service.critic.wording import tokens

Breach = tuple[int, int, str]
_LETTERS = re.compile(r"[^\W\d_]+")
_STARTS = re.compile(r"(?:^|[.!?:;…,\n\"“”„«»'’‘()–—-])\s*(?:(?:and|und|et|y|e) )?$", re.IGNORECASE)
_BESIDE = 2
"""Words on one side of a joint and one on the other that make it the buyer's own sentence, woven in."""
_SHIFTED = {
    "i": "you", "i'm": "you're", "i've": "you've", "i'd": "you'd", "i'll": "you'll", "me": "you", "my": "your", "mine": "yours", "we": "you", "us": "you",
    "we're": "you're", "we've": "you've", "our": "your", "ours": "yours", "am": "are", "was": "were",
}  # fmt: skip


def contrasted(case: Case) -> Iterator[Breach]:
    friends = [m.span() for m in lexicon.expressions("joints", "friends", case.lang).finditer(case.text.ours)]
    for match in lexicon.expressions("joints", "joints", case.lang).finditer(case.text.ours, *case.text.body):
        words = list(_LETTERS.finditer(match[0]))
        start, end = match.start() + len(match[0]) - len(match[0].lstrip(" ,;:–—-\n")), match.end()
        is_name = len(words) == 1 and _is_name(case, match.start() + words[0].start())
        if not is_name and not any(s < end and start < e for s, e in friends) and not _is_woven(case, start, end):
            yield start, end, ""


def _is_name(case: Case, at: int) -> bool:
    """With a capital inside a clause: Mr Mas, the But in the high street."""
    return case.text.text[at].isupper() and not _STARTS.search(case.text.text[:at]) and not case.text.text[at:].split()[0].isupper()


def _is_woven(case: Case, start: int, end: int) -> bool:
    """The words around it are the buyer's, seen from our side."""
    words = case.text.words()
    first = next((n for n, t in enumerate(words) if t.end > start), len(words))
    last = next((n for n, t in enumerate(words) if t.start >= end), len(words))
    own = " ".join(_SHIFTED.get(t.word, t.word) for t in tokens(case.said.own))
    for before, behind in ((_BESIDE, 1), (1, _BESIDE)):
        run = " ".join(_SHIFTED.get(t.word, t.word) for t in words[max(0, first - before) : last + behind])
        if run.count(" ") >= _BESIDE + 1 and f" {run} " in f" {own} ":
            return True
    return False
