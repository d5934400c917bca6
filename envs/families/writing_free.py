"""Writing tasks with many right answers: texts that meet the demands of a question, and then others."""

from functools import lru_cache

from envs.chance import pick
from envs.constraint_examples import example
from envs.families.writing_phrasings import CITIES, FACTS, NAMES, WORDS
from envs.families.writing_task import arrangement, demanding, level, num_arrangements, wording, writing
from envs.family import Family
from envs.task import Constraint, Question, stable_hash

NUM_WORDS = 24
FEW = 8
MAX_TRIES = 50
FULL_STOP = Constraint("ends_with", ".")

# Demands that go together, one of each row. `{word}` is another word than the subject.
ROWS: tuple[tuple[tuple[str, str | int], ...], ...] = (
    (
        ("max_words", 5),
        ("min_words", 8),
        ("num_words", 6),
        ("num_sentences", 2),
        ("max_sentences", 1),
        ("num_paragraphs", 2),
        ("num_bullets", 3),
        ("num_numbered", 3),
        ("num_items", 4),
        ("num_versions", 2),
        ("max_characters", 40),
    ),
    (("all_lower", ""), ("all_upper", ""), ("capital_words", 2), ("sorted_words", ""), ("max_word_length", 6)),
    (("title", ""), ("quoted", ""), ("postscript", ""), ("placeholders", 2), ("highlights", 1), ("fenced", "")),
    (
        ("avoids", "{word}"),
        ("mentions", "{word}"),
        ("times", "2 {word}"),
        ("no_commas", ""),
        ("no_digits", ""),
        ("one_line", ""),
        ("distinct_words", ""),
        ("without_letter", "z"),
    ),
    (("starts_with", "1."), ("ends_with", "!"), ("is_question", ""), ("repeats", "{word}?")),
)


@lru_cache(4096)
def _words(language: str, number: int) -> tuple[Question, ...]:
    """Two or three words, one of them given."""
    count, index = divmod(number, NUM_WORDS)
    demands = (Constraint("num_words", 2 + count), Constraint("mentions", WORDS[language][index]))
    return (demanding(wording(language, "words"), demands, language),)


@lru_cache(4096)
def _many_words(language: str, seed: int, num_turns: int) -> tuple[Question, ...]:
    given = arrangement(WORDS[language], stable_hash(seed, "words"), 2)
    mentions = [Constraint("mentions", word) for word in given]
    questions = []
    for turn in range(num_turns):
        count = Constraint("num_words", pick(range(3, 12), seed, turn, "count"))
        text = wording(language, "now_words" if turn else "words", seed, turn)
        questions.append(demanding(text, (count, *mentions), language))
    return tuple(questions)


@lru_cache(4096)
def _sentence(language: str, number: int, num_given: int) -> tuple[Question, ...]:
    given = arrangement(WORDS[language], number, num_given)
    return (demanding(wording(language, "sentence"), (*_one_sentence(given), FULL_STOP), language),)


@lru_cache(4096)
def _sentences(language: str, seed: int) -> tuple[Question, ...]:
    """A sentence, another one that is short, and a question."""
    first, second, third = arrangement(WORDS[language], stable_hash(seed, "words"), 3)
    turns = (
        (
            "sentence",
            (*_one_sentence([first, second]), FULL_STOP, Constraint("min_words", pick(range(6, 12), seed, "count"))),
        ),
        (
            "now_sentence",
            (*_one_sentence([first]), FULL_STOP, Constraint("max_words", 4), Constraint("avoids", second)),
        ),
        ("now_sentence", (*_one_sentence([third]), Constraint("is_question"))),
    )
    return tuple(demanding(wording(language, ask, seed, ask), demands, language) for ask, demands in turns)


def _one_sentence(given: list[str]) -> tuple[Constraint, ...]:
    mentions = tuple(Constraint("mentions", word) for word in given)
    return (*mentions, Constraint("num_sentences", 1), Constraint("min_words", 3))


