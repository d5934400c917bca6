"""A desk that answers from what the opening says: the state of orders, and what a purchase costs."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from envs.chance import draw, pick
from envs.family import Family
from envs.planned import TALKERS, Choices, planned
from envs.speech import words_of
from envs.task import Question, Task


@dataclass(frozen=True, slots=True)
class Phrasings:
    """
    Attributes:
        states: of an order, one word each.
        state, also: asks for the state of order `{n}`, at first and again; news: an order has another `{state}` now.
        goods: one word each; cost, more: asks for the price of `{list}`, and of that and more.
    """

    states: tuple[str, str, str, str]
    state: str
    also: str
    news: str
    goods: tuple[str, str, str, str]
    cost: str
    more: str


PHRASINGS: dict[str, Phrasings] = {
    "en": Phrasings(
        ("sent", "lost", "ready", "paid"),
        "How is order {n}?",
        "And order {n}?",
        "News: order {n} is now {state}.",
        ("pen", "cup", "lamp", "book"),
        "How much is {list}?",
        "And with {list} more?",
    ),
    "de": Phrasings(
        ("versandt", "verloren", "bereit", "bezahlt"),
        "Wie steht es um Bestellung {n}?",
        "Und Bestellung {n}?",
        "Neu: Bestellung {n} ist jetzt {state}.",
        ("Stift", "Tasse", "Lampe", "Buch"),
        "Was kostet {list}?",
        "Und mit noch {list}?",
    ),
    "fr": Phrasings(
        ("envoyée", "perdue", "prête", "payée"),
        "Où en est la commande {n} ?",
        "Et la commande {n} ?",
        "Nouveau : la commande {n} est maintenant {state}.",
        ("stylo", "tasse", "lampe", "livre"),
        "Combien coûte {list} ?",
        "Et avec {list} en plus ?",
    ),
    "es": Phrasings(
        ("enviado", "perdido", "listo", "pagado"),
        "¿Cómo está el pedido {n}?",
        "¿Y el pedido {n}?",
        "Novedad: el pedido {n} está ahora {state}.",
        ("lápiz", "taza", "lámpara", "libro"),
        "¿Cuánto cuesta {list}?",
        "¿Y con {list} más?",
    ),
}


def orders(task: Task, choices: Sequence[int]) -> list[Question]:
    """Two to four orders and their states. From level 1 on, one changes before it is asked for again."""
    phrasings, seed = PHRASINGS[task.language], task.seed
    states = {1: phrasings.states[choices[0]], 2: phrasings.states[choices[1]]}
    states |= {n: pick(phrasings.states, seed, n) for n in range(3, 3 + task.level)}
    table = ", ".join(f"{n}: {state}" for n, state in states.items())
    first = choices[2] + 1
    others = draw([n for n in states if n != first], 1, seed, "others")
    questions = [Question(f"{table}. {phrasings.state.format(n=first)}", states[first], "choice")]
    questions += [Question(phrasings.also.format(n=n), states[n], "choice") for n in others]
    if task.level > 0:
        old = (states[first], states[others[0]])
        state = pick([state for state in phrasings.states if state not in old], seed, "news")
        news = phrasings.news.format(n=others[0], state=state)
        asked = pick((others[0], first), seed, "asked")
        due = state if asked == others[0] else states[first]
        questions.append(Question(f"{news} {phrasings.also.format(n=asked)}", due, "choice"))
    return questions


def quote(task: Task, choices: Sequence[int]) -> list[Question]:
    """Two prices, and what some of each cost; every follow-up adds to the purchase."""
    phrasings, seed = PHRASINGS[task.language], task.seed
    (first, second), largest = draw(phrasings.goods, 2, choices[0], "goods"), (3, 5, 20)[task.level]
    price, other, number = choices[0] + 1, choices[1] + 1, choices[2] + 1
    prices = {first: price, second: other}
    total = price * number
    text = phrasings.cost.format(list=f"{number} × {first}")
    questions = [Question(f"{first}: {price}, {second}: {other}. {text}", str(total), "integer")]
    for step in range(1 + task.level):
        item, amount = pick((first, second), seed, step, "item"), pick(range(1, largest + 1), seed, step, "amount")
        total += prices[item] * amount
        questions.append(Question(phrasings.more.format(list=f"{amount} × {item}"), str(total), "integer"))
    return questions


@cache
def vocabulary(language: str) -> frozenset[str]:
    return words_of(*PHRASINGS[language].states, *PHRASINGS[language].goods)


SCENARIOS = (
    Family(
        "service-order",
        "service",
        "The state of orders, from a table that the opening gives and the user updates.",
        planned(orders, Choices((4, 4, 2)), Choices((4, 4, 2), TALKERS), Choices((4, 4, 2), TALKERS), kept=vocabulary),
        tuple(PHRASINGS),
    ),
    Family(
        "service-quote",
        "service",
        "What a purchase costs, from prices that the opening gives, as it grows.",
        planned(
            quote, Choices((5, 5, 3)), Choices((9, 9, 9), TALKERS), Choices((20, 20, 12), TALKERS), kept=vocabulary
        ),
        tuple(PHRASINGS),
    ),
)
