"""What evidence other than the buyer's words lets one say, as it can stand in a sentence."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from ml.text import sentences
from service.critic import lexicon as critic
from service.critic.draft import Evidence
from service.drafting import listed
from service.drafting.calendar import MONTHS, WEEKDAYS
from service.drafting.lexicon import has_verb, lowered, tokens, words
from service.drafting.names import first_name
from service.drafting.noted import AS_NOUNS, stated
from service.drafting.render import OPENERS, uncapitalised

FACTS = ("ticket", "incident", "project", "product", "usage")
MATERIAL = ("contract", "billing", "quote")
"""What the buyer must be told where it bears on the matter."""
LEAST_WORDS, MOST_WORDS, LEAST_OF_SENTENCE, LEAST_OF_NOTE = 3, 34, 6, 2
INTERNAL = re.compile(
    r"\b(?:internal(?:ly)?|confidential|churn|upsell|cross-sell|health score|risk score|margin|do not (?:tell|share|mention)"
    r"|not for the customer|opened (?:our|the) (?:mail|email)"
    r"|clicked|page views?|linkedin|gossip|difficult customer|discount floor)\b",
    re.IGNORECASE,
)
_OWNER = re.compile(
    r"\b(?:owner|owned by|assigned to|with|handled by|looked after by|sits with|lies with) (?:is )?((?-i:[A-Z])[\w'’-]+(?: (?-i:[A-Z])[\w'’-]+){0,2})",
    re.IGNORECASE,
)
_SINCE = re.compile(r"\bsince ((?:our|my|the|a) [^.;,]{4,80})", re.IGNORECASE)
_SENT = re.compile(
    r"\b((?:our|my) (?:last )?(?:mail|e-?mail|message|chat|letter|call|note|quote|proposal|offer|reminder|visit) of \d{1,2} [A-Z][a-z]+"
    r"(?: (?:about|on|for|regarding) (?:the|our|your|a) [^.,;:()]{3,50}?)?)(?= (?:but|and|has|have|was|is|went|with|to|did|which)\b|[.,;:()]|$)"
)
_ABOUT = re.compile(r"\b(?:about|on|regarding|concerning) ((?:the|our|a|your|their) [^.;,]{3,40})$", re.IGNORECASE)
_UNANSWERED = re.compile(
    r"\b(?:no (?:reply|answer|response|sign|word|news)|not (?:answered|replied|reached|been (?:answered|reached))|unanswered|without (?:a )?(?:reply|answer)"
    r"|heard nothing|has been silent|gone quiet)\b|n.t been reached\b",
    re.IGNORECASE,
)
_STARTS_NOTE = re.compile(r"^[A-Z]{1,5}-?\d+|^\w+ ?#\d+|^(?:status|owner|opened|severity)\b", re.IGNORECASE)


_NO_VERBS = frozenset("a an i we you he she it they there in on at for with from by of until after before if when and or no one two three".split())
_MONTH = re.compile(r"\bMay\b")


@dataclass(frozen=True, slots=True)
class Fact:
    """`text` begins in lower case where it may and has no stop at its end. `is_clause`: a sentence by itself, not a note of key words."""

    evidence_id: str
    type: str
    text: str
    is_clause: bool


@dataclass(frozen=True, slots=True)
class People:
    am_name: str | None
    recipient_name: str | None

    @property
    def first_names(self) -> tuple[str | None, str | None]:
        return first_name(self.am_name), first_name(self.recipient_name)


def told(piece: Evidence, people: People) -> list[Fact]:
    """Its sentences, those that may be passed on: what stands between semicolons by itself where each part is a sentence, else in one piece."""
    said = [" ".join(piece.text[start:end].split()).rstrip(".!") for start, end in sentences(piece.text)]
    return [fact for n, text in enumerate(said) for fact in _facts(piece, text, people, n)]


def _facts(piece: Evidence, text: str, people: People, place: int) -> Iterator[Fact]:
    text = re.sub(r",? (?:al)?though\b", " while", re.sub(r"(?<!nothing)(?<!anything)(?<!all),? but\b(?! for\b)", " and", text))
    text = re.sub(r"\bbut for\b", "except for", text)
    head = _HEADED.match(text) or _ENTITLED.match(text)
    body = text[head.end() :] if head else text
    noted = [part.strip() for part in body.split(";") if part.strip()]
    parts = [stated(part, place + n, is_noted=head is not None) for n, part in enumerate(noted)]
    in_full = [listed.sentence(part, piece.type) or said for part, said in zip(noted, parts, strict=True)]
    parts = in_full if all(map(_is_clause, in_full)) else parts
    if not parts or not has_words(body) or _CONTRAST.search(text) or INTERNAL.search(text) or "?" in text:
        return
    is_clause = all(_is_clause(part) for part in parts)
    if is_clause:
        label = f" ({head[1][0].lower()}{head[1][1:]})" if head and _HEADED.match(text) and " from " not in head[1] else ""
        whole = [f"{part}{'' if n else label}" for n, part in enumerate(parts)]
    else:
        lead = "" if re.search(r": |^(?:quote|contract|invoice|bill|order)\b", body, re.IGNORECASE) else _lead(piece.type, head)
        whole = [f"{lead}{'; '.join(_lowered(part, is_first=n == 0) for n, part in enumerate(parts))}"]
    for said in whole:
        fact = None if _is_about_them(said, piece.text, people) else personal(said, people)
        if fact is not None and (is_clause or fact == said) and LEAST_WORDS <= len(tokens(fact)) <= MOST_WORDS and _may_quote(fact, piece.type):
            yield Fact(piece.id, piece.type, uncapitalised(fact), is_clause)


def _is_about_them(said: str, whole: str, people: People) -> bool:
    """ "Both times she was sent the leaflet", where the sentence before names the recipient."""
    name = people.first_names[1]
    return name is not None and name in whole and name not in said and re.search(r"\b(?:she|he|her|him|his|hers)\b", said, re.IGNORECASE) is not None


def has_words(body: str) -> bool:
    """Behind its last colon as well."""
    return len(tokens(body.rpartition(": ")[2])) >= LEAST_OF_NOTE


def _may_quote(fact: str, kind: str) -> bool:
    """Terms in quotation marks are passed on where the record that has them is one that names things."""
    marks = len(re.findall(r"[\"“”„«»]|(?<!\w)'|'(?!\w)", fact))
    return marks == 0 or (marks == 2 and kind in ("contract", "quote", "product", "ticket", "incident", "project"))


def _lowered(part: str, *, is_first: bool) -> str:
    return uncapitalised(part) if is_first else part


def _lead(kind: str, head: re.Match[str] | None) -> str:
    """Which of our records says so, in front of what is no sentence."""
    if head:
        return f"our {head[1][0].lower()}{head[1][1:]} says: "
    return _RECORDS.get(kind, "")


_FIGURE_FIRST = re.compile(r"(?:[€£$] ?)?\d|(?:[A-Z]{3}|[A-Z]) ?\d")
_RECORDS = {
    "contract": "the contract says: ",
    "quote": "our quote says: ",
    "billing": "our bill says: ",
    "ticket": "our ticket says: ",
    "project": "our plan says: ",
}
_CONTRAST = re.compile(r"\b(?:although|though|however|despite|whereas|nevertheless|nonetheless)\b", re.IGNORECASE)
_SAYS = re.compile(r" (?:notes|says): ")
_HEADED = re.compile(
    r"^((?:[A-Z][a-z]+ )?(?:[Tt]icket|[Cc]ase|[Ii]ncident|[Rr]eport) \w*\d[\w-]*"
    r"(?:,? (?:of|from|opened(?: on)?|(?=\d{1,2} [A-Z])) ?(?:[^:;.]|:(?=\d)){3,30})?): (?=\w)"
)
_ENTITLED = re.compile(r"^((?:Quote|Invoice|Order|Contract|Agreement)(?: [A-Z]*[\d-]+)?(?: of [^:;.]{3,30})?): (?=\S)")


def personal(text: str, people: People) -> str | None:
    """With "I" for the account manager and "you" for the recipient; None where the sentence would have to change more than that."""
    am, recipient = people.first_names
    if recipient and re.search(rf"\b{re.escape(recipient)}\b", text):
        named = re.match(rf"(?:{re.escape(people.recipient_name or recipient)}|{re.escape(recipient)})\b", text)
        if named and not text.startswith(("'s", "’s"), named.end()):
            return None
        text = _replaced(text, people.recipient_name, recipient, "you", "your")
    if am and re.search(rf"\b{re.escape(am)}\b", text):
        subject = re.search(rf"\b{re.escape(am)}(?: [A-Z][\w'’-]+)? (\w+)", text)
        if subject is None or subject[1] in {"is", "was", "has", "does"} or (subject[1].endswith("s") and not subject[1].endswith("ss")):
            return None
        text = _replaced(text, people.am_name, am, "I", "my")
    return text


def _replaced(text: str, whole: str | None, first: str, by: str, owns: str) -> str:
    name = rf"(?:{re.escape(whole or first)}|{re.escape(first)})"
    text = re.sub(rf"\b{name}['’]s\b", owns, text)
    return re.sub(rf"\b{name}\b", by, text)


def _is_clause(text: str) -> bool:
    found = tokens(_MONTH.sub("month", text))
    if not found:
        return False
    if _FIGURE_FIRST.match(text) and words("finite").isdisjoint(found):
        return False
    stands = _SAYS.search(text) is not None or has_verb(found[1:20], AS_NOUNS)
    is_sentence = found[0] in OPENERS - words("boundary") and len(found) >= LEAST_OF_SENTENCE
    return (
        (stands or is_sentence)
        and (_SAYS.search(text) or not _STARTS_NOTE.match(text))
        and not re.search(r"(?<! notes)(?<! says):(?!\d)", text)
        and ";" not in text
        and found[0] not in words("finite") | {"still", "not", "also", "already"}
    )


_NOUN = (
    r"(?!(?:in|at|on|for|with|without|of|to|by|from|until|and|or|but|so|before|after|once|when|while|if|as|what|how|why|today|tomorrow|tonight|again)\b)[a-z]"
)
"""Behind "her", what makes it hers."""


def offer_phrase(piece: Evidence, people: People) -> str | None:
    """ "walk through the log with you": what could follow "I could". None where it does not read like that."""
    text = " ".join(piece.text.split()).rstrip(".!")
    am, recipient = people.first_names
    if am:
        text = re.sub(rf"^{re.escape(am)}(?: [A-Z][\w'’-]+)? (?:may|can|could|might|would|is able to|offers to|is free to) ", "", text)
    text = re.sub(r"^(?:(?:we|I|she|he|they|the account manager) (?:may|can|could|might|would) |to |offer to |offering to )", "", text, flags=re.IGNORECASE)
    if am and re.search(rf"\b{re.escape(am)}\b", text):
        return None
    if recipient:
        text = _replaced(text, people.recipient_name, recipient, "you", "your")
    text = re.sub(rf"\b(with|to|for|beside|alongside) (?:(her)(?= {_NOUN})|them|him|her)\b", lambda m: f"{m[1]} {'your' if m[2] else 'you'}", text)
    text = re.sub(r"^(move|change|switch) to (?=(?:the|a) (?:\w+ )?(?:plan|tariff|package|tier)\b)", r"\1 you to ", text)
    text = re.sub(r"^(let|have|ask|help|show|send|give|lend|bring|walk|take) (?:them|him|her)\b(?! [a-z]+s\b)", r"\1 you", text, flags=re.IGNORECASE)
    first = text.split(" ", 1)[0].lower()
    if (
        "?" in text
        or ";" in text
        or not 2 <= len(text.split()) <= 26
        or first in words("determiner") | _NO_VERBS
        or _is_no_verb(first)
        or re.search(r"\byou \w+[^s]s\b", text)
        or text.lower().startswith(("thank you", "thank them"))
    ):
        return None
    return text[0].lower() + text[1:] if not text.split(" ", 1)[0].isupper() else text


def _is_no_verb(word: str) -> bool:
    return (word.endswith("ing") and word not in {"bring", "ring", "string"}) or (word.endswith("ed") and word not in {"feed", "need", "embed", "shed"})


def owner_of(pieces: Sequence[Evidence]) -> tuple[str, str] | None:
    """(name, evidence id) of who has the matter in hand."""
    for piece in pieces:
        if piece.type in FACTS and (match := _OWNER.search(piece.text)):
            return match[1], piece.id
    return None


def is_unanswered(pieces: Sequence[Evidence], lang: str = "en") -> bool:
    """Whether a note says that a message of ours has had no answer."""
    noted = [p.text for p in pieces if p.type == "crm_note"]
    told = _UNANSWERED if lang == "en" else critic.phrases("unanswered", lang)
    return any(told.search(lowered(text)) for text in noted)


def last_contact(pieces: Sequence[Evidence]) -> tuple[str, str, str | None] | None:
    """(what was last said or sent, evidence id, what about) from "No reply since our mail of 3 May about the seed catalogue"."""
    for piece in pieces:
        if piece.type == "crm_note" and (match := _SINCE.search(piece.text) or _SENT.search(piece.text)):
            since = match[1].strip()
            about = _ABOUT.search(since)
            return since, piece.id, re.sub(r"^their\b", "your", about[1]) if about else None
    return None


def noted_topic(pieces: Sequence[Evidence]) -> tuple[str, str] | None:
    """(what it was about, evidence id): "the silo gauges" from "mails about the silo gauges stayed without answer"."""
    for piece in pieces:
        match = _TOPIC.search(piece.text) if piece.type in ("crm_note", "quote") else None
        if match:
            about = match[1] or match[2]
            return (about if re.match(r"(?:the|our|your|a|an|\d+) ", about) else f"the {about}"), piece.id
    return None


_TOPIC = re.compile(
    r"\babout ((?:(?:the|our|your) )?[a-z][\w'’-]*(?: [a-z][\w'’-]*){0,4}?)"
    r"(?= (?:stayed|went|has|have|was|were|and|but|until|on|in|with|to|then|of|for|sent)\b|[.;,:]|$)"
    r"|\b(?:proposal|offer|quote|quotation|price|demonstration|comparison|sample|trial)(?: of \d+ \w+)? (?:of|for) "
    r"((?:the )?(?:\d+ )?[a-z][\w'’-]*(?: [a-z][\w'’-]*){0,3}?)"
    r"(?= (?:sent|on|in|went|was|were|has|have|is|and|with|at|including)\b|[.;,:]|$)"
)


def stems(text: str) -> frozenset[str]:
    """What two texts about the same thing have in common."""
    return frozenset(t[:5] for t in tokens(text) if t not in words("english") and t not in words("boundary") and len(t) > 2)


def best_match(asked: str, fitting: Sequence[Fact], stems_of: Callable[[str], frozenset[str]]) -> Fact | None:
    """Of the facts that could answer a question the one that holds the same words."""
    wanted = stems_of(asked)
    least = 1 if len(wanted) <= 2 else 2
    best = max(fitting, key=lambda f: len(stems_of(f.text) & wanted), default=None)
    return best if best and len(stems_of(best.text) & wanted) >= least else None


def fits_question(asked: str, fact: Fact) -> bool:
    """It holds the kind of thing that is asked for."""
    kind = next((kind for pattern, kind in _KINDS if pattern.match(asked)), None)
    return kind is None or kind.search(fact.text) is not None


_DATED = re.compile(
    rf"\d|\b(?:{MONTHS}|{WEEKDAYS}|today|tomorrow|next)\b",
    re.IGNORECASE,
)
_KINDS = (
    (re.compile(r"(?:and |so |but )?(?:when|by when|until when|how (?:long|soon|many|much|often))\b", re.IGNORECASE), _DATED),
    (re.compile(r"(?:and |so |but )?who\b", re.IGNORECASE), re.compile(r"\b[A-Z][a-z]+")),
)
"""How a question begins, and what its answer cannot do without."""
