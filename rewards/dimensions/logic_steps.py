"""Do the steps of a worked answer follow from each other and lead to its end? If they hold, see `arithmetic.py`."""

import re
from fractions import Fraction
from itertools import pairwise

from envs.prose import sentences
from envs.task import Transcript
from rewards.dimension import Dimension
from rewards.dimensions.example import example
from rewards.equations import Step, steps
from rewards.reading import NUMERIC_KINDS, last_number, numbers_inside, words

MIN_SENTENCES = 2
MAX_STEPS = 50  # of an answer that are looked at; more are noise

_CONCLUSION = re.compile(
    r"\b(?:so|therefore|thus|hence|in total|altogether|daher|folglich|somit|insgesamt|donc|ainsi|au total"
    r"|por lo tanto|por tanto|así que|entonces|en total)\b",
    re.IGNORECASE,
)
_ORDINALS: tuple[tuple[str, ...], ...] = (
    ("first", "firstly", "erstens", "zuerst", "premièrement", "d'abord", "primero"),
    ("second", "secondly", "zweitens", "deuxièmement", "segundo"),
    ("third", "thirdly", "drittens", "troisièmement", "tercero"),
    ("fourth", "viertens", "quatrièmement", "cuarto"),
    ("finally", "lastly", "schließlich", "zuletzt", "enfin", "finalement", "finalmente"),
)
_RANK = {word: rank for rank, listed in enumerate(_ORDINALS) for word in listed}
_WAVERING = re.compile(
    r"\b(?:wait|hmm+|actually|scratch that|let me re|no, that|moment mal|warte|doch nicht|attends|en fait|non, c'est"
    r"|espera|mejor dicho|no, eso)",
    re.IGNORECASE,
)
_WHY = re.compile(r"\b(?:why|warum|wieso|weshalb|pourquoi|por qué)\b", re.IGNORECASE)
_REASON = re.compile(
    r"\b(?:because|since|due to|as a result|weil|denn|wegen|damit|parce qu|puisque|grâce à|porque|ya que|debido a)",
    re.IGNORECASE,
)


def _steps(transcript: Transcript, *, at_least: int) -> tuple[Step, ...]:
    stated = steps(transcript.last.answer)[:MAX_STEPS]
    return stated if len(stated) >= at_least else ()


def steps_chain(transcript: Transcript) -> float | None:
    """Share of the steps after the first that calculate with an earlier result."""
    stated = _steps(transcript, at_least=2)
    results: set[Fraction] = set()
    chained = []
    for step in stated:
        chained.append(not results.isdisjoint(step.operands))
        results.add(step.result)
    return sum(chained) / (len(stated) - 1) if stated else None


def steps_grounded(transcript: Transcript) -> float | None:
    """Share of the numbers calculated with that the question gives or an earlier step yields."""
    stated = _steps(transcript, at_least=1)
    known = {abs(number) for number in numbers_inside(transcript.last.question.text)}
    if not stated or not known:
        return None
    found = []
    for step in stated:
        found += [abs(operand) in known for operand in step.operands]
        known.add(abs(step.result))
    return sum(found) / len(found)


def results_used(transcript: Transcript) -> float | None:
    """Share of the results before the last that a later step uses or states again."""
    stated = _steps(transcript, at_least=2)
    later: set[Fraction] = set()
    used = []
    for step in reversed(stated):
        used.append(step.result in later)
        later |= {*step.operands, step.result}
    return sum(used) / (len(stated) - 1) if stated else None


def last_step_is_answer(transcript: Transcript) -> float | None:
    """Of several steps, it is the last whose result the answer ends in."""
    stated = steps(transcript.last.answer)
    return float(stated[-1].result == last_number(transcript.last.answer)) if len(stated) > 1 else None


def _worked(transcript: Transcript) -> list[str]:
    """The sentences of an answer to a numeric question, if there are several."""
    turn = transcript.last
    said = sentences(turn.answer[:2000]) if turn.question.kind in NUMERIC_KINDS else []
    return said if len(said) >= MIN_SENTENCES else []


def conclusion_stated(transcript: Transcript) -> float | None:
    said = _worked(transcript)
    return float(any(map(_CONCLUSION.search, said))) if said else None


