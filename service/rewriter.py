"""Asks a language model over HTTP, once: any server that speaks OpenAI's chat completions. Every way in which that can fail has a code.

One exchange takes at most so many seconds from beginning to end, whatever the server does in between: it runs in a thread of its own, and nobody waits for it
longer than that.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any
from urllib.parse import urlsplit

from requests import PreparedRequest, Response, Session
from requests.exceptions import RequestException, Timeout
from urllib3.exceptions import HTTPError
from urllib3.exceptions import TimeoutError as Urllib3Timeout

from service.config import Settings, is_this_machine
from service.drafting.rewriting import ANSWERS, Ask, Message, NoAnswer, rewrite
from service.drafting.rows import Rewrite

SECONDS = 8.0
MOST_BYTES = 200_000
"""Of an answer's body, as it arrives; packed ones are not asked for and not unpacked."""
TEMPERATURE = 0.7
"""Four answers at zero would be the same one."""
_PIECE = 16_384


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    url: str
    model: str
    key: str | None = field(default=None, repr=False)
    seconds: float = SECONDS
    clock: Callable[[], float] = time.monotonic


def endpoint(given: Settings) -> Endpoint | None:
    """None while no model is set."""
    if given.model_url is None or given.model_name is None:
        return None
    return Endpoint(url=given.model_url, model=given.model_name, key=given.model_key)


def rewriting(given: Settings) -> Rewrite | None:
    """Asks the team's model to put drafts better; None while no model is set. Not for several threads at once."""
    to = endpoint(given)
    return partial(rewrite, ask=asker(to), model=to.model) if to else None


def asker(to: Endpoint) -> Ask:
    """Not for several threads at once. While a server still holds an exchange that was given up, it is not asked again."""
    last: list[Thread] = []

    def ask(messages: Sequence[Message]) -> list[str]:
        if any(thread.is_alive() for thread in last):
            raise NoAnswer("busy")
        until = to.clock() + to.seconds
        answer: SimpleQueue[list[str] | Exception] = SimpleQueue()
        last[:] = [Thread(target=lambda: answer.put(_tried(to, messages, until)), daemon=True)]
        last[0].start()
        try:
            found = answer.get(timeout=max(0.0, until - to.clock()))
        except Empty:
            raise NoAnswer("too_slow") from None
        if isinstance(found, Exception):
            raise found
        return found

    return ask


def _tried(to: Endpoint, messages: Sequence[Message], until: float) -> list[str] | Exception:
    """What came of it, for the thread that waits: it alone can raise."""
    try:
        return _contents(_exchanged(to, messages, until))
    except (Timeout, Urllib3Timeout):
        return NoAnswer("too_slow")
    except (RequestException, HTTPError, OSError):
        return NoAnswer("unreachable")
    except Exception as fault:  # noqa: BLE001 - a fault of ours belongs to who asked, not to a thread that nobody looks at
        return fault


def _exchanged(to: Endpoint, messages: Sequence[Message], until: float) -> bytes:
    with _session(to) as http:
        wait = _left(to, until)
        asked = {"model": to.model, "messages": [dict(m) for m in messages], "n": ANSWERS, "temperature": TEMPERATURE, "stream": False}
        # Closed with the response: a body that is not read to its end is not waited for.
        with http.post(f"{to.url}/chat/completions", json=asked, timeout=(wait, wait), stream=True, allow_redirects=False) as response:
            _check(response)
            return _body(to, response, until)


def _session(to: Endpoint) -> Session:
    http = Session()
    # What is meant for this machine goes through no proxy that the environment names.
    http.trust_env = not is_this_machine(urlsplit(to.url).hostname)
    http.headers["Accept-Encoding"] = "identity"
    http.auth = lambda request: _keyed(request, to.key)
    return http


def _keyed(request: PreparedRequest, key: str | None) -> PreparedRequest:
    """Our key or none. Without an auth of its own, requests would take what a ~/.netrc says of the host."""
    if key:
        request.headers["Authorization"] = f"Bearer {key}"
    return request


def _check(response: Response) -> None:
    if 300 <= response.status_code < 400:
        raise NoAnswer("redirect")
    if response.status_code != 200:
        raise NoAnswer(f"http_{response.status_code}")


def _body(to: Endpoint, response: Response, until: float) -> bytes:
    found = bytearray()
    while piece := response.raw.read1(_PIECE, decode_content=False):
        found += piece
        if len(found) > MOST_BYTES:
            raise NoAnswer("too_big")
        _left(to, until)
    return bytes(found)


def _left(to: Endpoint, until: float) -> float:
    """Seconds. Raises where there are none."""
    left = until - to.clock()
    if left <= 0:
        raise NoAnswer("too_slow")
    return left


def _contents(body: bytes) -> list[str]:
    """The texts of the choices. One that is none, such as the call of a tool, is left out."""
    try:
        given: Any = json.loads(body)
    except (ValueError, RecursionError):
        raise NoAnswer("not_json") from None
    choices = given.get("choices") if isinstance(given, dict) else None
    found = [text for choice in choices if (text := _content(choice)) is not None] if isinstance(choices, list) else []
    if not found:
        raise NoAnswer("wrong_shape")
    return found[:ANSWERS]


def _content(choice: Any) -> str | None:
    message = choice.get("message") if isinstance(choice, dict) else None
    text = message.get("content") if isinstance(message, dict) else None
    return text if isinstance(text, str) and text.strip() else None
