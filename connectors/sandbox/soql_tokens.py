"""SOQL text as tokens, and literals as values. Strict: what is no token is refused."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from typing import NamedTuple, get_args

from connectors.sandbox.errors import Refusal
from connectors.sandbox.soql import DateLiteral, Days, Value

_LARGEST = 10**18
_TOKEN = re.compile(
    r"""(?P<space>\s+)
    | (?P<datetime>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,3})?(?:Z|[+-]\d\d:\d\d))(?![\w:.])
    | (?P<date>\d{4}-\d\d-\d\d)(?![\w:-])
    | (?P<number>[+-]?\d+(?:\.\d+)?(?:e[+-]?\d+)?)(?![\w.])
    | (?P<string>'(?:[^'\\]|\\.)*')
    | (?P<days>(?i:(?:LAST|NEXT)_N_DAYS):\d{1,5})(?![\w:.])
    | (?P<name>[A-Za-z]\w*(?:\.[A-Za-z]\w*)*)
    | (?P<mark><=|>=|!=|[(),=<>])
    """,
    re.VERBOSE | re.DOTALL | re.ASCII,
)
_ESCAPE = re.compile(r"\\(u[0-9A-Fa-f]{4}|.)", re.DOTALL)
_ESCAPED = {"n": "\n", "N": "\n", "r": "\r", "R": "\r", "t": "\t", "T": "\t", "b": "\b", "B": "\b", "f": "\f", "F": "\f", '"': '"', "'": "'", "\\": "\\"}
_DAY_WORDS: dict[str, Days] = {word: word for word in get_args(Days)}
WORDS: dict[str, Value] = {"NULL": None, "TRUE": True, "FALSE": False}
WORDS |= {word: DateLiteral(_DAY_WORDS[word]) for word in ("YESTERDAY", "TODAY", "TOMORROW")}


class Token(NamedTuple):
    kind: str
    text: str

    @property
    def word(self) -> str:
        """Upper case for a name or a mark, never equal to a keyword for a literal."""
        return self.text.upper() if self.kind in ("name", "mark") else ""


END = Token("end", "<EOF>")


def malformed(message: str) -> Refusal:
    return Refusal("MALFORMED_QUERY", message)


def tokens_of(text: str) -> list[Token]:
    tokens, at = [], 0
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None or found.lastgroup is None:
            raise malformed(f"line 1:{at} no viable alternative at character '{text[at]}'")
        if found.lastgroup != "space":
            tokens.append(Token(found.lastgroup, found[0]))
        at = found.end()
    return tokens


def value_of(token: Token, *, pattern: bool) -> Value:
    """Raises Refusal for a literal that means nothing, such as a 13th month."""
    if token.kind == "string":
        return _unquoted(token.text, pattern=pattern)
    if token.kind == "days":
        word, _, days = token.text.upper().partition(":")
        return DateLiteral(_DAY_WORDS[word], int(days))
    try:
        if token.kind == "datetime":
            return datetime.fromisoformat(token.text).astimezone(UTC)
        if token.kind == "date":
            return date.fromisoformat(token.text)
        return _number(token.text)
    except (ValueError, OverflowError) as error:
        raise malformed(f"line 1: '{token.text[:40]}' is not a valid {token.kind}") from error


def _number(text: str) -> int | float:
    number = int(text) if text.lstrip("+-").isdigit() else float(text)
    if abs(number) > _LARGEST:
        raise ValueError(text)
    return number


def _character(code: str) -> str:
    letter = chr(int(code[1:], 16))
    if "\ud800" <= letter <= "\udfff":
        raise malformed(f"Illegal character sequence '\\{code}' in a string literal")
    return letter


def _unquoted(text: str, *, pattern: bool) -> str:
    def replaced(found: re.Match[str]) -> str:
        letter = found[1]
        if len(letter) == 5:
            return _character(letter)
        if pattern and letter in "%_\\":
            return found[0]
        if letter not in _ESCAPED:
            raise malformed(f"Illegal character sequence '\\{letter}' in a string literal")
        return _ESCAPED[letter]

    return _ESCAPE.sub(replaced, text[1:-1])
