"""The person: name, wishes, manner, language, and how loud one may be."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import cache

from ml.expressions import Pattern, one_of
from ml.text import sentences
from service.critic import lexicon
from service.critic.case import Case
from service.critic.wording import lowered

Breach = tuple[int, int, str]


def _list(name: str, lang: str = "any") -> Pattern:
    return lexicon.expressions("checks", name, lang)


@cache
def _words(name: str) -> frozenset[str]:
    return frozenset(lexicon.stored("people")[name].split())


@cache
def _alike() -> list[frozenset[str]]:
    """Titles that say the same of a person."""
    return [frozenset(group.split()) for group in lexicon.stored("people")["alike"]]


@cache
def _wishes(lang: str) -> list[tuple[Pattern, Pattern]]:
    return [(one_of([pair["wish"]]), one_of([pair["breaks"]])) for pair in lexicon.stored("people")["wishes"][lang]]


@cache
def _any_wish(lang: str) -> Pattern:
    return one_of([pair["wish"] for pair in lexicon.stored("people")["wishes"][lang]])


def greeted(case: Case) -> Iterator[Breach]:
    """Each name and title of the greeting stands in the record, letter by letter. Whoever writes in person may know whether it is "Ms" or "Mr"."""
    yield from (breach for breach in _unrecorded(case) if case.is_ours or not _may_be_known(case, breach))


def title_guessed(case: Case) -> Iterator[Breach]:
    """A title that tells the gender, of which the record says nothing."""
    yield from (breach for breach in _unrecorded(case) if _may_be_known(case, breach))


def _may_be_known(case: Case, breach: Breach) -> bool:
    """A plain title in front of the surname, where the record has both names and no title."""
    written = re.findall(r"[^\s,.]+", lowered(case.draft.recipient_name or ""))
    behind = re.match(r"\.?\s+([^\W\d_]+)", case.text.lower[breach[1] :])
    is_plain = any(_bare(case.text.text[breach[0] : breach[1]]) in group for group in _alike()[:2])
    return is_plain and len(written) > 1 and written[0] not in _words("titles") and behind is not None and behind[1] in written[1:]


def _unrecorded(case: Case) -> Iterator[Breach]:
    spans = case.scope("greeting")
    if not spans:
        return
    start, end = spans[0]
    match = _list("greets").search(case.text.lower, start, min(end, start + 25))
    if match is None:
        return
    known = {_bare(w) for w in re.findall(r"[^\s,.]+", case.draft.recipient_name or "")}
    known |= {alike for kin in _alike() if known & kin for alike in kin}
    own_name = {_bare(w) for w in re.findall(r"[^\s,.]+", case.draft.am_name or "")}
    for word in _named(case, match.end(), end):
        name = _bare(re.sub(r"['’]s$", "", case.text.text[word.start() : word.end()]))
        if name in _words("titles"):
            if known and name not in known and not _is_said_title(case, name) and not _has_full_name(case):
                yield word.start(), word.end(), f"“{word[0]}” is not on record"
        elif name not in known and name not in own_name and not (len(name) == 1 and _is_initial(case, name, known)):
            yield word.start(), word.end(), "the record says " + (f"“{case.draft.recipient_name}”" if case.draft.recipient_name else "no name")


def misspelled(case: Case) -> Iterator[Breach]:
    """A name that is a letter or two off the recipient's, and stands nowhere on record."""
    names = [_bare(w) for w in re.findall(r"[^\W\d_]{4,}", case.draft.recipient_name or "")]
    near = [m for m in _CAPITALISED.finditer(case.text.text) if any(_is_near(_bare(m[0]), name) for name in names)]
    known = _known_words(case) if near else set()
    for match in near:
        word = _bare(match[0])
        if word not in known and word.removesuffix("s") not in known and word not in _words("titles") and word not in lexicon.words("stop", case.lang):
            yield (*match.span(), f"the record says “{case.draft.recipient_name}”")


_CAPITALISED = re.compile(r"(?<![\w'’])[A-ZÀ-ÖØ-Þ][^\W\d_]{3,}")


def _known_words(case: Case) -> set[str]:
    names = re.findall(r"[^\W\d_]+", f"{case.draft.am_name or ''} {case.draft.recipient_name or ''}")
    return {*re.findall(r"[^\W\d_]+", case.said.all), *map(_bare, names)}


