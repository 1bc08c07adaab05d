"""The critic against labelled drafts: whole ones, and the contrast of "and" and "but"."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from service.critic import Review, review
from service.critic.rows import draft
from service.evaluation.figure import Figure, Section, at_least, at_most, share, table
from service.evaluation.sets import Row
from service.evaluation.workers import Spread

SAME = (frozenset({"SIT-17", "STR-10"}), frozenset({"STR-2", "STR-1"}), frozenset({"SIT-3", "ETH-8"}))
"""Pairs of rules that one fault can be argued under."""
HALVES = ("c1-", "c3-")
DOUBTFUL = frozenset(f"drf1-{n:03d}" for n in (74, 81, 82, 83, 84, 88, 92))
"""Rows of the contrast set whose label can be argued; their notes say so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    row: Row
    review: Review

    @property
    def is_bad(self) -> bool:
        return bool(self.row["label"] == "bad")

    @property
    def is_called_bad(self) -> bool:
        return self.review.verdict == "bad"

    @property
    def is_named(self) -> bool:
        """Its rule, or the other of the same pair, is among those that the review names."""
        return any(rule == wanted or {rule, wanted} in SAME for rule in self.review.rules for wanted in self.row["rules"])


def judge(row: Row) -> Judged:
    return Judged(row=row, review=review(draft(row)))


def critic(rows: Sequence[Row], spread: Spread) -> Section:
    judged = spread("reviews of labelled drafts", judge, rows)
    figures = [*_of_all(judged)]
    for half in HALVES:
        figures += _of_half(half, [j for j in judged if str(j.row["id"]).startswith(half)])
    return Section(title="The critic on labelled drafts", figures=figures, notes=[_by_rule(judged), _alarms(judged)])


def _measures(judged: Sequence[Judged]) -> tuple[float, float, float]:
    """(bad recall, false alarms, rule named)."""
    bad, good = [j for j in judged if j.is_bad], [j for j in judged if not j.is_bad]
    return (
        share(sum(j.is_called_bad for j in bad), len(bad)),
        share(sum(j.is_called_bad for j in good), len(good)),
        share(sum(j.is_named for j in bad), len(bad)),
    )


def _of_all(judged: Sequence[Judged]) -> list[Figure]:
    recall, alarms, named = _measures(judged)
    bad = [j for j in judged if j.is_bad and j.is_called_bad]
    rules = share(sum(len(j.review.rules) for j in bad), len(bad))
    how = f"{sum(j.is_bad for j in judged)} bad and {sum(not j.is_bad for j in judged)} good drafts of critic.ndjson, situation given"
    return [
        Figure(name="bad recall", value=recall, gate=at_least(0.88), aim=at_least(0.95), how=f"{how}: bad ones with an E finding"),
        Figure(name="false alarms", value=alarms, gate=at_most(0.06), aim=at_most(0.02), how="good ones with an E finding"),
        Figure(
            name="rule named", value=named, gate=at_least(0.78), aim=at_least(0.90), how="of all bad ones: the broken rule, or its pair, is among those named"
        ),
        Figure(name="rules named in a bad draft that is found", value=rules, how="mean; each bad draft breaks one on purpose", digits=2),
    ]


def _of_half(half: str, judged: Sequence[Judged]) -> list[Figure]:
    how = f"{len(judged)} rows of one author"
    names = ("bad recall", "false alarms", "rule named")
    return [Figure(name=f"{name}, half {half}", value=value, how=how) for name, value in zip(names, _measures(judged), strict=True)]


def _by_rule(judged: Sequence[Judged]) -> str:
    """The worst first."""
    rows = []
    for rule in sorted({rule for j in judged for rule in j.row["rules"]}):
        of = [j for j in judged if rule in j.row["rules"]]
        rows.append((rule, len(of), sum(j.is_called_bad for j in of), sum(j.is_named for j in of)))
    rows.sort(key=lambda r: (r[3] / r[1], r[2] / r[1], r[0]))
    return table(("rule broken", "drafts", "called bad", "rule named"), rows)


def _alarms(judged: Sequence[Judged]) -> str:
    """Rules that good drafts were called bad for, and that were named in bad ones which break another."""
    alarms = Counter(rule for j in judged if not j.is_bad for rule in j.review.rules)
    beside = Counter(rule for j in judged if j.is_bad and not j.is_named for rule in j.review.rules)
    rows = [(rule, alarms[rule], beside[rule]) for rule in sorted({*alarms, *beside}, key=lambda r: (-alarms[r], -beside[r], r))]
    return table(("rule", "good drafts called bad by it", "named instead of the broken one"), rows)


@dataclass(frozen=True, slots=True, kw_only=True)
class Contrasted:
    row: Row
    is_found: bool
    is_placed: bool
    """A finding covers the word."""


def contrast_found(row: Row) -> Contrasted:
    found = [f for f in review(draft(row)).findings if f.rule == "DRF-1"]
    placed = row["violates"] and any(f.start < row["end"] and row["start"] < f.end for f in found)
    return Contrasted(row=row, is_found=bool(found), is_placed=bool(placed))


def contrast(rows: Sequence[Row], spread: Spread) -> Section:
    found = spread("reviews of contrasts", contrast_found, rows)
    sure = [c for c in found if c.row["id"] not in DOUBTFUL]
    doubtful = [c for c in found if c.row["id"] in DOUBTFUL]
    hits = [c for c in sure if c.row["violates"] and c.is_found]
    how = f"{len(sure)} rows of contrast.ndjson without the doubtful ones"
    one = at_least(1.0)
    figures = [
        Figure(name="DRF-1 precision", value=share(len(hits), sum(c.is_found for c in sure)), gate=at_least(0.98), aim=one, how=f"{how}: has a DRF-1 finding"),
        Figure(name="DRF-1 recall", value=share(len(hits), sum(c.row["violates"] for c in sure)), gate=at_least(0.98), aim=one, how=how),
        Figure(name="DRF-1 at the right word", value=share(sum(c.is_placed for c in hits), len(hits)), how="of those found"),
        Figure(
            name="doubtful rows as labelled", value=share(sum(c.is_found == c.row["violates"] for c in doubtful), len(doubtful)), how=f"{len(doubtful)} rows"
        ),
    ]
    return Section(title='DRF-1: "and", not "but"', figures=figures, notes=[_by_language(sure)])


def _by_language(found: Sequence[Contrasted]) -> str:
    rows = []
    for lang in sorted({c.row["lang"] for c in found}):
        of = [c for c in found if c.row["lang"] == lang]
        missed = sum(c.row["violates"] and not c.is_found for c in of)
        rows.append((lang, len(of), missed, sum(c.is_found and not c.row["violates"] for c in of)))
    return table(("language", "rows", "missed", "false alarms"), rows)
