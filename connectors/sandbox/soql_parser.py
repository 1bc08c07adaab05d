"""SOQL text to a Query. Strict: what it does not know is refused, never ignored, so that a test cannot pass on a query that a real org would reject."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from typing import Literal, NamedTuple

from connectors.sandbox.errors import Refusal
from connectors.sandbox.soql import Combination, Comparison, Condition, Membership, Operator, Order, Query, Value

_LONGEST = 100_000
_DEEPEST = 30
_LARGEST = 10**18
_MOST_ROWS_SKIPPED = 2_000
_TOKEN = re.compile(
    r"""(?P<space>\s+)
    | (?P<datetime>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,3})?(?:Z|[+-]\d\d:\d\d))(?![\w:.])
    | (?P<date>\d{4}-\d\d-\d\d)(?![\w:-])
    | (?P<number>[+-]?\d+(?:\.\d+)?(?:e[+-]?\d+)?)(?![\w.])
    | (?P<string>'(?:[^'\\]|\\.)*')
    | (?P<name>[A-Za-z]\w*(?:\.[A-Za-z]\w*)*)
    | (?P<mark><=|>=|!=|[(),=<>])
    """,
    re.VERBOSE | re.DOTALL | re.ASCII,
)
_ESCAPE = re.compile(r"\\(u[0-9A-Fa-f]{4}|.)", re.DOTALL)
_ESCAPED = {"n": "\n", "N": "\n", "r": "\r", "R": "\r", "t": "\t", "T": "\t", "b": "\b", "B": "\b", "f": "\f", "F": "\f", '"': '"', "'": "'", "\\": "\\"}
_RESERVED = frozenset(
    "AND ASC DESC EXCLUDES FIRST FROM GROUP HAVING IN INCLUDES LAST LIKE LIMIT NOT NULL NULLS OFFSET OR ORDER SELECT TYPEOF USING WHERE WITH".split()
)
_WORDS: dict[str, Value] = {"NULL": None, "TRUE": True, "FALSE": False}
_OPERATORS: dict[str, Operator] = {"=": "=", "!=": "!=", "<": "<", "<=": "<=", ">": ">", ">=": ">=", "LIKE": "LIKE"}


class _Token(NamedTuple):
    kind: str
    text: str

    @property
    def word(self) -> str:
        """Upper case for a name or a mark, never equal to a keyword for a literal."""
        return self.text.upper() if self.kind in ("name", "mark") else ""


_END = _Token("end", "<EOF>")


def parse(text: str) -> Query:
    """Raises Refusal: MALFORMED_QUERY for what is not in the subset."""
    if len(text) > _LONGEST:
        raise _malformed(f"SOQL statements cannot be longer than {_LONGEST} characters.")
    return _Parser(_tokens(text)).query()


def _malformed(message: str) -> Refusal:
    return Refusal("MALFORMED_QUERY", message)


def _tokens(text: str) -> list[_Token]:
    tokens, at = [], 0
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None or found.lastgroup is None:
            raise _malformed(f"line 1:{at} no viable alternative at character '{text[at]}'")
        if found.lastgroup != "space":
            tokens.append(_Token(found.lastgroup, found[0]))
        at = found.end()
    return tokens


class _Parser:
    def __init__(self, tokens: list[_Token]) -> None:
        self._tokens = tokens
        self._at = 0
        self._depth = 0

    def query(self) -> Query:
        self._expect("SELECT")
        fields = self._selected()
        self._expect("FROM")
        query = Query(
            fields=fields,
            object=self._name(dotted=False),
            where=self._condition() if self._accept("WHERE") else None,
            order=self._orders() if self._accept("ORDER") else (),
            limit=self._whole_number() if self._accept("LIMIT") else None,
            offset=self._skipped() if self._accept("OFFSET") else None,
        )
        if self._peek() is not _END:
            raise self._unexpected()
        return query

    def _selected(self) -> tuple[str, ...]:
        if self._peek().word == "COUNT" and self._peek(1).word == "(":
            self._at += 2
            self._expect(")")
            return ()
        fields = [self._name()]
        while self._accept(","):
            fields.append(self._name())
        seen: set[str] = set()
        for name in fields:
            if name.lower() in seen:
                raise _malformed(f"duplicate field selected: {name}")
            seen.add(name.lower())
        return tuple(fields)

    def _condition(self) -> Condition:
        """Ends at a word of the other kind, which nothing accepts: AND beside OR needs parentheses."""
        first = self._term()
        word: Literal["AND", "OR"] = "OR" if self._peek().word == "OR" else "AND"
        parts = [first]
        while self._accept(word):
            parts.append(self._term())
        return first if len(parts) == 1 else Combination(word, tuple(parts))

    def _term(self) -> Condition:
        if not self._accept("("):
            return self._comparison()
        self._depth += 1
        if self._depth > _DEEPEST:
            raise _malformed("conditions are nested too deeply")
        inside = self._condition()
        self._expect(")")
        self._depth -= 1
        return inside

    def _comparison(self) -> Condition:
        field = self._name()
        if self._accept("IN"):
            return Membership(field, negated=False, values=self._values())
        if self._accept("NOT"):
            self._expect("IN")
            return Membership(field, negated=True, values=self._values())
        operator = _OPERATORS.get(self._peek().word)
        if operator is None:
            raise self._unexpected()
        self._at += 1
        return Comparison(field, operator, self._value(pattern=operator == "LIKE"))

    def _values(self) -> tuple[Value, ...]:
        self._expect("(")
        values = [self._value()]
        while self._accept(","):
            values.append(self._value())
        self._expect(")")
        return tuple(values)

    def _value(self, *, pattern: bool = False) -> Value:
        token = self._peek()
        if token.kind == "name" and token.word in _WORDS:
            self._at += 1
            return _WORDS[token.word]
        if token.kind not in ("string", "number", "date", "datetime"):
            raise self._unexpected()
        self._at += 1
        return _unquoted(token.text, pattern=pattern) if token.kind == "string" else _plain(token)

    def _orders(self) -> tuple[Order, ...]:
        self._expect("BY")
        orders = [self._order()]
        while self._accept(","):
            orders.append(self._order())
        return tuple(orders)

    def _order(self) -> Order:
        field = self._name()
        descending = self._accept("DESC") or (self._accept("ASC") and False)
        last = False
        if self._accept("NULLS"):
            last = self._accept("LAST")
            if not last:
                self._expect("FIRST")
        return Order(field, descending=descending, nulls_last=last)

    def _skipped(self) -> int:
        rows = self._whole_number()
        if rows > _MOST_ROWS_SKIPPED:
            raise Refusal("NUMBER_OUTSIDE_VALID_RANGE", f"Maximum SOQL offset allowed is {_MOST_ROWS_SKIPPED}")
        return rows

    def _whole_number(self) -> int:
        token = self._peek()
        if token.kind != "number" or not token.text.isdigit():
            raise self._unexpected()
        self._at += 1
        return int(token.text[:18])

    def _name(self, *, dotted: bool = True) -> str:
        token = self._peek()
        if token.kind != "name" or token.word in _RESERVED or token.text.count(".") > int(dotted):
            raise self._unexpected()
        self._at += 1
        return token.text

    def _peek(self, ahead: int = 0) -> _Token:
        at = self._at + ahead
        return self._tokens[at] if at < len(self._tokens) else _END

    def _accept(self, word: str) -> bool:
        if self._peek().word != word:
            return False
        self._at += 1
        return True

    def _expect(self, word: str) -> None:
        if not self._accept(word):
            raise self._unexpected()

    def _unexpected(self) -> Refusal:
        return _malformed(f"unexpected token: '{self._peek().text[:80]}'")


def _plain(token: _Token) -> Value:
    try:
        if token.kind == "datetime":
            return datetime.fromisoformat(token.text).astimezone(UTC)
        if token.kind == "date":
            return date.fromisoformat(token.text)
        return _number(token.text)
    except (ValueError, OverflowError) as error:
        raise _malformed(f"line 1: '{token.text[:40]}' is not a valid {token.kind}") from error


def _number(text: str) -> int | float:
    number = int(text) if text.lstrip("+-").isdigit() else float(text)
    if abs(number) > _LARGEST:
        raise ValueError(text)
    return number


def _character(code: str) -> str:
    letter = chr(int(code[1:], 16))
    if "\ud800" <= letter <= "\udfff":
        raise _malformed(f"Illegal character sequence '\\{code}' in a string literal")
    return letter


def _unquoted(text: str, *, pattern: bool) -> str:
    def replaced(found: re.Match[str]) -> str:
        letter = found[1]
        if len(letter) == 5:
            return _character(letter)
        if pattern and letter in "%_\\":
            return found[0]
        if letter not in _ESCAPED:
            raise _malformed(f"Illegal character sequence '\\{letter}' in a string literal")
        return _ESCAPED[letter]

    return _ESCAPE.sub(replaced, text[1:-1])
