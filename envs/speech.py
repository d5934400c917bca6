"""How a persona puts things: small talk, terseness and misspelling, and the words that carry what is checked."""

import re
from collections.abc import Collection, Iterable

from envs.chance import pick, uniform
from envs.misspelling import misspell
from envs.speech_phrasings import SPEECH
from envs.task import Question
from envs.users import Persona, Voice

_WORD = re.compile(r"\w+")


def voice(persona: Persona, language: str, seed: int, kept: Collection[str] = ()) -> Voice:
    """The way in which this persona says a text.

    Args:
        seed: of the task; the same seed words the same text in the same way.
        kept: words in lower case that are never misspelt, see `kept_words`.
    """
    small_talk = SPEECH[language].small_talk

    def say(text: str, turn: int) -> str:
        if persona.terse:
            text = text.removesuffix(".")
        if persona.small_talk and uniform(seed, turn, "small talk") < persona.small_talk:
            text = f"{pick(small_talk, seed, turn, 'remark')} {text}"
        if persona.typos:
            text = misspell(text, persona.typos, kept, language, seed, turn)
        return text

    return say


def kept_words(questions: Iterable[Question]) -> frozenset[str]:
    """The words in lower case that an answer to any of the questions is checked for."""
    checked = [
        text
        for question in questions
        for text in (question.demonstration, *(str(constraint.value) for constraint in question.constraints))
    ]
    return words_of(*checked)


def words_of(*texts: str) -> frozenset[str]:
    return frozenset(word.casefold() for text in texts for word in _WORD.findall(text))
