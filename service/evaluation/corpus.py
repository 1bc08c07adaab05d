"""A thousand drafts over the evidence sets: how much they repeat each other, how they read, and whether a second one to the same account differs."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import fmean, median

from service.critic import Review
from service.critic.case import Case
from service.critic.metrics import grade
from service.critic.wording import Wording, tokens
from service.drafting import Drafted, Request, draft
from service.drafting.engine import as_draft, compared, with_windows
from service.drafting.lexicon import tokens as tokens_of_windows
from service.drafting.windows import windows
from service.evaluation import variety
from service.evaluation.figure import Bounds, Figure, Section, at_least, at_most, exactly, share, table
from service.evaluation.shown import Sample, as_a_strangers, claims_without_source, digits_without_source, reviewed
from service.evaluation.workers import Spread

MOST_PASSES = 10
PAIRS_OF_TEAM = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Corpus:
    """`first`: what came of every set with the first seed. `samples`: drafts, a pass over the sets with each further seed until there are enough."""

    first: Sequence[Drafted]
    samples: Sequence[Sample]


def collect(requests: Sequence[Request], wanted: int, spread: Spread) -> Corpus:
    first: list[Drafted] = []
    samples: list[Sample] = []
    left = list(requests)
    for n in range(MOST_PASSES):
        seeded = [replace(request, seed=f"{n}") for request in left[: max(wanted - len(samples), 0) if n else None]]
        if not seeded:
            break
        drafted = spread(f"drafts, seed {n}", draft, seeded)
        first = first or drafted
        made = [Sample(request=r, drafted=d) for r, d in zip(seeded, drafted, strict=True) if d.written]
        samples += made
        left = [s.request for s in made] if n == 0 else left
    return Corpus(first=first, samples=samples[:wanted])


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """What later reviews make of a draft that its own review passed."""

    again: Review
    strange: Review
    claims: int
    digits: int


def probe(sample: Sample) -> Probe:
    request, drafted, written = sample.request, sample.drafted, sample.written
    return Probe(
        again=reviewed(request, drafted, written),
        strange=as_a_strangers(request, written),
        claims=claims_without_source(request, drafted, written),
        digits=digits_without_source(request, written),
    )


def corpus(found: Corpus, sets: int, spread: Spread) -> Section:
    probes = spread("reviews of drafts", probe, found.samples)
    reasons = Counter(d.reason for d in found.first if d.reason)
    figures = [*_drafted(found, sets), *_variety(found.samples), *_reading(found.samples), *_probed(probes)]
    missed = table(("why there is no draft", "sets"), reasons.most_common())
    return Section(title="Drafts over evidence sets", figures=figures, notes=[missed, _by_situation(found.first), _strange(probes)])


def _drafted(found: Corpus, sets: int) -> list[Figure]:
    drafted = sum(d.written is not None for d in found.first)
    return [
        Figure(name="sets that get a draft", value=share(drafted, sets), how=f"{sets} sets of evidence.ndjson, first seed"),
        Figure(
            name="alternatives to a draft",
            value=fmean([len(s.drafted.alternatives) for s in found.samples] or [math.nan]),
            how="mean; three drafts of other plans are wanted, so two",
            digits=2,
        ),
    ]


def _variety(samples: Sequence[Sample]) -> list[Figure]:
    texts = [s.written.text for s in samples]
    words = [[t.word for t in tokens(text)] for text in texts]
    how = f"{len(texts):,} drafts, {sum(map(len, words)):,} words as written, with greeting and the buyer's words"
    stretches = [_stretches(s) for s in samples]
    overlap = variety.overlaps(stretches, PAIRS_OF_TEAM, "team") if len(stretches) > 1 else [math.nan]
    return [
        Figure(name="distinct-2", value=variety.distinct(words), gate=at_least(0.15), aim=at_least(0.20), how=how),
        Figure(name="gzip ratio", value=variety.gzip_ratio(texts), gate=at_most(4.0), aim=at_most(3.2), how="the same, level 9", digits=2),
        Figure(
            name="self-BLEU",
            value=variety.self_bleu(words, "bleu") if len(words) > 1 else math.nan,
            gate=at_most(0.40),
            aim=at_most(0.30),
            how="60 of them, BLEU-4 of each against the other 59 with the smoothing of sacrebleu; mean of five samples",
        ),
        Figure(
            name="overlap of two drafts in a team, 99th percentile",
            value=overlap[int(0.99 * (len(overlap) - 1))],
            gate=at_most(0.15),
            aim=at_most(0.08),
            how="4-gram containment of 20,000 random pairs, without greeting, name and what evidence says; drafted without windows",
        ),
    ]


def _reading(samples: Sequence[Sample]) -> list[Figure]:
    cases = [Case(as_draft(s.request, s.drafted.situation, s.written.text)) for s in samples if s.request.lang == "en"]
    grades = [found.value for case in cases if (found := grade(case))]
    lengths = [len(tokens(s.written.text)) for s in samples if s.request.channel == "email"]
    return [
        Figure(
            name="reading grade, mean",
            value=fmean(grades) if grades else math.nan,
            gate=Bounds(4, 8),
            how=f"Flesch-Kincaid of {len(grades):,} drafts of 25 words or more, without greeting and closing",
            digits=2,
        ),
        Figure(name="reading grade, maximum", value=max(grades, default=math.nan), gate=at_most(10), how="the same", digits=2),
        Figure(
            name="words of an email, median",
            value=median(lengths) if lengths else math.nan,
            gate=Bounds(70, 120),
            how=f"{len(lengths):,} emails, greeting and closing included",
            digits=0,
        ),
    ]


def _probed(probes: Sequence[Probe]) -> list[Figure]:
    return [
        Figure(
            name="drafts that a fresh review calls bad",
            value=sum(p.again.verdict == "bad" for p in probes),
            gate=exactly(0),
            how=f"{len(probes):,} drafts, the moves of their segments given",
            digits=0,
        ),
        Figure(
            name="share called bad by a stranger's review",
            value=share(sum(p.strange.verdict == "bad" for p in probes), len(probes)),
            how="the same drafts as `undertone review` sees them: moves guessed from the text",
        ),
        Figure(name="claims without a source", value=sum(p.claims for p in probes), gate=exactly(0), how="by the grounding check alone", digits=0),
        Figure(
            name="groups of digits in no evidence",
            value=sum(p.digits for p in probes),
            how="by a check that knows nothing of the critic; sums and shares are among them",
            digits=0,
        ),
    ]


def _by_situation(first: Sequence[Drafted]) -> str:
    names = Counter(d.situation for d in first)
    written = Counter(d.situation for d in first if d.written)
    rows = [(name, count, written[name]) for name, count in sorted(names.items(), key=lambda item: (written[item[0]] / item[1], item[0]))]
    return table(("situation", "sets", "with a draft"), rows)


def _strange(probes: Sequence[Probe]) -> str:
    counts = Counter(rule for p in probes for rule in p.strange.rules)
    warned = Counter(rule for p in probes for rule in {f.rule for f in p.again.findings})
    rows = [(rule, counts[rule], warned[rule]) for rule in sorted({*counts, *warned}, key=lambda r: (-counts[r], -warned[r], r))]
    return table(("rule", "drafts called bad by it, moves guessed", "drafts with a W or S finding, moves given"), rows)


@dataclass(frozen=True, slots=True, kw_only=True)
class Repeated:
    """Of a second draft to the same account: what it shares with the first as windows compare them, and by all their words."""

    containment: float
    run: int
    raw_containment: float
    raw_run: int


def again(sample: Sample) -> Repeated | None:
    """None: no second draft is different enough."""
    earlier = windows(account=[compared(sample.written.segments)])
    second = draft(with_windows(replace(sample.request, seed="second"), earlier))
    if not second.written:
        return None
    later = Sample(request=sample.request, drafted=second)
    now, then = _stretches(later), _stretches(sample)
    raw_now, raw_then = _body(later), _body(sample)
    return Repeated(
        containment=variety.containment(now, then),
        run=variety.longest_run(now, then),
        raw_containment=variety.containment(raw_now, raw_then),
        raw_run=variety.longest_run(raw_now, raw_then),
    )


def _stretches(sample: Sample) -> list[list[str]]:
    return [tokens_of_windows(line) for line in compared(sample.written.segments).split("\n")]


def _body(sample: Sample) -> list[list[str]]:
    wording = Wording(sample.written.text)
    return [[t.word for t in wording.words(wording.body)]]


def repetition(samples: Sequence[Sample], spread: Spread) -> Section:
    found = spread("second drafts", again, samples)
    pairs = [pair for pair in found if pair]
    how = f"{len(pairs)} second drafts on the same evidence, the first in the window; without greeting, name and what evidence says"
    figures = [
        Figure(name="4-gram containment, maximum", value=max((p.containment for p in pairs), default=math.nan), gate=at_most(0.06), aim=at_most(0.03), how=how),
        Figure(name="4-gram containment, mean", value=_mean([p.containment for p in pairs]), how="the same"),
        Figure(name="longest shared run, words", value=max((p.run for p in pairs), default=math.nan), gate=at_most(7), how="the same", digits=0),
        Figure(name="sets with a second draft", value=share(len(pairs), len(found)), how=f"of {len(found)} sets with a first"),
        Figure(
            name="containment by all words, mean",
            value=_mean([p.raw_containment for p in pairs]),
            how="without greeting and closing only: facts, offers and quotations of the same evidence count",
        ),
        Figure(name="containment by all words, maximum", value=max((p.raw_containment for p in pairs), default=math.nan), how="the same"),
        Figure(name="longest shared run by all words, median", value=median([p.raw_run for p in pairs] or [math.nan]), how="the same", digits=0),
    ]
    return Section(title="Two drafts to one account", figures=figures)


def _mean(values: Sequence[float]) -> float:
    return fmean(values) if values else math.nan
