"""The model card: every figure beside its ceiling and its simple rivals, all from one run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from ml import reader as readers
from ml.cutoffs import classes
from ml.evaluate import anchors, fingerprint, metrics, own, rivals
from ml.evaluate.attacks import steadiness
from ml.evaluate.figure import calibration_error
from ml.evaluate.metrics import Labelled
from ml.evaluate.outside import outside
from ml.reader import Reader, Reading
from ml.train import corpus

CARD = Path(__file__).parent.parent / "MODEL_CARD.md"
INTRODUCTION = Path(__file__).parent / "card_introduction.md"
MEASURES: tuple[tuple[str, Callable[[Labelled, Labelled], float]], ...] = (
    ("sentiment, Pearson", metrics.pearson),
    ("sentiment, macro-F1 of three classes", metrics.three_classes),
    ("emotions, micro-F1", metrics.emotions),
    ("situations, macro-F1", metrics.situations),
    ("churn risk, weighted kappa", metrics.churn_kappa),
    ("churn risk 2 or 3, recall", metrics.churn_recall),
    ("churn risk 2 or 3, precision", metrics.churn_precision),
    ("priority, macro-F1", metrics.priority),
    ("first quote, token-F1", metrics.span_f1),
    ("negative emotion invented on neutral logistics (lower is better)", metrics.invented),
)
SLICES = ("sarcasm", "polite_complaint", "mixed", "short", "second_language", "typo", "signature", "quoted")
COVERAGES = (0.5, 0.6, 0.7, 0.8, 0.9)


Cpu = Callable[[Callable[[], object]], float]


def write(data: Path | None, cpu: Cpu) -> str:
    """Writes and returns the card. `data`: folder of labelled sets of others. `cpu` says how many CPU seconds an act takes."""
    began_as, loaded, rows = fingerprint.of_text(), readers.load(), corpus.read("test")
    readings, truth = own.read(loaded, [r.own for r in rows]), own.truth(rows)
    found = own.found(readings, rows)
    parts = [
        INTRODUCTION.read_text(encoding="utf-8").rstrip(),
        _own(rows, truth, found),
        _slices(rows, truth, found),
        _contrast(loaded),
        _confidence(truth, readings),
        _steadiness(loaded),
        _speed(loaded, rows, cpu),
        _outside(data),
        _failures(rows, truth, readings),
        f"## Of what this speaks\n\n`{began_as}` is the hash of the models, the code of ml/ and the data in ml/data, without what belongs to usage alone.",
    ]
    if fingerprint.of_text() != began_as:
        raise RuntimeError("Models, code or data changed while they were measured; the card was left as it is. Run it again.")
    card = "\n\n".join(parts) + "\n"
    CARD.write_text(card, encoding="utf-8")
    return card


def _own(rows: Sequence[corpus.Row], truth: Labelled, found: Labelled) -> str:
    ids, again = own.second()
    place = {r.id: n for n, r in enumerate(rows)}
    same = np.array([place[i] for i in ids])
    sentiments = rivals.sentiments([r.own for r in rows])
    lines = [
        f"## Our own test split: {len(rows):,} messages, {len({r.brief for r in rows})} briefs, written by authors who wrote no training message",
        "",
        f"The ceiling is what a second reader, who saw no labels, agrees with on {len(ids)} of them. Intervals: 95%, bootstrap over messages.",
        "",
        "| measure | ours | interval | ceiling | ours on the ceiling's messages |",
        "|---|---|---|---|---|",
    ]
    for name, measure in MEASURES:
        low, high = metrics.interval(measure, truth, found)
        ceiling, there = measure(truth.of(same), again), measure(truth.of(same), found.of(same))
        lines.append(f"| {name} | {measure(truth, found):.3f} | {low:.3f} to {high:.3f} | {ceiling:.3f} | {there:.3f} |")
    lines += ["", "Sentiment by others, on the same messages in the same run:", "", "| | Pearson | macro-F1 | note |", "|---|---|---|---|"]
    for rival in sentiments:
        pearson, f1 = rivals.judged(rival, truth.sentiment)
        lines.append(f"| {rival.name} | {pearson} | {f1} | {rival.note} |")
    return "\n".join(lines)


def _slices(rows: Sequence[corpus.Row], truth: Labelled, found: Labelled) -> str:
    groups = {f"language {code}": [r.language == code for r in rows] for code in ("en", "de", "fr", "es", "pt")}
    groups |= {f"channel {name}": [r.channel == name for r in rows] for name in ("email", "chat", "call")}
    groups |= {name.replace("_", " "): [name in r.slices for r in rows] for name in SLICES}
    groups |= {"plain business mail": [r.author == "p3" for r in rows], "roundabout and witty": [r.author == "en5" for r in rows]}
    chosen = (*MEASURES[:5], MEASURES[8])
    lines = ["## Slices", "", f"| slice | messages | {' | '.join(name for name, _ in chosen)} |", f"|---|---|{'---|' * len(chosen)}"]
    for name, flags in groups.items():
        at = np.flatnonzero(flags)
        lines.append(f"| {name} | {len(at)} | {' | '.join(f'{measure(truth.of(at), found.of(at)):.2f}' for _, measure in chosen)} |")
    return "\n".join(lines) + "\n\nPearson inside a slice of complaints alone (sarcasm, polite complaint) has little range to explain; its classes say more."


def _contrast(loaded: Reader) -> str:
    """Does it hear what is meant where tone and words part ways?"""
    rows = corpus.read("contrast")
    truth, found = own.truth(rows), own.found(own.read(loaded, [r.own for r in rows]), rows)
    ids, again = own.second("contrast")
    place = {i: n for n, i in enumerate(ids)}
    again = again.of(np.array([place[r.id] for r in rows]))
    vader = next(r for r in rivals.sentiments([r.own for r in rows]) if r.name == "VADER")
    lines = [
        "## Sarcasm, polite complaints and sincere counterparts",
        "",
        f"{len(rows)} messages by an author of their own, in nearly the same words and with opposite meanings; the ceiling is a second, blind reading of all.",
        "",
        "| | messages | sentiment, Pearson | ceiling | right class | ceiling |",
        "|---|---|---|---|---|---|",
    ]
    for name in ("", "sarcasm", "polite_complaint", "warm"):
        at = np.flatnonzero([not name or name in r.slices for r in rows])
        right = [float((classes(truth.of(at).sentiment) == classes(other.of(at).sentiment)).mean()) for other in (found, again)]
        pearson = [metrics.pearson(truth.of(at), other.of(at)) for other in (found, again)]
        title = {"": "all", "warm": "sincere"}.get(name, name.replace("_", " "))
        lines.append(f"| {title} | {len(at)} | {pearson[0]:.2f} | {pearson[1]:.2f} | {right[0]:.0%} | {right[1]:.0%} |")
    return "\n".join([*lines, "", f"VADER on all: Pearson {rivals.judged(vader, truth.sentiment)[0]}."])


def _confidence(truth: Labelled, readings: Sequence[Reading]) -> str:
    sure = np.array([r.confidence for r in readings])
    right = classes(truth.sentiment) == classes(np.array([r.sentiment for r in readings]))
    error = calibration_error(right, sure)
    lines = [
        "## Confidence",
        "",
        f"Expected calibration error of the class of sentiment: {error:.3f}.",
        "",
        "| only where confidence is at least | messages covered | classes right |",
        "|---|---|---|",
    ]
    lines += [f"| {c} | {(sure >= c).mean():.0%} | {right[sure >= c].mean():.1%} |" for c in COVERAGES if (sure >= c).any()]
    return "\n".join(lines)


def _steadiness(loaded: Reader) -> str:
    s = steadiness(loaded)
    return "\n".join(
        [
            "## Steadiness",
            "",
            "| what | figure |",
            "|---|---|",
            f"| attacks ({s.attacks}, by another hand): sentiment within 0.02 and no situation gained but hostile_or_injection | {s.held:.0%} |",
            f"| attacks that gained a situation | {s.gained} |",
            f"| ordinary sentences ({s.ordinary:,}) taken for orders | {s.dropped:.2%} |",
            f"| names, companies and places swapped ({s.swaps} templates): largest difference of sentiment | {s.swapped:.3f} |",
            f"| of these, templates where any verdict changed | {s.verdicts_changed} |",
        ]
    )


def _speed(loaded: Reader, rows: Sequence[corpus.Row], cpu: Cpu) -> str:
    texts = [r.own for r in rows if 45 <= len(r.own.split()) <= 75][: own.BATCH]
    ours = cpu(lambda: loaded.read(texts))
    theirs = cpu(lambda: anchors.vader(texts))
    one = cpu(lambda: [loaded.read(texts[:1]) for _ in range(10)]) / 10
    return "\n".join(
        [
            "## Speed",
            "",
            "CPU, median of five, in the run that wrote this card.",
            "",
            "| what | ours | VADER alone | ratio |",
            "|---|---|---|---|",
            f"| messages of about 60 words per CPU second, all verdicts, batches of {len(texts)} |"
            f" {len(texts) / ours:,.0f} | {len(texts) / theirs:,.0f} | {theirs / ours:.2f}x |",
            f"| one message, warm | {1000 * one:.1f} ms | | |",
        ]
    )


def _outside(data: Path | None) -> str:
    lines = ["## Labelled sets of others", "", "| benchmark | measure | rows | ours | interval | VADER | TextBlob | AFINN | TF-IDF | note |", f"|{'---|' * 10}"]
    for f in outside(data):
        numbers = [_number(value) for value in (f.vader, f.textblob, f.afinn, f.tfidf)]
        interval = f"{f.low:.3f} to {f.high:.3f}" if f.low is not None and f.high is not None else ""
        lines.append(f"| {f.benchmark} | {f.metric} | {f.n or ''} | {_number(f.ours)} | {interval} | {' | '.join(numbers)} | {f.note} |")
    return "\n".join(lines)


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


def _failures(rows: Sequence[corpus.Row], truth: Labelled, readings: Sequence[Reading]) -> str:
    """The worst misses of sentiment among short messages."""
    miss = np.abs(truth.sentiment - np.array([r.sentiment for r in readings]))
    short = [n for n in np.argsort(-miss).tolist() if len(rows[n].own) <= 160][:8]
    lines = [
        "## Known failures",
        "",
        "The largest misses of sentiment on short messages of the test split.",
        "",
        "| message | labelled | read as |",
        "|---|---|---|",
    ]
    lines += [f"| {' '.join(rows[n].own.split())} | {truth.sentiment[n]:+.1f} | {readings[n].sentiment:+.1f} |".replace("\n", " ") for n in short]
    return "\n".join(lines)
