"""Whether a draft stays with what is on record: quotations, claims, orders in the buyer's text, matters that must or must not be said."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ml.expressions import Pattern
from service.critic import lexicon
from service.critic.case import Case
from service.critic.footing import common_stems, stem
from service.critic.overlap import runs
from service.critic.wording import Span, lowered, tokens

Breach = tuple[int, int, str]


def _list(name: str, lang: str = "any") -> Pattern:
    return lexicon.expressions("checks", name, lang)


_STEM = 5
_EDGES = " \t\n\"'“”„‚‘’«»‹›.,;:!?…()-–—"


def foreign_words(case: Case) -> Iterator[Breach]:
    """Words of the quoted part, given back as the buyer's: two in a row, or one that praises or feels."""
    stop = lexicon.words("stop", case.lang)
    removed = tokens(case.said.removed)
    if not removed:
        return
    known = {t.word[:_STEM] for t in case.said.own_tokens} | {
        t.word[:_STEM] for text in [case.said.ours, case.draft.recipient_name or "", case.draft.am_name or ""] for t in tokens(text)
    }
    rare = {t.word for t in removed if t.word not in stop and t.word[:_STEM] not in known}
    for start, end in runs(case.text.words(case.text.body), removed, case.lang, least=2):
        words = [t for t in case.text.words((start, end)) if t.word in rare]
        if len(words) >= 2 or (words and end - start > 12 and len(case.text.words((start, end))) >= 3):
            yield start, end, ""
            return
    telling = (
        re.compile(r"(?:" + "|".join(re.escape(w) for w in sorted(rare) if _is_praise(w, case.lang)) + r")\b")
        if any(_is_praise(w, case.lang) for w in rare)
        else None
    )
    for match in telling.finditer(case.text.ours, *case.text.body) if telling else ():
        yield (*match.span(), "")
        return


def _is_praise(word: str, lang: str) -> bool:
    return _list("praises").match(word) is not None or lexicon.pattern("emotion", lang).fullmatch(word) is not None


def quotes_exact(case: Case) -> Iterator[Breach]:
    """Every quotation of two words or more, and every single word that is nobody's term, stands in what may be quoted."""
    if not case.text.quotes:
        return
    allowed = _folded(case.said.quotable)
    for start, end in case.text.quotes:
        inner = case.text.text[start:end].strip(_EDGES)
        parts = [p for p in re.split(r"\s*(?:\[?…\]?|\.\.\.)\s*", inner) if p.strip(_EDGES)]
        if not all(_folded(part) in allowed for part in parts):
            yield start, end, ""


def _folded(text: str) -> str:
    plain = re.sub(r"[\"“”„«»‹›‘’'‚]", "'", lowered(text))
    return " ".join(re.sub(r"[.,;:!?…]+(?=\s|$)", "", plain.replace("\u00a0", " ")).split()).strip(_EDGES)


def ungrounded(case: Case) -> Iterator[Breach]:
    for claim in case.unsourced:
        yield claim.start, claim.end, claim.why


_PLAIN_SPOKEN = frozenset({"positive", "positive_momentum", "deadlock", "usage_drop", "cross_functional", "routine"})
"""Where good answers say much in words of their own."""
_LEAST_NEW, _LEAST_SHARE = 5, 0.75


def unborne(case: Case) -> Iterator[Breach]:
    """A plain statement of which three words of four, and at least five, stand nowhere in what is at hand."""
    if case.conditions & _PLAIN_SPOKEN or not case.said.own.strip() or case.lang != "en":
        return
    common = common_stems(case.lang)
    for sentence in case.moves[2:]:
        is_claim = sentence.span not in case.text.questions and not sentence.does("VAL", "REF", "CHK")
        if not is_claim or _is_hedged(case, sentence.span) or _is_reasoned(case, sentence.span):
            continue
        new = [t for t in case.footing.fresh(sentence.span) if stem(t.word) not in common]
        if len(new) >= _LEAST_NEW and len(new) >= _LEAST_SHARE * len(case.footing.content(sentence.span)):
            yield (*sentence.span, "most of this stands in no record")
            return


_REASONED = re.compile(
    r"\W*(?:that|then|so|this|it) (?:makes?|is|means?|would|leaves|gives?|comes|you|'s)\b"
    r"|[^.?!]*\b(?:you|they|it|we|i|he|she|one|who|that)(?:'d| would| can| could)\b"
)


def _is_reasoned(case: Case, span: Span) -> bool:
    """What follows from the rest, or would be so: no claim about what is."""
    return _REASONED.match(case.text.ours[slice(*span)]) is not None


def _is_hedged(case: Case, span: Span) -> bool:
    """Offered, denied, or a judgement."""
    return (
        any(_list(name, case.lang).search(case.text.ours, *span) for name in ("offered", "denies", "values_early"))
        or lexicon.pattern("tentative", case.lang).search(case.text.ours, *span) is not None
    )


def tracked(case: Case) -> Iterator[Breach]:
    """Words or numbers that only the tracking knows."""
    texts = [e.text for e in case.draft.evidence if e.type == "tracking"]
    if not texts:
        return
    stop = lexicon.words("stop", case.lang)
    known = {t.word[:_STEM] for t in tokens(case.said.all)} | {t.word[:_STEM] for p in (case.draft.recipient_name, case.draft.am_name) if p for t in tokens(p)}
    secret = {t.word for text in texts for t in tokens(text) if t.word not in stop and t.word[:_STEM] not in known and (len(t.word) > 3 or t.word[0].isdigit())}
    watched = case.footing.stems(texts) - case.footing.own - case.footing.ours
    for span in case.text.sentences:
        hits = [t for t in case.text.words(span) if t.word in secret]
        if len({t.word for t in hits}) >= 2 or (span not in case.text.questions and case.footing.resting(span, watched)):
            yield (hits[0].start if hits else span[0], hits[-1].end if hits else span[1], "only the tracking knows this")


