"""The figures of drafts: that they measure what they say, and that nothing in a spoiled context raises or gets past the critic."""

from __future__ import annotations

import math
import random
from dataclasses import replace
from importlib.resources import files
from itertools import count, islice
from pathlib import Path

import pytest

from service.critic.draft import Evidence
from service.drafting import Request, draft
from service.drafting.request import LANGUAGES
from service.drafting.rows import request
from service.errors import BadInput
from service.evaluation import SETS, sets, variety
from service.evaluation.card import Measured
from service.evaluation.contexts import FIGURES, MESSAGES, NAMES, SPOILS, context
from service.evaluation.corpus import again, collect, repetition
from service.evaluation.figure import Figure, Section, at_least, at_most, exactly, share
from service.evaluation.fuzz import fuzz, outcome
from service.evaluation.judged import Judged
from service.evaluation.mutation import GATED, KINDS, fates, mutants
from service.evaluation.shown import Sample
from service.evaluation.swap import VARIANTS, compare, may_be_swapped, swapped
from service.evaluation.workers import workers

CONTEXTS = 60


@pytest.fixture(scope="module")
def requests() -> list[Request]:
    return [request(row) for row in sets.read(SETS, "evidence")]


@pytest.fixture(scope="module")
def samples(requests: list[Request]) -> list[Sample]:
    with workers(1, lambda _: None) as spread:
        return list(collect(requests[3::50], 10, spread).samples)


def words(text: str) -> list[str]:
    return text.split()


def has_phrases(lang: str) -> bool:
    """Languages that the engine does not know are refused by it, and stay in."""
    return lang not in LANGUAGES or (files("service.drafting") / "grammar" / f"{lang}.tsv").is_file()


def test_no_spoiled_context_raises_or_shows_what_the_critic_would_stop(requests: list[Request]) -> None:
    pieces = [piece for one in requests for piece in one.evidence]
    contexts = (context(n, pieces) for n in count())
    with workers(1, lambda _: None) as spread:
        section = fuzz(list(islice((c for c in contexts if has_phrases(c.request.lang)), CONTEXTS)), spread)
    assert [figure.name for figure in section.figures if not figure.holds] == []


def test_a_context_is_the_same_each_time_and_contexts_are_of_every_kind(requests: list[Request]) -> None:
    pieces = [piece for one in requests for piece in one.evidence]
    assert context(7, pieces) == context(7, pieces)
    kinds = {kind for n in range(2_000) for kind in context(n, pieces).kinds}
    assert {*NAMES, *MESSAGES, *FIGURES, *SPOILS} <= kinds
    assert len({context(n, pieces).request.channel for n in range(40)}) == 4


def test_an_error_in_a_context_is_counted_and_not_lost(requests: list[Request]) -> None:
    broken = replace(context(1, requests[0].evidence), request=Request(id="x1", evidence=(None,)))  # type: ignore[arg-type]
    assert (outcome(broken).raised or "").startswith("AttributeError")
    with workers(1, lambda _: None) as spread:
        assert not next(f for f in fuzz([broken], spread).figures if f.name == "contexts that raise").holds


def test_different_pairs_of_words_are_counted_within_each_text() -> None:
    # a b, b a, a b | b c: three different of four; "b b" over the gap is none
    assert variety.distinct([words("a b a b"), words("b c")]) == 3 / 4
    assert math.isnan(variety.distinct([words("a")]))


def test_what_a_later_text_shares_is_a_share_of_its_own_runs_and_none_goes_over_a_gap() -> None:
    later, earlier = [words("a b c d e"), words("x y z w")], [words("z a b c d"), words("w v")]
    assert variety.containment(later, earlier) == 1 / 3
    assert variety.longest_run(later, earlier) == 4
    assert variety.longest_run([words("a b"), words("c d")], [words("a b c d")]) == 2
    assert variety.containment([words("a b c")], earlier) == 0.0


def test_bleu_of_a_text_against_itself_is_one_and_otherwise_as_worked_out_by_hand() -> None:
    text = words("the cat sat on the mat")
    assert variety.bleu(text, [words("a dog ran"), text]) == pytest.approx(1.0)
    # matches 5/6, 3/5, 1/4, and none of 3 runs of four: half a match; lengths are equal
    expected = (5 / 6 * 3 / 5 * 1 / 4 * 0.5 / 3) ** 0.25
    assert variety.bleu(text, [words("the cat lay on the mat")]) == pytest.approx(expected)
    # all that is there matches, and the text is one word short of its reference
    assert variety.bleu(words("a b c d"), [words("a b c d e")]) == pytest.approx(math.exp(1 - 5 / 4))


def test_a_word_counts_no_more_often_than_one_reference_has_it() -> None:
    # the: 2 of 7; no longer run matches: 1/2 of 6, 1/4 of 5, 1/8 of 4
    expected = (2 / 7 * (1 / 2) / 6 * (1 / 4) / 5 * (1 / 8) / 4) ** 0.25
    assert variety.bleu(["the"] * 7, [words("the cat is on the mat x"), words("there is a cat on the y")]) == pytest.approx(expected)