def conclusion_last(transcript: Transcript) -> float | None:
    """How far down the last conclusion stands: 1 in the last sentence, 0 in the first."""
    said = _worked(transcript)
    drawn = [place for place, sentence in enumerate(said) if _CONCLUSION.search(sentence)]
    return drawn[-1] / (len(said) - 1) if drawn else None


def ordinals_in_order(transcript: Transcript) -> float | None:
    """Share of the words such as "first" and "second" that come after a lower one."""
    ranks = [_RANK[word] for word in words(transcript.last.answer) if word in _RANK]
    return sum(a < b for a, b in pairwise(ranks)) / (len(ranks) - 1) if len(ranks) > 1 else None


def settles(transcript: Transcript) -> float | None:
    """1 / (1 + changes of mind); a thought before the answer may have as many as it needs."""
    text = transcript.last.answer.rpartition("</think>")[2]
    return 1.0 / (1.0 + len(_WAVERING.findall(text))) if len(words(text)) > 2 else None


def reason_given(transcript: Transcript) -> float | None:
    turn = transcript.last
    if turn.question.kind != "text" or _WHY.search(turn.question.text) is None or not turn.answer.strip():
        return None
    return float(_REASON.search(turn.answer) is not None)


def _eggs(answer: str) -> Transcript:
    question = "Anna has 3 boxes of 6 eggs and eats 4. How many are left?"
    return example(question, answer, expected="14", kind="number")


DIMENSIONS = (
    Dimension(
        "logic.steps_chain",
        "logic",
        "Share of the later steps that go on from the result of an earlier one.",
        steps_chain,
        passes=_eggs("3 * 6 = 18. 18 - 4 = 14."),
        fails=_eggs("3 * 6 = 18. 10 + 4 = 14."),
    ),
    Dimension(
        "logic.steps_grounded",
        "logic",
        "Share of the numbers in steps that come from the question or an earlier step.",
        steps_grounded,
        passes=_eggs("3 * 6 = 18. 18 - 4 = 14."),
        fails=_eggs("3 * 6 = 18. 20 - 5 = 15."),
    ),
    Dimension(
        "logic.results_used",
        "logic",
        "Share of the results on the way that something is made of.",
        results_used,
        passes=_eggs("3 * 6 = 18. 18 - 4 = 14."),
        fails=_eggs("3 * 6 = 18. 3 + 4 = 7. 6 + 4 = 10."),
    ),
    Dimension(
        "logic.last_step_is_answer",
        "logic",
        "The answer ends in the result of the last of its steps.",
        last_step_is_answer,
        passes=_eggs("3 * 6 = 18. 18 - 4 = 14. So 14."),
        fails=_eggs("3 * 6 = 18. 18 - 4 = 14. So 18."),
    ),
    Dimension(
        "logic.conclusion_stated",
        "logic",
        "A worked answer draws a conclusion in words.",
        conclusion_stated,
        passes=_eggs("There are 18 eggs. So 14 are left."),
        fails=_eggs("There are 18 eggs. 14 are left."),
    ),
    Dimension(
        "logic.conclusion_last",
        "logic",
        "The conclusion comes after what it is drawn from.",
        conclusion_last,
        passes=_eggs("There are 18 eggs. So 14 are left."),
        fails=_eggs("So 14 are left. There are 18 eggs."),
    ),
    Dimension(
        "logic.ordinals_in_order",
        "logic",
        "First comes before second, second before third.",
        ordinals_in_order,
        passes=_eggs("First count them. Second, take 4 away."),
        fails=_eggs("Second, take 4 away. First count them."),
    ),
    Dimension(
        "logic.settles",
        "logic",
        "The answer does not change its mind on the way.",
        settles,
        passes=_eggs("There are 14 eggs left."),
        fails=_eggs("There are 18. Wait, actually 14."),
    ),
    Dimension(
        "logic.reason_given",
        "logic",
        "A question for the reason gets one.",
        reason_given,
        passes=example("Why is the sky dark at night?", "Because the sun is down."),
        fails=example("Why is the sky dark at night?", "It is dark at night."),
    ),
)
