"""Questions to the reader, and whether a message asks for anything. English first; basics of German, French, Spanish and Portuguese."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Self

from ml.expressions import Living, Pattern
from ml.text import sentences

SEEN = 400
"""Characters of a sentence that decide; every pattern below is tried in that window only."""

_MARK = re.compile(r"[?？][\"'”’)\]]?\s*$")
_PLEASANTRY = re.compile(
    r"^\W{0,3}(?:and )?(?:how are (?:you|things|we)|how(?:'s| is) (?:it|everything|life|your (?:week|day|summer))|how have you been"
    r"|how was your (?:weekend|holiday|vacation|trip|week|summer|break|time off|flight)"
    r"|how do you do|hope .{0,80}|did you have a (?:good|nice|great|relaxing).{0,60}|are you (?:well|back|keeping well|doing well|ok|okay"
    r"|enjoying .{0,40})|all (?:well|good)(?: with you| on your side| your end)?"
    r"|wie geht(?:'s| es).{0,40}|alles gut(?: bei .{0,30})?|wie war .{0,20}(?:wochenende|urlaub)|hattest du .{0,40}|(?:comment )?(?:allez-vous|vas-tu"
    r"|ça va|ca va)(?: bien)?|comment ça va|j'espère .{0,80}"
    r"|(?:qué|que) tal.{0,30}|cómo (?:estás?|está usted|va todo|le va)|todo bien|tudo bem(?: contigo| consigo| por aí)?|como (?:está|vai|estás)(?: você"
    r"| tudo)?)\W{0,4}$",
    re.IGNORECASE,
)
_RHETORICAL = re.compile(
    r"^\W{0,3}(?:(?:and |but |so )?(?:who (?:knows|cares|doesn't (?:love|like|want))|what more (?:can|could) .{0,20}(?:say|ask|want)|why not|guess what"
    r"|you know what|know what i mean|isn't (?:it|that) (?:great|nice|wonderful|funny|ironic|amazing)"
    r"|what can i say|need i say more|how (?:cool|nice|great|lovely|funny|ironic|hard can (?:it|that) be).{0,40}|what's not to (?:like|love)"
    r"|is(?:n't)? it just me|what else is new|right|really|seriously|no|ok(?:ay)?|yes|huh|eh|remember"
    r"|nicht wahr|oder|ne|gell|n'est-ce pas|non|hein|verdad|no es así|não é(?: verdade)?|né)\W{0,4}"
    r"|(?:i|we)(?:'m| am| are|'re)? (?:wonder(?:ing)?|ask(?:ed|ing)?) (?:myself|ourselves)\b.*)$",
    re.IGNORECASE,
)
_OWN_ANSWER = re.compile(
    r"^\W{0,3}(?:the (?:question|answer) (?:was|is)|he asked|she asked|they asked|(?:my|our) (?:boss|director|manager|cfo|team|customers?"
    r"|colleagues?)( \w+)? (?:asked|asks|wonders?|keeps? asking)|someone asked|people ask)\b",
    re.IGNORECASE,
)
_REQUEST = Pattern(
    [
        r"^\W{0,3}(?:(?:hi|hello|hey|dear|thanks|thank you|ok|okay|also|and|so|then|secondly|first|finally|meanwhile|in the meantime|if possible"
        r"|when you (?:can|have a (?:minute|moment)))\b[^,.]{0,30}[,.]? )?"
        r"(?:can|could|would|will) (?:you|someone|somebody|anyone|anybody|your (?:team|colleagues?|side|support))\b"
        r"|\bplease (?:let|send|confirm|advise|tell|share|provide|check|explain|clarify|give|call|get back|reply|respond|update|look|forward|resend|add"
        r"|remove|change|correct|fix|review|sign|return|help|make|arrange|set|find out|quote|state|indicate|note the)\b"
        r"|\bkindly (?:let|send|confirm|advise|tell|share|provide|check|explain|clarify|give|reply|respond|update|forward|arrange|sign|return)\b"
        r"|\b(?:let me|let us) know (?:if|when|whether|how|what|which|who|where|why|by|your|the|about|asap|as soon)\b"
        r"|\b(?:i|we) (?:would|'d) (?:like|love|need|want|appreciate|be grateful for|be glad for) (?:to (?:know|understand|hear (?:back|from you|your|what"
        r"|how|when|whether)|get|have|see|receive)|an? (?:answer|update|reply|response|date|list|copy|call|quote|explanation|confirmation)|your (?:answer"
        r"|thoughts|view|feedback|help|advice|comments|confirmation))"
        r"|\b(?:i|we) (?:still )?(?:need|require|expect|await|am waiting for|are waiting for|look forward to) (?:an? |the |your |from you )(?:answer|update"
        r"|reply|response|date|list|copy|call|quote|explanation|confirmation|feedback|decision|approval|comments?|thoughts|figures?|numbers?|signed"
        r"|signature|information|details)\b"
        r"|\b(?:i|we)(?:'m| am| are|'re) (?:wondering|curious|asking) (?:if|whether|when|how|what|which|who|why)\b|\b(?:i|we) wonder (?:if|whether|when|how"
        r"|what)\b|\b(?:any|some) (?:news|update|progress|thoughts|feedback|idea)s? (?:on|about|from|yet|regarding)\b"
        r"|\b(?:what|how|when|where|which|who|why) (?:is|are|do|does|did|can|could|should|will|would|about|many|much|long|soon|often|time|date)\b[^.!]{3,200}$"
        r"|\b(?:bitte|könnten sie|können sie|kannst du|könntest du|würden sie) (?:(?:sie |mir |uns |um |teilen|senden|schicken|geben|prüfen|bestätigen"
        r"|sagen|melden)\b)"
        r"|\b(?:wir|ich) (?:bitten?|brauchen?|benötigen?|erwarten?) (?:um |noch |eine |die |den |ihre |von ihnen )"
        r"|\b(?:pouvez|pourriez|peux|pourrais)[- ](?:vous|tu)\b|\b(?:merci de|veuillez|prière de|nous attendons|j'attends) (?:nous|me|bien|votre|vos"
        r"|confirmer|envoyer|indiquer|répondre|vérifier)\b"
        r"|\b(?:puede|podría|pueden|podrían|puedes|podrías) (?:\w+)|\bpor favor[, ]+(?:\w+)|\b(?:quedo|quedamos) a la espera\b|\besperamos (?:su"
        r"|vuestra) respuesta\b"
        r"|\b(?:pode|podem|poderia|podia|podiam|consegue) (?:\w+)|\b(?:aguardo|aguardamos|fico a aguardar)\b|\bagradec(?:ia|emos|o) (?:que|confirmação"
        r"|resposta|informação)\b",
    ]
)
_INDIRECT = re.compile(
    r"^\W{0,3}(?:(?:hi|hello|hey|dear|also|and|so|then)\b[^,.]{0,30}[,.]? )?(?:(?:can|could|would|will) you (?!imagine|believe|see)|(?:please"
    r"|kindly) (?:let (?:me|us) know|tell (?:me|us)|advise|explain|clarify|confirm) (?:if|when|whether|how|what|which|who|where|why|on|us|me)?"
    r"|let (?:me|us) know (?:when|whether|how|what|which|who|where|why|if (?:this|it|that|the \w+|we|i|your) (?:is|are|can|will|could|would|should|has"
    r"|have|does|do|includes?))"
    r"|(?:i|we)(?:'d| would) (?:like|need|want|love) to (?:know|understand) (?:if|when|whether|how|what|which|who|where|why)|(?:i|we)(?:'m| am| are"
    r"|'re) (?:wondering|asking) (?:if|when|whether|how|what|which|who|why)"
    r"|(?:what|how|when|where|which|who|why) (?:is|are|do|does|did|can|could|should|will|would|many|much|long) (?:the|you|we|i|it|your|our|this|that|there)\b"
    r"|(?:können|könnten|würden) sie|kannst du|könntest du|(?:pouvez|pourriez)-vous|(?:puede|podría|pueden|podrían) (?:decir|confirmar|indicar|explicar"
    r"|enviar)|(?:pode|podem|poderia|podia) (?:dizer|confirmar|indicar|explicar|enviar))",
    re.IGNORECASE,
)
_COURTESY = Pattern(
    [
        r"(?:please )?(?:do not|don't) hesitate|feel free|let me know if (?:you have|there are|there is|you need|i can|anything|you want|we can"
        r"|that works(?: for you)?\W*$)|please (?:find|see|note|be informed|accept|ignore|disregard|excuse|bear)"
        r"|look(?:ing)? forward to (?:seeing|meeting|working|speaking|talking|our)|if you have any questions|bei (?:rück)?fragen|zögern sie nicht"
        r"|n'hésitez pas|no dude en|não hesite|anbei finden|veuillez trouver|please and thank",
    ]
)
_WITHDRAWN = Pattern(
    [
        r"\b(?:never ?mind|please (?:disregard|ignore) (?:my|the|this|that) (?:\w+ )?(?:question|request|e-?mail|mail|message|query)|(?:disregard|ignore"
        r"|scratch|forget) (?:that|my (?:last|previous|earlier)? ?(?:question|request|query|e-?mail|mail|message))"
        r"|no longer (?:need(?:ed)?|necessary|relevant|required)(?: (?:an answer|your help|this|it|to know))?|(?:i|we)(?:'ve| have"
        r"| just)? (?:just )?(?:found (?:it|the answer|the file|out|the (?:setting|reason|cause))|figured (?:it|that) out|solved it|sorted it|worked it out"
        r"|got it (?:working|sorted|solved))"
        r"|(?:it|that|this)(?:'s| is| has been| was) (?:now |already |all )?(?:sorted|solved|resolved|answered|settled|taken care of)(?: (?:itself|now"
        r"|already|in the meantime|meanwhile))?|question (?:is |has been )?(?:answered|resolved|obsolete)"
        r"|hat sich (?:erledigt|geklärt)|hab(?:e|en)? (?:es|ihn|sie|die antwort) (?:inzwischen |schon |selbst )?gefunden|frage (?:ist )?(?:erledigt"
        r"|geklärt)|nicht mehr (?:nötig|notwendig)|vergessen sie(?: es| meine)"
        r"|(?:c'est|question) (?:réglé|résolu|trouvé|bon)e?\b|j'ai trouvé|laissez tomber|oubliez (?:ma|mon)|n'est plus (?:nécessaire|utile)"
        r"|ya (?:está (?:resuelto|solucionado)|lo (?:he )?encontr\w+|no (?:hace falta|es necesario))|olvid(?:e|a) (?:mi|lo)"
        r"|já (?:está (?:resolvido|tratado)|encontr\w+|não é (?:preciso|necessário))|esqueça (?:a|o))",
    ]
)
_SOLVED = Pattern(
    [
        r"^\W{0,3}(?:(?:thanks|thank you|great|perfect|ok|okay|yes|hi \w+)\b[^,.]{0,30}[,.:;-]+ )?all (?:good|clear|fine|well|set|sorted)"
        r"(?:[,.!]? (?:now|again|thanks|thank you|cheers)|\W*$)"
        r"|\b(?:all|everything|that|this|it|which|they|(?:the|our|your) [\w' -]{2,40}?) (?:now )?(?:is |are |seems? |has |have )?(?:been )?(?:all |now )?"
        r"(?:good|fine|well|clear|sorted|solved|resolved|fixed|settled|works?|working|runs?|running|loads?|loading|back to normal|up and running)"
        r"(?: \w+){0,2} (?:now|again|since(?: then)?)\b|\bback to normal\b|\bup and running (?:now|again)\b"
        r"|\b(?:problem|issue|concern|worry|worries|matter|trouble|question|point)s? (?:is|are|has been|have been|seems?(?: to be)?) (?:now |all |therefore )?"
        r"(?:gone|solved|resolved|fixed|sorted|settled|off the table|dealt with)\b|\bno longer (?:a |an |our |my |any )?(?:problem|issue|concern|worry)"
        r"|\b(?:that|this|which|you(?:'ve| have)?) (?:fixed|solved|resolved|sorted|settled|did) (?:it|that|this|everything|the \w+)\b"
        r"|\b(?:alles (?:wieder |jetzt |nun )?(?:gut|in ordnung|klar|erledigt)\b|(?:jetzt|nun|inzwischen|mittlerweile) (?:ist )?(?:alles |es )?(?:wieder )?"
        r"(?:gut|in ordnung|geklärt|gelöst|behoben|erledigt)|(?:funktioniert|läuft|geht|klappt) (?:\w+ )?(?:jetzt|nun|wieder|inzwischen)"
        r"|(?:problem|thema|fehler) (?:ist |hat sich )?(?:jetzt |nun |inzwischen |damit )?(?:gelöst|behoben|erledigt|geklärt))"
        r"|\btout (?:est )?(?:en ordre|réglé|rentré dans l'ordre|va bien|fonctionne)|\b(?:ça|cela|tout|il|elle) (?:re)?(?:marche|fonctionne)(?: bien)?"
        r" (?:maintenant|à nouveau|de nouveau)|\bproblèmes? (?:est|sont|a été) (?:maintenant )?(?:réglé|résolu)"
        r"|\b(?:ya )?(?:está )?todo (?:solucionado|resuelto|arreglado|en orden|bien (?:ahora|ya))|\bya (?:funciona|va bien)|\bproblema (?:ya )?(?:está|ha sido"
        r"|queda) (?:resuelto|solucionado)|\bjá (?:está (?:tudo )?(?:resolvido|bem|a funcionar|funcionando)|funciona)"
        r"|\btudo (?:resolvido|(?:certo|bem) agora)|\bproblema (?:já )?(?:está|foi|ficou) resolvido",
    ]
)
_NOT_YET = re.compile(
    r"\b(?:not|\w+n't|never(?! ?mind)|no(?! longer)|nothing|hardly|nor|if|once|when|whenever|until|unless|before|whether"
    r"|hop(?:e|ing)|hopefully|would|should|could|will|as soon as|but|however|although|though|except|said|says|told|claims?|claimed|supposed|supposedly"
    r"|promised|confirm\w*|expect\w*|want|need"
    r"|nicht|noch|kein\w*|nie|wenn|sobald|bis|falls|ob|hoff\w*|aber|soll\w*|pas|jamais|quand|lorsque|si|dès|jusqu\w*|espér\w*|espère\w*|mais"
    r"|cuando|hasta|espero|esperamos|pero|nunca|não|quando|até|se|mas)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class _Phrases:
    """What of each list may stand in one message."""

    request: Living
    courtesy: Living
    withdrawn: Living
    solved: Living

    @classmethod
    def of(cls, text: str) -> Self:
        low = text.replace("’", "'").lower()
        return cls(*(pattern.living(low) for pattern in (_REQUEST, _COURTESY, _WITHDRAWN, _SOLVED)))


class Sentence:
    """One sentence of a message, of which each thing is found out once. `start` and `end` are offsets into the message."""

    def __init__(self, text: str, start: int, end: int, phrases: _Phrases) -> None:
        self.start, self.end, self.text, self._phrases = start, end, text[start:end], phrases
        self.seen = " ".join(self.text[:SEEN].replace("’", "'").split()).lower()

    @cached_property
    def is_question(self) -> bool:
        if _PLEASANTRY.match(self.seen) or _RHETORICAL.match(self.seen) or _OWN_ANSWER.match(self.seen):
            return False
        return _MARK.search(self.text[-6:]) is not None or self._asks_without_mark

    @property
    def _asks_without_mark(self) -> bool:
        """ "Could you tell me when the fix comes." """
        return _INDIRECT.match(self.seen) is not None and not self._phrases.courtesy.is_in(self.seen)

    @property
    def wants_answer(self) -> bool:
        return self.is_question or (self._phrases.request.is_in(self.seen) and not self._phrases.courtesy.is_in(self.seen))

    @cached_property
    def is_withdrawal(self) -> bool:
        return self._phrases.withdrawn.is_in(self.seen)

    @property
    def is_over(self) -> bool:
        over = self._phrases.solved.is_in(self.seen) or self.is_withdrawal
        return over and _MARK.search(self.seen) is None and _NOT_YET.search(self.seen) is None


@lru_cache(maxsize=4)
def _read(text: str) -> Sequence[Sentence]:
    """Kept for the few questions that are asked of a message one after the other."""
    phrases = _Phrases.of(text)
    return tuple(Sentence(text, start, end, phrases) for start, end in sentences(text))


def questions(text: str) -> list[tuple[int, int]]:
    """Spans of direct questions that want something of us; pleasantries and rhetorical ones are left out."""
    return [(s.start, s.end) for s in _read(text) if s.is_question]


def is_answer_expected(text: str) -> bool:
    """Whether a message of ours asks the reader for something."""
    return any(s.wants_answer for s in _read(text))


def is_withdrawn(text: str) -> bool:
    """The writer takes a question back: never mind, found it."""
    return any(s.is_withdrawal for s in _read(text)[:12])


def solved(text: str) -> list[tuple[int, int]]:
    """Sentences that say that some trouble is over: all good now. A wish, a condition or a "but" says nothing of the kind."""
    return [(s.start, s.end) for s in _read(text)[:12] if s.is_over]
