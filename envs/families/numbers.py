"""Numbers: in words and Roman numerals, compared, sorted, continued, counted, and added in words."""

from collections.abc import Callable
from functools import cache

from envs.chance import pick
from envs.families.cldr import country_name, language_name, locale_data
from envs.families.knowledge import countries
from envs.families.lookup import Computed, Fact, Facts, lookup
from envs.families.number_words import number_words
from envs.family import Family
from envs.languages import CODES

ROMAN = (
    (1000, "M"), (900, "CM"), (500, "D"), (400, "CD"), (100, "C"), (90, "XC"), (50, "L"), (40, "XL"), (10, "X"),
    (9, "IX"), (5, "V"), (4, "IV"), (1, "I"),
)  # fmt: skip
# num2words has sound ordinals of 1 to 10 here; 1 and 2 are left out, as wordings show them
ORDINAL_LANGUAGES = ("en", "de", "es", "it", "pt", "nl", "sv", "da", "no", "fi", "pl", "hu", "ru", "uk", "tr", "id")
# an alphabet in which everyone counts letters alike: no digraphs that count as one, no marks of their own
LETTER_LANGUAGES = (
    "en", "de", "fr", "es", "it", "pt", "sv", "da", "no", "fi", "pl", "ro", "lt", "tr", "id", "el", "bg", "ru", "uk",
    "zh",
)  # fmt: skip
OPERATIONS: dict[str, Callable[[int, int], int]] = {
    "plus": lambda a, b: a + b,
    "minus": lambda a, b: a - b,
    "times": lambda a, b: a * b,
}


def roman(number: int) -> str:
    """Example: `roman(14)` is "XIV". For 1 to 3999."""
    text = ""
    for value, letters in ROMAN:
        count, number = divmod(number, value)
        text += letters * count
    return text


def in_words(numbers: range) -> Callable[[str], Facts]:
    @cache
    def facts(language: str) -> Facts:
        return tuple(Fact("in_words", str(number), number_words(language)[number]) for number in numbers)

    return facts


def in_digits(numbers: range) -> Callable[[str], Facts]:
    @cache
    def facts(language: str) -> Facts:
        words = number_words(language)
        return tuple(Fact("in_digits", words[number], str(number), kind="integer") for number in numbers)

    return facts


def in_roman(numbers: range) -> Computed:
    def fact(number: int) -> Fact:
        return Fact("in_roman", str(numbers[number]), roman(numbers[number]))

    return Computed(len(numbers), fact)


def from_roman(numbers: range) -> Computed:
    def fact(number: int) -> Fact:
        return Fact("in_digits", roman(numbers[number]), str(numbers[number]), kind="integer")

    return Computed(len(numbers), fact)


@cache
def ordinals(language: str) -> tuple[Fact, ...]:
    from num2words import num2words

    name = "pt_BR" if language == "pt" else language
    return tuple(Fact("ordinal", str(n), str(num2words(n, lang=name, to="ordinal"))) for n in range(3, 11))


def pairs(numbers: range) -> Computed:
    """Which of two different numbers is larger."""

    def fact(number: int) -> Fact:
        first, other = divmod(number, len(numbers) - 1)
        a, b = numbers[first], numbers[other + (other >= first)]
        return Fact("larger", str(a), str(max(a, b)), y=str(b), kind="integer")

    return Computed(len(numbers) * (len(numbers) - 1), fact)


def smaller_one(language: str, opening: Fact, seed: int) -> tuple[Fact, ...]:
    smaller = min(int(opening.x), int(opening.y))
    return (Fact("and_smaller", "", str(smaller), kind="integer"),)


def rows(count: int, num_rows: int, largest: int) -> Computed:
    """Rows of `count` different numbers below `largest`, no two rows alike."""

    def fact(number: int) -> Fact:
        step, first = divmod(number, largest)
        numbers = [(first + (step + 1) * k * (k + 2)) % largest for k in range(count)]
        text = " ".join(map(str, numbers))
        return Fact("sort", text, " ".join(map(str, sorted(numbers))), kind="sequence")

    return Computed(num_rows, fact)


def reversed_row(language: str, opening: Fact, seed: int) -> tuple[Fact, ...]:
    numbers = reversed(opening.answer.split())
    return (Fact("and_reversed", "", " ".join(numbers), kind="sequence"),)


def sequences(starts: range, steps: range) -> Computed:
    """Three numbers of an arithmetic sequence; the fourth is due."""

    def fact(number: int) -> Fact:
        start, step = divmod(number, len(steps))
        a, d = starts[start], steps[step]
        return Fact("next_number", f"{a}, {a + d}, {a + 2 * d}", str(a + 3 * d), kind="integer")

    return Computed(len(starts) * len(steps), fact)


def sequence_goes_on(language: str, opening: Fact, seed: int) -> tuple[Fact, ...]:
    shown = [int(number) for number in opening.x.split(", ")]
    step, last = shown[1] - shown[0], int(opening.answer)
    return tuple(Fact("and_next_number", "", str(last + step * k), kind="integer") for k in (1, 2))


def letter_counts(number: int | None) -> Callable[[str], Facts]:
    @cache
    def facts(language: str) -> tuple[Fact, ...]:
        names = (country_name(language, code) for code in countries(number))
        words = [name for name in names if name.isalpha()]
        return tuple(Fact("how_many_letters", word, str(len(word)), kind="integer") for word in words)

    return facts


