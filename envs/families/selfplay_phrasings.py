"""The wordings of the self-play family, by language. Data only."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Phrasings:
    """How one language asks for a task of the policy's own.

    Attributes:
        number: wordings that ask for a number, with places for the range `{low}` to `{high}`.
        formula: wordings that ask for a whole calculation, with a place for the largest number `{high}`.
    """

    number: tuple[str, str]
    formula: tuple[str, str]


PHRASINGS: dict[str, Phrasings] = {
    "en": Phrasings(
        number=("Choose a number from {low} to {high}.", "Second number, {low} to {high}?"),
        formula=("Write a calculation, up to {high}.", "Invent a calculation with numbers up to {high}."),
    ),
    "de": Phrasings(
        number=("Wähle eine Zahl von {low} bis {high}.", "Zweite Zahl, {low} bis {high}?"),
        formula=("Schreibe eine Rechnung, bis {high}.", "Denke dir eine Rechnung mit Zahlen bis {high} aus."),
    ),
    "fr": Phrasings(
        number=("Choisis un nombre de {low} à {high}.", "Deuxième nombre, de {low} à {high} ?"),
        formula=("Écris un calcul, jusqu'à {high}.", "Invente un calcul avec des nombres jusqu'à {high}."),
    ),
    "es": Phrasings(
        number=("Elige un número de {low} a {high}.", "¿Segundo número, de {low} a {high}?"),
        formula=("Escribe un cálculo, hasta {high}.", "Inventa un cálculo con números hasta {high}."),
    ),
    "it": Phrasings(
        number=("Scegli un numero da {low} a {high}.", "Secondo numero, da {low} a {high}?"),
        formula=("Scrivi un calcolo, fino a {high}.", "Inventa un calcolo con numeri fino a {high}."),
    ),
    "pt": Phrasings(
        number=("Escolha um número de {low} a {high}.", "Segundo número, de {low} a {high}?"),
        formula=("Escreva um cálculo, até {high}.", "Invente um cálculo com números até {high}."),
    ),
    "nl": Phrasings(
        number=("Kies een getal van {low} tot en met {high}.", "Tweede getal, {low} tot en met {high}?"),
        formula=("Schrijf een berekening, tot {high}.", "Bedenk een berekening met getallen tot {high}."),
    ),
    "zh": Phrasings(
        number=("请选择一个{low}到{high}的数。", "第二个数，{low}到{high}？"),
        formula=("请写一道算式，数不超过{high}。", "请出一道数不超过{high}的算式。"),
    ),
}
