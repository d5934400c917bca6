"""Small programs and what they print, made together: the output follows from the same numbers, without running it."""

from collections.abc import Callable
from dataclasses import dataclass

WORDS = ("rome", "tiger", "green", "seven", "apple", "music", "river", "table", "cloud", "paper")
LISTS = ((3, 1, 2), (5, 9, 7, 6), (4, 4, 8), (2, 6, 1, 3), (8, 0, 5), (7, 3, 9, 1), (6, 2), (1, 5, 4, 2, 3))


@dataclass(frozen=True, slots=True)
class Printing:
    """A program and the one line that it prints."""

    program: str
    output: str


def calculation(number: int) -> Printing:
    """200 of them: a sum or a difference of two digits."""
    number, b = divmod(number, 10)
    operator, a = divmod(number, 10)
    return Printing(f"print({a} {'+-'[operator]} {b})", str(a - b if operator else a + b))


def statements(number: int) -> Printing:
    """729 of them for each of four shapes: assignment, loop, condition, function."""
    number, shape = divmod(number, 4)
    a, b, c = number // 81 + 1, number // 9 % 9 + 1, number % 9 + 1
    match shape:
        case 0:
            return Printing(f"x = {a}\nx = x + {b}\nprint(x * {c})", str((a + b) * c))
        case 1:
            return Printing(f"x = {a}\nfor i in range({b}):\n    x = x + {c}\nprint(x)", str(a + b * c))
        case 2:
            return Printing(f"x = {a}\nif x > {b}:\n    x = x + {c}\nprint(x)", str(a + c if a > b else a))
        case _:
            return Printing(f"def f(x):\n    return x - {a}\n\nprint(f({b}) + f({c}))", str(b + c - 2 * a))


NUM_TEXTS, NUM_SEQUENCES = 6 * len(WORDS), 5 * len(LISTS)


def sequences(number: int) -> Printing:
    """Each word or list in each of its shapes, words first."""
    if number < NUM_TEXTS:
        shape, index = divmod(number, len(WORDS))
        word = WORDS[index]
        code, output = _TEXTS[shape]
        return Printing(f'word = "{word}"\nprint({code})', output(word))
    shape, index = divmod(number - NUM_TEXTS, len(LISTS))
    items = list(LISTS[index])
    code, result = _SEQUENCES[shape]
    return Printing(f"items = {items}\nprint({code})", str(result(items)))


_TEXTS: tuple[tuple[str, Callable[[str], str]], ...] = (
    ("word[::-1]", lambda word: "".join(reversed(word))),
    ("word.upper()", str.upper),
    ("word[0] + word[-1]", lambda word: word[0] + word[-1]),
    ("word[1:3]", lambda word: word[1] + word[2]),
    ('word.replace("e", "o")', lambda word: "".join("o" if letter == "e" else letter for letter in word)),
    ("len(word + word)", lambda word: str(2 * len(word))),
)

_SEQUENCES: tuple[tuple[str, Callable[[list[int]], object]], ...] = (
    ("sorted(items)", sorted),
    ("max(items) - min(items)", lambda items: max(items) - min(items)),
    ("sum(items)", sum),
    ("[x + 1 for x in items]", lambda items: [x + 1 for x in items]),
    ("items[1:] + items[:1]", lambda items: [*items[1:], items[0]]),
)

OUTPUTS: tuple[tuple[int, Callable[[int], Printing]], ...] = (  # by level: how many programs, and the one of a number
    (200, calculation),
    (4 * 729, statements),
    (NUM_TEXTS + NUM_SEQUENCES, sequences),
)
