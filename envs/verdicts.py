"""How right an answer is, by the kind of its question: the one place where an answer meets what is due.

Scenarios and the dimension `answer.correct` both ask here, so that success and reward agree. What only one family can
judge (a program, a call, a procedure) is judged there.
"""

import re
import unicodedata
from fractions import Fraction

from envs.answers import final_number, plain
from envs.constraints import holds
from envs.prose import as_json, is_json
from envs.task import Question, Transcript

_WORD = re.compile(r"[^\W_]+")
_BETWEEN = re.compile(r"[\s,;，、]+")
_EDGES = " \t\n.,;:!?\"'“”„«»…¿¡"
_ARABIC_VOWELS = frozenset(map(chr, range(0x64B, 0x653)))  # optional marks: most writers leave them out


def verdict(transcript: Transcript) -> float:
    """Success of the last turn, 0 to 1; an answer that was cut off has none."""
    turn = transcript.last
    return agreement(turn.answer, turn.question) if turn.finish == "stop" else 0.0


def agreement(answer: str, question: Question) -> float:
    """How far an answer agrees with what is due, 0 to 1; only "list" and "slots" know a part of it.

    `envs.task.Kind` says what is due by kind. Kinds that are not compared here must be equal to the letter, as "exact".
    """
    due = question.demonstration
    match question.kind:
        case "integer":
            return float(plain(answer) == plain(due))
        case "number":
            return float(final_number(answer) == due_number(question))
        case "choice":
            return float(fold(answer) == fold(due) != "" or plain(answer) == plain(due))
        case "mention":
            return float(len(named(answer, question)) == 1)
        case "text" if question.answer is None and question.constraints:
            return float(all(holds(constraint, answer) for constraint in question.constraints))
        case "text":
            return float(same_words(answer, due) or plain(answer) == plain(due))
        case "sequence":
            return float(_BETWEEN.split(fold(answer)) == _BETWEEN.split(fold(due)))
        case "list":
            return in_common(items(answer), items(due))
        case "slots":
            return in_place(items(answer), items(due))
        case "json":
            return float(is_json(answer) and as_json(answer) == as_json(due))
    return float(plain(answer).split() == plain(due).split())


def due_number(question: Question) -> Fraction:
    """Raises `ValueError` where the right answer to a question of kind "number" holds none."""
    number = final_number(question.demonstration)
    if number is None:
        raise ValueError(f"the scenario expects {question.demonstration!r}, which is no number to compare with")
    return number


def fold(text: str) -> str:
    """For comparing: composed letters in lower case, without white space and punctuation around."""
    return unicodedata.normalize("NFC", text).strip(_EDGES).casefold()


def letters(text: str) -> str:
    """Letters, marks and digits alone, in one case and one form: "Buenos  Aires." and "buenos-aires" become the same.

    Accents stay: in many languages they make another word.
    """
    text = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    return "".join(
        letter for letter in text if unicodedata.category(letter)[0] in "LMN" and letter not in _ARABIC_VOWELS
    )


def same_words(answer: str, due: str) -> bool:
    """Whether the answer is the due word or name and nothing else; case, spaces, hyphens and final stops aside."""
    return letters(answer) == letters(due) != ""


def items(text: str) -> list[str]:
    """What stands between commas, folded."""
    return [fold(item) for item in text.split(",")]


def in_place(given: list[str], due: list[str]) -> float:
    """Share of the values that stand in their places; 0 where there are more or fewer than due."""
    return sum(a == b for a, b in zip(given, due, strict=True)) / len(due) if len(given) == len(due) else 0.0


def in_common(given: list[str], due: list[str]) -> float:
    """F1 of two lists without regard to order: 2 * common / (given + due)."""
    left, common = list(due), 0
    for item in given:
        if item in left:
            left.remove(item)
            common += 1
    return 2 * common / (len(given) + len(due))


def mentioned(answer: str, names: list[str]) -> list[str]:
    """The names, each a word, that an answer holds."""
    spoken = set(_WORD.findall(fold(answer)))
    return [name for name in names if fold(name) in spoken]


def named(answer: str, question: Question) -> list[str]:
    """Which of the names in "one_of" the answer holds; none where it holds one in "none_of" too."""
    values = {constraint.name: str(constraint.value).split("|") for constraint in question.constraints}
    if mentioned(answer, values.get("none_of", [])):
        return []
    return mentioned(answer, values["one_of"])
