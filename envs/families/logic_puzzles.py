"""Small deductions: truth, sets, sequences, order, and letters."""

from itertools import pairwise

from envs.chance import pick
from envs.families.drawn import drawn
from envs.family import Family
from envs.task import Question

NAMES = ("Anna", "Ben", "Carla", "David", "Emma", "Felix", "Nina", "Paul")
WORDS = ("sun", "cat", "moon", "tree", "river", "paper", "garden", "banana", "window", "letter")
CHAINS = {  # (a comparison, who has most, who has least)
    "en": ("{a} is taller than {b}.", "Who is the tallest?", "And the shortest?"),
    "de": ("{a} hat mehr Punkte als {b}.", "Wer hat die meisten?", "Und wer die wenigsten?"),
    "fr": ("{a} a plus de points que {b}.", "Qui en a le plus ?", "Et le moins ?"),
    "es": ("{a} tiene más puntos que {b}.", "¿Quién tiene más?", "¿Y quién menos?"),
}


def chain(language: str, level: int, number: int) -> tuple[Question, ...]:
    comparison, most, least = CHAINS[language]
    people = _shuffled(NAMES, "people", number)[: 2 + level]
    clues = [comparison.format(a=a, b=b) for a, b in pairwise(people)]
    text = " ".join([*_shuffled(tuple(clues), "clues", number), most])
    return (Question(text, people[0], "choice"), Question(least, people[-1], "choice"))


def truth(language: str, level: int, number: int) -> tuple[Question, ...]:
    value = pick((True, False), number, "first")
    text = str(value).lower()
    for step in range(1 + level):
        operator, other = pick(("and", "or"), number, step), pick((True, False), number, step, "other")
        value = (value and other) if operator == "and" else (value or other)
        text = f"({text} {operator} {str(other).lower()})"
        if pick((True, False), number, step, "not"):
            value, text = not value, f"not {text}"
    return (Question(f"{text} = ?", str(value).lower(), "choice"),)


def sequence(language: str, level: int, number: int) -> tuple[Question, ...]:
    first, step = (pick(range(1, 6 + 10 * level), number, part) for part in ("first", "step"))
    growth = pick(range(1, 4), number, "growth") if level == 2 else 0  # of the step itself
    terms = [first + step * i + growth * i * (i - 1) // 2 for i in range(6)]
    return (Question(" ".join(map(str, terms[:4])) + " ?", str(terms[4]), "integer"),)


def reverse(language: str, level: int, number: int) -> tuple[Question, ...]:
    words = _shuffled(WORDS, "reverse", number)[: 1 + level]
    return (Question(f"Reverse the letters: {' '.join(words)}", " ".join(words)[::-1], "exact"),)


def count_letters(language: str, level: int, number: int) -> tuple[Question, ...]:
    text = " ".join(_shuffled(WORDS, "count", number)[: 1 + level])
    letter = pick(sorted(set(text) - {" "}), number, "letter")
    return (Question(f"{letter} in {text}: how many?", str(text.count(letter)), "integer"),)


def base(language: str, level: int, number: int) -> tuple[Question, ...]:
    value = pick(range((32, 256, 4096)[level]), number, "value")
    form, name = pick((("b", 2), ("x", 16)), number, "base") if level else ("b", 2)
    return (Question(f"{value} in base {name} = ?", format(value, form), "text"),)


def _shuffled(options: tuple[str, ...], *key: str | int) -> list[str]:
    rest, drawn = list(options), []
    while rest:
        drawn.append(rest.pop(pick(range(len(rest)), *key, len(rest))))
    return drawn


SCENARIOS = (
    Family("comparison-chains", "logic", "Who has most, who has least.", drawn(chain, 3), tuple(CHAINS)),
    Family("truth-values", "logic", "The truth of an expression.", drawn(truth, 3), ("en",)),
    Family("sequences", "math", "The next number of a sequence.", drawn(sequence, 3), ("en",)),
    Family("reversing", "logic", "Words read backwards.", drawn(reverse, 3), ("en",)),
    Family("letter-occurrences", "logic", "How often a letter occurs.", drawn(count_letters, 3), ("en",)),
    Family("number-bases", "math", "Numbers in binary and hexadecimal.", drawn(base, 3), ("en",)),
)
