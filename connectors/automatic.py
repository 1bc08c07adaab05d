"""Is a message written by a machine? Out-of-office replies, bounces, newsletters, notifications and calendar invites.

Headers decide where there are any. Where there are none (a CRM often drops them), subject and body decide, and then the
doubt goes to the person: a customer's words taken for a machine's are lost, while a machine's words taken for a customer's
are only noise. So "I am out of office on Friday, can we ..." is a person's mail.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

_SEEN = 4_000
"""Characters of subject and body looked at: a machine says so at once, and every pattern below stays fast."""

_ROBOT_HEADERS = ("x-autoreply", "x-autorespond", "x-autoresponse", "x-autoreply-from", "x-mail-autoreply", "x-failed-recipients")
_ROBOT_SENDER = re.compile(
    r"^(no-?_?reply|do-?_?not-?_?reply|mailer-daemon|postmaster|bounces?|notifications?|ne-pas-repondre|nicht-?antworten|nao-?responda"
    r"|no-?responder)([+._-][^@]*)?$"
)
_ADDRESS = re.compile(r"([^\s<>,;:\"']{1,100})@[^\s<>,;:\"']{1,200}")
_MAILTO = re.compile(r"mailto:", re.IGNORECASE)

_AUTO_SUBJECT = re.compile(
    r"""^\s*(\[[^\]]{1,40}\]\s*)?(
    # a machine's own prefix: certain
    automatic\ reply | auto[-\ ]?reply | auto[-\ ]?response | auto[-\ ]?responder | automated\ (reply|response|message)
    | out\ of\ (the\ )?office\ (auto[-\ ]?reply|reply|autoreply|message|notification) | vacation\ (auto[-\ ]?reply|response|reply)
    | automatische\ antwort | automatische\ r(ü|ue)ckantwort | abwesenheitsnotiz | abwesenheitsnachricht | abwesenheitsassistent
    | r(é|e)ponse\ automatique | message\ d['’]absence | notification\ d['’]absence | absence\ du\ bureau
    | respuesta\ autom(á|a)tica | contestaci(ó|o)n\ autom(á|a)tica | resposta\ autom(á|a)tica
    | risposta\ automatica | automatisch\ (antwoord|bericht) | afwezigheidsbericht | afwezigheidsassistent
    | autosvar | automatiskt?\ svar | automaattinen\ vastaus | odpowied(ź|z)\ automatyczna | automatyczna\ odpowied(ź|z)
    | automatick(á|a)\ odpov(ě|e)(ď|d) | 自動返信 | 自动回复 | 自動回覆 | 자동\ ?회신
    # bounces and receipts
    | undeliverable | undelivered\ mail | delivery\ status\ notification | mail\ delivery\ (failed|failure|system|subsystem)
    | delivery\ (failure|failed|delayed|incomplete)\b | returned\ mail | failure\ notice | message\ not\ delivered | warning:\ could\ not\ send
    | unzustellbar | nicht\ zustellbar | non\ remis | (é|e)chec\ de\ (la\ )?remise | no\ se\ puede\ entregar | no\ entregado
    | n(ã|a)o\ (foi\ )?entregue | falha\ na\ entrega | onbestelbaar | (read|gelesen|lu|le(í|i)do|lida|gelezen):\ .*\d\d?[:.]\d\d
    )""",
    re.IGNORECASE | re.VERBOSE,
)
_ABSENT_SUBJECT = re.compile(
    r"^\s*(out of (the )?office|ooo|on (annual |parental |maternity |paternity )?(leave|vacation|holiday)|away from (the )?office|abwesend"
    r"|abwesenheit|nicht im b(ü|ue)ro|im urlaub|absent|absence|en cong(é|e)s?|hors du bureau|fuera de (la )?oficina|ausente|ausencia|de vacaciones"
    r"|fora do escrit(ó|o)rio|aus(ê|e)ncia|de f(é|e)rias|fuori sede|assente|afwezig|niet op kantoor|op vakantie|borta|fravær)\b",
    re.IGNORECASE,
)
_INVITE_SUBJECT = re.compile(
    r"^\s*(updated invitation|invitation|accepted|declined|tentative(ly accepted)?|tentatively|cancell?ed( event)?|new time proposed"
    r"|einladung|aktualisierte einladung|angenommen|zugesagt|abgelehnt|abgesagt|mit vorbehalt|abgebrochen"
    r"|invitation mise à jour|acceptée?|refusée?|annulée?|provisoire|invitación( actualizada)?|aceptad[ao]|aceptó|rechazad[ao]|cancelad[ao]"
    r"|provisional|convite( atualizado)?|aceite|aceit[ao]|recusad[ao]|uitnodiging|geaccepteerd|geweigerd|geannuleerd|voorlopig)( event)?\s?:",
    re.IGNORECASE,
)
_INVITE_BODY = re.compile(
    r"BEGIN:VCALENDAR|invitation from google calendar|calendar\.google\.com/|teams\.microsoft\.com/l/meetup-join|microsoft teams[- ](meeting|besprechung)"
    r"|(has|hat|a|ha) (accepted|declined|canceled|cancelled|zugesagt|abgesagt|accepté|refusé|aceptado|rechazado|aceite|recusado) (this|the|diese|die|l'|cette|la|esta|o)\b"
    r"|^\*?(when|wann|quand|cuándo|cuando|quando|wanneer)\*?:? .{0,80}\d{1,2}[:.h]\d\d",
    re.IGNORECASE | re.MULTILINE,
)
_MACHINE_BODY = re.compile(
    r"this (is|was) an? (auto(matic(ally)?|mated)?)[- ]?(generated |sent )?(e-?mail|message|reply|response|notification)"
    r"|this (e-?mail|message) (is|was|has been) (automatically (generated|sent)|(generated|sent) automatically)"
    r"|(please )?do not (reply|respond) to this (e-?mail|message)|this mailbox is (not monitored|unattended)"
    r"|this is the mail system at host|delivery to the following recipients? (has )?failed|your message (could not be|wasn't|was not) delivered"
    r"|message you sent could not be delivered|i'm sorry to have to inform you that your message could not"
    r"|dies(e nachricht|e e-?mail| ist eine) (wurde )?automatisch (generierte?|erzeugte?|erstellte?|generiert|erstellt|erzeugt)"
    r"|bitte antworten sie nicht auf diese (e-?mail|nachricht)|ceci est un (e-?mail|message|courriel) automatique|merci de ne pas répondre à ce(t| message)"
    r"|este (es un )?(correo|mensaje) (ha sido |fue |es )?(generado |enviado )?autom(á|a)tic|no responda a este (correo|mensaje)"
    r"|esta (é uma )?mensagem (foi |é )?(gerada |enviada )?autom(á|a)tic|não responda (a )?est[ae] (e-?mail|mensagem)"
    r"|dit is een automatisch (gegenereerd )?(bericht|e-?mail)",
    re.IGNORECASE,
)
_ABSENT_BODY = re.compile(
    r"\bi('m| am|’m| will be)( currently| now| away and)? (out of (the |my )?office|on (annual |parental |maternity |paternity |sick )?(leave|vacation|holidays?|pto)"
    r"|away from (the |my )?(office|desk)|travell?ing)|\bcurrently out of (the )?office"
    r"|\bich bin (derzeit|zurzeit|zur zeit|aktuell|momentan|leider|bis|vom|ab|im|nicht|in).{0,60}(nicht im (büro|haus|hause)|abwesend|urlaub|nicht erreichbar|elternzeit|außer haus)"
    r"|\bje suis (actuellement |absente?|en cong|en déplacement|hors du bureau)|\b(estoy|estaré|me encuentro) (actualmente )?(fuera de|de vacaciones|ausente)"
    r"|\b(estou|estarei|encontro-me) (atualmente |atualmente )?(fora d|de férias|ausente)|\bik ben (momenteel |op dit moment )?(afwezig|niet (aanwezig|op kantoor)|met vakantie|op vakantie)"
    r"|\bsono (attualmente )?(fuori (sede|ufficio)|assente|in ferie)",
    re.IGNORECASE,
)
_FORMULA_BODY = re.compile(
    r"limited access to (my )?(e-?mails?|inbox)|no access to (my )?e-?mails?|without access to e-?mail|(up)?on my return|when i (return|am back|get back)"
    r"|in my absence|during my absence|in urgent cases?|for urgent|if (this|it|your (matter|request|e-?mail)) is urgent|(e-?mails?|messages?) will not be (read|forwarded)"
    r"|respond to your (e-?mail|message)|thank(s| you) for your (e-?mail|message|mail)"
    r"|vielen dank für (ihre|deine) (nachricht|e-?mail|mail)|in dringenden (fällen|angelegenheiten)|nicht weitergeleitet|nach meiner rückkehr|meine vertretung"
    r"|en cas d['’]urgence|à mon retour|pendant mon absence|pour toute urgence|en caso de urgencia|a mi (regreso|vuelta)|para (asuntos|temas) urgentes"
    r"|em caso de urgência|no meu regresso|quando (eu )?(voltar|regressar|retornar)|assuntos urgentes|bij (spoed|dringende)|tijdens mijn afwezigheid|in caso di urgenza|al mio (rientro|ritorno)",
    re.IGNORECASE,
)
_IN_BROWSER = re.compile(
    r"view (this )?(e-?mail |message |newsletter |it )?(in|on) (your |a |the )?(web )?browser|im browser (an(sehen|zeigen)|öffnen|lesen)|online-?version"
    r"|voir (cet e-?mail |la version )?(dans (votre|le) navigateur|en ligne)|ver (este )?(correo |e-?mail |mensaje )?(en (el|tu|su)|no) navegador|bekijk .{0,30}browser",
    re.IGNORECASE,
)
_UNSUBSCRIBE = re.compile(
    r"unsubscribe|manage (your )?(e-?mail )?preferences|abbestellen|abmelden|se désabonner|désinscri|darse de baja|cancelar (la |a )?(suscripción|subscrição|inscrição)"
    r"|uitschrijven|afmelden",
    re.IGNORECASE,
)
_QUOTE_STARTS = re.compile(
    r"^(>|-{3,} ?\w|_{10,}|\*?(from|von|de|van|da)\s?:\*? |(on|am|le|el|em|op|il) [^\n]{8,200}(wrote|schrieb|écrit|escribió|escreveu|schreef|scritto)[^\n]{0,80}:)",
    re.IGNORECASE | re.MULTILINE,
)


def is_automatic(headers: Mapping[str, str], subject: str, body: str) -> bool:
    """True for a machine's message. `headers` may be empty, its names in any case; a repeated header gives any one value."""
    known = {name.lower(): value[:_SEEN].strip() for name, value in headers.items()}
    if _sent_by_machine(known) or _sent_to_a_list(known):
        return True
    return _reads_as_machine(subject[:_SEEN], body)


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
    found = _ADDRESS.search(sender.lower())
    return found is not None and _ROBOT_SENDER.match(found[1]) is not None


