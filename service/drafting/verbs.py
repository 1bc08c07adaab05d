"""Forms of English verbs: what "does leave" and "did leave" are in one word."""

from __future__ import annotations

from functools import cache

from service.drafting.lexicon import read


def third(verb: str) -> str:
    if verb in ("have", "be"):
        return {"have": "has", "be": "is"}[verb]
    if verb.endswith(("s", "sh", "ch", "x", "o", "z")):
        return f"{verb}es"
    return f"{verb[:-1]}ies" if verb.endswith("y") and verb[-2] not in "aeiou" else f"{verb}s"


def past(verb: str) -> str | None:
    known = _pasts()
    if verb in known:
        return known[verb]
    if verb.endswith("y") and verb[-2] not in "aeiou":
        return f"{verb[:-1]}ied"
    if verb in ("stop", "drop", "plan", "ship", "fit", "swap", "scan", "log", "submit", "refer"):
        return f"{verb}{verb[-1]}ed"
    return f"{verb}d" if verb.endswith("e") else f"{verb}ed"


@cache
def _pasts() -> dict[str, str]:
    return dict(pair.split(":") for pair in read("lists/questions.yaml")["past"].split())
