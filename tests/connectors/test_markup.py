"""HTML mail as text: nobody's words are lost, nobody else's are taken for theirs, and no markup is too strange."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.markup import html_to_text


@pytest.mark.parametrize(
    "quotation",
    [
        "<blockquote type='cite'>old words</blockquote>",
        "<div class='gmail_quote'>On Monday Ann wrote:<blockquote>old words</blockquote></div>",
        "<div class='moz-cite-prefix'>old words</div>",
        "<style>old words</style>",
        "<script>old words</script>",
        "<!-- old words -->",
        "<span style='display: none'>old words</span>",
    ],
)
def test_what_the_writer_did_not_say_is_left_out_and_what_stands_around_it_is_not(quotation):
    assert html_to_text(f"<p>Before.</p>{quotation}<p>After.</p>").split() == ["Before.", "After."]


def test_words_that_the_writer_only_indented_are_kept():
    html = "<div>Our points:</div><blockquote style='margin:0 0 0 40px;border:none;padding:0px'><div>the price</div></blockquote>"
    assert html_to_text(html).split("\n") == ["Our points:", "the price"]


def test_answers_between_quotations_keep_their_order():
    html = "<blockquote>q1</blockquote><p>first</p><blockquote>q2</blockquote>second<blockquote>q3</blockquote>"
    assert html_to_text(html).split() == ["first", "second"]


def test_a_word_is_not_split_at_a_tag_nor_joined_to_the_next_paragraph():
    html = "<p>We <b>won</b><span>'t</span> renew.</p><p>Bo&nbsp;Ek<br>Acme</p><div>x</div><div>From: y</div>"
    assert html_to_text(html) == "We won't renew.\n\nBo Ek\nAcme\n\nx\nFrom: y"


def test_layout_tables_leave_no_columns_of_blanks():
    html = "<table width=600><tr><td><table><tr><td>Hello Ann,</td></tr><tr><td>we   wait.</td></tr></table></td></tr></table>"
    assert html_to_text(html).split("\n") == ["Hello Ann,", "we wait."]


def test_text_before_absurdly_deep_nesting_is_kept():
    assert html_to_text("<p>Hello.</p>" + "<div>" * 50_000) == "Hello."


@pytest.mark.parametrize("html", ["", "  \n", "<!-- x -->", "<?xml version='1.0'?>", "<!DOCTYPE html>", "<frameset></frameset>"])
def test_where_there_is_no_text_there_is_none(html):
    assert html_to_text(html) == ""


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    "html",
    [
        "<p style='margin-top:100000000em;padding-left:9999999999999px'>x</p>",
        "<p style='" + "style:" * 5_000 + "'>x</p>",
        "<p style='margin-top:99999em'></p>" * 100 + "<p>x</p>",
        "<table><tr><td colspan=100000000 rowspan=1000000000>x</td></tr></table>",
        "<p " + "a=1 " * 100_000 + ">x</p>",
        "<?xml version='1.0' encoding='utf-16'?><p>x</p>",
        "<html><head><meta charset='utf-16'></head><body>x</body></html>",
        "<ol start='99999999999999999999'><li>x</li></ol>",
        "<b>" * 200 + "x",
        "<p>\x00x\x00</p>",
        "<p>x" + "</p></div></td>" * 5_000,
    ],
    ids=range(11),
)
def test_hostile_markup_costs_nothing_but_itself(html):
    text = html_to_text(html)
    assert "x" in text
    assert len(text) < 20
    assert "\x00" not in text


def test_a_comment_without_an_end_is_no_text() -> None:
    assert html_to_text("\x1f<!--") == ""


@settings(max_examples=150)
@given(
    st.lists(
        st.sampled_from(["<p>", "</p>", "<blockquote>", "<table>", "<td>", "<ol>", "<li>", "<pre>", "<!--", "-->", "&#0;", "&#xD800;"]) | st.text(max_size=8)
    )
)
def test_any_text_is_html_of_a_kind(parts):
    text = html_to_text("".join(parts))
    assert "\x00" not in text
    text.encode()


@given(st.lists(st.text("abcdefgh.,", min_size=1, max_size=8), min_size=1, max_size=20))
def test_every_word_comes_through_in_order(words):
    html = "".join(f"<p>{word}</p>" if i % 2 else f"<div><b>{word}</b> </div>" for i, word in enumerate(words))
    assert html_to_text(html).split() == words
