"""SOQL text to a Query. Strict: what it does not know is refused, never ignored, so that a test cannot pass on a query that a real org would reject."""

from __future__ import annotations

from typing import Literal, get_args

from connectors.sandbox.errors import Refusal
from connectors.sandbox.soql import (
    Aggregate,
    Combination,
    Comparison,
    Condition,
    Function,
    Membership,
    Negation,
    Operator,
    Order,
    Query,
    SemiJoin,
    Value,
    Wildcard,
)
from connectors.sandbox.soql_tokens import END, WORDS, Token, malformed, tokens_of, value_of

_LONGEST = 100_000
_DEEPEST = 30
_MOST_ROWS_SKIPPED = 2_000
_RESERVED = frozenset(
    "AND ASC DESC EXCLUDES FIRST FROM GROUP HAVING IN INCLUDES LAST LIKE LIMIT NOT NULL NULLS OFFSET OR ORDER SELECT TYPEOF USING WHERE WITH".split()
)
_OPERATORS: dict[str, Operator] = {"=": "=", "!=": "!=", "<": "<", "<=": "<=", ">": ">", ">=": ">=", "LIKE": "LIKE"}
_FUNCTIONS: dict[str, Function] = {name: name for name in get_args(Function)}
_WILDCARDS: dict[str, Wildcard] = {name: name for name in get_args(Wildcard)}
_MOST_WITH_WILDCARD = 200


def parse(text: str) -> Query:
    """Raises Refusal: MALFORMED_QUERY for what is not in the subset."""
    if len(text) > _LONGEST:
        raise malformed(f"SOQL statements cannot be longer than {_LONGEST} characters.")
    return _Parser(tokens_of(text)).query()


