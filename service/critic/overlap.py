"""Words in a row that two texts share."""

from __future__ import annotations

from collections.abc import Sequence

from service.critic import lexicon
from service.critic.wording import Span, Token, Wording, tokens


def runs(draft: Sequence[Token], source: Sequence[Token], lang: str, *, least: int) -> list[Span]:
    """The longest runs of at least `least` words that stand in both, with at least one that carries meaning. Places in the draft."""
    stop = lexicon.words("stop", lang)
    places: dict[tuple[str, ...], bool] = {}
    words, ours = [t.word for t in source], [t.word for t in draft]
    for n in range(len(words) - least + 1):
        places[tuple(words[n : n + least])] = True
    found: list[Span] = []
    at = 0
    while at <= len(draft) - least:
        length = least if tuple(ours[at : at + least]) in places else 0
        while length and at + length < len(draft) and tuple(ours[at + length - least + 1 : at + length + 1]) in places:
            length += 1
        if length and any(word not in stop for word in ours[at : at + length]):
            found.append((draft[at].start, draft[at + length - 1].end))
        at += max(length, 1)
    return found


def shared(text: Wording, earlier: str) -> tuple[float, tuple[int, int, int]]:
    """(share of the draft's 4-grams that stand in the earlier one, (start, end, words) of the longest run), both without quotations, greeting and closing."""
    ours = [t for t in text.words(text.body) if not text.is_quoted(t.start)]
    other = Wording(earlier)
    theirs = [t.word for t in tokens(earlier) if other.body[0] <= t.start < other.body[1] and not other.is_quoted(t.start)]
    grams = {tuple(theirs[n : n + 4]) for n in range(len(theirs) - 3)}
    hits = [tuple(t.word for t in ours[n : n + 4]) in grams for n in range(len(ours) - 3)]
    best = current = 0
    end = 0
    for n, hit in enumerate(hits):
        current = current + 1 if hit else 0
        if current > best:
            best, end = current, n
    if not best:
        return 0.0, (*text.body, 0)
    first = end - best + 1
    return sum(hits) / len(hits), (ours[first].start, ours[end + 3].end, best + 3)
