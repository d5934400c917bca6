# ruff: noqa: E501
"""The wordings of the word problems: story -> language -> (openings, a follow-up with a new number `{a}`). Data only."""

NAMES = ("Anna", "Ben", "Emma", "Tom", "Laura", "Max", "Nina", "Paul")

STORIES: dict[str, dict[str, tuple[tuple[str, ...], str]]] = {
    "shopping": {
        "en": (
            (
                "{a} pens at {b} euros each: how many euros?",
                "{who} buys {a} pens. Each costs {b} euros. How many euros is that?",
            ),
            "And for {a} pens?",
        ),
        "de": (
            (
                "{a} Stifte zu je {b} Euro: wie viel Euro?",
                "{who} kauft {a} Stifte. Jeder kostet {b} Euro. Wie viel Euro sind das?",
            ),
            "Und für {a} Stifte?",
        ),
        "fr": (
            (
                "{a} stylos à {b} euros pièce : combien d'euros ?",
                "{who} achète {a} stylos. Chacun coûte {b} euros. Combien d'euros en tout ?",
            ),
            "Et pour {a} stylos ?",
        ),
        "es": (
            (
                "{a} lápices a {b} euros cada uno: ¿cuántos euros?",
                "{who} compra {a} lápices. Cada uno cuesta {b} euros. ¿Cuántos euros son?",
            ),
            "¿Y por {a} lápices?",
        ),
    },
    "gifts": {
        "en": (
            (
                "{who} has {a} apples and gets {b}. How many now?",
                "{who} has {a} apples. {other} brings {b} more. How many apples does {who} have now?",
            ),
            "And if it was {a} at first?",
        ),
        "de": (
            (
                "{who} hat {a} Äpfel und bekommt {b}. Wie viele jetzt?",
                "{who} hat {a} Äpfel. {other} bringt noch {b}. Wie viele Äpfel hat {who} jetzt?",
            ),
            "Und wenn es zuerst {a} waren?",
        ),
        "fr": (
            (
                "{who} a {a} pommes et en reçoit {b}. Combien maintenant ?",
                "{who} a {a} pommes. {other} en apporte {b}. Combien de pommes {who} a maintenant ?",
            ),
            "Et s'il y en avait {a} au début ?",
        ),
        "es": (
            (
                "{who} tiene {a} manzanas y recibe {b}. ¿Cuántas ahora?",
                "{who} tiene {a} manzanas. {other} trae {b} más. ¿Cuántas manzanas tiene {who} ahora?",
            ),
            "¿Y si al principio eran {a}?",
        ),
    },
    "giving": {
        "en": (
            (
                "{who} has {a} nuts and gives away {b}. How many are left?",
                "{who} has {a} nuts and gives {other} {b} of them. How many nuts does {who} have left?",
            ),
            "And if it was {a} at first?",
        ),
        "de": (
            (
                "{who} hat {a} Nüsse und gibt {b} ab. Wie viele bleiben?",
                "{who} hat {a} Nüsse und gibt {other} {b} davon. Wie viele Nüsse hat {who} noch?",
            ),
            "Und wenn es zuerst {a} waren?",
        ),
        "fr": (
            (
                "{who} a {a} noix et en donne {b}. Combien en reste-t-il ?",
                "{who} a {a} noix et en donne {b} à {other}. Combien de noix reste-t-il à {who} ?",
            ),
            "Et s'il y en avait {a} au début ?",
        ),
        "es": (
            (
                "{who} tiene {a} nueces y regala {b}. ¿Cuántas quedan?",
                "{who} tiene {a} nueces y le da {b} a {other}. ¿Cuántas nueces le quedan a {who}?",
            ),
            "¿Y si al principio eran {a}?",
        ),
    },
    "sharing": {
        "en": (
            (
                "{a} sweets for {b} children: how many each?",
                "{who} shares {a} sweets equally among {b} children. How many does each child get?",
            ),
            "And with {a} sweets?",
        ),
        "de": (
            (
                "{a} Bonbons für {b} Kinder: wie viele für jedes?",
                "{who} verteilt {a} Bonbons gerecht an {b} Kinder. Wie viele bekommt jedes Kind?",
            ),
            "Und bei {a} Bonbons?",
        ),
        "fr": (
            (
                "{a} bonbons pour {b} enfants : combien chacun ?",
                "{who} partage {a} bonbons également entre {b} enfants. Combien chaque enfant en reçoit-il ?",
            ),
            "Et avec {a} bonbons ?",
        ),
        "es": (
            (
                "{a} caramelos para {b} niños: ¿cuántos a cada uno?",
                "{who} reparte {a} caramelos por igual entre {b} niños. ¿Cuántos recibe cada niño?",
            ),
            "¿Y con {a} caramelos?",
        ),
    },
    "ages": {
        "en": (
            (
                "{other} is {a}. {who} is {b} years older. How old is {who}?",
                "{who} is {b} years older than {other}, who is {a}. How old is {who}?",
            ),
            "And if {a} is the age of the younger one?",
        ),
        "de": (
            (
                "{other} ist {a}. {who} ist {b} Jahre älter. Wie alt ist {who}?",
                "{who} ist {b} Jahre älter als {other}. {other} ist {a}. Wie alt ist {who}?",
            ),
            "Und wenn die jüngere Person {a} ist?",
        ),
        "fr": (
            (
                "{other} a {a} ans. {who} a {b} ans de plus. Quel âge a {who} ?",
                "{who} a {b} ans de plus que {other}, qui a {a} ans. Quel âge a {who} ?",
            ),
            "Et si la plus jeune personne a {a} ans ?",
        ),
        "es": (
            (
                "{other} tiene {a} años. {who} tiene {b} años más. ¿Cuántos años tiene {who}?",
                "{who} tiene {b} años más que {other}, que tiene {a}. ¿Cuántos años tiene {who}?",
            ),
            "¿Y si la persona menor tiene {a}?",
        ),
    },
    "rates": {
        "en": (
            (
                "{a} hours at {b} km per hour: how many km?",
                "{who} rides a bike for {a} hours at {b} km per hour. How many km is that?",
            ),
            "And in {a} hours?",
        ),
        "de": (
            (
                "{a} Stunden mit {b} km pro Stunde: wie viele km?",
                "{who} fährt {a} Stunden mit {b} km pro Stunde. Wie viele km sind das?",
            ),
            "Und in {a} Stunden?",
        ),
        "fr": (
            (
                "{a} heures à {b} km par heure : combien de km ?",
                "{who} roule pendant {a} heures à {b} km par heure. Combien de km cela fait-il ?",
            ),
            "Et en {a} heures ?",
        ),
        "es": (
            (
                "{a} horas a {b} km por hora: ¿cuántos km?",
                "{who} va en bicicleta {a} horas a {b} km por hora. ¿Cuántos km son?",
            ),
            "¿Y en {a} horas?",
        ),
    },
}
