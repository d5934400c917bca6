"""Does the answer keep the rules of grammar? For English by Harper's rules, for others by a few of their own."""

import re
from collections.abc import Callable

from envs.task import Transcript
from rewards.dimension import Dimension
from rewards.dimensions.example import example
from rewards.grammar_check import beginning, mistakes
from rewards.prose import prose, read_prose
from rewards.reading import words

WORDS_A_MISTAKE = 10  # a text with one mistake in so many words scores one half

# Words that a determiner cannot lead to: no noun phrase begins with them.
_DETERMINERS = {
    "en": "a an the my your their our its",
    "de": "der den dem des ein eine einen einem einer mein meine dein deine",
    "fr": "le la un une mon ma mes ton ta tes son sa ces cette",
    "es": "el los las un una unos mis tus sus",
}
_NO_NOUN_PHRASE = {
    "en": "a an the of to in on at by for from with and or but is are was were be has have had i he she it we they "
    "that's it's not if because my your their our do does did will would can could",
    "de": "der das den dem des ein eine einen und oder aber ist sind war hat haben ich er wir nicht wenn weil wird",
    "fr": "le la les un une de du des et ou mais est sont était je il elle nous ne pas si parce que dans pour avec",
    "es": "el la los las un una de del y o pero es son era yo él nosotros no si porque en para con",
}
_LEADS_NOWHERE = {
    language: re.compile(rf" (?:{'|'.join(first.split())}) (?:{'|'.join(_NO_NOUN_PHRASE[language].split())})(?= )")
    for language, first in _DETERMINERS.items()
}
_DETERMINER_SETS = {language: frozenset(first.split()) for language, first in _DETERMINERS.items()}

# Words that fuse (de + le = du), and vowels before which a word is cut (le eau = l'eau).
_UNFUSED = {
    "fr": re.compile(r"\b(?:de le|de les|à le|à les)\b", re.IGNORECASE),
    "es": re.compile(r"\b(?:de el|a el)\b", re.IGNORECASE),
    "it": re.compile(r"\b(?:di|a|da|in|su) (?:il|lo|la|i|gli|le)\b", re.IGNORECASE),
    "pt": re.compile(r"\b(?:de|em|por) (?:o|a|os|as)\b", re.IGNORECASE),
}
_FUSED = {
    "fr": re.compile(r"\b(?:du|des|au|aux)\b", re.IGNORECASE),
    "es": re.compile(r"\b(?:del|al)\b", re.IGNORECASE),
    "it": re.compile(r"\b(?:d|a|da|ne|su)(?:el|l|llo|lla|i|gli|lle|ll['’])\b|\b(?:nel|del|dei)\b", re.IGNORECASE),
    "pt": re.compile(r"\b(?:do|da|dos|das|no|na|nos|nas|pelo|pela)\b", re.IGNORECASE),
}
_UNELIDED = {
    "fr": re.compile(r"\b(?:le|la|je|ne|de|que|me|te|se|ce) (?!onz|oui|yaourt|un\b)[aeéèêiouyâîô]\w", re.IGNORECASE),
    "it": re.compile(r"\b(?:lo|la|una|dello|della|nella|alla) [aeiou]\w", re.IGNORECASE),
}
_ELIDED = {
    "fr": re.compile(r"\b(?:[ljndmtsc]|qu)['’]\w", re.IGNORECASE),
    "it": re.compile(r"\b(?:l|un|dell|nell|all)['’]\w", re.IGNORECASE),
}


def _few(kind: str) -> Callable[[Transcript], float | None]:
    """`WORDS_A_MISTAKE`-th part of the words / (that + mistakes of the kind) at the start of an English text."""

    def score(transcript: Transcript) -> float | None:
        text = read_prose(transcript, ("en",))
        if text is None:
            return None
        free = max(1.0, len(words(beginning(text))) / WORDS_A_MISTAKE)
        return free / (free + mistakes(text)[kind])

    return score


