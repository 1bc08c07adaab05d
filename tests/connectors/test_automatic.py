"""Person or machine? A person's words taken for a machine's are lost, so every rule is tried on people who write about such things."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.automatic import is_automatic

PEOPLE = {
    # absences
    ("Re: contract", "Hi Ann, I am out of office on Friday, can we talk on Thursday instead?"),
    ("Absence next week", "Hi Ann,\n\nI am out of the office next week, so please have the contract ready by Thursday. Tim signs in my absence.\n\nBo"),
    (
        "Out of office",
        "Dear Ann,\n\nI am out of the office from Monday and will not renew on my return unless the export works. For urgent matters call me.\n\nBo",
    ),
    ("Abwesenheit im Mai", "Hallo Ann,\n\nich bin im Mai im Urlaub, meine Vertretung ist Tim. Die Rechnung stimmt immer noch nicht.\n\nBo"),
    ("Urlaub", "Liebe Ann,\nich bin bis 5. Mai nicht im Büro. Vielen Dank für Ihre Nachricht, aber das Angebot ist zu teuer.\nBo"),
    ("Congés", "Bonjour Claire,\n\nje suis en congés la semaine prochaine, merci d'envoyer le contrat avant. En cas d'urgence, appelez Luc.\n\nBo"),
    ("Vacaciones", "Hola Ana,\n\nestaré de vacaciones en mayo; a mi vuelta decidimos si seguimos con vosotros. En caso de urgencia, Luis.\n\nBo"),
    ("Férias", "Olá Ana,\n\nestarei de férias em maio. Quando voltar, falamos sobre o preço. Assuntos urgentes: Rui.\n\nBo"),
    ("", "Half of my team is on vacation and nobody logs in. When I am back we should talk about the number of seats."),
    ("OOO coverage", "While I'm on parental leave, Dana takes over. She has doubts about the renewal, so please call her."),
    ("Out of office", "I am out of office next week. The contract is not acceptable to us in this form."),
    ("", "Thanks for your email. I am travelling this week and our CFO still thinks the price is too high."),
    ("Re: renewal", "Thank you for your message. I'm on vacation until Monday, but the answer is no: we will not renew."),
    ("Quick note", "Ich bin ab morgen im Urlaub. Bis dahin brauchen wir eine Lösung, sonst kündigen wir. In dringenden Fällen bitte Tim anrufen."),
    ("Re: devis", "Merci pour votre message. Je suis en déplacement, mais le devis ne nous convient pas."),
    ("Vacaciones", "Estoy de vacaciones desde mañana. El proyecto va mal y a mi vuelta hablaremos de la cancelación."),
    ("Re: proposta", "Obrigado. Estou de férias esta semana, mas o preço é demasiado alto."),
    # complaints about machines
    ("Automatic reply rule is broken", "Since the update our automatic reply rule sends two answers."),
    ("Auto-reply feature", "We need the auto-reply feature before the renewal."),
    ("Out of office message not sent", "Our out of office message is not sent by your product any more."),
    ("Automatische Antwort funktioniert nicht", "Die automatische Antwort funktioniert seit gestern nicht."),
    ("Réponse automatique en panne", "La réponse automatique ne part plus depuis hier."),
    ("Respuesta automática no funciona", "La respuesta automática no funciona desde ayer."),
    ("Resposta automática com erro", "A resposta automática não funciona desde ontem."),
    ("Nobody answers", "I write to support and all I get is: This is an automated message. Nobody ever answers."),
    ("Support", "My last three mails were answered by a robot.\n\nThis is an automated message, do not reply.\n\nThat is all we get for this price."),
    ("Re: support", "This mailbox is not monitored? I have been waiting for two weeks."),
    ("Leaving", "Please do not reply to this email, I am leaving the company on Friday. Write to Tim."),
    ("Delivery failed again", "You promised the rollout by March and delivery failed again. Our board wants to cancel."),
    ("Delivery delayed", "The delivery is delayed for the third time. We are losing patience."),
    ("Undeliverable promises", "These were undeliverable promises from the start."),
    ("Unzustellbar", "Eure Newsletter sind bei uns unzustellbar, bitte behebt das."),
    ("Lu : votre proposition", "Nous avons lu votre proposition et elle est trop chère."),
    ("No entregado: informe de marzo", "El informe de marzo sigue sin llegar y estamos muy decepcionados."),
    ("Não entregue: relatório", "O relatório ainda não chegou e a equipa está descontente."),
    ("Fwd: Automatic reply: contract", "See below, he is away until May. What do we do?"),
    ("Re: Automatic reply: contract", "Welcome back! The export is still broken."),
    ("Read: our complaint", "Please read our complaint again."),
    ("Failure notice for your product", "The import fails every night."),
    ("Automatic response times", "Your automatic response times are terrible."),
    ("Automatic reply", "Your automatic reply never stops. Please fix it, we are annoyed."),
    # invitations
    ("Invitation: steering committee", "When: Thursday at 10:00. We need to talk about the failed migration, it cannot go on like this."),
    ("[EXT] Cancelled: subscription", "We cancel our subscription."),
    ("Declined: QBR", "Sorry, I have declined the meeting because nothing has changed since the last one."),
    ("Accepted: your offer", "We accept the offer under the condition that the export works by June."),
    ("Declined: price increase", "Our board has declined the price increase. We will look at others."),
    ("Invitation: user group", "I would like to invite you to our user group, but only if the outages are solved."),
    ("Einladung: Lenkungskreis", "Wir laden euch ein, obwohl das Projekt uns große Sorgen macht."),
    ("Annulé : notre contrat", "Nous annulons le contrat à la fin du mois."),
    ("Cancelado: contrato", "Cancelamos el contrato a final de mes."),
    ("Cancelado: contrato", "Cancelámos o contrato no fim do mês."),
    # newsletters
    ("Newsletter online-version", "Die Online-Version eures Newsletters ist kaputt, abmelden geht auch nicht. Das nervt."),
    ("Newsletter", "I do not want your newsletter any more. I clicked unsubscribe three times and still get it."),
    ("Your mails", "Hi Ann, the link to view this email in your browser is dead, and so is unsubscribe. It looks unprofessional."),
    ("Abmelden", "Ich möchte mich von eurem Newsletter abmelden, wie geht das?"),
    ("Désabonnement", "Comment se désabonner de votre lettre ? Le lien ne marche pas."),
    ("Baja", "Quiero darme de baja del boletín, el enlace no funciona."),
    # answers above a machine's words
    (
        "Re: your ticket",
        "Still broken.\n\nOn Mon, 2 Mar 2026 at 10:00, Desk <desk@ours.example> wrote:\n> This is an automated message. Do not reply to this email.",
    ),
    ("AW: Ticket", "Immer noch kaputt.\n\nAm Mo., 2. März 2026 um 10:00 Uhr schrieb Desk <desk@ours.example>:\n> Dies ist eine automatische Nachricht."),
    ("Re: out", "Fine with us.\n\nFrom: Bo\nSent: Monday\nSubject: Automatic reply\n\nI am out of the office. In urgent cases call Tim."),
}

MACHINES = {
    ("Automatic reply: contract", "I am away until 5 May."),
    ("[EXTERNAL] Automatic reply: contract", ""),
    ("Auto-Reply: contract", "Back on Monday"),
    ("Out of Office AutoReply: contract", "x"),
    ("Automatische Antwort: Vertrag", "Ich bin bis 5. Mai nicht im Büro."),
    ("Abwesenheitsnotiz", "Guten Tag, ich bin nicht da."),
    ("Réponse automatique : contrat", "Je suis absent."),
    ("Respuesta automática: contrato", "Estoy fuera."),
    ("Resposta automática: contrato", "Estou fora."),
    ("Automatisch antwoord: contract", "Ik ben afwezig."),
    ("Out of office", "I am out of the office until 5 May."),
    (
        "Out of office Re: contract",
        "Hello,\n\nThank you for your email. I am currently out of the\noffice with limited access to email. In urgent cases, call Tim.\n\nBo",
    ),
    (
        "Re: contract",
        "Thank you for your message. I'm on annual leave until 5 May and will respond to your email on my return. In urgent cases write to tim@x.example.",
    ),
    ("Nicht im Büro", "Vielen Dank für Ihre Nachricht. Ich bin bis zum 5. Mai nicht im Büro. In dringenden Fällen wenden Sie sich an Tim."),
    ("Re: Vertrag", "Sehr geehrte Damen und Herren,\nvielen Dank für Ihre E-Mail. Ich bin derzeit im Urlaub. Ihre Nachricht wird nicht weitergeleitet."),
    ("Absence", "Bonjour,\n\nJe suis absent jusqu'au 5 mai. En cas d'urgence, contactez Luc.\n\nBo"),
    ("Fuera de la oficina", "Hola, estoy fuera de la oficina hasta el 5 de mayo. En caso de urgencia, escriba a Luis."),
    ("Ausência", "Olá, estou de férias até 5 de maio. Em caso de urgência, contacte o Rui."),
    ("Undeliverable: contract", "Delivery to the following recipients failed: bo@theirs.example"),
    ("Mail delivery failed: returning message to sender", "A message that you sent could not be delivered to one or more of its recipients."),
    ("Delivery Status Notification (Failure)", "Message not delivered. The remote server said: 550 5.1.1 user unknown"),
    ("Unzustellbar: Vertrag", "Ihre Nachricht konnte nicht zugestellt werden."),
    ("Non remis : contrat", "Votre message n'a pas pu être remis."),
    ("Read: contract", "Your message\n\nTo: Bo\nSubject: contract\n\nwas read on Tuesday, 3 March 2026 10:00:00."),
    ("Accepted: Weekly sync", ""),
    ("Zugesagt: Jour fixe", " \n"),
    (
        "Invitation: Weekly sync @ Tue 3 Mar 2026 10am (bo@theirs.example)",
        "You have been invited to the following event.\nWhen: Tue 3 Mar 2026 10:00 - 10:30\nInvitation from Google Calendar: https://calendar.google.com/",
    ),
    ("Accepted: Weekly sync @ Tue 3 Mar", "bo@theirs.example has accepted this invitation."),
    ("Einladung: Jour fixe", "Microsoft Teams-Besprechung\nNehmen Sie teil: https://teams.microsoft.com/l/meetup-join/abc"),
    ("Invitation : point projet", "Quand : mardi 3 mars 2026 10:00"),
    ("Aceptada: reunión", "Bo ha aceptado esta invitación"),
    (
        "March news",
        "Having trouble? View this email in your browser\n\nRead more at https://x.example/?id=1\n\nYou subscribed to this. Unsubscribe",
    ),
    ("Neuigkeiten im März", "Newsletter im Browser ansehen\n\nViel Neues.\n\nVom Newsletter abmelden"),
    ("Actualités", "Voir cet e-mail dans votre navigateur\n\nDu nouveau.\n\nSe désabonner"),
    ("Noticias", "Ver este correo en el navegador\n\nNovedades.\n\nDarse de baja"),
    ("Ticket 4711 received", "We have received your request.\n\nThis is an automated message. Please do not reply to this email."),
    ("Rechnung", "Ihre Rechnung liegt bereit.\n\nDiese E-Mail wurde automatisch generiert. Bitte antworten Sie nicht auf diese E-Mail."),
    ("Facture", "Votre facture est prête.\nCeci est un message automatique, merci de ne pas répondre."),
    ("Factura", "Su factura está lista.\nEste es un mensaje automático. No responda a este correo."),
    ("Fatura", "A sua fatura está pronta.\nEsta é uma mensagem automática. Por favor, não responda a este e-mail."),
    ("Report ready", "Your report is ready: https://x.example/r?id=5&x=1\n\nPlease do not reply to this email, this mailbox is not monitored."),
    ("Abwesend", "Ich bin vom 1. bis 12. Mai abwesend. Meine Vertretung ist Frau Kurz (kurz@x.example)."),
    ("Je suis absente", "Bonjour, je suis en congé maternité jusqu'en août. Pour toute urgence merci de contacter Luc Petit."),
    ("Fuera de oficina", "Gracias por su mensaje. Estaré fuera de la oficina hasta el lunes. Para asuntos urgentes, llame al 555."),
    ("Fora do escritório: Re: contrato", "Estou fora do escritório até segunda. Em caso de urgência ligue para o Rui."),
    ("OOO Re: contract", "I'm currently out of office and will be back Monday."),
    ("Re: contract", "I am on vacation until May 5. If your matter is urgent, please contact dana@x.example. I will respond to your email when I return."),
    ("Returned mail: see transcript for details", "The following addresses had permanent fatal errors: <bo@x.example> (reason: 550 5.1.1 User unknown)"),
    ("Zustellung fehlgeschlagen", "Diese Nachricht wurde automatisch erstellt. Zustellung an bo@x.example fehlgeschlagen."),
    ("Tentative: QBR", ""),
    ("Updated invitation: QBR @ Mon Mar 2, 2026", "This event has been updated\nWhen: Monday Mar 2, 2026 10:00am"),
    ("Your weekly digest", "View in browser\nTop stories\nManage preferences | Unsubscribe"),
}


@pytest.mark.parametrize(("subject", "body"), sorted(PEOPLE))
def test_a_persons_mail_is_never_taken_for_a_machines(subject, body):
    assert not is_automatic({}, subject, body)
    assert not is_automatic({"From": "Bo <bo@theirs.example>", "Content-Type": "multipart/alternative", "Auto-Submitted": "no"}, subject, body)
    assert not is_automatic({}, subject, body.replace("\n", "\r\n"))


@pytest.mark.parametrize(("subject", "body"), sorted(MACHINES))
def test_a_machines_mail_is_known_without_any_header(subject, body):
    assert is_automatic({}, subject, body)
    assert is_automatic({}, subject.upper(), body.upper())
    assert is_automatic({}, subject, body.replace("'", "’").replace("\n", "\r\n"))


@pytest.mark.parametrize(
    "headers",
    [
        {"Auto-Submitted": "auto-replied"},
        {"AUTO-SUBMITTED": "auto-generated; type=x"},
        {"X-Autoreply": "yes"},
        {"X-Auto-Response-Suppress": "All"},
        {"Return-Path": "<>"},
        {"Precedence": "bulk"},
        {"Precedence": "auto_reply", "In-Reply-To": "<1@x>"},
        {"List-Unsubscribe": "<https://x.example>"},
        {"List-Id": "news.x.example"},
        {"Content-Type": "multipart/report; report-type=delivery-status"},
        {"Content-Type": "text/calendar; method=REPLY"},
        {"From": "No Reply <no-reply@x.example>"},
        {"From": "notifications+1@x.example"},
        {"From": "jira-noreply@x.example"},
        {"From": "calendar-notification@x.example"},
        {"From": "MicrosoftExchange329e71ec88ae4615bbc36ab6ce41109e@x.example"},
    ],
)
def test_headers_of_machines_decide(headers):
    assert is_automatic(headers, "Hello", "How are you?")


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Auto-Submitted": "no"},
        {"Auto-Submitted": ""},
        {"X-Auto-Response-Suppress": "OOF, DR"},
        {"Return-Path": "<bo@theirs.example>"},
        {"Precedence": "list", "List-Post": "<mailto:support@ours.example>", "List-Unsubscribe": "<mailto:x@y>"},
        {"List-Unsubscribe": "<https://x.example>", "In-Reply-To": "<1@ours>"},
        {"Content-Type": "text/calendar"},
        {"From": '"noreply@ours.example via Desk" <bo@theirs.example>'},
        {"From": "norepl@theirs.example"},
        {"From": "noreplyhart@theirs.example"},
        {"From": "notifier@theirs.example"},
    ],
)
def test_headers_that_people_have_too_decide_nothing(headers):
    assert not is_automatic(headers, "Hello", "How are you?")


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    "piece",
    [
        "on ",
        "i am ",
        "this ",
        "when: ",
        "a\n",
        "from: ",
        "> ",
        "read: 1",
        "view in browser ",
        "https://",
        "\n\n",
        "-",
        "unsubscribe\n",
        "ich bin im ",
        ". *",
        "dear bo",
    ],
)
def test_no_text_takes_long(piece):
    is_automatic({"from": piece * 20_000, "list-post": piece * 20_000}, piece * 20_000, piece * 200_000)


@settings(max_examples=100)
@given(st.dictionaries(st.text(max_size=10), st.text(max_size=30), max_size=3), st.text(max_size=60), st.text(max_size=200))
def test_no_text_is_too_strange(headers, subject, body):
    assert is_automatic(headers, subject, body) in (True, False)


@given(st.sampled_from(sorted(PEOPLE)), st.text("abcdefg .,\n", max_size=200))
def test_more_words_below_a_persons_mail_do_not_make_it_a_machines(person, more):
    subject, body = person
    assert not is_automatic({}, subject, f"{body}\n{more}")
