"""Is a message written by a machine? Out-of-office replies, bounces, newsletters, notifications and calendar invites.

Headers decide where there are any. Where there are none (a CRM often drops them), subject and body decide, and then the
doubt goes to the person: a customer's words taken for a machine's are lost, while a machine's words taken for a customer's
are only noise. So "I am out of office on Friday, can we ..." is a person's mail, and so is a complaint about an automatic reply.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from connectors.addresses import addresses

_SEEN = 4_000
"""Characters of subject and body looked at: a machine says so at once, and every pattern below stays fast."""

_ROBOT_HEADERS = ("x-autoreply", "x-autorespond", "x-autoresponse", "x-autoreply-from", "x-mail-autoreply", "x-failed-recipients")
_ROBOT_SENDER = re.compile(
    r"(no-?_?reply|do-?_?not-?_?reply|mailer-daemon|postmaster|bounces?|notifications?|newsletters?|news|mailings?|marketing|ne-pas-repondre|nicht-?antworten|nao-?responda"
    r"|no-?responder|microsoftexchange[0-9a-f]{16,})([+._-].*)?|.*[+._-](no-?_?reply|do-?not-?reply|notifications?)"
)

# All patterns below read text in lower case, with plain apostrophes and blanks.

_AUTO_SUBJECT = re.compile(
    r"""\s*(\[[^\]]{1,40}\]\s*)?(
    automatic\ reply | auto[-\ ]?reply | auto[-\ ]?response | auto[-\ ]?responder | automated\ (reply|response|message)
    | out\ of\ (the\ )?office\ (auto[-\ ]?reply|reply|message|notification) | vacation\ (auto[-\ ]?reply|response|reply)
    | automatische\ antwort | automatische\ r(ü|ue)ckantwort | abwesenheitsnotiz | abwesenheitsnachricht | abwesenheitsassistent
    | r(é|e)ponse\ automatique | message\ d'absence | notification\ d'absence
    | respuesta\ autom(á|a)tica | contestaci(ó|o)n\ autom(á|a)tica | resposta\ autom(á|a)tica
    | risposta\ automatica | automatisch\ (antwoord|bericht) | afwezigheidsbericht | afwezigheidsassistent
    | autosvar | automatiskt?\ svar | automaattinen\ vastaus | odpowied(ź|z)\ automatyczna | automatyczna\ odpowied(ź|z)
    | automatick(á|a)\ odpov(ě|e)(ď|d) | 自動返信 | 自动回复 | 自動回覆 | 자동\ ?회신
    )\s*(?P<certain>:|：|-\ |–|re:|aw:)?""",
    re.VERBOSE,
)
"""A machine's own prefix, which a colon follows. "Automatic reply rule is broken" is a person's."""
_RETURNED_SUBJECT = re.compile(
    r"""\s*(\[[^\]]{1,40}\]\s*)?(
    undeliverable | undelivered\ mail | delivery\ status\ notification | mail\ delivery\ (failed|failure|system|subsystem)
    | delivery\ (failure|failed|delayed|incomplete)\b | returned\ mail | failure\ notice | message\ not\ delivered | warning:\ could\ not\ send
    | unzustellbar | nicht\ zustellbar | non\ remis | (é|e)chec\ de\ (la\ )?remise | no\ se\ puede\ entregar | no\ entregado
    | n(ã|a)o\ (foi\ )?entregue | falha\ na\ entrega | onbestelbaar | (read|gelesen|lu|le(í|i)do|lida|gelezen)\s?:
    )""",
    re.VERBOSE,
)
_RETURNED_BODY = re.compile(
    r"delivery to the following recipients?|mail (system|delivery) (at host|subsystem|system)|mailer-daemon|(could not|couldn't|wasn't|was not|can't) be delivered"
    r"|message (wasn't|was not|has not been) delivered|\b[45]\d\d[- ][45]\.\d\.\d|diagnostic code|remote server|recipient address rejected|user unknown|mailbox (full|unavailable)"
    r"|permanent (fatal )?error|message will be retried|konnte nicht zugestellt werden|zustellung .{0,80}fehlgeschlagen|n'a pas pu être remis|n'a pas été remis|no se (ha podido|pudo) entregar"
    r"|não (pôde|foi possível) (ser )?entreg|was read on|wurde am .{0,40}gelesen|a été lu le|se leyó el|foi lida em"
)
_ABSENT_SUBJECT = re.compile(
    r"\s*(out of (the )?office|ooo|on (annual |parental |maternity |paternity )?(leave|vacation|holiday)|away from (the )?office|abwesend"
    r"|abwesenheit|nicht im b(ü|ue)ro|im urlaub|absent|absence|en cong(é|e)s?|hors du bureau|fuera de (la )?oficina|ausente|ausencia|de vacaciones"
    r"|fora do escrit(ó|o)rio|aus(ê|e)ncia|de f(é|e)rias|fuori sede|assente|afwezig|niet op kantoor|op vakantie|borta|fravær)\b"
)
_INVITE_SUBJECT = re.compile(
    r"\s*(updated invitation|invitation|accepted|declined|tentative(ly accepted)?|tentatively|cancell?ed( event)?|new time proposed"
    r"|einladung|aktualisierte einladung|angenommen|zugesagt|abgelehnt|abgesagt|mit vorbehalt|abgebrochen"
    r"|invitation mise à jour|acceptée?|refusée?|annulée?|provisoire|invitación( actualizada)?|aceptad[ao]|aceptó|rechazad[ao]|cancelad[ao]"
    r"|provisional|convite( atualizado)?|aceite|aceit[ao]|recusad[ao]|uitnodiging|geaccepteerd|geweigerd|geannuleerd|voorlopig)( event)?\s?:"
)
_INVITE_BODY = re.compile(
    r"begin:vcalendar|invitation from google calendar|calendar\.google\.com/|teams\.microsoft\.com/l/meetup-join|microsoft teams[- ](meeting|besprechung)"
    r"|\b(has|hat|a|ha) (accepted|declined|canceled|cancelled|zugesagt|abgesagt|accepté|refusé|aceptado|rechazado|aceite|recusado) (this|the|diese|die|l'|cette|la|esta|o) ?(invitation|meeting|event|einladung|besprechung|réunion|invitación|reunión|convite|reunião|evento)\b"
    r"|^\*?(when|wann|quand|cuándo|cuando|quando|wanneer)\*? ?:? .{0,60}\b20\d\d\b.{0,20}\d{1,2}([:.h]\d\d| ?[ap]m)",
    re.MULTILINE,
)
_SENTENCE = r"(?:^|(?<=[.!\n])|(?<=[.!] )|(?<=[*_~=-]))[ *_~=-]{0,5}"
_MACHINE_BODY = re.compile(
    _SENTENCE + r"(?:please note(?: that|:)? |note: |hinweis: )?(?:"
    r"(message|e-?mail|notice|letter) (was|is|has been) (created|generated|produced|issued) automatically"
    r"|you (receive|received|are receiving|get|are getting) this (newsletter|letter|e-?mail|message|mailing) (because|as)\b"
    r"|(change|manage|end|cancel) (your|this) (e-?mail )?subscription"
    r"|this (is|was) an? (auto(matic(ally)?|mated)?|system)[- ]?(generated |sent )?(e-?mail|message|reply|response|notification)"
    r"|this (e-?mail|message|reply|notification) (is|was|has been) (automatically (generated|sent)|(generated|sent) automatically|auto-?generated)"
    r"|this is the mail system at host|i'm sorry to have to inform you that your message could not"
    r"|die(s|se) (nachricht|e-?mail) (wurde|ist|wird) (ein )?automatisch (generiert|erstellt|erzeugt|versendet|verschickt)"
    r"|dies ist eine automatisch (generierte|erzeugte|erstellte|versendete|verschickte)|dies ist eine automatische (nachricht|e-?mail|antwort|benachrichtigung)"
    r"|bitte antworten sie nicht auf diese (e-?mail|nachricht)|ceci est un (e-?mail|message|courriel) automatique|(cet? (e-?mail|message|courriel)) (a été|est) (généré|envoyé) automatiquement"
    r"|merci de ne pas répondre à ce(t| message)|est[ea] (es un )?(correo|mensaje)( electrónico)? (ha sido |fue |es )?(generado |enviado )?autom(á|a)tic|este es un (correo|mensaje) autom(á|a)tico"
    r"|(por favor,? )?no responda a este (correo|mensaje)|esta (é uma )?mensagem (foi |é )?(gerada |enviada )?autom(á|a)tic|(por favor,? )?não responda (a )?est[ae] (e-?mail|mensagem)"
    r"|dit is een automatisch (gegenereerd )?(bericht|e-?mail)"
    r")"
)
_UNATTENDED = re.compile(
    r"(do not|don't) (reply|respond) (directly )?to this (e-?mail|message)|this (mailbox|inbox|e-?mail address|address) is (not monitored|unmonitored|unattended)"
)
_AUTOMATED = re.compile(r"\bautomat|\bgenerated\b|not monitored|unmonitored|unattended|no-?reply@")
_ABSENT_BODY = re.compile(
    r"\bi('m| am| will be)( currently| now| away and)? (out of (the |my )?office|on (annual |parental |maternity |paternity |sick )?(leave|vacation|holidays?|pto)"
    r"|away from (the |my )?(office|desk)|travell?ing)|\bcurrently out of (the )?office"
    r"|\bich bin (derzeit|zurzeit|zur zeit|aktuell|momentan|leider|bis|vom|ab|im|nicht|in).{0,60}(nicht im (büro|haus|hause)|nicht da\b|abwesend|urlaub|nicht erreichbar|elternzeit|außer haus)"
    r"|\bich bin nicht (da\b|im (büro|haus)|erreichbar)|\bje suis (actuellement |absente?|en cong|en déplacement|hors du bureau)|\b(estoy|estaré|me encuentro) (actualmente )?(fuera de|de vacaciones|ausente)"
    r"|\b(estou|estarei|encontro-me) (atualmente |de momento )?(fora d|de férias|ausente)|\bik ben (momenteel |op dit moment )?(afwezig|niet (aanwezig|op kantoor)|met vakantie|op vakantie)"
    r"|\bsono (attualmente )?(fuori (sede|ufficio)|assente|in ferie)"
)
_FORMULA_BODY = re.compile(
    r"limited access to (my )?(e-?mails?|inbox)|no access to (my )?e-?mails?|without access to e-?mail|(up)?on my return|when i (return|am back|get back)"
    r"|in my absence|during my absence|in urgent cases?|for urgent|if (this|it|your (matter|request|e-?mail)) is urgent|(e-?mails?|messages?) will not be (read|forwarded)"
    r"|respond to your (e-?mail|message)|thank(s| you) for your (e-?mail|message|mail)"
    r"|vielen dank für (ihre|deine) (nachricht|e-?mail|mail)|in dringenden (fällen|angelegenheiten)|nicht weitergeleitet|nach meiner rückkehr|meine vertretung"
    r"|en cas d'urgence|à mon retour|pendant mon absence|pour toute urgence|en caso de urgencia|a mi (regreso|vuelta)|para (asuntos|temas) urgentes"
    r"|em caso de urgência|no meu regresso|quando (eu )?(voltar|regressar|retornar)|assuntos urgentes|bij (spoed|dringende)|tijdens mijn afwezigheid|in caso di urgenza|al mio (rientro|ritorno)"
)
_ABOUT_ABSENCE = re.compile(
    r"@|\d{5}|\d[./]\d|\b(mon|tues|wednes|thurs|fri|satur|sun)day|\b(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\b|\b(montag|dienstag|mittwoch|donnerstag|freitag|januar|februar|märz|mai|juni|juli|oktober|dezember)"
    r"|office|\bleave|vacation|holiday|\baway\b|absen|travel|\bpto\b|\bback\b|return|urgent|emergenc|contact|\breach|\bcall\b|phone|e-?mail|message|\brepl|respon|access|inbox|available|assist|colleague|thank"
    r"|büro|urlaub|abwesen|erreich|elternzeit|dienstreise|zurück|rückkehr|nicht da\b|wieder da\b|dringend|notf(a|ä)ll|vertret|wenden|kontakt|nachricht|weitergeleitet|antwort|kolleg|vielen dank"
    r"|bureau|congé|déplacement|retour|urgence|joindre|adresse|courriel|répon|collègue|merci|accès|disponible"
    r"|oficina|vacaciones|ausen|\bfuera\b|vuelta|regres|urg(e|ê)n|llam|escrib|mensaje|correo|gracias|acceso|compañer"
    r"|escritório|férias|\bfora\b|voltar|retorn|contat|\bligue|\bligar|mensagem|obrigad|acesso|colega"
    r"|kantoor|vakantie|afwez|terug|spoed|bericht|bereikbaar|collega|bedankt|ufficio|ferie|assen|rientro|ritorno|messaggio|risp|grazie"
)
_CLAUSE_ENDS = re.compile(r"[,;:!\n]|(?<!\d)\.(?:\s|$)| (?:and|but|so|however|und|aber|sonst|et|mais|y|pero|e|mas|en|maar|ma) ")
_SIGN_OFF = re.compile(
    r"\n(?:--|best|kind|warm|many thanks|regards|sincerely|mit freundlichen|(?:viele|beste|schöne|freundliche) grüße|cordialement|bien à vous|(?:un )?saludos?|atentamente"
    r"|(?:com os melhores )?cumprimentos|atenciosamente|met vriendelijke|cordiali)"
)
_TO_SOMEBODY = re.compile(
    r"\s*(hi|hello|hey|dear|good (morning|afternoon)|hallo|guten tag|liebe[rs]?|sehr geehrte[rs]?( frau| herr)?|bonjour|cher|chère|hola|estimad[oa]|buenos días|olá|oi|bom dia|caro|cara|prezad[oa])"
    r" (?!all\b|everyone|everybody|there|team\b|sender|sir|madam|customer|zusammen|damen|absender|à tous|tou(te)?s\b|a todos|todos|remitente|remetente|client)[^\W\d_]{2,}"
)
"""A greeting by name: machines do not know whom they answer."""
_IN_BROWSER = re.compile(
    r"^.{0,80}\b(view (this )?(e-?mail |message |newsletter |it )?(in|on) (your |a |the )?(web )?browser|im browser (an(sehen|zeigen)|öffnen|lesen)|online-?version"
    r"|voir (cet e-?mail |la version )?(dans (votre|le) navigateur|en ligne)|ver (este )?(correo |e-?mail |mensaje )?(en (el|tu|su)|no) navegador|bekijk .{0,30}browser).{0,60}$",
    re.MULTILINE,
)
_UNSUBSCRIBE = re.compile(
    r"unsubscribe|manage (your )?(e-?mail )?preferences|abbestellen|abmelden|se désabonner|désinscri|darse de baja|cancelar (la |a )?(suscripción|subscrição|inscrição)"
    r"|uitschrijven|afmelden"
)
_QUOTE_STARTS = re.compile(
    r"^(>|-{3,} ?\w|_{10,}|\*?(from|von|de|van|da)\s?:\*? |(on|am|le|el|em|op|il) [^\n]{8,200}(wrote|schrieb|écrit|escribió|escreveu|schreef|scritto)[^\n]{0,80}:)",
    re.MULTILINE,
)
_ADDRESS_OF_WEB = re.compile(r"https?://\S{1,500}")
_FIRST_PERSON = re.compile(r"\b(i|i'm|i've|my|ich|mein|meine|je|j'ai|mon|ma|yo|mi|eu|meu|minha)\b")
_SHORT = 200
_FEW_WORDS = 3


def is_automatic(headers: Mapping[str, str], subject: str, body: str) -> bool:
    """True for a machine's message. `headers` may be empty, its names in any case; a repeated header gives any one value."""
    known = {name.lower(): value[:_SEEN].strip() for name, value in headers.items()}
    if _sent_by_machine(known) or _sent_to_a_list(known):
        return True
    return _reads_as_machine(_tidy(subject), _tidy(body), _tidy(body[-_SEEN:]))


