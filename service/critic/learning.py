"""Learns what a fault looks like from replies by many writers, and writes ml/models/faults.{json,npz}: `python -m service.critic.learning`."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression

from ml import artifact, faults
from ml.faults import BUCKETS, NAME, OF_RULES, Faults, Sentence, described, weighed
from ml.tokens import Floats
from ml.train import logistic
from service.critic.case import Case
from service.critic.draft import Draft, Evidence
from service.critic.faults import sentences
from service.critic.review import found

CASES = Path(faults.__file__).parent / "data" / "critic" / "faults.ndjson"
STRENGTH, OF_WHICH, ROUNDS = 3.0, 3.0, 80
LEAST_SEEN = 2
"""Sentences that must show a word for it to get a weight."""
SAID_FROM, BORNE_FROM = 0.8, 0.3
"""See `Faults`. Chosen on 244 replies by three other writers: what the rules find there is right more often than beside the subtler faults learned from."""
FOLDS = 8


@dataclass(frozen=True, slots=True)
class Reply:
    """`rule`: the one that it breaks. `base`: the right reply that it was made from by changing a sentence."""

    author: str
    draft: Draft
    rule: str | None = None
    base: str | None = None


def replies() -> Iterator[Reply]:
    for line in CASES.read_text("utf-8").splitlines():
        case = json.loads(line)
        evidence = tuple(Evidence(**piece) for piece in case["evidence"])
        author = case["id"].partition("-")[0]
        right = {
            reply["id"]: Draft(
                id=reply["id"],
                text=reply["text"],
                channel=case["channel"],
                evidence=evidence,
                recipient_name=case["recipient_name"],
                am_name=reply["am_name"],
                situation=None if case["situation"] == "hostile_or_injection" else case["situation"],
            )
            for reply in case["replies"]
        }
        yield from (Reply(author, draft) for draft in right.values())
        for edit in case["edits"]:
            base, at, text = right[edit["of"]], edit["at"], edit["text"]
            draft = replace(base, id=edit["id"], text=base.text[:at] + text + base.text[at + edit["cut"] :])
            yield Reply(author, draft, edit["rule"], base.text)


@dataclass(frozen=True)
class Read:
    """The sentences of some replies: whose each is, whether it is learned from, and the rule that it breaks."""

    replies: Sequence[Reply]
    sentences: Sequence[Sentence]
    of: npt.NDArray[np.int64]
    is_learned: npt.NDArray[np.bool_]
    rule: npt.NDArray[np.object_]

    def only(self, keep: npt.NDArray[np.bool_]) -> Read:
        """Those sentences alone."""
        at = np.flatnonzero(keep)
        return Read(self.replies, [self.sentences[n] for n in at.tolist()], self.of[keep], self.is_learned[keep], self.rule[keep])


def read(kept: Sequence[Reply]) -> Read:
    """Of a reply that was edited only the changed sentences are learned from: the others stand in the reply that it comes from."""
    made, of, learned, rule = list[Sentence](), list[int](), list[bool](), list[str | None]()
    for n, reply in enumerate(kept):
        case = Case(reply.draft)
        for span, sentence in zip(case.text.sentences, sentences(case, list(found(case))), strict=True):
            is_changed = reply.base is not None and case.text.text[slice(*span)].strip() not in reply.base
            made.append(sentence)
            of.append(n)
            learned.append(is_changed or reply.base is None)
            rule.append(reply.rule if is_changed else None)
    return Read(kept, made, np.array(of), np.array(learned), np.array(rule, dtype=object))


def train(read: Read) -> Faults:
    table_of = read.only(read.is_learned)
    features = described(table_of.sentences)
    idf = _idf(features, len(table_of.sentences))
    table = csr_matrix((weighed(features, idf), (features.sentence, features.bucket)), shape=(len(table_of.sentences), BUCKETS))
    is_fault = np.array([rule is not None for rule in table_of.rule])
    any_fault = LogisticRegression(C=STRENGTH, max_iter=400).fit(table, is_fault)
    rules = tuple(sorted({rule for rule in table_of.rule if rule}))
    which, bias = _which(features, weighed(features, idf), table_of.rule, is_fault, rules)
    weights = any_fault.coef_[0]
    any_scale, which_scale = np.abs(weights).max() / 127, np.maximum(np.abs(which).max(axis=0), 1e-9) / 127
    return Faults(
        rules=rules,
        idf=idf,
        any=np.round(weights / any_scale).astype(np.int8),
        any_scale=float(any_scale),
        any_bias=float(any_fault.intercept_[0]),
        which=np.round(which / which_scale).astype(np.int8),
        which_scale=which_scale,
        which_bias=bias,
        said_from=SAID_FROM,
        borne_from=BORNE_FROM,
    )


def _which(features: faults.Described, value: Floats, rule: Any, is_fault: Any, rules: tuple[str, ...]) -> tuple[Floats, Floats]:
    table = csr_matrix((value, (features.sentence, features.bucket % OF_RULES)), shape=(features.count, OF_RULES))[is_fault]
    wanted = np.eye(len(rules))[[rules.index(name) for name in rule[is_fault]]]
    return logistic.softmax(table, wanted, np.ones(len(wanted)), strength=OF_WHICH, rounds=ROUNDS)


def _idf(features: faults.Described, count: int) -> npt.NDArray[np.float32]:
    pairs = np.unique(features.sentence * BUCKETS + features.bucket)
    seen = np.bincount(pairs % BUCKETS, minlength=BUCKETS)
    return np.where(seen >= LEAST_SEEN, np.log((1 + count) / (1 + seen)) + 1, 0.0).astype(np.float16).astype(np.float32)


def crossed(read: Read) -> Floats:
    """Chance of a fault in each sentence, by a model that met none of its writer's replies."""
    authors = np.array([read.replies[n].author for n in read.of])
    chance, names = np.zeros(len(authors)), sorted(set(authors))
    for fold in range(FOLDS):
        out = np.isin(authors, names[fold::FOLDS])
        chance[out] = train(read.only(~out)).chances(described(read.only(out).sentences))
    return chance


def held_out(read: Read, chance: Floats) -> dict[str, float]:
    """What the model alone finds in replies of writers whom it has not met, where it calls so many right ones wrong."""
    highest = np.zeros(len(read.replies))
    np.maximum.at(highest, read.of, chance)
    right = np.array([reply.rule is None and reply.base is None for reply in read.replies])
    broken = np.array([reply.rule is not None for reply in read.replies])
    shares = {wrong: float((highest[broken] >= np.quantile(highest[right], 1 - wrong)).mean()) for wrong in (0.03, 0.06, 0.1)}
    return {f"wrong ones found at {wrong:.0%} of right ones": round(share, 3) for wrong, share in shares.items()}


def main() -> None:
    kept = read(list(replies()))
    model = train(kept)
    meta = {
        "rules": list(model.rules),
        "said_from": model.said_from,
        "borne_from": model.borne_from,
        "replies": len(kept.replies),
        "writers": len({reply.author for reply in kept.replies}),
        "data": hashlib.sha256(CASES.read_bytes()).hexdigest(),
        "held_out": held_out(kept, crossed(kept)),
    }
    arrays: dict[str, npt.NDArray[Any]] = {
        "idf": model.idf.astype(np.float16),
        "any": model.any,
        "any_scale": np.array(model.any_scale),
        "any_bias": np.array(model.any_bias),
        "which": model.which,
        "which_scale": model.which_scale,
        "which_bias": model.which_bias,
    }
    print(artifact.save(NAME, meta, arrays).version, meta["held_out"])  # noqa: T201


if __name__ == "__main__":
    main()