def _sent_to_a_list(headers: Mapping[str, str]) -> bool:
    """A newsletter. Not a list that takes posts (List-Post): a customer's mail to support@us often comes through such a
    group, and the person wrote it all the same. Nor an answer: newsletters start threads."""
    if headers.get("precedence", "").lower() == "auto_reply":
        return True
    takes_posts = _MAILTO.search(headers.get("list-post", "")) is not None
    if takes_posts or headers.get("in-reply-to"):
        return False
    bulk = headers.get("precedence", "").lower() in ("bulk", "list", "junk")
    return bulk or "list-unsubscribe" in headers or "list-id" in headers


def _reads_as_machine(subject: str, body: str) -> bool:
    if _AUTO_SUBJECT.match(subject):
        return True
    own = _above_quotes(body)
    if _MACHINE_BODY.search(own):
        return True
    if _INVITE_SUBJECT.match(subject) and (not own.strip() or _INVITE_BODY.search(own)):
        return True
    if _IN_BROWSER.search(own) and _UNSUBSCRIBE.search(body[-_SEEN:]):
        return True
    return _reads_as_absence(subject, own)


def _reads_as_absence(subject: str, own: str) -> bool:
    """An out-of-office text: it says so, in a formula, and asks nothing."""
    if "?" in own:
        return False
    absent = _ABSENT_BODY.search(own) is not None
    if _ABSENT_SUBJECT.match(subject):
        return absent or not own.strip()
    return absent and _FORMULA_BODY.search(own) is not None


def _above_quotes(body: str) -> str:
    seen = body[:_SEEN]
    quote = _QUOTE_STARTS.search(seen)
    return seen[: quote.start()] if quote else seen