def _tidy(text: str) -> str:
    return text[:_SEEN].lower().replace("’", "'").replace("\xa0", " ").replace("\r\n", "\n")


def _sent_by_machine(headers: Mapping[str, str]) -> bool:
    content_type = headers.get("content-type", "").lower()
    return (
        headers.get("auto-submitted", "no").lower().partition(";")[0].strip() not in ("no", "")
        or any(headers.get(name, "no").lower() not in ("no", "") for name in _ROBOT_HEADERS)
        or headers.get("x-auto-response-suppress", "").lower() == "all"
        or headers.get("x-ms-exchange-generated-message-source", "").lower() == "mailbox rules agent"
        or headers.get("return-path", "") == "<>"
        or content_type.startswith(("multipart/report", "message/delivery-status"))
        or (content_type.startswith("text/calendar") and "method=" in content_type)
        or _is_robot(headers.get("from", ""))
    )


def _is_robot(sender: str) -> bool:
    local = next((address.rpartition("@")[0] for address in addresses(sender)), "")
    return _ROBOT_SENDER.fullmatch(local) is not None


def _sent_to_a_list(headers: Mapping[str, str]) -> bool:
    """A newsletter. Not a list that takes posts (List-Post): a customer's mail to support@us often comes through such a
    group, and the person wrote it all the same. Nor an answer: newsletters start threads."""
    if headers.get("precedence", "").lower() == "auto_reply":
        return True
    if "mailto:" in headers.get("list-post", "").lower() or headers.get("in-reply-to"):
        return False
    bulk = headers.get("precedence", "").lower() in ("bulk", "list", "junk")
    return bulk or "list-unsubscribe" in headers or "list-id" in headers


