"""The rows the sentiment model is trained and measured on, from the folder of data sets and from our own sentences."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zlib import crc32

from ml import artifact
from ml.features import Lexicon
from ml.tokens import checksum

CLASSES = ("negative", "neutral", "positive")
OWN = Path(__file__).parent / "b2b_sentences.ndjson"
LICENCES = {
    "vader": "VADER ground truth, Hutto & Gilbert 2014, MIT",
    "senti4sd": "Senti4SD, Calefato et al. 2018, MIT (Stack Overflow text, CC BY-SA)",
    "xed": "XED, Ohman et al. 2020, CC BY 4.0",
    "intent": "Email Intent Data Set, ParakweetLabs 2014, Apache-2.0",
    "b2b": "our own sentences, licence of this repository",
}
WEIGHTS = {"vader": 1.0, "senti4sd": 1.5, "xed": 0.4, "xed_other": 0.25, "intent": 1.0, "b2b": 10.0}
"""What a row of a set counts for: our own sentences are few and of the right domain."""
_POSITIVE, _NEGATIVE = {"joy", "trust"}, {"anger", "disgust", "fear", "sadness"}
_XED_LANGUAGES = {"de", "fr", "es", "pt"}
WITHOUT_NEUTRAL = frozenset(f"xed {language}" for language in _XED_LANGUAGES)
"""Domains in which every row has a feeling, for only those were labelled."""
CLEAR_RATING = 0.5
"""Mean ratings within this are neutral."""


@dataclass(frozen=True, slots=True)
class Row:
    """`rating` is the raters' mean where there is one."""

    text: str
    label: int
    source: str
    domain: str
    test: bool
    weight: float
    rating: float | None = None


def read(data: Path) -> list[Row]:
    text = data / "text"
    return [*_own(), *_vader(text), *_senti4sd(text), *_xed(text), *_intent(text)]


def benchmarks(data: Path) -> list[Row]:
    """Sets whose licence or kind allows measuring only."""
    groups = {"positive": 2, "negative": 0, "neutral": 1, "ambiguous": 1}
    go = (
        Row(r["text"], groups[r["group"][0]], "goemotions", "goemotions", test=True, weight=0)
        for r in _rows(data / "text" / "goemotions.parquet")
        if r["split"] == "test" and len(r["group"]) == 1
    )
    return [*go, *uci(data)]


def uci(data: Path) -> list[Row]:
    return [Row(r["text"], 2 * int(r["label"]), "uci", f"uci {r['domain']}", test=True, weight=0) for r in _rows(data / "text" / "uci_sentences.parquet")]


def lexicon() -> Lexicon:
    """VADER's word list (MIT) with our additions."""
    import vaderSentiment

    lines = (Path(vaderSentiment.__file__).parent / "vader_lexicon.txt").read_text(encoding="utf-8").splitlines()
    valence = {word: float(mean) for word, mean, *_ in (line.split("\t") for line in lines) if " " not in word}
    ours = artifact.words("valence")
    valence.update({word: mean for words in reversed(list(ours["words"].values())) for word, mean in words.items() if word not in valence})
    valence.update(ours["words"]["en"])
    for word in ours["neutral"]:
        valence.pop(word, None)
    by_key = dict(sorted((checksum(word), mean) for word, mean in valence.items()))
    return _lexicon(by_key)


def _lexicon(by_key: dict[int, float]) -> Lexicon:
    import numpy as np

    return Lexicon(np.array(list(by_key), dtype=np.uint64), np.array(list(by_key.values())))


def _rows(path: Path) -> list[dict[str, Any]]:
    import pyarrow.parquet

    return pyarrow.parquet.read_table(path).to_pylist()  # type: ignore[no-any-return]


def _own() -> Iterator[Row]:
    for line in OWN.read_text(encoding="utf-8").splitlines():
        r = json.loads(line)
        yield Row(r["text"], CLASSES.index(r["label"]), "b2b", "b2b", r["split"] == "test", WEIGHTS["b2b"])


def _vader(text: Path) -> Iterator[Row]:
    for r in _rows(text / "vader_groundtruth.parquet"):
        rating = r["mean_rating"]
        label = 2 if rating > CLEAR_RATING else 0 if rating < -CLEAR_RATING else 1
        test = crc32((r["domain"] + str(r["id"])).encode()) % 5 == 0
        yield Row(r["text"], label, "vader", r["domain"], test, WEIGHTS["vader"], rating)


def _senti4sd(text: Path) -> Iterator[Row]:
    for r in _rows(text / "senti4sd.parquet"):
        yield Row(r["text"], CLASSES.index(r["label"]), "senti4sd", "senti4sd", r["split"] == "test", WEIGHTS["senti4sd"])


def _xed(text: Path) -> Iterator[Row]:
    for r in _rows(text / "xed.parquet"):
        labels = set(r["labels"])
        positive, negative = bool(labels & _POSITIVE), bool(labels & _NEGATIVE)
        if positive == negative and labels != {"neutral"}:
            continue
        label = 1 if labels == {"neutral"} else 2 if positive else 0
        if r["lang"] == "en":
            yield Row(r["text"], label, "xed", "xed en", crc32(r["text"].encode()) % 10 == 0, WEIGHTS["xed"])
        elif r["lang"] in _XED_LANGUAGES:
            yield Row(r["text"], label, "xed", f"xed {r['lang']}", crc32(r["text"].encode()) % 10 == 0, WEIGHTS["xed_other"])


def _intent(text: Path) -> Iterator[Row]:
    """Requests and appointments from business mail carry no feeling as a rule; these stand for neutral mail."""
    for r in _rows(text / "email_intent.parquet"):
        if r["label"] == "Yes" and r["split"] == "train":
            yield Row(r["text"], 1, "intent", "intent", test=False, weight=WEIGHTS["intent"])
