"""Content words, cut to a stem, so that an answer can be matched to its question. Crude on purpose: no dictionary, five languages."""

from __future__ import annotations

import re
from functools import lru_cache

_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)?")
_COMMON = frozenset(
    (
        "a about above after again all also am an and any are as at back be because been before being below between both but by can cannot could did do "
        "does doing down during each few "
        "for from further get give given go going good got had has have having he her here hers him his how i if in into is it its itself just kind "
        "know let like long look make many may me mean might "
        "month more most much must my need no nor not now of off ok on once one only or other our ours out over own per please possible rather really "
        "regards same see seem send sent shall she should since so some soon "
        "still such take tell than thank thanks that the their them then there these they thing think this those through thus time to today tomorrow "
        "too two under until up upon us use very via want was way we week "
        "well were what when where whether which while who whom why will with within without would yes yet you your yours hi hello dear hey best kindly "
        "question ask asking wondering wonder "
        "der die das den dem des und oder aber ist sind war waren wir ihr ich sie er es man mit von zu zum zur auf aus bei für über nach vor im in am "
        "an als auch noch nur schon sehr so wie was wann wo wer warum welche welcher welches kann können könnten "
        "bitte danke hallo ein eine einen einem einer kein keine nicht uns unser unsere ihre ihren mir mich haben hat wird werden gibt "
        "le la les un une des du de et ou mais est sont nous vous je il elle on que qui quoi quand où comment pourquoi avec pour dans sur par pas plus "
        "ce cette ces notre nos votre vos merci bonjour pouvez pourriez "
        "el los las una unos y o pero es son que cuando donde como por para con sin en del al se lo su sus nuestro nuestra gracias hola puede pueden podría "
        "os as um uma e mas é são quando onde como com sem em no na dos das ao nosso nossa obrigado olá pode podem poderia"
    ).split()
)
_ENDINGS = ("ations", "ation", "ings", "ing", "ements", "ement", "ments", "ment", "ies", "ungen", "ung", "iert", "ed", "es", "en", "er", "s", "e", "n", "y")
_SHORTEST = 4


def words_in(text: str) -> frozenset[str]:
    found = (word.lower().replace("’", "'").removesuffix("'s") for word in _WORD.findall(text))
    return frozenset(_stem(word) for word in found if word not in _COMMON and "'" not in word and (len(word) > 2 or word.isdigit()))


@lru_cache(maxsize=20_000)
def _stem(word: str) -> str:
    if word.isdigit():
        return word
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= _SHORTEST:
            return word[: -len(ending)]
    return word