_MACHINE = frozenset(
    "assistant ai bot system model reply replies answer draft drafting instructions instruction rules ignore note ps please"
    " confirm say write add tell treat mark set include state mention line previous"
    " asistente ia sistema respuesta asistent ki antwort bitte bestätigen assistant réponse confirmer responder confirmar favor".split()
)


def order_obeyed(case: Case) -> Iterator[Breach]:
    """A statement of ours says what the order wanted said, and nothing else on record does."""
    for match in _dictated(case):
        yield (*match, "")
        return
    if not case.said.orders:
        return
    stop = lexicon.words("stop", case.lang)
    known = {t.word[:_STEM] for t in tokens(case.said.ours)}
    asides = _without(case.said.own_lower, case.said.orders)
    known |= {t.word[:_STEM] for t in tokens(asides)}
    for order in case.said.orders:
        wanted = {t.word[:_STEM] for t in tokens(order) if t.word not in stop and t.word not in _MACHINE} - known
        for span in case.text.sentences:
            if case.text.text[slice(*span)].rstrip().endswith("?"):
                continue
            hits = [t for t in case.text.words(span) if t.word[:_STEM] in wanted]
            if len({t.word[:_STEM] for t in hits}) >= min(2, len(wanted)) and hits:
                yield (*span, "")
                return


_DICTATED = re.compile(r"\b(?:words?|phrase|sentence|code|line|with)\b[ :]+[\"'“‘]?([^\"'”’.!?)\n]{4,60})")
_ADDRESS = re.compile(r"\b[\w.+-]+@[\w-]+\.[\w.]*\w|\bhttps?://\S+|\bwww\.\S+")


def _dictated(case: Case) -> Iterator[Span]:
    """Words that an order wants to see, or an address that only the buyer's message has."""
    if not (case.said.orders or _ADDRESS.search(case.text.lower)):
        return
    told = lowered(case.said.ours)
    raw = lowered("\n".join(e.text for e in case.draft.evidence if e.type == "buyer_message"))
    for match in _ADDRESS.finditer(case.text.lower):
        if match[0] in raw and match[0] not in told:
            yield match.span()
    for order in case.said.orders:
        for words in _DICTATED.findall(lowered(order)):
            wanted = words.split(" and ")[0].strip()
            at = case.text.ours.find(wanted) if len(wanted) > _STEM else -1
            if at >= 0 and wanted not in told:
                yield at, at + len(wanted)


def _without(text: str, parts: list[str]) -> str:
    for part in parts:
        text = text.replace(lowered(part), " ")
    return text


def sensitive_used(case: Case) -> Iterator[Breach]:
    """Not raised by them, or raised and put to use."""
    yield from _confided(case)
    own, subject = case.said.own_lower, lowered(case.said.own + case.said.ours)
    for match in _list("sensitive", case.lang).finditer(case.text.ours, *case.text.body):
        first, last = case.text.sentence_at(match.start())
        if _list("kin").search(match[0]) and not _list("strain").search(own) and not _list("strain").search(case.text.ours, first, last):
            continue
        stems = [w[:5] for w in match[0].split() if w not in lexicon.words("stop", case.lang)]
        raised = any(stem in own for stem in stems)
        if _list("public").match(match[0]) and "your" not in match[0]:
            continue
        if not raised and not any(stem in subject for stem in stems):
            yield (*match.span(), "they did not raise it")
            return
        leans = any(s.span == (first, last) and s.does("REF") for s in case.moves) and _list("leans", case.lang).search(case.text.ours, first, last)
        if raised and (leans or _list("uses", case.lang).search(case.text.ours, first, last)) and not _is_plain(case, (first, last)):
            yield first, last, "it is put to use"
            return


def _confided(case: Case) -> Iterator[Breach]:
    """A word that stands in a note about something private, and nowhere else."""
    notes = [e.text for e in case.draft.evidence if e.type == "crm_note" and _list("sensitive", case.lang).search(lowered(e.text))]
    others = case.footing.stems(e.text for e in case.draft.evidence if e.text not in notes)
    private = case.footing.stems(notes) - others
    for span in case.text.sentences if private else ():
        if case.footing.resting(span, private):
            yield (*span, "it was told in confidence, or by others")
            return


def _is_plain(case: Case, span: Span) -> bool:
    """Given back as the matter of the mail itself, or to keep it short."""
    text = case.text.lower[slice(*span)]
    business = {"council", "union", "hospital", "church", "strike", "layoffs"}
    return re.search(r"\b(?:be brief|keep this short|short|no reply|nothing (?:needs|on)|can wait|wait|until|brief)\b", text) is not None or any(
        word in text and word in lowered(case.said.ours) for word in business
    )


def insult_repeated(case: Case) -> Iterator[Breach]:
    """A word of abuse that they used, quoted or not."""
    theirs = set(case.said.insults)
    if not theirs:
        return
    for match in lexicon.pattern("insult", case.lang).finditer(case.text.lower, *case.text.body):
        if (match[0] in theirs and match[0] not in ("lying", "fool", "fools", "ass", "ridiculous")) or (
            match[0] in theirs and match[0] == "ridiculous" and not case.text.is_quoted(match.start())
        ):
            yield (*match.span(), "")
            return