def _reads_as_machine(subject: str, body: str, end: str) -> bool:
    own = _above_quotes(body)
    prefix = _AUTO_SUBJECT.match(subject)
    if (prefix and prefix["certain"]) or _is_receipt(subject, body, own):
        return True
    if not own.strip() or _TO_SOMEBODY.match(own):
        return False
    flat = _on_one_line(own)
    return _is_newsletter(own, end) or _says_it_is_a_machine(flat) or _reads_as_absence(subject, _on_one_line(_before_sign_off(own)))


def _is_receipt(subject: str, body: str, own: str) -> bool:
    """A bounce, an invitation or an answer to one: by its subject, and by its body if it has any words."""
    if not own.strip():
        return any(pattern.match(subject) for pattern in (_AUTO_SUBJECT, _RETURNED_SUBJECT, _INVITE_SUBJECT, _ABSENT_SUBJECT))
    if _INVITE_SUBJECT.match(subject):
        return _INVITE_BODY.search(own) is not None
    return _RETURNED_SUBJECT.match(subject) is not None and _RETURNED_BODY.search(_on_one_line(body)) is not None


def _is_newsletter(own: str, end: str) -> bool:
    return _IN_BROWSER.search(own) is not None and _UNSUBSCRIBE.search(end) is not None


def _says_it_is_a_machine(own: str) -> bool:
    """In a sentence of its own; who quotes such a sentence speaks of themselves before it, or asks."""
    if "?" in own:
        return False
    said = _MACHINE_BODY.search(own)
    if said is None and (said := _UNATTENDED.search(own)) and not _AUTOMATED.search(own):
        return False
    return said is not None and _FIRST_PERSON.search(own, 0, said.start()) is None


def _reads_as_absence(subject: str, own: str) -> bool:
    """An out-of-office text: it says so, in formulas, and speaks of nothing else; who asks or tells anything besides is a person."""
    if "?" in own or not _ABSENT_BODY.search(own):
        return False
    if any(len(clause.split()) > _FEW_WORDS and not _ABOUT_ABSENCE.search(clause) for clause in _CLAUSE_ENDS.split(own)):
        return False
    announced = _ABSENT_SUBJECT.match(subject) or _AUTO_SUBJECT.match(subject)
    return announced is not None or len(own) < _SHORT or len({found.group() for found in _FORMULA_BODY.finditer(own)}) > 1


def _before_sign_off(own: str) -> str:
    end = _SIGN_OFF.search(own)
    return own[: end.start()] if end else own


def _above_quotes(body: str) -> str:
    quote = _QUOTE_STARTS.search(body)
    return body[: quote.start()] if quote else body


def _on_one_line(text: str) -> str:
    """Mail programs break lines within a sentence; an empty line ends one. Links and the question marks in them are left out."""
    paragraphs = (" ".join(p.split()) for p in _ADDRESS_OF_WEB.sub("", text).split("\n\n"))
    return "\n".join(p for p in paragraphs if p)
