"""The corpus that comes with the project: 32 languages, made offline from the scenarios' own knowledge.

What scenarios ask and what answers it, in every family and at every level, and the words that the CLDR, num2words and
chatterbot-corpus bundle. It is small and repeats itself: it is there so that the whole pipeline needs no download.
A function of the seed. Scenarios of other libraries are left out: they take seconds a question.
"""

from collections.abc import Iterator, Sequence

from envs.chance import pick
from envs.families.cldr import country_name, language_name, locale_data, month_names, weekday_names
from envs.families.number_words import number_words
from envs.languages import CODES
from envs.library import BUILT_IN, Library
from envs.mix import MixLine, draw
from rl.corpus import Document

MAX_TURNS = 4
NAMES_PER_DOCUMENT = 8


def embedded_corpus(seed: int, *, num_dialogs: int, held_out_questions: float) -> Iterator[Document]:
    """`num_dialogs` documents of questions and answers in each language, and one of names or numbers for five of them.

    No opening question is among the share `held_out_questions` that nobody trains on, see `envs.mix.is_held_out`.
    """
    library = Library(BUILT_IN)
    for number, language in enumerate(CODES):
        mix = [
            MixLine(scenario.name, 1.0, (language,), tuple(range(scenario.num_levels)))
            for scenario in library.scenarios
            if language in scenario.languages
        ]
        for index in range(num_dialogs):
            task = draw(library, mix, seed, number, index, held_out_questions)
            asked = library.questions(task, max_turns=MAX_TURNS)
            turns = [f"{question.text}\n{question.demonstration}".strip() for question in asked]
            yield Document("\n".join(turns), language, task.level)
        for index in range(num_dialogs // 5):
            yield Document(_words(language, seed, index), language)


def _words(language: str, seed: int, index: int) -> str:
    """Some names, or numbers in a row with their words."""
    key = ("embedded corpus", seed, language, index)
    kind = pick(("countries", "languages", "numbers", "months", "weekdays"), *key)
    match kind:
        case "countries" | "languages":
            names = _names(language, kind)
            return ", ".join(pick(names, *key, place) for place in range(NAMES_PER_DOCUMENT))
        case "numbers":
            words = number_words(language)
            first = pick(range(len(words) - NAMES_PER_DOCUMENT), *key, "first")
            return ", ".join(f"{n} {words[n]}" for n in range(first, first + NAMES_PER_DOCUMENT))
        case _:
            names = month_names(language) if kind == "months" else weekday_names(language)
            first = pick(range(len(names)), *key, "first")
            return ", ".join((*names[first:], *names[:first]))


def _names(language: str, kind: str) -> Sequence[str]:
    """All countries, or all languages, that the CLDR names in this language, by their codes of two letters."""
    if kind == "countries":
        codes = sorted(code for code in locale_data(language)["territories"] if len(code) == 2)
        return [country_name(language, code) for code in codes]
    codes = sorted(code for code in locale_data(language)["languages"] if len(code) == 2)
    return [language_name(language, code) for code in codes]
