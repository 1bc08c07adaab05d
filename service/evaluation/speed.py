"""CPU of a draft and of a review, beside a reference of the same run."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from service.critic import review
from service.drafting import draft
from service.drafting.engine import as_draft
from service.evaluation.figure import Figure, Section, at_most
from service.evaluation.shown import Sample

Cpu = Callable[[Callable[[], object]], float]
"""Median CPU seconds of five runs of an act."""
WORDS = 100
RUNS = 5
EXPRESSIONS = 100


def speed(samples: Sequence[Sample], at_once: int, cpu: Cpu) -> Section:
    """Each of the five runs takes other drafts, so that nothing is remembered from the one before."""
    if not samples:
        return Section(title="CPU", figures=[Figure(name="CPU of a draft, ms", value=math.nan, gate=at_most(150), how="nothing was drafted")])
    fitting = sorted(samples, key=lambda s: abs(len(s.written.text.split()) - WORDS))[: RUNS * at_once]
    reference = cpu(reference_act)
    draft(samples[0].request)
    batches = _batches([*samples[1:], samples[0]], at_once)
    of_draft = cpu(lambda: [draft(s.request) for s in next(batches)]) / at_once
    told, untold, again = (_review_act(fitting, at_once, how) for how in ("told", "untold", "again"))
    of_review, of_untold, of_again = (cpu(act) / at_once for act in (told, untold, again))
    how = f"median of five runs of {at_once}; the reference took {1000 * reference:.1f} ms"
    return Section(
        title="CPU",
        figures=[
            Figure(name="CPU of a draft, ms", value=1000 * of_draft, gate=at_most(150), aim=at_most(50), how=f"{how}: evidence not seen before", digits=1),
            Figure(name="a draft, in references", value=of_draft / reference, how=f"reference: {EXPRESSIONS} small regular expressions compiled", digits=2),
            Figure(
                name="CPU of a review of 100 words, ms",
                value=1000 * of_review,
                gate=at_most(15),
                aim=at_most(5),
                how=f"{how}: evidence not seen before, moves guessed, situation given",
                digits=1,
            ),
            Figure(name="a review, in references", value=of_review / reference, how="the same reference", digits=2),
            Figure(name="CPU of a review without a situation, ms", value=1000 * of_untold, how="the reader of messages is asked", digits=1),
            Figure(name="CPU of a review while typing, ms", value=1000 * of_again, how="the same evidence as before, a word more", digits=1),
        ],
    )


def _batches(samples: Sequence[Sample], at_once: int) -> Iterator[Sequence[Sample]]:
    """Over again from the start where they run out."""
    at = 0
    while True:
        yield [samples[(at + n) % len(samples)] for n in range(at_once)]
        at += at_once


def _review_act(samples: Sequence[Sample], at_once: int, how: str) -> Callable[[], object]:
    batches = _batches(samples[::-1] if how == "untold" else samples, at_once)
    words = iter(range(1_000))

    def act() -> object:
        suffix = f" And {next(words)}" if how == "again" else ""
        chosen = samples[:at_once] if how == "again" else next(batches)
        drafts = [as_draft(s.request, s.drafted.situation, s.written.text + suffix) for s in chosen]
        return [review(replace(d, situation=None) if how == "untold" else d) for d in drafts]

    return act


def reference_act() -> object:
    re.purge()
    return [re.compile(rf"\b(?:word{n}|other{n}s?)\b\s+\d+") for n in range(EXPRESSIONS)]