class _Parser:
    def __init__(self, tokens: list[Token]) -> None:
        self._tokens = tokens
        self._at = 0
        self._depth = 0
        self._inside_join = False

    def query(self) -> Query:
        self._expect("SELECT")
        fields, aggregates, wildcard = self._selected()
        self._expect("FROM")
        query = Query(
            fields=fields,
            aggregates=aggregates,
            wildcard=wildcard,
            object=self._name(dotted=False),
            where=self._condition() if self._accept("WHERE") else None,
            group=self._group() if self._accept("GROUP") else None,
            order=self._orders() if self._accept("ORDER") else (),
            limit=self._whole_number() if self._accept("LIMIT") else None,
            offset=self._skipped() if self._accept("OFFSET") else None,
        )
        if self._peek() is not END:
            raise self._unexpected()
        _check_selection(query)
        return query

    def _selected(self) -> tuple[tuple[str, ...], tuple[Aggregate, ...], Wildcard | None]:
        if self._is_call("COUNT") and self._peek(2).word == ")":
            self._at += 3
            return (), (), None
        if self._is_call("FIELDS"):
            return (), (), self._wildcard()
        fields: list[str] = []
        aggregates: list[Aggregate] = []
        while True:
            if self._is_call(*_FUNCTIONS):
                aggregates.append(self._aggregate())
            else:
                fields.append(self._name())
            if not self._accept(","):
                break
        _check_no_field_twice([*fields, *(a.alias for a in aggregates if a.alias)])
        return tuple(fields), tuple(aggregates), None

    def _is_call(self, *names: str) -> bool:
        return self._peek().word in names and self._peek(1).word == "("

    def _wildcard(self) -> Wildcard:
        self._at += 2
        wildcard = _WILDCARDS.get(self._peek().word)
        if wildcard is None:
            raise self._unexpected()
        self._at += 1
        self._expect(")")
        return wildcard

    def _aggregate(self) -> Aggregate:
        function = _FUNCTIONS[self._peek().word]
        self._at += 2
        field = self._name()
        self._expect(")")
        named = self._peek().kind == "name" and self._peek().word not in _RESERVED
        return Aggregate(function, field, self._name(dotted=False) if named else None)

    def _group(self) -> str:
        self._expect("BY")
        return self._name()

    def _condition(self) -> Condition:
        """Ends at a word of the other kind, which nothing accepts: AND beside OR, and NOT beside either, need parentheses."""
        if self._accept("NOT"):
            return Negation(self._term())
        first = self._term()
        word: Literal["AND", "OR"] = "OR" if self._peek().word == "OR" else "AND"
        parts = [first]
        while self._accept(word):
            parts.append(self._term())
        if word == "OR" and any(isinstance(part, SemiJoin) for part in parts):
            raise malformed("Semi join sub-selects are not allowed with the 'OR' operator")
        return first if len(parts) == 1 else Combination(word, tuple(parts))

    def _term(self) -> Condition:
        if not self._accept("("):
            return self._comparison()
        self._depth += 1
        if self._depth > _DEEPEST:
            raise malformed("conditions are nested too deeply")
        inside = self._condition()
        self._expect(")")
        self._depth -= 1
        return inside

    def _comparison(self) -> Condition:
        field = self._name()
        if self._accept("IN"):
            return self._among(field, negated=False)
        if self._accept("NOT"):
            self._expect("IN")
            return self._among(field, negated=True)
        operator = _OPERATORS.get(self._peek().word)
        if operator is None:
            raise self._unexpected()
        self._at += 1
        return Comparison(field, operator, self._value(pattern=operator == "LIKE"))

    def _among(self, field: str, *, negated: bool) -> Condition:
        self._expect("(")
        if self._peek().word == "SELECT":
            return self._semi_join(field, negated=negated)
        values = [self._value()]
        while self._accept(","):
            values.append(self._value())
        self._expect(")")
        return Membership(field, negated=negated, values=tuple(values))

    def _semi_join(self, field: str, *, negated: bool) -> Condition:
        if self._inside_join:
            raise malformed("Nesting of semi join sub-selects is not supported")
        self._inside_join = True
        self._expect("SELECT")
        selected = self._name()
        self._expect("FROM")
        query = Query(fields=(selected,), object=self._name(dotted=False), where=self._condition() if self._accept("WHERE") else None)
        self._expect(")")
        self._inside_join = False
        return SemiJoin(field, negated=negated, query=query)

    def _value(self, *, pattern: bool = False) -> Value:
        token = self._peek()
        if token.kind == "name" and token.word in WORDS:
            self._at += 1
            return WORDS[token.word]
        if token.kind not in ("string", "number", "date", "datetime", "days"):
            raise self._unexpected()
        self._at += 1
        return value_of(token, pattern=pattern)

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

    def _peek(self, ahead: int = 0) -> Token:
        at = self._at + ahead
        return self._tokens[at] if at < len(self._tokens) else END

    def _accept(self, word: str) -> bool:
        if self._peek().word != word:
            return False
        self._at += 1
        return True

    def _expect(self, word: str) -> None:
        if not self._accept(word):
            raise self._unexpected()

    def _unexpected(self) -> Refusal:
        return malformed(f"unexpected token: '{self._peek().text[:80]}'")


def _check_no_field_twice(names: list[str]) -> None:
    seen: set[str] = set()
    for name in names:
        if name.lower() in seen:
            raise malformed(f"duplicate field selected: {name}")
        seen.add(name.lower())


def _check_selection(query: Query) -> None:
    if query.wildcard in ("ALL", "CUSTOM") and (query.limit is None or query.limit > _MOST_WITH_WILDCARD):
        raise malformed(f"The SOQL FIELDS function must have a LIMIT of at most {_MOST_WITH_WILDCARD}")
    if query.group and not query.aggregates:
        raise malformed("a grouped query needs an aggregate function")
    stray = [f for f in query.fields if (query.group or "").lower() != f.lower()] if query.aggregates else []
    if stray:
        raise malformed(f"Field must be grouped or aggregated: {stray[0]}")
    if query.aggregates and (query.order or query.offset is not None or (query.limit is not None and not query.group)):
        raise malformed("ORDER BY, OFFSET and an ungrouped LIMIT do not go with an aggregate here")
