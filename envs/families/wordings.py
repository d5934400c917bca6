"""Every way to ask, from the data modules of the families."""

from envs.families.wording import Wordings
from envs.families.wordings_dates import DATES
from envs.families.wordings_knowledge import KNOWLEDGE
from envs.families.wordings_numbers import NUMBERS
from envs.families.wordings_translation import TRANSLATION

WORDINGS: dict[str, Wordings] = {**KNOWLEDGE, **DATES, **NUMBERS, **TRANSLATION}


def wordings(ask: str, language: str) -> tuple[str, ...]:
    """The ways to ask one thing in a language, the shortest one first. Raises `ValueError` where there is none."""
    texts = WORDINGS[ask].of(language)
    if not texts:
        raise ValueError(f"{ask!r} has no wording in {language!r}")
    return texts
