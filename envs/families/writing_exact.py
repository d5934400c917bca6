"""Writing tasks with one right answer: changing case, order, letters and words of a given text."""

import json
from functools import lru_cache

from envs.chance import pick
from envs.families.writing_phrasings import CITIES, KEYS, LONG_WORDS, NAMES, RHYMES, WORDS
from envs.families.writing_task import arrangement, demanding, level, num_arrangements, wording, writing
from envs.family import Family
from envs.task import Constraint, Question, stable_hash

NUM_WORDS = 24  # in each of the lists
SOUNDS = range(6)  # in the list of rhymes
FEW = 8  # words that the lowest levels use


def _listed(words: list[str]) -> str:
    return ", ".join(words)


def _drawn(language: str, seed: int, count: int) -> list[str]:
    return arrangement(WORDS[language], stable_hash(seed, "words"), count)


def _case(language: str, number: int, count: int) -> tuple[Question, ...]:
    number, to_upper = divmod(number, 2)
    text = " ".join(arrangement(WORDS[language], number, count))
    small, large = text.lower(), text.upper()
    if to_upper:
        return (Question(wording(language, "upper", text=small), large, "exact"),)
    return (Question(wording(language, "lower", text=large), small, "exact"),)


def _case_there_and_back(language: str, seed: int) -> tuple[Question, ...]:
    text = " ".join(_drawn(language, seed, 4))
    return (
        Question(wording(language, "upper", seed, text=text), text.upper(), "exact"),
        Question(wording(language, "now_lower", seed), text.lower(), "exact"),
        Question(wording(language, "now_upper", seed), text.upper(), "exact"),
    )


def _sort(language: str, number: int, num_words: int, count: int) -> tuple[Question, ...]:
    words = arrangement(WORDS[language][:num_words], number, count)
    due = _listed(sorted(words, key=str.lower))
    return (Question(wording(language, "sort", text=_listed(words)), due, "sequence"),)


def _sort_and_reverse(language: str, seed: int) -> tuple[Question, ...]:
    words = _drawn(language, seed, 5)
    backwards = sorted(words, key=str.lower, reverse=True)
    return (
        Question(wording(language, "sort", seed, text=_listed(words)), _listed(backwards[::-1]), "sequence"),
        Question(wording(language, "now_reverse", seed), _listed(backwards), "sequence"),
        Question(wording(language, "now_first", seed), backwards[0], "exact"),
    )


def _initials(language: str, number: int, num_words: int, count: int) -> tuple[Question, ...]:
    words = arrangement(WORDS[language][:num_words], number, count)
    return (Question(wording(language, "initials", text=" ".join(words)), _first_letters(words), "exact"),)


def _first_letters(words: list[str]) -> str:
    return "".join(word[0] for word in words).upper()


@lru_cache(4096)
def _acronym(language: str, seed: int) -> tuple[Question, ...]:
    """Which words have these initials? Then the initials of others."""
    letters = [letter for letter in "abdefghijklmnopqrstuvwz" if letter not in MISSING_INITIALS[language]]
    wanted = "".join(arrangement(letters, stable_hash(seed, "letters"), 3))
    demands = (Constraint("initials", wanted),)
    words = _drawn(language, seed, 4)
    return (
        demanding(wording(language, "acronym", seed, text=wanted.upper()), demands, language),
        Question(wording(language, "initials", seed, text=" ".join(words)), _first_letters(words), "exact"),
    )


MISSING_INITIALS = {"en": "qv", "de": "cy", "fr": "k", "es": "rw"}  # letters with few words to begin with


def _rhyme(language: str, number: int) -> tuple[Question, ...]:
    """Two words to choose from."""
    number, second = divmod(number, 2)
    number, member = divmod(number, 3)
    right, wrong = arrangement(SOUNDS, number, 2)
    sound, other = RHYMES[language][right], RHYMES[language][wrong]
    options = [other[member], sound[member + 1]] if second else [sound[member + 1], other[member]]
    text = wording(language, "rhyme", word=sound[0], text=_listed(options))
    return (_choice(text, sound[member + 1], options),)


def _rhymes(language: str, seed: int) -> tuple[Question, ...]:
    """Four words to choose from, twice."""
    sounds = [RHYMES[language][sound] for sound in arrangement(SOUNDS, stable_hash(seed, "sounds"), 4)]
    options = [pick(sound[1:], seed, place) for place, sound in enumerate(sounds)]
    first, second = arrangement(range(4), stable_hash(seed, "asked"), 2)
    opening = wording(language, "rhyme", seed, word=sounds[first][0], text=_listed(options))
    follow_up = wording(language, "now_rhyme", seed, word=sounds[second][0])
    return _choice(opening, options[first], options), _choice(follow_up, options[second], options)


def _choice(text: str, answer: str, options: list[str]) -> Question:
    return Question(text, answer, "choice", constraints=(Constraint("options", "|".join(options)),))


def _remove(language: str, number: int, num_words: int, count: int) -> tuple[Question, ...]:
    number, place = divmod(number, count)
    words = arrangement(WORDS[language][:num_words], number, count)
    text = wording(language, "remove", word=words[place], text=_listed(words))
    return (Question(text, _listed(words[:place] + words[place + 1 :]), "sequence"),)


def _remove_twice(language: str, seed: int) -> tuple[Question, ...]:
    words = _drawn(language, seed, 6)
    first, second = arrangement(words, stable_hash(seed, "removed"), 2)
    left = [word for word in words if word != first]
    rest = [word for word in left if word != second]
    return (
        Question(wording(language, "remove", seed, word=first, text=_listed(words)), _listed(left), "sequence"),
        Question(wording(language, "now_remove", seed, word=second), _listed(rest), "sequence"),
    )


