"""Bytes of unknown origin as characters that a database takes: whatever can be read is kept, nothing raises."""

from __future__ import annotations

import codecs

_AS_WHAT_IS_MEANT = {"iso8859-1": "cp1252", "ascii": "utf-8", "gb2312": "gb18030", "gbk": "gb18030", "euc_kr": "cp949", "shift_jis": "cp932"}
"""Labels that in practice stand for a larger character set, as browsers read them too (WHATWG Encoding)."""
_NO_CHARSETS = frozenset({"idna", "punycode", "undefined", "unicode-escape", "raw-unicode-escape", "unicode_escape", "raw_unicode_escape"})
"""Codecs of Python that no mail means."""

UTF_8 = "utf-8"
OR_WINDOWS = "undertone.or-windows"
"""An error handler for UTF-8: bytes that are none are read as the Windows code page, one by one, so that the rest stays right."""


def clean(text: str) -> str:
    """Without NUL and lone surrogates, which Postgres refuses."""
    text = text.replace("\x00", "")
    return text if text.isascii() else text.encode(UTF_8, "replace").decode(UTF_8)


def decoded(raw: bytes, charset: str | None = None) -> str:
    """In `charset` if that is known and fits, else UTF-8 with bytes of the Windows code page in it. Clean, its lines ended by \\n."""
    return clean(_decoded(raw, charset)).replace("\r\n", "\n").replace("\r", "\n")


def _decoded(raw: bytes, charset: str | None) -> str:
    try:
        name = codecs.lookup(charset or UTF_8).name
        if name not in _NO_CHARSETS:
            return raw.decode(_AS_WHAT_IS_MEANT.get(name, name))
    except (ValueError, LookupError):
        pass
    return raw.decode(UTF_8, OR_WINDOWS)


def _as_windows(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return error.object[error.start : error.end].decode("cp1252", "replace"), error.end


codecs.register_error(OR_WINDOWS, _as_windows)
