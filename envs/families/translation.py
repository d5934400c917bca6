"""Translating single words that CLDR and num2words know in all 32 languages."""

from collections.abc import Callable
from functools import cache

from envs.chance import pick
from envs.families.cldr import country_name, currency_name, language_name, month_names, weekday_names
from envs.families.knowledge import countries, currencies
from envs.families.lookup import Computed, Fact, Facts, lookup
from envs.families.number_words import number_words
from envs.family import Family
from envs.languages import CODES

MAJOR = ("en", "de", "fr", "es", "it", "pt", "ru", "zh", "ja", "ar")
Vocabulary = Callable[[str], tuple[str, ...]]


def number_vocabulary(language: str) -> tuple[str, ...]:
    return number_words(language)[:21]


@cache
def country_vocabulary(language: str) -> tuple[str, ...]:
    return tuple(country_name(language, code) for code in countries())


@cache
def language_vocabulary(language: str) -> tuple[str, ...]:
    return tuple(language_name(language, code) for code in CODES)


@cache
def currency_vocabulary(language: str) -> tuple[str, ...]:
    return tuple(currency_name(language, code) for code in currencies())


def partner(language: str) -> str:
    """The other language of the first level: English, or German for English."""
    return "de" if language == "en" else "en"


def into_this(vocabulary: Vocabulary) -> Callable[[str], Facts]:
    """Words of the partner language, asked for in this one. A word with several meanings is left out."""

    @cache
    def facts(language: str) -> Facts:
        foreign, own = vocabulary(partner(language)), vocabulary(language)
        return tuple(Fact("meaning", x, due) for x, due in zip(foreign, own, strict=True) if foreign.count(x) == 1)

    return facts


def out_of_this(vocabulary: Vocabulary, targets: tuple[str, ...]) -> Callable[[str], Facts]:
    """Words of this language, asked for in each of the others. A word with several meanings is left out."""

    @cache
    def facts(language: str) -> Facts:
        own = vocabulary(language)
        words = [index for index, word in enumerate(own) if own.count(word) == 1]
        others = [code for code in targets if code != language]

        def fact(number: int) -> Fact:
            word, other = divmod(number, len(others))
            index, code = words[word], others[other]
            return Fact("translate", own[index], vocabulary(code)[index], y=language_name(language, code))

        return Computed(len(words) * len(others), fact)

    return facts


def in_other_languages(vocabulary: Vocabulary, count: int) -> Callable[[str, Fact, int], tuple[Fact, ...]]:
    """The opening's word again, in other languages."""

    def follow_ups(language: str, opening: Fact, seed: int) -> tuple[Fact, ...]:
        index = vocabulary(language).index(opening.x)
        others = [code for code in MAJOR if code != language and language_name(language, code) != opening.y]
        start = pick(range(len(others)), seed, "language")
        chosen = (others[start:] + others[:start])[:count]
        return tuple(
            Fact("and_translate", "", vocabulary(code)[index], y=language_name(language, code)) for code in chosen
        )

    return follow_ups


def family(name: str, what: str, vocabulary: Vocabulary) -> Family:
    return Family(
        name,
        "translation",
        f"{what}, to be translated: into this language, then into ten, then into all 32.",
        (
            lookup(into_this(vocabulary), num_wordings=1),
            lookup(out_of_this(vocabulary, MAJOR)),
            lookup(out_of_this(vocabulary, CODES)),
        ),
        CODES,
    )


SCENARIOS: tuple[Family, ...] = (
    family("translate-numbers", "Numbers in words", number_vocabulary),
    family("translate-weekdays", "Weekdays", weekday_names),
    family("translate-months", "Months", month_names),
    family("translate-countries", "Names of countries", country_vocabulary),
    family("translate-languages", "Names of languages", language_vocabulary),
    family("translate-currencies", "Names of currencies", currency_vocabulary),
    Family(
        "translate-dialog",
        "translation",
        "A weekday or number, to be translated into one language and then into others.",
        (
            lookup(
                out_of_this(weekday_names, ("en", "de")),
                in_other_languages(weekday_names, 1),
                num_wordings=1,
            ),
            lookup(out_of_this(number_vocabulary, MAJOR), in_other_languages(number_vocabulary, 3)),
        ),
        CODES,
    ),
)
