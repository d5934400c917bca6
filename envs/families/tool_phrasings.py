"""The wordings of the tool family, by language. Data only."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Phrasings:
    """
    Attributes:
        use: names the tools `{usages}` that the policy may call.
        calculate, extension, convert, weekday, later, between: what the user wants to know.
        result: passes on the `{result}` of a call and asks the `{question}` again.
        error: passes on what was wrong with a call.
    """

    use: str
    calculate: str
    extension: str
    convert: str
    weekday: str
    later: str
    between: str
    result: str
    error: str


PHRASINGS: dict[str, Phrasings] = {
    "en": Phrasings(
        use="Tools: {usages}. Call one first.",
        calculate="What is {expression}?",
        extension="What is {name}'s number?",
        convert="How many {wanted} are {value} {unit}?",
        weekday="What weekday is {day}?",
        later="What date is {days} days after {day}?",
        between="How many days are there from {first} to {last}?",
        result="Result: {result}. {question}",
        error="Error: {error}. {question}",
    ),
    "de": Phrasings(
        use="Werkzeuge: {usages}. Ruf zuerst eins auf.",
        calculate="Wie viel ist {expression}?",
        extension="Welche Nummer hat {name}?",
        convert="Wie viel {wanted} sind {value} {unit}?",
        weekday="Welcher Wochentag ist {day}?",
        later="Welches Datum ist {days} Tage nach {day}?",
        between="Wie viele Tage sind es von {first} bis {last}?",
        result="Ergebnis: {result}. {question}",
        error="Fehler: {error}. {question}",
    ),
    "fr": Phrasings(
        use="Outils : {usages}. Appelles-en un d'abord.",
        calculate="Combien fait {expression} ?",
        extension="Quel est le numéro de {name} ?",
        convert="Combien de {wanted} font {value} {unit} ?",
        weekday="Quel jour de la semaine est le {day} ?",
        later="Quelle est la date {days} jours après le {day} ?",
        between="Combien de jours y a-t-il du {first} au {last} ?",
        result="Résultat : {result}. {question}",
        error="Erreur : {error}. {question}",
    ),
    "es": Phrasings(
        use="Herramientas: {usages}. Llama primero a una.",
        calculate="¿Cuánto es {expression}?",
        extension="¿Qué número tiene {name}?",
        convert="¿Cuántos {wanted} son {value} {unit}?",
        weekday="¿Qué día de la semana es {day}?",
        later="¿Qué fecha es {days} días después de {day}?",
        between="¿Cuántos días hay de {first} a {last}?",
        result="Resultado: {result}. {question}",
        error="Error: {error}. {question}",
    ),
    "it": Phrasings(
        use="Strumenti: {usages}. Prima chiamane uno.",
        calculate="Quanto fa {expression}?",
        extension="Qual è il numero di {name}?",
        convert="Quanti {wanted} sono {value} {unit}?",
        weekday="Che giorno della settimana è il {day}?",
        later="Che data è {days} giorni dopo il {day}?",
        between="Quanti giorni ci sono dal {first} al {last}?",
        result="Risultato: {result}. {question}",
        error="Errore: {error}. {question}",
    ),
    "pt": Phrasings(
        use="Ferramentas: {usages}. Chame uma primeiro.",
        calculate="Quanto é {expression}?",
        extension="Qual é o número de {name}?",
        convert="Quantos {wanted} são {value} {unit}?",
        weekday="Que dia da semana é {day}?",
        later="Que data é {days} dias depois de {day}?",
        between="Quantos dias há de {first} a {last}?",
        result="Resultado: {result}. {question}",
        error="Erro: {error}. {question}",
    ),
    "nl": Phrasings(
        use="Hulpmiddelen: {usages}. Roep er eerst een aan.",
        calculate="Hoeveel is {expression}?",
        extension="Welk nummer heeft {name}?",
        convert="Hoeveel {wanted} is {value} {unit}?",
        weekday="Welke weekdag is {day}?",
        later="Welke datum is {days} dagen na {day}?",
        between="Hoeveel dagen zijn het van {first} tot {last}?",
        result="Resultaat: {result}. {question}",
        error="Fout: {error}. {question}",
    ),
}
