"""A draft as plain text. The buyer's words are put in here, at the moment they are shown."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import cast

from ml.moves import Move
from service.critic.draft import Marked
from service.drafting.asked import told
from service.drafting.named import is_plain_plural
from service.drafting.request import Part, Segment, Words
from service.drafting.shift import turned

BLOCKS = {"GREET": 0, "ACK": 1, "VAL": 1, "INFO": 2, "REF": 2, "ASK": 2, "CHK": 3, "CLOSE": 4}
MARKS = {"en": ('"', '"'), "de": ("„", "“"), "fr": ("«\u00a0", "\u00a0»"), "es": ("«", "»"), "pt": ("“", "”")}


def text_of(segments: Iterable[Segment], texts: Mapping[str, str], channel: str = "email", lang: str = "en") -> str:
    """Paragraphs in an email: greeting; what they said; what we know and offer; the question; the name. A chat and a call are one."""
    return "".join(before + text for before, text, _ in _laid_out(segments, texts, channel, lang))


def marked(segments: Iterable[Segment], texts: Mapping[str, str], channel: str = "email", lang: str = "en") -> tuple[Marked, ...]:
    """Where each segment lies in the text."""
    found, at = [], 0
    for before, text, move in _laid_out(segments, texts, channel, lang):
        at += len(before)
        found.append(Marked(at, at + len(text), move))
        at += len(text)
    return tuple(found)


def _laid_out(segments: Iterable[Segment], texts: Mapping[str, str], channel: str, lang: str) -> Iterator[tuple[str, str, Move]]:
    """(what parts it from the one before, its text, its move) of each segment."""

    said, say = list(segments), spoken(texts, lang)
    for n, (segment, goes_on) in enumerate(zip(said, joined(said), strict=True)):
        yield "" if n == 0 else between(channel, goes_on=goes_on), sentence(segment.parts, say), coarse(segment.move)


def between(channel: str, *, goes_on: bool) -> str:
    """What parts two segments. A chat and a call are one paragraph."""
    return " " if channel in ("chat", "call") or goes_on else "\n\n"


def joined(segments: Iterable[Segment]) -> Iterator[bool]:
    """Of each, whether it goes on in the paragraph of the one before."""
    before: Segment | None = None
    facts = 0
    for segment in segments:
        yield before is not None and _is_joined(before, segment, facts)
        before, facts = segment, facts + (coarse(segment.move) == "INFO")


def _is_joined(before: Segment, segment: Segment, facts: int) -> bool:
    """Whether both stand in one paragraph: so does what one frame says, and what a bare regret or thanks leads to. An offer with its question behind more than
    one fact does not."""
    if (before.frame == segment.frame != "" and coarse(before.move) not in ("GREET", "INFO")) or before.frame.startswith(_LEADS):
        return True
    if segment.frame.startswith(_OFFERS) and facts >= MANY_FACTS:
        return False
    return BLOCKS[coarse(before.move)] == BLOCKS[coarse(segment.move)]


MANY_FACTS = 2
_OFFERS = "en.offer."
_LEADS = ("en.heard.apology.", "en.heard.thanked.")


def coarse(move: str) -> Move:
    return cast(Move, move.partition(".")[0])


def spoken(texts: Mapping[str, str], lang: str) -> Callable[[Words], str]:
    """How to say words of the buyer, which lie in `texts`."""
    return lambda words: said_back(texts[words.evidence_id][words.start : words.end], is_quoted=words.is_quoted, opens=words.opens, lang=lang)


def sentence(parts: Iterable[Part], say: Callable[[Words], str]) -> str:
    return "".join(part if isinstance(part, str) else say(part) for part in parts)


def said_back(words: str, *, is_quoted: bool, opens: bool, lang: str = "en") -> str:
    """Quoted as they stand, but for the case of the first letter, or turned to the person who said them; a question as one that hangs on "you ask"."""
    text = " ".join(words.split())
    if is_quoted:
        before, after = MARKS[lang]
        return f"{before}{text[0].upper() + text[1:] if opens else uncapitalised(text) if lang == 'en' else text}{after}"
    asked = told(text)
    text = asked.text if asked else turned(text) or text
    return text[0].upper() + text[1:] if opens else uncapitalised(text)


def uncapitalised(text: str) -> str:
    """Lower case at the start, where the capital only marked a sentence: in "The kiosk froze" and not in "IT is slow" or "Marta waited"."""
    first = text.split(" ", 1)[0].strip(",;:")
    is_common = first.lower().replace("’", "'") in OPENERS and not (len(first) > 1 and first.isupper())
    return text[0].lower() + text[1:] if is_common or is_plain_plural(first) else text


OPENERS = frozenset(
    "a an the this that these those it its it's there there's they they're we we're we've he she you you're you've you'd you'll your our my their his her"
    " nobody everyone everybody someone something nothing no not every each all both some any many most several two three four five six seven eight nine"
    " ten half one once twice what when where who why how which whether if since after before until while as at by for from in on to with without during"
    " under over of above beside along despite near between last next only still again now then today yesterday"
    " first and or so because people staff users".split()
)
