"""Evidence in German, French, Spanish and Portuguese: a complaint, a drop in use, an objection to a price from somebody who writes du, tu, tú."""

Pieces = tuple[tuple[str, str], ...]
SETS: dict[str, tuple[Pieces, ...]] = {
    "de": (
        (
            (
                "buyer_message",
                "Guten Tag,\n\nam Montag war das Dienstbuch schon wieder leer. "
                "Zwei Pfleger haben bis Mitternacht alles neu eingetragen. Das geht so nicht weiter.\n\nKim Osei",
            ),
            ("ticket", "Das Dienstbuch verliert Einträge, wenn zwei Geräte gleichzeitig speichern."),
            ("offer", "am Montagabend beim Abgleich dabei sein"),
        ),
        (("usage", "Angemeldete Geräte: 64 im März, 31 im April."), ("offer", "die Liste der Geräte mit Ihnen durchgehen")),
        (
            (
                "buyer_message",
                "Hallo Ida, du weißt, wir sind ein kleines Haus. "
                "9.200 Euro im Jahr sind für uns zu viel, und der Beirat streicht gerade überall. Kim",
            ),
            ("quote", "Das Angebot lautet auf 9.200 Euro im Jahr für 40 Plätze."),
            ("offer", "dir ein Angebot über 25 Plätze danebenlegen"),
        ),
    ),
    "fr": (
        (
            (
                "buyer_message",
                "Bonjour,\n\nlundi, le registre de garde était encore vide. "
                "Deux soignants ont tout ressaisi jusqu'à minuit. Nous ne pouvons pas continuer ainsi.\n\nKim Osei",
            ),
            ("ticket", "Le registre perd des lignes quand deux appareils enregistrent en même temps."),
            ("offer", "suivre la synchronisation lundi soir"),
        ),
        (("usage", "Appareils connectés : 64 en mars, 31 en avril."), ("offer", "parcourir la liste des appareils avec vous")),
        (
            (
                "buyer_message",
                "Salut Ida, tu sais que nous sommes une petite maison. "
                "9 200 euros par an, c'est trop pour nous, et le conseil coupe partout. Kim",
            ),
            ("quote", "Le devis est de 9 200 euros par an pour 40 places."),
            ("offer", "te préparer un devis pour 25 places"),
        ),
    ),
    "es": (
        (
            (
                "buyer_message",
                "Buenos días:\n\nel lunes el registro de guardias estaba vacío otra vez. "
                "Dos enfermeros lo pasaron todo a mano hasta medianoche. Así no podemos seguir.\n\nKim Osei",
            ),
            ("ticket", "El registro pierde líneas cuando dos equipos guardan a la vez."),
            ("offer", "seguir la sincronización el lunes por la noche"),
        ),
        (("usage", "Equipos conectados: 64 en marzo, 31 en abril."), ("offer", "repasar la lista de equipos con usted")),
        (
            (
                "buyer_message",
                "Hola Ida, tú sabes que somos una casa pequeña. "
                "9.200 euros al año son demasiado para nosotros, y la junta recorta en todas partes. Kim",
            ),
            ("quote", "La oferta es de 9.200 euros al año para 40 plazas."),
            ("offer", "prepararte una oferta para 25 plazas"),
        ),
    ),
    "pt": (
        (
            (
                "buyer_message",
                "Bom dia,\n\nna segunda-feira o registo de turnos estava vazio outra vez. "
                "Dois enfermeiros passaram tudo à mão até à meia-noite. Assim não podemos continuar.\n\nKim Osei",
            ),
            ("ticket", "O registo perde linhas quando dois aparelhos guardam ao mesmo tempo."),
            ("offer", "acompanhar a sincronização na segunda-feira à noite"),
        ),
        (("usage", "Aparelhos ligados: 64 em março, 31 em abril."), ("offer", "percorrer a lista de aparelhos com você")),
        (
            (
                "buyer_message",
                "Olá Ida, nós somos uma casa pequena. 9.200 euros por ano são demais para nós, "
                "e a direção corta em toda a parte. Kim",
            ),
            ("quote", "A proposta é de 9.200 euros por ano para 40 lugares."),
            ("offer", "preparar uma proposta para 25 lugares"),
        ),
    ),
}  # fmt: skip
