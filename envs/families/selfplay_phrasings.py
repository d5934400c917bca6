"""The wordings of the self-play family, by language. Data only."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Phrasings:
    """How one language asks for a task of the policy's own.

    Attributes:
        first: wordings for the first number, with places for the range `{low}` to `{high}`.
        operators: what may be chosen -> how that is asked; each has its number, from 1.
        second: the question for the second number, with the same places.
        formula: wordings that ask for a whole calculation, with a place for the largest number `{high}`.
    """

    first: tuple[str, str]
    operators: dict[str, str]
    second: str
    formula: tuple[str, str]


PHRASINGS: dict[str, Phrasings] = {
    "en": Phrasings(
        first=("First number, {low} to {high}?", "Choose a number from {low} to {high}."),
        operators={"+-": "Plus (1) or minus (2)?", "+-*": "Plus (1), minus (2) or times (3)?"},
        second="Second number, {low} to {high}?",
        formula=("Write a calculation, up to {high}.", "Invent a calculation with numbers up to {high}."),
    ),
    "de": Phrasings(
        first=("Erste Zahl, {low} bis {high}?", "Wähle eine Zahl von {low} bis {high}."),
        operators={"+-": "Plus (1) oder minus (2)?", "+-*": "Plus (1), minus (2) oder mal (3)?"},
        second="Zweite Zahl, {low} bis {high}?",
        formula=("Schreibe eine Rechnung, bis {high}.", "Denke dir eine Rechnung mit Zahlen bis {high} aus."),
    ),
    "fr": Phrasings(
        first=("Premier nombre, de {low} à {high} ?", "Choisis un nombre de {low} à {high}."),
        operators={"+-": "Plus (1) ou moins (2) ?", "+-*": "Plus (1), moins (2) ou fois (3) ?"},
        second="Deuxième nombre, de {low} à {high} ?",
        formula=("Écris un calcul, jusqu'à {high}.", "Invente un calcul avec des nombres jusqu'à {high}."),
    ),
    "es": Phrasings(
        first=("¿Primer número, de {low} a {high}?", "Elige un número de {low} a {high}."),
        operators={"+-": "¿Más (1) o menos (2)?", "+-*": "¿Más (1), menos (2) o por (3)?"},
        second="¿Segundo número, de {low} a {high}?",
        formula=("Escribe un cálculo, hasta {high}.", "Inventa un cálculo con números hasta {high}."),
    ),
    "it": Phrasings(
        first=("Primo numero, da {low} a {high}?", "Scegli un numero da {low} a {high}."),
        operators={"+-": "Più (1) o meno (2)?", "+-*": "Più (1), meno (2) o per (3)?"},
        second="Secondo numero, da {low} a {high}?",
        formula=("Scrivi un calcolo, fino a {high}.", "Inventa un calcolo con numeri fino a {high}."),
    ),
    "pt": Phrasings(
        first=("Primeiro número, de {low} a {high}?", "Escolha um número de {low} a {high}."),
        operators={"+-": "Mais (1) ou menos (2)?", "+-*": "Mais (1), menos (2) ou vezes (3)?"},
        second="Segundo número, de {low} a {high}?",
        formula=("Escreva um cálculo, até {high}.", "Invente um cálculo com números até {high}."),
    ),
    "nl": Phrasings(
        first=("Eerste getal, {low} tot en met {high}?", "Kies een getal van {low} tot en met {high}."),
        operators={"+-": "Plus (1) of min (2)?", "+-*": "Plus (1), min (2) of keer (3)?"},
        second="Tweede getal, {low} tot en met {high}?",
        formula=("Schrijf een berekening, tot {high}.", "Bedenk een berekening met getallen tot {high}."),
    ),
    "zh": Phrasings(
        first=("第一个数，{low}到{high}？", "请选择一个{low}到{high}的数。"),
        operators={"+-": "加（1）还是减（2）？", "+-*": "加（1）、减（2）还是乘（3）？"},
        second="第二个数，{low}到{high}？",
        formula=("请写一道算式，数不超过{high}。", "请出一道数不超过{high}的算式。"),
    ),
}