def _is_near(word: str, name: str) -> bool:
    """The same without accents, or with one letter changed, added or left out; two in a name of seven letters and more."""
    a, b = _plain(word), _plain(name)
    if abs(len(a) - len(b)) > 2:
        return False
    return a[:1] == b[:1] and _distance(a, b) <= (2 if len(name) >= 7 else 1)


def _plain(word: str) -> str:
    if word.isascii():
        return word
    return "".join(char for char in unicodedata.normalize("NFD", word) if unicodedata.category(char) != "Mn")


def _distance(a: str, b: str) -> int:
    """Levenshtein's."""
    row = list(range(len(b) + 1))
    for i, char in enumerate(a, 1):
        row = _next_row(row, i, char, b)
    return row[-1]


def _next_row(row: list[int], i: int, char: str, b: str) -> list[int]:
    found = [i]
    for j, other in enumerate(b, 1):
        found.append(min(found[j - 1] + 1, row[j] + 1, row[j - 1] + (char != other)))
    return found


def _is_initial(case: Case, letter: str, known: set[str]) -> bool:
    """Of a name on record, or as they sign."""
    signed = "\n".join(lowered(e.text) for e in case.draft.evidence if e.type == "buyer_message")
    return any(n.startswith(letter) for n in known) or re.search(rf"(?<!\w){letter}\. ", signed) is not None


def _has_full_name(case: Case) -> bool:
    """A first name on record, and they write with titles themselves."""
    if not _TITLED.match(case.said.own_lower):
        return False
    words = [_bare(w) for w in re.findall(r"[^\s,.]+", case.draft.recipient_name or "")]
    return len(words) > 1 and len(words[0]) > 1 and words[0] not in _words("titles")


def _is_said_title(case: Case, title: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(title)}\b", lowered(case.said.ours)) is not None


def _named(case: Case, start: int, end: int) -> Iterator[re.Match[str]]:
    """Words behind the greeting up to the first mark that ends it."""
    stop = re.search(r"[,:;!\n?]|\.(?=\s|$)(?<!dr\.)(?<!mr\.)(?<!ms\.)(?<!mrs\.)(?<!prof\.)(?<!sr\.)(?<!sra\.)(?<!dra\.)", case.text.lower[start:end])
    last = start + stop.start() if stop else min(end, start + 40)
    is_line = "\n" in case.text.text[last : last + 3] or case.text.greeting is not None
    for word in re.finditer(r"[^\W\d_]+(?:['’-][^\W\d_]+)*", case.text.text[start:last]):
        placed = re.compile(re.escape(word[0])).match(case.text.text, start + word.start())
        lower = lowered(word[0])
        if placed is None or lower in _words("not_names") or re.search(r"['’](?:s|re|m|d|ll)$", lower):
            return
        if word.start() and not word[0][0].isupper() and _is_behind_name(case, start, word.start()):
            return
        if not is_line and not word[0][0].isupper() and (stop is None or len(case.text.text[start:last].split()) > 2):
            return
        yield placed


def _is_behind_name(case: Case, start: int, place: int) -> bool:
    """Behind a capitalised name, a word in lower case is none."""
    return case.text.text[start : start + place].strip()[:1].isupper()


def _bare(word: str) -> str:
    return unicodedata.normalize("NFC", lowered(word)).strip(".,'")


_NOTED = re.compile(r"prefer|wish|asked|only|wünscht|möchte|souhaite|préfère|prefiere|pide|prefere|pede|pronoun")


def _wished(text: str) -> list[str]:
    """What they ask or complain about is no wish."""
    return [lowered(text[s:e]) for s, e in sentences(text) if not text[s:e].rstrip().endswith("?")]


def preference_broken(case: Case) -> Iterator[Breach]:
    """The wish stands in their words or in a note about them; what breaks it stands in ours."""
    if not _any_wish(case.lang).search(case.said.all):
        return
    stated = "\n".join([*_wished(case.said.own), *(t for note in case.said.texts("crm_note") if _NOTED.search(lowered(note)) for t in _wished(note))])
    for wish, breaks in _wishes(case.lang):
        if not wish.search(stated):
            continue
        for match in breaks.finditer(case.text.ours):
            first, last = case.text.sentence_at(match.start())
            if not _list("kept").search(case.text.ours, first, last):
                yield (*match.span(), "")
                return


_CAPS = re.compile(r"(?<![\w-])[A-ZÀ-ÖØ-Þ]{2,}(?![\w-]|\d)")
_EMOJI = re.compile("[\u2600-\u27bf\U0001f300-\U0001faff\u2764\u2639\u263a]|(?<!\\w)[:;]-?[)(DPp](?!\\w)|<3")


