"""Sentences that give orders to a machine, and honest ones that only look like it (ml/data/machine_orders): what the head "order" learns from."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier

from ml.columns import ORDER
from ml.masking import Masker
from ml.orders import Finder, evidence, formed
from ml.sentence_tokens import Said
from ml.text import sentences
from ml.tokens import Flags, Floats, Ints, Tokens
from ml.train.boosting import started
from ml.train.corpus import Row

FOLDER = Path(__file__).parent.parent / "data" / "machine_orders"
RUN = 30
"""Lines in a row, which often share an idea, stay in one fold."""
TIMES = {"orders": 2, "ordinary": 1}
"""How often each line stands within a message, where the finder learns."""
FEWEST_WORDS, MOST_WORDS, MESSAGES = 15, 130, 7000
ROUNDS, LOOKALIKE_WEIGHT = 120, 4.0
PATTERNED = "o3-"
"""Lines of this author are made of patterns: as look-alikes they say less about how honest text is read than those written one by one."""
LOOKED_AT = 0.06
"""Share of the sentences of messages whose vote makes their text worth a closer look."""
HONEST_FIRST, HONEST_BESIDE, HONEST_DOUBT = 0.003, 0.01, 0.02
"""Shares of honest texts in which an order is found, of honest sentences beside one, and of messages with a sentence that counts for nothing: some four
sentences in a thousand."""


@dataclass(frozen=True, slots=True)
class Orders:
    """A row a sentence."""

    sentences: Tokens
    is_order: Flags
    fold: Ints

    @classmethod
    def read(cls, masker: Masker, folds: int) -> Self:
        orders, ordinary = ([line["text"] for line in _lines(name)] for name in ("orders", "ordinary"))
        said = Said.of([*orders, *ordinary], masker)
        line = np.concatenate([np.arange(len(orders)), np.arange(len(ordinary))])[said.owner]
        return cls(said.sentences, said.owner < len(orders), line // RUN % folds)


def _lines(name: str) -> list[dict[str, str]]:
    return [json.loads(line) for line in (FOLDER / f"{name}.ndjson").read_text(encoding="utf-8").splitlines()]


@dataclass(frozen=True, slots=True)
class Composed:
    """Texts as the finder may meet them: orders and look-alikes alone and within messages, and messages. `order` is where the order stands."""

    texts: Sequence[str]
    order: Sequence[tuple[int, int] | None]
    fold: Ints
    alone: Flags
    """Look-alikes by themselves: these and messages say how often honest text is taken for an order."""
    whole: Flags
    """Messages as they came."""


def composed(rows: Sequence[Row], fold: Ints, folds: int) -> Composed:
    """Within messages of the same fold, so that heads which have not seen the one have not seen the other."""
    chance = np.random.default_rng(5)
    fit = np.array([n for n, r in enumerate(rows) if FEWEST_WORDS <= len(r.own.split()) <= MOST_WORDS and not r.gives_orders])
    made: list[tuple[str, tuple[int, int] | None, int, str]] = []
    for name in ("orders", "ordinary"):
        for place, line in enumerate(_lines(name)):
            text, number = line["text"], place // RUN % folds
            kind = "hard" if name == "ordinary" and not line["id"].startswith(PATTERNED) else "easy"
            made.append((text, (0, len(text)) if name == "orders" else None, number, kind))
            for _ in range(TIMES[name]):
                around, span = _inserted(rows[int(chance.choice(fit[fold[fit] == number]))].own, text, chance)
                made.append((around, span if name == "orders" else None, number, "within"))
    made += [(rows[n].own, None, int(fold[n]), "message") for n in chance.choice(fit, min(MESSAGES, len(fit)), replace=False)]
    kinds = np.array([k for *_, k in made])
    return Composed([t for t, *_ in made], [o for _, o, *_ in made], np.array([f for _, _, f, _ in made]), kinds == "hard", kinds == "message")


def _inserted(message: str, text: str, chance: np.random.Generator) -> tuple[str, tuple[int, int]]:
    """Before, behind or between the sentences."""
    starts = [start for start, _ in sentences(message)][1:]
    where = int(chance.integers(3))
    if where == 0:
        return f"{text}\n\n{message}", (0, len(text))
    if where == 1 and starts:
        at = int(chance.choice(starts))
        return f"{message[:at]}{text} {message[at:]}", (at, at + len(text))
    return f"{message}\n\n{text}", (len(message) + 2, len(message) + 2 + len(text))


def finder(c: Composed, said: Said, votes: Floats, cues: Floats, folds: int) -> tuple[Finder, dict[str, float]]:
    """And the limits of its log odds: `first` in a text, `beside` another one, `doubt` for what counts for nothing; only votes above `look` count.
    `said`: the texts; `votes` of heads that have not seen the fold, and `cues`, of each sentence."""
    owner, fold = said.owner, c.fold[said.owner]
    is_order = np.array([(span := c.order[text]) is not None and span[0] <= at < span[1] for text, (at, _) in zip(owner.tolist(), said.spans, strict=True)])
    look = float(np.quantile(votes[c.whole[owner], ORDER], 1 - LOOKED_AT))
    looked_at = votes[:, ORDER] > look
    seen = evidence(owner, votes, formed(c.texts, said, looked_at), cues)
    weight = np.where(c.alone[owner] & ~is_order, LOOKALIKE_WEIGHT, 1.0)
    worth = np.zeros(len(owner))
    for n in range(folds):
        worth[fold == n] = _grown(seen[fold != n], is_order[fold != n], weight[fold != n])(seen[fold == n])
    worth[~np.isin(owner, owner[looked_at])] = -np.inf
    found = {"look": look, **_limits(c, owner, is_order, worth)}
    return _grown(seen, is_order, weight), {name: round(value, 4) for name, value in found.items()}


def _limits(c: Composed, owner: Ints, is_order: Flags, worth: Floats) -> dict[str, float]:
    """From log odds of trees that have not seen the fold."""
    highest = np.full(len(c.texts), -np.inf)
    np.maximum.at(highest, owner, worth)
    first = max(float(np.quantile(highest[group], 1 - HONEST_FIRST, method="higher")) for group in (c.alone, c.whole))
    carried = ~is_order & np.isin(owner, np.flatnonzero([order is not None for order in c.order])) & np.isin(owner, owner[worth > first])
    doubt = min(first, float(np.quantile(highest[c.whole], 1 - HONEST_DOUBT)))
    return {"first": first, "doubt": doubt, "beside": min(first, float(np.quantile(worth[carried], 1 - HONEST_BESIDE)))}


def _grown(seen: Floats, is_order: Flags, weight: Floats) -> Finder:
    settings: dict[str, Any] = {
        "max_iter": ROUNDS, "max_leaf_nodes": 12, "max_depth": 4, "learning_rate": 0.1, "min_samples_leaf": 40, "l2_regularization": 8.0,
        "early_stopping": False, "random_state": 0,
    }  # fmt: skip
    base, trees = started(HistGradientBoostingClassifier(**settings).fit(seen, is_order, sample_weight=weight))
    return Finder(trees, base)
