"""The wordings of the services that fill slots, by language. Data only."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Phrasings:
    """
    Attributes:
        rules: what the policy is to do, with a place for the `{names}` of the slots; `short` for level 0.
        closing: reminds of what to confirm, with the same place.
        requests: service -> how the user begins.
        slots: key of a slot -> its name and how the user gives its value `{v}`.
        treatments: what one may have an appointment for.
    """

    rules: str
    short: str
    closing: str
    requests: dict[str, str]
    slots: dict[str, tuple[str, str]]
    treatments: tuple[str, str, str, str, str, str]


PHRASINGS: dict[str, Phrasings] = {
    "en": Phrasings(
        rules="Ask for what is missing ({names}), one at a time. "
        "When you have all, repeat it in this order, with commas.",
        short="{names}: what is missing?",
        closing="Repeat: {names}.",
        requests={
            "booking": "I would like a table.",
            "appointment": "I would like an appointment.",
            "address": "I have a new address.",
        },
        slots={
            "people": ("people", "We are {v}."),
            "day": ("day", "On {v}."),
            "time": ("time", "At {v}."),
            "treatment": ("treatment", "For a {v}."),
            "name": ("name", "My name is {v}."),
            "street": ("street", "The street is {v}."),
            "number": ("number", "Number {v}."),
            "postcode": ("postcode", "The postcode is {v}."),
        },
        treatments=("haircut", "massage", "check-up", "vaccination", "filling", "shave"),
    ),
    "de": Phrasings(
        rules="Frag nach dem, was fehlt ({names}), eins nach dem anderen. "
        "Hast du alles, wiederhole es in dieser Reihenfolge, mit Kommas.",
        short="{names}: was fehlt?",
        closing="Wiederhole: {names}.",
        requests={
            "booking": "Ich hätte gern einen Tisch.",
            "appointment": "Ich hätte gern einen Termin.",
            "address": "Ich habe eine neue Adresse.",
        },
        slots={
            "people": ("Personen", "Wir sind {v}."),
            "day": ("Tag", "Am {v}."),
            "time": ("Uhrzeit", "Um {v}."),
            "treatment": ("Behandlung", "Es geht um: {v}."),
            "name": ("Name", "Ich heiße {v}."),
            "street": ("Straße", "Die Straße ist {v}."),
            "number": ("Hausnummer", "Nummer {v}."),
            "postcode": ("Postleitzahl", "Die Postleitzahl ist {v}."),
        },
        treatments=("Haarschnitt", "Massage", "Kontrolle", "Impfung", "Füllung", "Rasur"),
    ),
    "fr": Phrasings(
        rules="Demande ce qui manque ({names}), une chose à la fois. "
        "Quand tu as tout, répète-le dans cet ordre, avec des virgules.",
        short="{names} : que manque-t-il ?",
        closing="Répète : {names}.",
        requests={
            "booking": "Je voudrais une table.",
            "appointment": "Je voudrais un rendez-vous.",
            "address": "J'ai une nouvelle adresse.",
        },
        slots={
            "people": ("personnes", "Nous sommes {v}."),
            "day": ("jour", "C'est pour {v}."),
            "time": ("heure", "À {v}."),
            "treatment": ("soin", "C'est pour : {v}."),
            "name": ("nom", "Je m'appelle {v}."),
            "street": ("rue", "La rue est {v}."),
            "number": ("numéro", "Au numéro {v}."),
            "postcode": ("code", "Le code postal est {v}."),
        },
        treatments=("coupe", "massage", "contrôle", "vaccin", "plombage", "rasage"),
    ),
    "es": Phrasings(
        rules="Pregunta lo que falta ({names}), una cosa cada vez. "
        "Cuando lo tengas todo, repítelo en este orden, con comas.",
        short="{names}: ¿qué falta?",
        closing="Repite: {names}.",
        requests={
            "booking": "Quisiera una mesa.",
            "appointment": "Quisiera una cita.",
            "address": "Tengo una dirección nueva.",
        },
        slots={
            "people": ("personas", "Somos {v}."),
            "day": ("día", "El {v}."),
            "time": ("hora", "A las {v}."),
            "treatment": ("tratamiento", "Es para: {v}."),
            "name": ("nombre", "Me llamo {v}."),
            "street": ("calle", "La calle es {v}."),
            "number": ("número", "El número {v}."),
            "postcode": ("código", "El código postal es {v}."),
        },
        treatments=("corte", "masaje", "revisión", "vacuna", "empaste", "afeitado"),
    ),
    "it": Phrasings(
        rules="Chiedi quello che manca ({names}), una cosa alla volta. "
        "Quando hai tutto, ripetilo in quest'ordine, con le virgole.",
        short="{names}: che cosa manca?",
        closing="Ripeti: {names}.",
        requests={
            "booking": "Vorrei un tavolo.",
            "appointment": "Vorrei un appuntamento.",
            "address": "Ho un nuovo indirizzo.",
        },
        slots={
            "people": ("persone", "Siamo in {v}."),
            "day": ("giorno", "È per {v}."),
            "time": ("ora", "Alle {v}."),
            "treatment": ("trattamento", "È per: {v}."),
            "name": ("nome", "Mi chiamo {v}."),
            "street": ("via", "La via è {v}."),
            "number": ("numero", "Al numero {v}."),
            "postcode": ("CAP", "Il CAP è {v}."),
        },
        treatments=("taglio", "massaggio", "controllo", "vaccino", "otturazione", "rasatura"),
    ),
    "pt": Phrasings(
        rules="Pergunte o que falta ({names}), uma coisa de cada vez. "
        "Quando tiver tudo, repita nesta ordem, com vírgulas.",
        short="{names}: o que falta?",
        closing="Repita: {names}.",
        requests={
            "booking": "Eu queria uma mesa.",
            "appointment": "Eu queria marcar um horário.",
            "address": "Tenho um endereço novo.",
        },
        slots={
            "people": ("pessoas", "Somos {v}."),
            "day": ("dia", "É para {v}."),
            "time": ("hora", "Às {v}."),
            "treatment": ("tratamento", "É para: {v}."),
            "name": ("nome", "Meu nome é {v}."),
            "street": ("rua", "A rua é {v}."),
            "number": ("número", "No número {v}."),
            "postcode": ("CEP", "O CEP é {v}."),
        },
        treatments=("corte", "massagem", "consulta", "vacina", "obturação", "barba"),
    ),
    "nl": Phrasings(
        rules="Vraag wat er ontbreekt ({names}), één ding tegelijk. "
        "Heb je alles, herhaal het dan in deze volgorde, met komma's.",
        short="{names}: wat ontbreekt?",
        closing="Herhaal: {names}.",
        requests={
            "booking": "Ik wil graag een tafel.",
            "appointment": "Ik wil graag een afspraak.",
            "address": "Ik heb een nieuw adres.",
        },
        slots={
            "people": ("personen", "We zijn met {v}."),
            "day": ("dag", "Op {v}."),
            "time": ("tijd", "Om {v}."),
            "treatment": ("behandeling", "Het gaat om: {v}."),
            "name": ("naam", "Ik heet {v}."),
            "street": ("straat", "De straat is {v}."),
            "number": ("huisnummer", "Nummer {v}."),
            "postcode": ("postcode", "De postcode is {v}."),
        },
        treatments=("knipbeurt", "massage", "controle", "vaccinatie", "vulling", "scheerbeurt"),
    ),
}
