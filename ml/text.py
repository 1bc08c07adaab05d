"""The words a message's author wrote, with offsets into the message as it came: no quotes, signatures or legal notices."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

MAX_CHARS = 64_000
QuoteStrip = Literal["ok", "cut", "failed"]


@dataclass(frozen=True, slots=True)
class OwnText:
    """`text` is the `spans` of the original joined by a line break; `cut`: only the first MAX_CHARS were read;
    `failed`: it was not possible to tell, so `text` is empty and nothing may be scored."""

    text: str
    spans: tuple[tuple[int, int], ...]
    quote_strip: QuoteStrip


def own_text(body: str) -> OwnText:
    raise NotImplementedError


def sentences(text: str) -> list[tuple[int, int]]:
    raise NotImplementedError