def determiners_lead_on(transcript: Transcript) -> float | None:
    """1 - the share of determiners that stand before a word which begins no noun phrase, as in "the of"."""
    text = read_prose(transcript, _DETERMINERS)
    if text is None:
        return None
    language = transcript.task.language
    spoken = words(text)
    num_determiners = sum(word in _DETERMINER_SETS[language] for word in spoken)
    if not num_determiners:
        return None
    return 1.0 - len(_LEADS_NOWHERE[language].findall(f" {' '.join(spoken)} ")) / num_determiners


def _share_right(
    right: dict[str, re.Pattern[str]], wrong: dict[str, re.Pattern[str]]
) -> Callable[[Transcript], float | None]:
    """right / (right + wrong) of what the patterns of the task's language find."""

    def score(transcript: Transcript) -> float | None:
        language = transcript.task.language
        if language not in right:
            return None
        text = prose(transcript.last.answer)
        num_right, num_wrong = len(right[language].findall(text)), len(wrong[language].findall(text))
        return num_right / (num_right + num_wrong) if num_right + num_wrong else None

    return score


def _english(kind: str, description: str, passes: str, fails: str) -> Dimension:
    return Dimension(
        f"grammar.{kind}",
        "grammar",
        description,
        _few(kind),
        passes=example("Tell me more.", passes),
        fails=example("Tell me more.", fails),
        languages=("en",),
        cost="moderate",
    )


DIMENSIONS = (
    _english(
        "articles",
        "English articles are there where they are due, and have the right form.",
        "I ate an apple and a pear.",
        "I ate a apple and an pear.",
    ),
    _english(
        "agreement",
        "English verbs agree with their subjects.",
        "She doesn't know that they are here.",
        "She don't know that they is here.",
    ),
    _english(
        "verb_forms",
        "English verbs have the form that their place in the sentence demands.",
        "I should have bought it yesterday.",
        "I should of buyed it yesterday.",
    ),
    _english(
        "confused_words",
        "English words that sound alike, such as their and there, are told apart.",
        "They're late because of their dog, more than you know.",
        "Their late because of there dog, more then you know.",
    ),
    _english(
        "prepositions",
        "English prepositions are there where they are due, and are the usual ones.",
        "I am interested in music and arrived at the station.",
        "I am interested on music and arrived to the station.",
    ),
    _english(
        "comparisons",
        "English comparatives and superlatives are formed once.",
        "This one is better and much easier.",
        "This one is more better and more easier.",
    ),
    _english(
        "split_words",
        "English compounds are written as one word or as two, as is usual.",
        "Somehow I can go without it.",
        "Some how I can go with out it.",
    ),
    _english(
        "marks",
        "English commas, quotes, apostrophes and endings of numbers are in their place.",
        "He said, “it was the 2nd time, not the 3rd.”",
        "He said ,“it was the 2th time ,not the 3th.",
    ),
    Dimension(
        "grammar.determiners_lead_on",
        "grammar",
        "After an article comes what a noun phrase can begin with.",
        determiners_lead_on,
        passes=example("Where is Rome?", "The city lies in the middle of the country."),
        fails=example("Where is Rome?", "City the in lies the of middle the country."),
        languages=tuple(_DETERMINERS),
    ),
    Dimension(
        "grammar.fused_articles",
        "grammar",
        "Prepositions and articles are fused where the language fuses them: del, du, nella.",
        _share_right(_FUSED, _UNFUSED),
        passes=example("¿De dónde vienes?", "Vengo del mercado y voy al parque.", language="es"),
        fails=example("¿De dónde vienes?", "Vengo de el mercado y voy a el parque.", language="es"),
        languages=tuple(_FUSED),
    ),
    Dimension(
        "grammar.elision",
        "grammar",
        "Words are cut before a vowel where the language cuts them: l'eau, l'amica.",
        _share_right(_ELIDED, _UNELIDED),
        passes=example("Que veux-tu ?", "J'aime l'eau et je n'ai pas d'argent.", language="fr"),
        fails=example("Que veux-tu ?", "Je aime la eau et je ne ai pas de argent.", language="fr"),
        languages=tuple(_ELIDED),
    ),
)