def test_texts_that_repeat_each_other_measure_worse_in_every_way() -> None:
    draws = random.Random(1)
    vocabulary = [f"w{n}" for n in range(400)]
    varied = [[draws.choice(vocabulary) for _ in range(40)] for _ in range(70)]
    same = [[*varied[0][:39], draws.choice(vocabulary)] for _ in range(70)]
    assert variety.distinct(same) < 0.1 < variety.distinct(varied)
    assert variety.self_bleu(same, "x") > 0.9 > 0.2 > variety.self_bleu(varied, "x")
    assert variety.gzip_ratio([" ".join(text) for text in same]) > 2 * variety.gzip_ratio([" ".join(text) for text in varied])
    assert variety.overlaps([[text] for text in same], 50, "x")[0] > 0.9


def test_each_change_really_changes_the_draft_in_one_place_to_what_no_evidence_holds(samples: list[Sample]) -> None:
    kinds = set()
    for sample in samples:
        before = sample.written.text
        for mutant in mutants(sample):
            kinds.add(mutant.kind)
            start = next(n for n, (a, b) in enumerate(zip(before, mutant.text, strict=False)) if a != b)
            ending = next(n for n, (a, b) in enumerate(zip(before[::-1], mutant.text[::-1], strict=False)) if a != b)
            new = mutant.text[start : len(mutant.text) - ending]
            assert mutant.text != before
            assert len(new) < 20
            assert mutant.moves[-1].end == len(mutant.text)
    assert {"quoted word", "name in the greeting"} <= kinds <= set(KINDS)


def test_a_changed_draft_is_called_bad_for_the_change(samples: list[Sample]) -> None:
    found = [fate for sample in samples for fate in fates(sample) if fate.kind in GATED]
    assert found
    assert sum(fate.is_killed for fate in found) > 0.8 * len(found)


def test_a_draft_that_is_bad_already_proves_nothing_about_its_changes(samples: list[Sample]) -> None:
    sample = samples[0]
    other = Sample(request=replace(sample.request, evidence=(Evidence(id="E9", type="ticket", text="Nothing."),)), drafted=sample.drafted)
    assert fates(other) == []


def test_a_second_draft_is_compared_with_the_first(samples: list[Sample]) -> None:
    with workers(1, lambda _: None) as spread:
        section = repetition(samples[:2], spread)
    figures = {figure.name: figure for figure in section.figures}
    seconds = [again(sample) for sample in samples[:2]]
    assert figures["sets with a second draft"].value == share(sum(pair is not None for pair in seconds), 2)
    for pair in filter(None, seconds):
        assert pair.containment <= pair.raw_containment or pair.raw_containment == 0.0


def test_a_swapped_name_stands_wherever_the_old_one_stood(requests: list[Request]) -> None:
    one = next(r for r in requests if may_be_swapped(r) and any(e.type == "buyer_message" for e in r.evidence))
    first, last = (one.recipient_name or "").split()[-2:]
    for variant in VARIANTS[:5]:
        said = " ".join([*(e.text for e in swapped(one, variant).evidence), swapped(one, variant).recipient_name or ""])
        assert first not in said.split()
        assert last not in said.split()
        assert variant.address in said
        assert variant.country in said
    assert len(set(VARIANTS)) == 50


def test_another_name_of_the_same_person_changes_nothing(requests: list[Request]) -> None:
    one = next(r for r in requests if may_be_swapped(r) and draft(r).written)
    found = compare((one, 2))
    assert found.is_drafted
    assert found.differs == ()


def test_a_gate_without_anything_to_measure_does_not_hold() -> None:
    assert not Figure(name="x", value=share(0, 0), how="", gate=at_least(0.5)).holds
    assert not Figure(name="x", value=share(0, 0), how="", gate=at_most(0.5)).holds
    assert not Figure(name="x", value=1, how="", gate=exactly(0)).holds
    assert Figure(name="x", value=0, how="", gate=exactly(0)).holds


def test_the_card_names_each_gate_that_does_not_hold() -> None:
    figures = [Figure(name="good one", value=1, how="so", gate=at_least(0.9)), Figure(name="bad one", value=0.2, how="so", gate=at_least(0.9))]
    found = Measured(sections=[Section(title="T", figures=figures)], fingerprint="abc")
    assert "Of 2 gates 1 hold. Not yet: bad one." in found.text
    assert "| bad one | 0.200 | ≥ 0.9 | **no** |  | so |" in found.text


@pytest.mark.parametrize(
    ("named", "broken", "expected"), [("STR-10", "SIT-17", True), ("STR-1", "STR-2", True), ("ETH-8", "ETH-2", False), ("DRF-1", "DRF-1", True)]
)
def test_a_rule_counts_as_named_by_itself_or_the_other_of_its_pair(samples: list[Sample], named: str, broken: str, *, expected: bool) -> None:
    found = replace(samples[0].written.review, rules=(named,), verdict="bad")
    assert Judged(row={"rules": [broken]}, review=found).is_named is expected


def test_a_set_that_is_missing_or_torn_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"critic\.ndjson cannot be read"):
        sets.read(tmp_path, "critic")
    (tmp_path / "critic.ndjson").write_text('{"id": 1}\n{"id": \n')
    with pytest.raises(BadInput, match="Line 2 of"):
        sets.read(tmp_path, "critic")


def test_work_in_other_processes_comes_back_in_order() -> None:
    told: list[str] = []
    with workers(2, told.append) as spread:
        assert spread("squares", math.sqrt, [1.0, 4.0, 9.0]) == [1.0, 2.0, 3.0]
    assert told[-1] == "squares: 3 of 3"
