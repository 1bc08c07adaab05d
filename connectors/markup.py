"""HTML mail as plain text, without what its writer only quoted."""

from __future__ import annotations

import re

MAX_HTML = 1_000_000
_QUOTED = ("blockquote", "script", "style", "head", "title")
_QUOTED_CLASSES = ("gmail_quote", "gmail_quote_container", "moz-cite-prefix", "yahoo_quoted", "protonmail_quote")
_BLANK_LINES = re.compile(r"\n[ \t]*(?:\n[ \t]*)+\n")


def html_to_text(html: str) -> str:
    """Empty where there is no text in it. Quotations that the mail program marked as such are left out."""
    from inscriptis import Inscriptis
    from inscriptis.model.config import ParserConfig
    from lxml.etree import ParserError
    from lxml.html import HTMLParser, fromstring

    try:
        tree = fromstring(html[:MAX_HTML].encode("utf-8", "replace"), parser=HTMLParser(encoding="utf-8", no_network=True))
    except (ParserError, ValueError):
        return ""
    for element in [*tree.iter(*_QUOTED)] + [e for c in _QUOTED_CLASSES for e in tree.find_class(c)]:
        if element.getparent() is not None:
            element.drop_tree()
    text = Inscriptis(tree, ParserConfig(display_links=False)).get_text()
    return _BLANK_LINES.sub("\n\n", text.replace("\xa0", " ")).strip()
