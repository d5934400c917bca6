"""The 25 verifiable instructions of IFEval (Zhou et al. 2023, 2311.07911) as checks.

Those that the project's own constraints say too are theirs; the rest follow the descriptions of the paper's appendix.
Languages are told apart by the project's own identification, and words and sentences by its own segmentation, so that
numbers may differ by a little from those of the reference code, which uses nltk and langdetect.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

from envs.constraints import holds
from envs.prose import sentences, words
from envs.task import Constraint

Arguments = Mapping[str, Any]
Check = Callable[[str, Arguments], bool]

CONSTRAINED = ("My answer is yes.", "My answer is no.", "My answer is maybe.")
_DIVIDER = re.compile(r"\s?\*\*\*\s?")


def _holds(name: str, argument: str = "") -> Check:
    """One of the project's constraints, with the value of an argument."""
    return lambda answer, given: holds(Constraint(name, given[argument] if argument else ""), answer)


def compares(count: float, relation: str, limit: float) -> bool:
    """Raises ValueError for a relation that IFEval does not have."""
    if relation not in ("at least", "less than"):
        raise ValueError(f"relation {relation!r}: there are 'at least' and 'less than'")
    return count >= limit if relation == "at least" else count < limit


def _paragraphs(answer: str) -> list[str]:
    return [part.strip() for part in _DIVIDER.split(answer) if part.strip()]


def _nth_paragraph(answer: str, given: Arguments) -> bool:
    """Paragraphs are divided by two line breaks here; the n-th begins with a word."""
    found = [part.strip() for part in answer.split("\n\n") if part.strip()]
    number = int(given["nth_paragraph"])
    if len(found) != int(given["num_paragraphs"]) or not 1 <= number <= len(found):
        return False
    first = words(found[number - 1])[:1]
    return [word.casefold() for word in first] == [str(given["first_word"]).casefold()]


def _occurs(answer: str, word: str) -> int:
    return len(re.findall(re.escape(word), answer, re.IGNORECASE))


def _is_case(answer: str, is_right: Callable[[str], bool]) -> bool:
    return any(map(str.isalpha, answer)) and is_right(answer)


def _json(answer: str, given: Arguments) -> bool:
    text = answer.strip().removeprefix("```json").removeprefix("```JSON").removeprefix("```").removesuffix("```")
    return holds(Constraint("json"), text.strip())


def _two_answers(answer: str, given: Arguments) -> bool:
    parts = [part.strip() for part in answer.split("******")]
    return len(parts) == 2 and all(parts) and parts[0] != parts[1]


def _bullets(answer: str, given: Arguments) -> bool:
    return len(re.findall(r"^\s*(?:\*[^*].*|-.*)$", answer, re.MULTILINE)) == int(given["num_bullets"])


def _sections(answer: str, given: Arguments) -> bool:
    marks = re.findall(rf"\s?{re.escape(str(given['section_spliter']))}\s?\d+\s?", answer)
    return len(marks) >= int(given["num_sections"])


def _highlights(answer: str, given: Arguments) -> bool:
    found = [part for part in re.findall(r"\*[^\n*]*\*", answer) if part.strip("*").strip()]
    found += [part for part in re.findall(r"\*\*[^\n*]*\*\*", answer) if part.strip("*").strip()]
    return len(found) >= int(given["num_highlights"])


CHECKS: dict[str, Check] = {
    "keywords:existence": lambda answer, given: all(_occurs(answer, word) for word in given["keywords"]),
    "keywords:frequency": lambda answer, given: compares(
        _occurs(answer, given["keyword"]), given["relation"], given["frequency"]
    ),
    "keywords:forbidden_words": lambda answer, given: all(
        holds(Constraint("avoids", word), answer) for word in given["forbidden_words"]
    ),
    "keywords:letter_frequency": lambda answer, given: compares(
        answer.lower().count(str(given["letter"]).lower()), given["let_relation"], given["let_frequency"]
    ),
    "language:response_language": _holds("language", "language"),
    "length_constraints:number_sentences": lambda answer, given: compares(
        len(sentences(answer)), given["relation"], given["num_sentences"]
    ),
    "length_constraints:number_paragraphs": lambda answer, given: len(_paragraphs(answer)) == given["num_paragraphs"],
    "length_constraints:number_words": lambda answer, given: compares(
        len(words(answer)), given["relation"], given["num_words"]
    ),
    "length_constraints:nth_paragraph_first_word": _nth_paragraph,
    "detectable_content:number_placeholders": _holds("placeholders", "num_placeholders"),
    "detectable_content:postscript": lambda answer, given: (
        re.search(rf"\s*{re.escape(given['postscript_marker'])}.*$", answer, re.IGNORECASE | re.MULTILINE) is not None
    ),
    "detectable_format:number_bullet_lists": _bullets,
    "detectable_format:constrained_response": lambda answer, given: any(text in answer for text in CONSTRAINED),
    "detectable_format:number_highlighted_sections": _highlights,
    "detectable_format:multiple_sections": _sections,
    "detectable_format:json_format": _json,
    "detectable_format:title": _holds("title"),
    "combination:two_responses": _two_answers,
    "combination:repeat_prompt": lambda answer, given: (
        answer.strip().lower().startswith(str(given["prompt_to_repeat"]).strip().lower())
    ),
    "startend:end_checker": lambda answer, given: (
        answer.strip().strip('"').lower().endswith(str(given["end_phrase"]).strip().lower())
    ),
    "startend:quotation": lambda answer, given: (
        len(answer.strip()) > 1 and answer.strip()[0] == '"' and answer.strip()[-1] == '"'
    ),
    "change_case:capital_word_frequency": lambda answer, given: compares(
        sum(word.isupper() for word in words(answer)), given["capital_relation"], given["capital_frequency"]
    ),
    "change_case:english_capital": lambda answer, given: _is_case(answer, str.isupper),
    "change_case:english_lowercase": lambda answer, given: _is_case(answer, str.islower),
    "punctuation:no_comma": lambda answer, given: "," not in answer,
}


def follows(instruction: str, given: Arguments, answer: str) -> bool:
    """Whether an answer, which must not be empty, follows one instruction. Raises KeyError for one that is unknown or
    lacks an argument, and ValueError for an argument that it cannot have.
    """
    return bool(answer.strip()) and CHECKS[instruction](answer, given)
