"""A team's own words: phrases that it does not use, each perhaps with what it says instead. They apply in every language."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from service.critic.case import Case
from service.critic.draft import Finding
from service.critic.wording import lowered

TEAM = "TEAM"
"""The rule under which they are found, of level W."""
MESSAGE = "A phrase that your team does not use."


@dataclass(frozen=True, slots=True, kw_only=True)
class Phrase:
    phrase: str
    say_instead: str | None = None

    @property
    def key(self) -> str:
        """As it is compared: letters in either case, white space of any width."""
        return " ".join(lowered(self.phrase).split())


def findings(case: Case, phrases: Sequence[Phrase]) -> Iterator[Finding]:
    """Whole words, in our own text: what stands in quotation marks are the buyer's."""
    if not phrases:
        return
    pattern, known = _compiled(tuple(phrases))
    for match in pattern.finditer(case.text.ours):
        if match[0] != case.text.lower[slice(*match.span())]:
            continue  # one half on each side of a quotation
        found = known[" ".join(match[0].split())]
        hint = f'Say "{found.say_instead}" instead.' if found.say_instead else "Say it in other words."
        yield Finding(TEAM, "W", match.start(), match.end(), f'Your team does not use "{found.phrase}".', hint)


@lru_cache(maxsize=64)
def _compiled(phrases: tuple[Phrase, ...]) -> tuple[re.Pattern[str], dict[str, Phrase]]:
    """The longest first, so that "best in class" is not found as "best"."""
    known = {p.key: p for p in phrases}
    written = [r"\s+".join(map(re.escape, key.split())) for key in sorted(known, key=len, reverse=True)]
    return re.compile(rf"(?<!\w)(?:{'|'.join(written)})(?!\w)"), known
