"""What they asked and asked for, told back: "When does the ferry leave?" as "when the ferry leaves", "Please find us a week" as "to find you a week".

Declined wherever it is not sure where a subject ends, or who is meant by a word.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Literal

from service.drafting.lexicon import read
from service.drafting.shift import shifted, turned
from service.drafting.verbs import past, third

MOST_WORDS = 34
_AUX = "is|are|am|was|were|do|does|did|can|could|will|would|shall|should|may|might|must|has|have|had"
_WH = "who|whom|whose|what|which|when|where|why|how"
_BE, _DO, _HAVE = frozenset("is are am was were".split()), frozenset({"do", "does", "did"}), frozenset({"has", "have", "had"})
_PRONOUNS = frozenset("i we you he she it they there anybody anyone somebody someone nobody everybody everyone anything something nothing everything".split())
_DETERMINERS = frozenset(
    "the a an my our your his her its their this that these those any some no all both each every other another more two three four".split()
)
_BOUND = frozenset("in on at for from under within into by to with without about against between during until before after than as if when while".split())
"""Prepositions and joints: a noun phrase may go on with them, and what is said of it may begin with them."""
_LEAD = re.compile(r"(?:(?:and|so|but|also|now|then|plus|well|ok|okay|or|please|just|only|simply|meanwhile|finally|first|second),? +)+", re.IGNORECASE)
_EMBEDDED = re.compile(
    r"(?:(?:could|can|would|will) (?:you|u) (?:please |kindly )?(?:tell (?:me|us)|let (?:me|us) know|say|explain(?: to (?:me|us))?|find out|check)"
    r"|(?:before [^,?]{4,60},? )?(?:i|we) (?:need|have|want|must)(?: to)? (?:know|understand)(?: exactly| first)?|do you know|may (?:i|we) (?:ask|know)"
    r"|(?:can|could) (?:i|we) ask|(?:before [^,?]{4,60},? )?"
    r"(?:i|we)(?:'d| would| should)? (?:only |just |really )?(?:like|want|need|wish|love)s? to (?:know|hear|ask|understand)"
    r"|(?:i|we) (?:wonder|ask(?: myself| ourselves)?)|(?:please |kindly )?(?:tell (?:me|us)|let (?:me|us) know))"
    r"(?: please| exactly| honestly| plainly)?(?:,|:)?"
    rf" +(?=(?:{_WH}|whether|if)\b)",
    re.IGNORECASE,
)
_NEXT = re.compile(
    rf"(,? (?:and|or) |, )(?=(?:(?:by|at|for|since|until|from|to|with|on) )?(?:{_WH})\b"
    rf"|(?:and |or )?(?:{_AUX}) (?:i|we|you|it|they|he|she|there|the|my|our|your|this|that)\b)",
    re.IGNORECASE,
)
_ANNOUNCED = re.compile(rf"^[^:?\"“”]{{2,120}}: (?=(?:(?:by|at|for|since|until|from|to|with|on) )?(?:{_WH}|{_AUX})\b)", re.IGNORECASE)
"""What only says that a question comes."""
_IN_FRONT = re.compile(
    rf"((?:when|if|before|after|once|while|until|for|in|on|at|with|without|from|during|given|next) "
    rf"(?!(?:{_AUX}|{_WH}|not|so|yes|no)\b)[^,?]{{2,90}}), (?:then )?"
    rf"(?=(?:{_AUX}|{_WH})\b)",
    re.IGNORECASE,
)
_ASKS_WITH = re.compile(
    rf"((?:(?:by|at|for|since|until|from|to|with|on|in|under) )?(?:{_WH})\b(?: [\w'%-]+){{0,4}}?) (AUX(?:n't)?)(?: |$)(.*)".replace("AUX", f"(?:{_AUX}|ca|wo)"),
    re.IGNORECASE,
)
_WHO_DOES = re.compile(r"(?:who|what|which(?: of [\w' ]{2,24}| [\w'-]+){0,2}|how many(?: [\w'-]+){1,3}) (?P<verb>[a-z]+)\b", re.IGNORECASE)
_SHORT_FOR_IS = re.compile(r"\b(what|who|where|when|how|why)'s\b", re.IGNORECASE)
_NEVER = re.compile(
    r"[\"“”„«»;()?!\[\]{}<>|*_#@\n]|:(?!\d)|(?:,|^) ?(?:right|no|ok|correct|agreed|isn't it)$|\bor (?:not|what)$"
    r"|^(?:what|how) about\b|^how come\b|^why (?:not|the)\b|^any\b|https?"
    r"|\b(?:let's|shall we|(?:can|could|should|shall|may|might) we (?:talk|speak|meet|discuss|have a (?:call|chat|word)|agree|say|start over))\b",
    re.IGNORECASE,
)
_REQUEST = re.compile(r"(?:please|kindly|pls)(?:,| do)? (?P<not>(?:don't|do not|never) )?(?P<verb>[a-z]+)\b(?P<rest>.*)", re.IGNORECASE)
_ABOUT_TEXT = re.compile(
    r"\b(?:repl(?:y|ies)|answers?|texts?|letters?|notes?|wording|words?|sentences?|phrases?|subject|signature|e-?mails?|mails?|messages?|greeting)\b",
    re.IGNORECASE,
)
_WANTS_DONE = re.compile(r"(?:can|could|will|would) (?:you|u)\b", re.IGNORECASE)
Kind = Literal["asks", "wants"]


@dataclass(frozen=True, slots=True)
class Asked:
    """`text` follows "you ask" where they ask, and "you ask me" where they want something done."""

    kind: Kind
    text: str


@lru_cache(maxsize=1024)
def told(sentence: str) -> Asked | None:
    """Of a question with its mark, or of a request as it stands. None where it is neither, or cannot be told for sure."""
    plain = " ".join(sentence.replace("’", "'").split())
    is_question = plain.endswith("?")
    plain = _ANNOUNCED.sub("", plain.rstrip("?!. ")) if is_question else plain.rstrip("!. ")
    lead = _LEAD.match(plain)
    if not plain or len(plain.split()) > MOST_WORDS or _NEVER.search(plain):
        return None
    wanted = None if is_question else _wanted(plain)
    if wanted:
        return Asked("wants", wanted)
    bare = re.sub(r",? please$|\bplease ", "", plain[lead.end() :] if lead else plain)
    embedded = _EMBEDDED.match(bare)
    if not (is_question or embedded):
        return None
    if _ABOUT_TEXT.search(bare) and _WANTS_DONE.match(bare):
        return None
    phrase = _all(bare[embedded.end() :], is_turned=True) if embedded else _fronted(bare)
    return Asked("asks", phrase) if phrase else None


def without_lead(said: str) -> str:
    """Without "could you tell me" in front of a question."""
    embedded = _EMBEDDED.match(" ".join(said.replace("’", "'").split()))
    return said[embedded.end() :] if embedded else said


def is_request(bare: str) -> bool:
    """Begins with a verb of what one may be asked to do."""
    return bare.split(" ", 1)[0].lower() in _list("requests")


def _wanted(plain: str) -> str | None:
    lead = re.match(r"(?:(?:and|so|but|also|then),? +)+", plain, re.IGNORECASE)
    match = _REQUEST.fullmatch(plain[lead.end() :] if lead else plain)
    if match is None or _ABOUT_TEXT.search(match["rest"]) or match["verb"].lower() not in _list("not_to" if match["not"] else "requests"):
        return None
    rest = turned(match["rest"]) if match["rest"].strip() else None
    return f"{'not ' if match['not'] else ''}to {match['verb'].lower()}{rest}" if rest else None


def _all(text: str, *, is_turned: bool) -> str | None:
    """Each question of the sentence. `is_turned`: the first stands behind another verb already: "when the ferry leaves"."""
    pieces = _NEXT.split(text)
    found = [_embedded(pieces[0]) if is_turned else _one(pieces[0]) or (_short(pieces[0]) if len(pieces) > 1 and _one(pieces[-1]) else None)]
    for joint, piece in zip(pieces[1::2], pieces[2::2], strict=True):
        opener = re.match(r"(?:and|or) ", piece)
        said = piece[opener.end() :] if opener else piece
        clause = (_embedded(said) if is_turned else None) or _one(said) or _short(said)
        found += [joint + (opener[0] if opener else ""), clause]
    return None if None in found else "".join(part or "" for part in found)


def _embedded(text: str) -> str | None:
    """In the order of a statement already."""
    plain = re.sub(r"^if\b", "whether", text, flags=re.IGNORECASE)
    match = _ASKS_WITH.fullmatch(plain)
    if match and match[1].lower() in _WH.split("|") and match[3].split(" ")[0].lower() in _PRONOUNS:
        return _one(plain)
    said = turned(plain)
    return said and said[0].lower() + said[1:]


def _short(text: str) -> str | None:
    """ "and what from yours": what the question before it has said already."""
    found = text.split()
    asks = {word.lower() for word in found[:2]} & set(_WH.split("|"))
    said = turned(text) if len(found) <= _FEW and asks and not re.search(rf"\b(?:{_AUX})\b", text, re.IGNORECASE) else None
    return said and said[0].lower() + said[1:]


_FEW = 4


def _fronted(text: str) -> str | None:
    """ "If we leave in May, do we get the deposit back?"."""
    front = _IN_FRONT.match(text)
    clause = _all(text[front.end() :] if front else text, is_turned=False)
    before = turned(front[1]) if front and clause else None
    if front is None:
        return clause
    if before is None or clause is None:
        return None
    before = before[0].lower() + before[1:]
    return clause.replace("whether ", f"whether, {before}, ", 1) if clause.startswith("whether ") else f"{clause} {before}"


def _one(text: str) -> str | None:
    text = _SHORT_FOR_IS.sub(lambda m: f"{m[1]} is", text)
    first, _, rest = text.partition(" ")
    if re.fullmatch(_AUX, first.lower()):
        said = _statement(first.lower(), rest, is_open=False)
        return said and f"whether {said}"
    match = _ASKS_WITH.fullmatch(text)
    return _open(match) if match else _who_does(text)


def _who_does(text: str) -> str | None:
    """Nothing is turned round where who or what is the subject."""
    match = _WHO_DOES.match(text)
    verb = match["verb"].lower() if match else ""
    is_verb = (verb.endswith("s") and verb[:-1] in _list("bases") | {"happen", "doe"}) or (verb.endswith("es") and verb[:-2] in _list("bases"))
    said = turned(text) if is_verb else None
    return said and said[0].lower() + said[1:]


def _open(match: re.Match[str]) -> str | None:
    asks, aux, rest = match[1], match[2].lower(), match[3]
    asked = turned(asks)
    if asked is None or any(word in _list("bases") for word in asks.lower().split()[2:]):
        return None
    asked = asked[0].lower() + asked[1:]
    opening = rest.split(" ")[0].lower()
    is_owner = aux in _HAVE and not any(_is_participle(word.lower().strip(",")) for word in rest.split()[1:])
    is_subject = re.match(r"(?:who|what|which|how many)\b", asked) and (is_owner or not (opening in _PRONOUNS | _DETERMINERS or rest[:1].isupper()))
    if is_subject:
        starts = is_owner or opening in _list("said_of") | _list("participles") | _BOUND | _list("bases") or opening.endswith(("ed", "ing"))
        said = turned(rest) if starts and aux not in _DO else None
        return said and f"{asked} {aux} {said}"
    is_why = aux.endswith("n't")
    if is_why and not asked.startswith("why"):
        return None
    said = _statement({"ca": "can", "wo": "will"}.get(aux[:-3], aux[:-3]) if is_why else aux, rest, is_open=True, denied=aux if is_why else "")
    return said and f"{asked} {said}"


def _statement(aux: str, rest: str, *, is_open: bool, denied: str = "") -> str | None:
    """Subject first. `is_open`: asked with who, when and the like. `denied`: the verb with its "n't"."""
    words = rest.split(" ") if rest else []
    if not words or words[0].lower() in {"not", "n't"}:
        return None
    end = _end_of_subject(aux, words, is_open=is_open)
    if end is None or (end == len(words) and not is_open):
        return None
    subject, said = " ".join(words[:end]), " ".join(words[end:])
    low = subject.lower()
    theirs = {"i": "you", "we": "you", "you": "we"}.get(low) or turned(subject)
    told_of = (turned(said) or shifted(said)) if said else ""
    if theirs is None or told_of is None or (low == "you" and words[1:2] and words[1].lower() in {"all", "both", "guys", "two"}):
        return None
    theirs = theirs if low in {"i"} or not theirs[0].isupper() or words[0].lower() not in _DETERMINERS | _PRONOUNS else theirs[0].lower() + theirs[1:]
    if denied:
        return f"{theirs} {_agreeing(denied, theirs)} {told_of}".strip()
    if aux in _DO:
        return _with_verb(aux, theirs, told_of)
    return f"{theirs} {_agreeing(aux, theirs)} {told_of}".strip()


def _agreeing(aux: str, subject: str) -> str:
    if subject == "you":
        return {"am": "are", "is": "are", "was": "were", "shall": "should", "wasn't": "weren't"}.get(aux, aux)
    return {"shall": "should"}.get(aux, aux)


def _with_verb(aux: str, subject: str, said: str) -> str | None:
    """ "does the ferry leave" has its ending and its time in "does"."""
    adverb = re.match(r"(?:also|still|really|always|usually|actually|ever|even|then|already) ", said)
    head, verb, tail = (said[: adverb.end()] if adverb else ""), *said[adverb.end() if adverb else 0 :].partition(" ")[::2]
    low = verb.lower()
    if low not in _list("bases") or head.strip() == "ever":
        return None
    new = {"do": low, "does": third(low), "did": past(low)}[aux]
    return f"{subject} {head}{new} {tail}".strip() if new else None


def _end_of_subject(aux: str, words: list[str], *, is_open: bool) -> int | None:
    """How many words the subject has; None where that is not sure."""
    if words[0].lower() in _PRONOUNS and not (words[0].lower().startswith(("any", "some", "every", "nobody")) and words[1:] and words[1].lower() in _BOUND):
        return 1
    if words[0].lower() in _BOUND | _list("said_of") - _DETERMINERS - {"old", "new", "next"}:
        return None
    first = 1 if words[0].lower() in {"this", "that", "these", "those"} else 2 if words[0].lower() in _DETERMINERS else 1
    ends = [n for n in range(first, len(words)) if _is_verb(aux, words[n].lower().strip(","), words[n - 1].lower())]
    if not ends:
        is_whole = is_open and aux in _BE and len(words) <= 9 and (words[0].lower() in _DETERMINERS or words[0][0].isupper())
        return len(words) if is_whole else _before_preposition(aux, words, first, is_open=is_open)
    end = ends[0]
    if aux not in _BE | _HAVE and ends[1:2] == [end + 1]:
        first_verb, second_verb = (words[n].lower() for n in ends[:2])
        if first_verb not in _list("nouns") or second_verb in _list("nouns") or ends[2:3] == [end + 2]:
            return None
        end += 1
    return end if end <= 7 and not any("," in word for word in words[:end]) else None


def _before_preposition(aux: str, words: list[str], first: int, *, is_open: bool) -> int | None:
    """ "Is the price for each head": only where the first preposition is the only one."""
    found = [n for n in range(first, len(words)) if words[n].lower() in _BOUND]
    return found[0] if aux in _BE and not is_open and len(found) == 1 and found[0] <= 4 else None


def _is_verb(aux: str, word: str, before: str) -> bool:
    if aux in _BE:
        begins_another = word in {"a", "an", "the", "my", "our", "your"} and before not in _BOUND | {"of", "and"}
        return _is_participle(word) or word in _list("said_of") - {"new", "old", "next", "own", "part"} or begins_another
    return _is_participle(word) if aux in _HAVE else word in _list("bases")


def _is_participle(word: str) -> bool:
    return word not in _list("as_nouns") and (word in _list("participles") or (word.endswith(("ed", "ing")) and len(word) > 4))


@cache
def _list(name: str) -> frozenset[str]:
    kept: dict[str, str] = read("lists/questions.yaml")
    return frozenset(kept[name].split())
