"""Several queries in one call: the look-up of many tasks costs no more of the org's daily requests than that of one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from connectors.batches import batches
from connectors.errors import Retriable
from connectors.salesforce.client import Client
from connectors.salesforce.faults import Refused, fault_of_answer

QUERIES_A_CALL = 5
"""Of the composite resource, Salesforce's own limit for queries among its parts."""
LIST_ROOM = 14_000
"""Bytes of a list of values inside one address, so that the address stays below 15,000: by itself it may have 16,384 with its headers."""


class SeveralQueries:
    """Rows, the recycle bin's included. Where the composite resource is refused, each query goes by itself."""

    def __init__(self, client: Client, api_version: str) -> None:
        self._client = client
        self._base = f"/services/data/v{api_version}/queryAll?q="
        self._together = True

    def rows(self, queries: Iterator[str]) -> Iterator[dict[str, Any]]:
        for batch in batches(queries, QUERIES_A_CALL):
            yield from self._of_batch(batch)

    def _of_batch(self, queries: Sequence[str]) -> Iterator[dict[str, Any]]:
        answers = self._asked(queries) if self._together and len(queries) > 1 else None
        if answers is None:
            for query in queries:
                yield from self._client.rows(query, deleted=True)
            return
        for answer in answers:
            yield from self._all_pages(answer)

    def _asked(self, queries: Sequence[str]) -> list[Any] | None:
        """None where the org does not take them together."""
        parts = [{"method": "GET", "referenceId": f"q{n}", "url": self._base + quote(query, safe="")} for n, query in enumerate(queries)]
        try:
            body = self._client.post("composite", {"allOrNone": False, "compositeRequest": parts})
        except Refused:
            self._together = False
            return None
        answers = body.get("compositeResponse") if isinstance(body, Mapping) else None
        if not isinstance(answers, list) or len(answers) != len(queries) or not all(isinstance(a, Mapping) for a in answers):
            message = "Salesforce's answer to several queries does not answer each of them."
            raise Retriable(message)
        return answers

    def _all_pages(self, answer: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        """Raises Refused for a part that was."""
        status, body = answer.get("httpStatusCode"), answer.get("body")
        if status != 200:
            raise Refused(fault_of_answer(int(status or 0), body))
        for page in self._client.pages_from(body):
            yield from page.rows