def _replace(language: str, number: int, num_words: int, count: int) -> tuple[Question, ...]:
    number, place = divmod(number, count)
    other, *words = arrangement(WORDS[language][:num_words], number, count + 1)
    text = wording(language, "replace", word=words[place], other=other, text=_listed(words))
    return (Question(text, _listed([*words[:place], other, *words[place + 1 :]]), "sequence"),)


def _replace_twice(language: str, seed: int) -> tuple[Question, ...]:
    new, newer, *words = _drawn(language, seed, 7)
    first, second = arrangement(words, stable_hash(seed, "replaced"), 2)
    once = [new if word == first else word for word in words]
    twice = [newer if word == second else word for word in once]
    opening = wording(language, "replace", seed, word=first, other=new, text=_listed(words))
    return (
        Question(opening, _listed(once), "sequence"),
        Question(wording(language, "now_replace", seed, word=second, other=newer), _listed(twice), "sequence"),
    )


def misspelt(word: str, place: int) -> str:
    """Two neighbours swapped; where they are equal, a third one added."""
    a, b = word[place], word[place + 1]
    return word[:place] + (a + b + b if a == b else b + a) + word[place + 2 :]


def _spelling(language: str, number: int) -> tuple[Question, ...]:
    word = WORDS[language][number % NUM_WORDS]
    wrong = word + word[-1] if number < NUM_WORDS else word[0] + word
    return (Question(wording(language, "spelling", text=wrong), word, "exact"),)


def _spelling_of_long_words(language: str, number: int) -> tuple[Question, ...]:
    place, index = divmod(number, NUM_WORDS)
    word = LONG_WORDS[language][index]
    return (Question(wording(language, "spelling", text=misspelt(word, place)), word, "exact"),)


def _spelling_in_a_row(language: str, seed: int) -> tuple[Question, ...]:
    words = arrangement(LONG_WORDS[language], stable_hash(seed, "words"), 4)
    place = pick(range(4), seed, "place")
    wrong = [misspelt(word, pick(range(4), seed, "slip")) if i == place else word for i, word in enumerate(words)]
    return (Question(wording(language, "spelling", seed, text=" ".join(wrong)), " ".join(words), "exact"),)


def _record(language: str, number: int) -> tuple[Question, ...]:
    """One field."""
    number, key = divmod(number, 2)
    value = (NAMES, CITIES)[key][language][number]
    return (
        _json_question(wording(language, "json", text=f"{KEYS[language][key]} {value}"), {KEYS[language][key]: value}),
    )


def _json_question(text: str, record: dict[str, str | int]) -> Question:
    demands = (Constraint("json_keys", ", ".join(record)),)
    return Question(text, json.dumps(record, ensure_ascii=False), "json", constraints=demands)


def _records(language: str, seed: int, num_fields: int) -> tuple[Question, ...]:
    name, city = pick(NAMES[language], seed, "name"), pick(CITIES[language], seed, "city")
    values: tuple[str | int, ...] = (name, city, pick(range(3, 100), seed, "age"))
    record = dict(zip(KEYS[language][:num_fields], values, strict=False))
    text = wording(language, "json", seed, text=", ".join(f"{key} {value}" for key, value in record.items()))
    demands = [
        Constraint("num_bullets", num_fields),
        *(Constraint("mentions", str(value)) for value in record.values()),
    ]
    listing = demanding(wording(language, "now_list", seed), demands, language)
    return _json_question(text, record), listing


SCENARIOS: tuple[Family, ...] = (
    writing(
        "write-case",
        "Words rewritten in capitals or in small letters.",
        level(lambda language, number: _case(language, number, 1), 2 * NUM_WORDS),
        level(lambda language, number: _case(language, number, 2), 2 * num_arrangements(NUM_WORDS, 2)),
        level(_case_there_and_back),
    ),
    writing(
        "write-sorted",
        "A list put in alphabetical order, and then the other way round.",
        level(lambda language, number: _sort(language, number, FEW, 2), num_arrangements(FEW, 2)),
        level(lambda language, number: _sort(language, number, FEW, 3), num_arrangements(FEW, 3)),
        level(_sort_and_reverse),
    ),
    writing(
        "write-acronym",
        "The initials of words, or words for given initials.",
        level(lambda language, number: _initials(language, number, FEW, 2), num_arrangements(FEW, 2)),
        level(lambda language, number: _initials(language, number, FEW, 3), num_arrangements(FEW, 3)),
        level(_acronym),
    ),
    writing(
        "write-rhyme",
        "The word of a list that rhymes with another.",
        level(_rhyme, 2 * 3 * num_arrangements(6, 2)),
        level(_rhymes),
    ),
    writing(
        "write-without",
        "A list without one of its words, and then without another.",
        level(lambda language, number: _remove(language, number, FEW, 2), 2 * num_arrangements(FEW, 2)),
        level(lambda language, number: _remove(language, number, FEW, 4), 4 * num_arrangements(FEW, 4)),
        level(_remove_twice),
    ),
    writing(
        "write-replaced",
        "A list with one word replaced, and then another.",
        level(lambda language, number: _replace(language, number, 6, 2), 2 * num_arrangements(6, 3)),
        level(lambda language, number: _replace(language, number, 6, 3), 3 * num_arrangements(6, 4)),
        level(_replace_twice),
    ),
    writing(
        "write-spelling",
        "Words with a slip of the pen put right.",
        level(_spelling, 2 * NUM_WORDS),
        level(_spelling_of_long_words, 4 * NUM_WORDS),
        level(_spelling_in_a_row),
    ),
    writing(
        "write-json",
        "Facts turned into JSON, and then into a list.",
        level(_record, 2 * FEW),
        level(lambda language, seed: _records(language, seed, 2)),
        level(lambda language, seed: _records(language, seed, 3)),
    ),
)
