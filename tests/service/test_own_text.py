"""The time bound around the parser: what a hostile body may and may not cost."""

from __future__ import annotations

import sys

import pytest

from ml.text import MAX_CHARS
from service.errors import Unavailable
from service.own_text import Reader, read_own_text

HOSTILE = {
    "on, again and again": "On " * 4_000,
    "on and blanks": "On " + " " * 20_000,
    "on, line after line": "On a b c d\n" * 2_000,
    "from, line after line": "From: a\n" * 3_000,
    "a rule and empty lines": "_" * 20_000 + "\n" * 20_000,
    "half an attribution": ("On 1 a@b.co wrote" * 20 + "\n") * 180,
}
HANGS = "import service.own_text as m, ml.text as t\nm.serve(lambda body: t.own_text(body) if body != 'hang' else sum(0 for _ in iter(int, 1)))"
SLEEPS = "import time, service.own_text as m, ml.text as t\nm.serve(lambda body: t.own_text(body) if body != 'hang' else time.sleep(60))"
BREAKS = "import service.own_text as m, ml.text as t\nm.serve(lambda body: t.own_text(body) if body != 'hang' else t.nothing)"
GOOD = ["Hello Anna,\nwe wait.", "hang", "Second.\n\nOn 3 Mar 2025, Bob <b@x.com> wrote:\n> first", "hang", "Third."]


@pytest.fixture
def reader(request):
    reader = Reader((sys.executable, "-c", request.param), wall_seconds=2.0)
    yield reader
    reader.close()


@pytest.mark.parametrize("reader", [HANGS, SLEEPS, BREAKS], indirect=True, ids=["busy", "asleep", "broken"])
def test_a_body_that_never_ends_costs_only_itself(reader):
    found = reader.read(GOOD)
    assert [own.text for own in found] == [GOOD[0], "", "Second.", "", "Third."]
    assert [own.quote_strip for own in found] == ["ok", "failed", "ok", "failed", "ok"]
    assert [own.spans for own in found if own.quote_strip == "failed"] == [(), ()]


@pytest.mark.parametrize("body", HOSTILE.values(), ids=HOSTILE)
def test_no_hostile_body_hangs(body):
    first, second = read_own_text([body, "Fine with us."])
    assert first.quote_strip == "ok"
    assert second.text == "Fine with us."


def test_a_child_that_does_not_start_is_named_and_no_message_is_given_up():
    with pytest.raises(Unavailable, match="did not start"):
        Reader((sys.executable, "-c", "raise SystemExit(1)")).read(["Hello"])


def test_a_child_that_was_ended_is_started_again():
    reader = Reader()
    assert reader.read(["One."])[0].text == "One."
    reader.close()
    assert reader.read(["Two."])[0].text == "Two."
    reader.close()


def test_every_span_points_into_the_body_as_it_came():
    bodies = ["", "Ümläut 🚀\r\nline\r\n\r\n> old\r\nnew", "lone \ud800 surrogate", "x" * (MAX_CHARS + 10)]
    found = read_own_text(bodies)
    assert [own.quote_strip for own in found] == ["ok", "ok", "ok", "cut"]
    for body, own in zip(bodies, found, strict=True):
        assert own.text == "\n".join(body[start:end] for start, end in own.spans)
    assert found[1].text == "Ümläut 🚀\r\nline\nnew"


def test_a_batch_larger_than_a_pipe_passes():
    bodies = [f"{n} " + "word " * 4_000 for n in range(60)]
    assert [own.text.split()[0] for own in read_own_text(bodies)] == [str(n) for n in range(60)]
