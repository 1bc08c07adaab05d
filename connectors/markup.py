"""HTML mail as plain text, without what its writer only quoted."""

from __future__ import annotations

import re
from typing import Any

from connectors.characters import clean

MAX_HTML = 1_000_000
_QUOTED = ("blockquote", "script", "style", "head", "title")
_QUOTED_CLASSES = ("gmail_quote", "gmail_quote_container", "moz-cite-prefix", "yahoo_quoted", "protonmail_quote")
_INDENT = re.compile(r"border(-left)?\s*:\s*(none|0)", re.IGNORECASE)
"""A blockquote without a bar is what Gmail's and Outlook's indent button makes: the writer's own words."""
_HIDDEN = re.compile(r"display\s*:\s*none", re.IGNORECASE)
_INDENTATION = re.compile(r"^[ \t]+|[ \t]+$", re.MULTILINE)
_BLANKS = re.compile(r"[ \t]{2,}")
_BLANK_LINES = re.compile(r"\n{3,}")


def html_to_text(html: str) -> str:
    """Empty where there is no text in it. Quotations that the mail program marked as such are left out."""
    from inscriptis import Inscriptis
    from inscriptis.css_profiles import CSS_PROFILES
    from inscriptis.model.config import ParserConfig
    from lxml.etree import ParserError
    from lxml.html import HTMLParser, fromstring

    try:
        tree = fromstring(clean(html[:MAX_HTML]).encode(), parser=HTMLParser(encoding="utf-8", no_network=True))
    except (ParserError, ValueError):
        return ""
    if not isinstance(tree.tag, str):  # nothing but a comment
        return ""
    _drop_what_is_not_said(tree)
    text = Inscriptis(tree, ParserConfig(css=CSS_PROFILES["strict"].copy(), display_links=False)).get_text()
    text = _BLANKS.sub(" ", _INDENTATION.sub("", clean(text).replace("\xa0", " ")))
    return _BLANK_LINES.sub("\n\n", text).strip()


def _drop_what_is_not_said(tree: Any) -> None:
    dropped = [e for e in tree.iter(*_QUOTED) if not (e.tag == "blockquote" and _INDENT.search(e.get("style", "")))]
    dropped += [e for c in _QUOTED_CLASSES for e in tree.find_class(c)]
    for element in tree.xpath("//*[@style]"):
        if _HIDDEN.search(element.get("style")):
            dropped.append(element)
        # The renderer honours margins of 100,000 lines, for each element, and calls itself for a style within a style.
        del element.attrib["style"]
    for element in dropped:
        if element.getparent() is not None:
            element.drop_tree()