def loud(case: Case) -> Iterator[Breach]:
    """Capitals, exclamation marks, emoji. After good news one exclamation mark answers theirs."""
    yield from (
        (*m.span(), "emoji")
        for m in _EMOJI.finditer(case.text.text)
        if not case.text.is_quoted(m.start()) and (case.conditions & {"negative", "silence", "notice", "email"})
    )
    ours = [m.span() for m in re.finditer(r"[!]+|\?[?!]+", case.text.text) if not case.text.is_quoted(m.start())]
    allowed = 1 if case.conditions & {"positive"} and "!" in case.said.own else 0
    if len(ours) > allowed and (case.conditions & {"negative", "positive", "notice", "silence", "usage_drop"}):
        yield (*ours[allowed], "exclamation mark")
    shouts = list(_CAPS.finditer(case.text.text))
    if not shouts:
        return
    known = {
        w for text in (case.said.own, case.said.ours, case.draft.recipient_name or "", case.draft.am_name or "") for w in re.findall(r"[A-ZÀ-Þ]{2,}", text)
    }
    shouted = _own_shouting(case)
    for match in shouts:
        if case.text.is_quoted(match.start()) or match[0] in _words("acronyms") or (match[0] in known and match[0] not in shouted):
            continue
        if not _is_heading(case, match.start()):
            yield (*match.span(), "capitals")


def _own_shouting(case: Case) -> set[str]:
    """Ordinary words that the buyer wrote in capitals are no acronyms."""
    stop = lexicon.words("stop", case.lang)
    lower_words = {lowered(w) for w in re.findall(r"\b[a-zà-ÿ]{2,}\b", f"{case.said.own} {case.said.ours}")}
    return {w for w in re.findall(r"[A-ZÀ-Þ]{2,}", case.said.own) if lowered(w) in stop or lowered(w) in lower_words or len(w) > 6}


def _is_heading(case: Case, place: int) -> bool:
    start = case.text.text.rfind("\n", 0, place) + 1
    end = case.text.text.find("\n", place)
    line = case.text.text[start : end if end >= 0 else len(case.text.text)]
    return line.isupper() and len(line) < 30 and case.draft.channel == "meeting"


def far_longer(case: Case) -> Iterator[Breach]:
    """More than ten times what they wrote, and more than 80 words."""
    count, theirs = len(case.text.tokens), len(case.said.own_tokens)
    if theirs and count > max(80, 10 * theirs):
        yield 0, len(case.text.text), f"{count} words to {theirs}"


_TITLED = re.compile(r"\W*(?:dear |good (?:morning|afternoon|day) )?(?:mr|mrs|ms|miss|dr|prof|sir|madam|frau|herr|madame|monsieur|señora?|senhora?)\b")
_FAMILIAR = re.compile(r"^\s*(?:hey|yo|sup|hi there|heya|hiya)\b")


def too_familiar(case: Case) -> Iterator[Breach]:
    match = _FAMILIAR.match(case.text.lower)
    if match and _list("formal").search(case.said.own_lower):
        yield (*match.span(), "")


def language_kept(case: Case) -> Iterator[Breach]:
    """Which of the five languages has most of its small words in each text; too few of them tell nothing."""
    theirs, ours = _spoken([t.word for t in case.said.own_tokens]), _spoken([t.word for t in case.text.words(case.text.body)])
    if theirs and ours and theirs != ours:
        yield (*case.text.body, f"{ours} in answer to {theirs}")


@cache
def _small_words() -> dict[str, list[str]]:
    """The languages that each of them belongs to."""
    found: dict[str, list[str]] = {}
    for lang in lexicon.LANGUAGES:
        for word in lexicon.words("stop", lang):
            found.setdefault(word, []).append(lang)
    return found


def _spoken(words: list[str]) -> str | None:
    kept = _small_words()
    counts = dict.fromkeys(lexicon.LANGUAGES, 0)
    for lang in (lang for word in words for lang in kept.get(word, ())):
        counts[lang] += 1
    best, second = sorted(counts.values(), reverse=True)[:2]
    return max(counts, key=lambda lang: counts[lang]) if best >= 4 and best >= 1.5 * second else None


def ends_with_question(case: Case) -> Iterator[Breach]:
    if case.text.sentences and case.text.sentences[-1] not in case.text.questions:
        yield (*case.text.sentences[-1], "")