@lru_cache(4096)
def _short_summary(language: str, number: int) -> tuple[Question, ...]:
    """One fact in two words."""
    name, city = NAMES[language][number % FEW], CITIES[language][number // FEW]
    fact = FACTS[language][0].format(name=name, city=city)
    return (demanding(wording(language, "summary", text=fact), _summary_of(2, name, city), language),)


@lru_cache(4096)
def _summaries(language: str, seed: int, num_facts: int) -> tuple[Question, ...]:
    """Facts in few words, and in fewer."""
    name, other = arrangement(NAMES[language], stable_hash(seed, "names"), 2)
    city, age = pick(CITIES[language], seed, "city"), str(pick(range(3, 100), seed, "age"))
    text = " ".join(FACTS[language][:num_facts]).format(name=name, city=city, age=age, other=other)
    kept = (name, city, age, other)[: num_facts + 1]
    return (
        demanding(wording(language, "summary", seed, text=text), _summary_of(3 * num_facts, *kept), language),
        demanding(wording(language, "now_summary", seed), _summary_of(num_facts + 1, *kept[:num_facts]), language),
    )


def _summary_of(max_words: int, *kept: str) -> tuple[Constraint, ...]:
    return (Constraint("max_words", max_words), *(Constraint("mentions", word) for word in kept))


@lru_cache(4096)
def _demands(language: str, seed: int, num_demands: int, num_turns: int) -> tuple[Question, ...]:
    subject, other = arrangement(WORDS[language], stable_hash(seed, "words"), 2)
    questions = []
    for turn in range(num_turns):
        text = wording(language, "now_demands" if turn else "demands", seed, turn, text=subject)
        demands = (Constraint("mentions", subject), *_compatible(language, subject, other, seed, turn, num_demands))
        questions.append(demanding(text, demands, language))
    return tuple(questions)


def _compatible(
    language: str, subject: str, other: str, seed: int, turn: int, num_demands: int
) -> tuple[Constraint, ...]:
    """Demands of different rows that an example meets: the first such ones of those that the seed draws."""
    for attempt in range(MAX_TRIES):
        rows = arrangement(range(len(ROWS)), stable_hash(seed, turn, attempt, "rows"), num_demands)
        drawn = [pick(ROWS[row], seed, turn, attempt, row) for row in sorted(rows)]
        demands = tuple(
            Constraint(name, value.format(word=other) if isinstance(value, str) else value) for name, value in drawn
        )
        try:
            example((Constraint("mentions", subject), *demands), language)
        except ValueError:
            continue
        return demands
    raise ValueError(f"no {num_demands} demands in {MAX_TRIES} tries that one answer meets")


@lru_cache(4096)
def _one_demand(language: str, number: int) -> tuple[Question, ...]:
    """A given word in one of three forms."""
    form, index = divmod(number, FEW)
    subject = WORDS[language][index]
    demands = (
        Constraint("mentions", subject),
        (Constraint("quoted"), Constraint("title"), Constraint("ends_with", "!"))[form],
    )
    return (demanding(wording(language, "demands", text=subject), demands, language),)


SCENARIOS: tuple[Family, ...] = (
    writing(
        "write-words",
        "An exact number of words, given ones among them.",
        level(_words, 2 * NUM_WORDS),
        level(lambda language, seed: _many_words(language, seed, 1)),
        level(lambda language, seed: _many_words(language, seed, 3)),
    ),
    writing(
        "write-sentence",
        "A sentence with given words, then a shorter one, then a question.",
        level(lambda language, number: _sentence(language, number, 1), NUM_WORDS),
        level(lambda language, number: _sentence(language, number, 2), num_arrangements(NUM_WORDS, 2)),
        level(_sentences),
    ),
    writing(
        "write-summary",
        "A text shortened to a few words that keep the facts, and then to fewer.",
        level(_short_summary, FEW * FEW),
        level(lambda language, seed: _summaries(language, seed, 2)),
        level(lambda language, seed: _summaries(language, seed, 3)),
    ),
    writing(
        "write-to-order",
        "A text about a word that meets several demands on its form, and then others.",
        level(_one_demand, 3 * FEW),
        level(lambda language, seed: _demands(language, seed, 1, 1)),
        level(lambda language, seed: _demands(language, seed, 2, 2)),
        level(lambda language, seed: _demands(language, seed, 4, 3)),
    ),
)
