"""Is the tone bearable, and does every word do some work?"""

import re
from collections.abc import Callable

from envs.task import Transcript
from rewards.dimension import Dimension
from rewards.dimensions.example import example
from rewards.dimensions.phrases import few, manner, phrase_list
from rewards.prose import read_prose, sentences, spaced
from rewards.reading import letters, word_set, words

MIN_LETTERS = 10  # "OK", "NATO" and "A" are no shouting
FREE_SHARE = 0.3  # of capitals, as names and acronyms need
WORDS_A_SIGN = 20.0  # one exclamation mark or emoji is free, and one more in so many words
LOST_AT = 0.2  # share of intensifiers, or of adverbs, at which nothing is left of the score

FILLERS = phrase_list("um, uh, like i said, you know, basically, actually, kind of, sort of, i mean")
HEDGES = phrase_list("maybe, perhaps, i guess, i think, i believe, i suppose, it seems, might, could be, not sure")
CLICHES = phrase_list(
    "at the end of the day, think outside the box, low-hanging fruit, it goes without saying, needless to say, "
    "a win-win, game changer, in today's world, rich tapestry, delve into, tip of the iceberg, only time will tell, "
    "last but not least, when all is said and done, at this point in time, each and every"
)
INTENSIFIERS = word_set("very really extremely absolutely totally completely incredibly literally utterly")
NO_ADVERBS = word_set(
    "only family early likely daily weekly monthly friendly lovely lonely ugly silly holy jelly belly rally apply "
    "supply reply rely italy july fly ally bully assembly anomaly butterfly elderly costly deadly"
)
_SHORT = r"\w+n't|it's|i'm|you're|we're|they're|i've|you've|we've|they've|i'll|you'll|we'll|they'll|he's|she's|that's"
_LONG = (
    r"(?:do|does|did|is|are|was|were|can|could|would|should|has|have|had|will) ?not|it is|i am|you are|we are|they are"
    r"|(?:i|you|we|they) (?:have|will)|(?:he|she|that) is"
)

_CONTRACTED = re.compile(rf"(?<= )(?:{_SHORT})(?= )")
_WRITTEN_OUT = re.compile(rf"(?<= )(?:{_LONG})(?= )")
_PASSIVE = re.compile(
    r"\b(?:is|are|was|were|be|been|being)\s(?:\w{2,12}ly\s)?(?:[a-z]{3,14}ed|written|made|done|seen|given|taken|known|"
    r"found|built|held|sold|sent|told|shown|chosen|broken|eaten|driven|kept|paid|lost)\b",
    re.IGNORECASE,
)
_EMOJI = re.compile("[\u2600-\u27bf\U0001f300-\U0001faff]")


def no_shouting(transcript: Transcript) -> float | None:
    """1 up to the free share of capital letters, then linearly down to 0 where all are capitals."""
    text = transcript.last.answer
    if len(text) < MIN_LETTERS:
        return None
    capital = sum(map(str.isupper, letters(text)))
    small = sum(map(str.islower, letters(text)))
    if capital + small < MIN_LETTERS:
        return None
    return min(1.0, small / (capital + small) / (1.0 - FREE_SHARE))


def _few_words(counts: Callable[[str], bool]) -> Callable[[Transcript], float | None]:
    """1 - the share of the words that count / `LOST_AT`, at least 0"""

    def score(transcript: Transcript) -> float | None:
        text = read_prose(transcript, ("en",))
        if text is None:
            return None
        spoken = words(text)
        return max(0.0, 1.0 - sum(map(counts, spoken)) / len(spoken) / LOST_AT)

    return score


def is_adverb(word: str) -> bool:
    """Does an English word end as the adverbs of manner do?"""
    return len(word) > 4 and word.endswith("ly") and word not in NO_ADVERBS and word not in INTENSIFIERS


def _few_signs(count: Callable[[str], int]) -> Callable[[Transcript], float | None]:
    """min(1, free / signs)"""

    def score(transcript: Transcript) -> float | None:
        text = read_prose(transcript)
        if text is None:
            return None
        free = 1.0 + len(words(text)) / WORDS_A_SIGN
        return min(1.0, free / max(1, count(text)))

    return score


def active_voice(transcript: Transcript) -> float | None:
    """Share of the sentences of an English text in which nothing is done by nobody."""
    text = read_prose(transcript, ("en",))
    if text is None:
        return None
    parts = sentences(text)
    return sum(_PASSIVE.search(part) is None for part in parts) / len(parts)


def one_register(transcript: Transcript) -> float | None:
    """The share of the more frequent one of "don't" and "do not"; abstains below two such places."""
    text = read_prose(transcript, ("en",))
    if text is None:
        return None
    num_short, num_long = len(_CONTRACTED.findall(spaced(text))), len(_WRITTEN_OUT.findall(spaced(text)))
    return max(num_short, num_long) / (num_short + num_long) if num_short + num_long >= 2 else None


DIMENSIONS = (
    Dimension(
        "style.no_shouting",
        "style",
        "The text is not written in capitals.",
        no_shouting,
        passes=example("Where is Rome?", "Rome is in Italy."),
        fails=example("Where is Rome?", "ROME IS IN ITALY."),
    ),
    manner(
        "style.few_fillers",
        "Few words fill pauses only.",
        few(FILLERS, languages=("en",)),
        "Where is Rome?",
        passes="It is in Italy.",
        fails="It is basically, um, kind of in Italy.",
        languages=("en",),
    ),
    manner(
        "style.few_hedges",
        "At most one word takes back what the others say.",
        few(HEDGES, free=1, languages=("en",)),
        "Where is Rome?",
        passes="I think it is in Italy.",
        fails="I guess that maybe it might be in Italy.",
        languages=("en",),
    ),
    manner(
        "style.no_cliches",
        "No phrase is worn out.",
        few(CLICHES, languages=("en",)),
        "Where is Rome?",
        passes="It is in Italy, as you know.",
        fails="Needless to say, at the end of the day it is in Italy.",
        languages=("en",),
    ),
    manner(
        "style.few_intensifiers",
        "Few words only add weight.",
        _few_words(INTENSIFIERS.__contains__),
        "Where is Rome?",
        passes="It is in central Italy.",
        fails="It is really very absolutely in Italy.",
        languages=("en",),
    ),
    manner(
        "style.few_adverbs",
        "Few words end in -ly to tell how.",
        _few_words(is_adverb),
        "Where is Rome?",
        passes="It lies by the sea in Italy, where the Tiber ends.",
        fails="It lies quietly, beautifully and remarkably in Italy.",
        languages=("en",),
    ),
    manner(
        "style.active_voice",
        "Sentences say who does it.",
        active_voice,
        "Who built Rome?",
        passes="The Romans built the city.",
        fails="The city was built a long time ago.",
        languages=("en",),
    ),
    manner(
        "style.one_register",
        "Contractions are used throughout or not at all.",
        one_register,
        "Where is Rome?",
        passes="It's in Italy, and you don't need a map.",
        fails="It's in Italy, and you do not need a map.",
        languages=("en",),
    ),
    manner(
        "style.few_exclamations",
        "Exclamation marks are rare.",
        _few_signs(lambda text: text.count("!")),
        "Where is Rome?",
        passes="It is in Italy!",
        fails="It is! In! Italy! Yes!",
    ),
    manner(
        "style.few_emoji",
        "Emoji are rare.",
        _few_signs(lambda text: len(_EMOJI.findall(text))),
        "Where is Rome?",
        passes="It is in Italy 🙂",
        fails="It 😀 is 😀 in 😀 Italy 😀",
    ),
)