def word_sums(ask: str, numbers: range) -> Callable[[str], Facts]:
    """Every pair of `numbers` in words; what is taken away is never the larger one."""
    pairs = [(a, b) for a in numbers for b in numbers if ask != "minus" or a >= b]

    def facts(language: str) -> Facts:
        words = number_words(language)

        def fact(number: int) -> Fact:
            a, b = pairs[number]
            return Fact(ask, words[a], str(OPERATIONS[ask](a, b)), y=words[b], kind="integer")

        return Computed(len(pairs), fact)

    return facts


def word_sum_goes_on(language: str, opening: Fact, seed: int) -> tuple[Fact, ...]:
    words, result, facts = number_words(language), int(opening.answer), []
    for step in range(2):
        operand = pick(range(1, 10), seed, step, "operand")
        sign = pick((1, -1), seed, step, "sign") if result >= operand else 1
        result += sign * operand
        ask = "and_plus" if sign > 0 else "and_minus"
        facts.append(Fact(ask, "", str(result), y=words[operand], kind="integer"))
    return tuple(facts)


def localized(language: str, number: int) -> str:
    """A number with two decimals, grouped in threes, given in hundredths, after CLDR: "1.234,50" in German."""
    symbols = locale_data(language)["number_symbols"]["latn"]
    whole, cents = divmod(number, 100)
    return f"{whole:,}".replace(",", symbols["group"]) + symbols["decimal"] + f"{cents:02}"


def number_formats(targets: tuple[str, ...], numbers: range) -> Callable[[str], Facts]:
    def facts(language: str) -> Facts:
        def fact(number: int) -> Fact:
            value, target = divmod(number, len(targets))
            cents, code = numbers[value], targets[target]
            plain = f"{cents // 100}.{cents % 100:02}"
            name = language_name(language, code)
            return Fact("number_format", plain, localized(code, cents), y=name, kind="exact")

        return Computed(len(numbers) * len(targets), fact)

    return facts


SCENARIOS: tuple[Family, ...] = (
    Family(
        "number-words",
        "dates-numbers",
        "A number, to be written in words.",
        (lookup(in_words(range(11)), num_wordings=1), lookup(in_words(range(21))), lookup(in_words(range(100)))),
        CODES,
    ),
    Family(
        "number-words-to-digits",
        "dates-numbers",
        "A number in words, to be written in digits.",
        (lookup(in_digits(range(11)), num_wordings=1), lookup(in_digits(range(21))), lookup(in_digits(range(100)))),
        CODES,
    ),
    Family(
        "roman-numerals",
        "dates-numbers",
        "Numbers as Roman numerals, and back.",
        (
            lookup(lambda language: in_roman(range(1, 21)), num_wordings=1),
            lookup(lambda language: from_roman(range(1, 101))),
            lookup(lambda language: in_roman(range(1, 2100))),
        ),
        CODES,
    ),
    Family(
        "ordinals",
        "dates-numbers",
        "Ordinal numbers in words.",
        (lookup(ordinals, num_wordings=1), lookup(ordinals)),
        ORDINAL_LANGUAGES,
    ),
    Family(
        "comparison-dialog",
        "dates-numbers",
        "The larger of two numbers, and then the smaller one.",
        (
            lookup(lambda language: pairs(range(10)), num_wordings=1),
            lookup(lambda language: pairs(range(10, 100)), smaller_one),
            lookup(lambda language: pairs(range(9900, 10100)), smaller_one),
        ),
        CODES,
    ),
    Family(
        "sorting-dialog",
        "dates-numbers",
        "Numbers to be sorted, and then the other way round.",
        (
            lookup(lambda language: rows(2, 90, 10), num_wordings=1),
            lookup(lambda language: rows(3, 2000, 97), reversed_row),
            lookup(lambda language: rows(5, 9000, 997), reversed_row),
        ),
        CODES,
    ),
    Family(
        "sequence-dialog",
        "dates-numbers",
        "The next number of a sequence, and those after it.",
        (
            lookup(lambda language: sequences(range(10), range(1, 6)), num_wordings=1),
            lookup(lambda language: sequences(range(30), range(2, 13)), sequence_goes_on),
            lookup(lambda language: sequences(range(-50, 100), range(-20, 31)), sequence_goes_on),
        ),
        CODES,
    ),
    Family(
        "letter-counts",
        "dates-numbers",
        "How many letters a word has.",
        (lookup(letter_counts(16), num_wordings=1), lookup(letter_counts(None))),
        LETTER_LANGUAGES,
    ),
    Family(
        "word-sums",
        "arithmetic",
        "A calculation in words; the answer is in digits.",
        (
            lookup(word_sums("plus", range(10)), num_wordings=1),
            lookup(word_sums("minus", range(21))),
            lookup(word_sums("times", range(1, 13))),
            lookup(word_sums("plus", range(10, 100))),
        ),
        CODES,
    ),
    Family(
        "word-sum-dialog",
        "arithmetic",
        "A sum in words, and follow-ups that build on its result.",
        (
            lookup(word_sums("plus", range(10)), word_sum_goes_on, num_wordings=1),
            lookup(word_sums("plus", range(10, 60)), word_sum_goes_on),
        ),
        CODES,
    ),
    Family(
        "number-formats",
        "dates-numbers",
        "A number, to be written as another language does.",
        (
            lookup(number_formats(("de", "en"), range(150, 5000, 75)), num_wordings=1),
            lookup(number_formats(("de", "en", "fr", "es", "id", "it"), range(100_000, 200_000, 101))),
        ),
        CODES,
    ),
)
