"""The wordings of the how-to family, by language. Data only."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Phrasings:
    """`{goal}`, `{step}`, `{options}`, `{line}`, `{unit}` are filled in. `verdicts`: sensible, absurd."""

    first: tuple[str, ...]
    next: tuple[str, ...]
    after_that: str
    amount: tuple[str, ...]
    and_amount: str
    tool: tuple[str, ...]
    order: tuple[str, ...]
    missing: tuple[str, ...]
    sensible: tuple[str, ...]
    verdicts: tuple[str, str]
    explain: tuple[str, ...]
    fact: str


PHRASINGS: dict[str, Phrasings] = {
    "en": Phrasings(
        first=("What comes first? {options}", "You want to {goal}. What do you do first? {options}"),
        next=("{step} What comes next? {options}", "You want to {goal}: {step} And then? {options}"),
        after_that="And after that? {options}",
        amount=("{line} Which number?", "You want to {goal}: {line} How many {unit}?"),
        and_amount="And how many {unit}? {line}",
        tool=("{line} With what? {options}", "You want to {goal}: {line} What fits? {options}"),
        order=("Put in order: {options}", "How do I {goal}? Put the steps in order, letters only. {options}"),
        missing=(
            "Which step is missing? {line} {options}",
            "You want to {goal}. What is missing here? {line} {options}",
        ),
        sensible=("{line} Sensible or absurd?", "Somebody says: {line} Is that sensible or absurd?"),
        verdicts=("sensible", "absurd"),
        explain=("How do I {goal}?", "What is the best way to {goal}?", "Please explain step by step how to {goal}."),
        fact="{line} Answer with a number of {unit}.",
    ),
    "de": Phrasings(
        first=("Was kommt zuerst? {options}", "Man will {goal}. Was macht man zuerst? {options}"),
        next=("{step} Was kommt danach? {options}", "Man will {goal}: {step} Und dann? {options}"),
        after_that="Und danach? {options}",
        amount=("{line} Welche Zahl?", "Man will {goal}: {line} Wie viele {unit}?"),
        and_amount="Und wie viele {unit}? {line}",
        tool=("{line} Womit? {options}", "Man will {goal}: {line} Was passt? {options}"),
        order=("Ordne: {options}", "Wie kann man {goal}? Ordne die Schritte, nur Buchstaben. {options}"),
        missing=("Welcher Schritt fehlt? {line} {options}", "Man will {goal}. Was fehlt hier? {line} {options}"),
        sensible=("{line} Sinnvoll oder unsinnig?", "Jemand sagt: {line} Ist das sinnvoll oder unsinnig?"),
        verdicts=("sinnvoll", "unsinnig"),
        explain=(
            "Wie kann man {goal}?",
            "Wie geht das am besten: {goal}?",
            "Bitte erkläre Schritt für Schritt: {goal}.",
        ),
        fact="{line} Antworte mit einer Zahl in {unit}.",
    ),
    "fr": Phrasings(
        first=("Que fait-on d'abord ? {options}", "On veut {goal}. Que fait-on en premier ? {options}"),
        next=("{step} Et ensuite ? {options}", "On veut {goal} : {step} Que fait-on après ? {options}"),
        after_that="Et après cela ? {options}",
        amount=("{line} Quel nombre ?", "On veut {goal} : {line} Combien, en {unit} ?"),
        and_amount="Et combien, en {unit} ? {line}",
        tool=("{line} Avec quoi ? {options}", "On veut {goal} : {line} Qu'est-ce qui convient ? {options}"),
        order=("Mets en ordre : {options}", "Comment {goal} ? Mets les étapes en ordre, lettres seulement. {options}"),
        missing=("Quelle étape manque ? {line} {options}", "On veut {goal}. Que manque-t-il ici ? {line} {options}"),
        sensible=("{line} Sensé ou absurde ?", "Quelqu'un dit : {line} Est-ce sensé ou absurde ?"),
        verdicts=("sensé", "absurde"),
        explain=(
            "Comment {goal} ?",
            "Quelle est la meilleure façon de {goal} ?",
            "Explique étape par étape comment {goal}.",
        ),
        fact="{line} Réponds par un nombre de {unit}.",
    ),
    "es": Phrasings(
        first=("¿Qué va primero? {options}", "Se quiere {goal}. ¿Qué se hace primero? {options}"),
        next=("{step} ¿Y luego? {options}", "Se quiere {goal}: {step} ¿Qué se hace después? {options}"),
        after_that="¿Y después de eso? {options}",
        amount=("{line} ¿Qué número?", "Se quiere {goal}: {line} ¿Cuánto, en {unit}?"),
        and_amount="¿Y cuánto, en {unit}? {line}",
        tool=("{line} ¿Con qué? {options}", "Se quiere {goal}: {line} ¿Qué sirve? {options}"),
        order=("Ordena: {options}", "¿Cómo puedo {goal}? Ordena los pasos, solo letras. {options}"),
        missing=("¿Qué paso falta? {line} {options}", "Se quiere {goal}. ¿Qué falta aquí? {line} {options}"),
        sensible=("{line} ¿Sensato o absurdo?", "Alguien dice: {line} ¿Es sensato o absurdo?"),
        verdicts=("sensato", "absurdo"),
        explain=("¿Cómo puedo {goal}?", "¿Cuál es la mejor forma de {goal}?", "Explica paso a paso cómo {goal}."),
        fact="{line} Responde con un número de {unit}.",
    ),
}
