"""Does an answer contradict itself, the question, or what was answered earlier?"""

import re
from math import isqrt

from envs.task import Transcript
from rewards.claims import claims, closure, comparisons, denials, inequalities, values
from rewards.dimension import Dimension
from rewards.dimensions.example import example
from rewards.reading import words

MAX_ECHO = 4  # words after "no" that only echo the question: "No, it is."

_YES = frozenset({"yes", "ja", "oui", "sí"})
_NO = frozenset({"no", "nein", "non"})
_NEGATIONS = frozenset(("not", "never", "isn't", "don't", "doesn't", "nicht", "nie", "kein", "keine", "pas", "jamais"))
_PROPERTY = re.compile(
    r"(?<![\w.,/-])(?P<number>[0-9]{1,7}) (?:is|ist|est|es) (?P<not>not |nicht |keine |pas |no )?(?:an |a |eine |un )?"
    r"(?:(?P<even>even|gerade|pair|par)|(?P<odd>odd|ungerade|impair|impar)"
    r"|(?P<prime>prime|Primzahl|nombre premier|primo)"
    r"|(?:divisible by|durch|divisible par|divisible por|divisible entre) (?P<divisor>[1-9][0-9]{0,5})(?: teilbar)?)\b",
    re.IGNORECASE,
)


def no_contradiction(transcript: Transcript) -> float | None:
    """1 - claims that deny another / claims"""
    said = claims(transcript.last.answer)
    return 1.0 - denials(said, said) / len(said) if len(said) > 1 else None


def one_value_each(transcript: Transcript) -> float | None:
    """Share of the things said to be a number that are said to be one number only."""
    said = values(transcript.last.answer)
    return sum(len(numbers) == 1 for numbers in said.values()) / len(said) if said else None


def premises_kept(transcript: Transcript) -> float | None:
    """1 - claims that deny one of the question / claims"""
    turn = transcript.last
    given, said = claims(turn.question.text), claims(turn.answer)
    return 1.0 - denials(said, given) / len(said) if given and said else None


def earlier_claims_kept(transcript: Transcript) -> float | None:
    """1 - claims that deny one of an earlier answer / claims"""
    said = claims(transcript.last.answer)
    earlier = [claim for turn in transcript.turns[:-1] for claim in claims(turn.answer)]
    return 1.0 - denials(said, earlier) / len(said) if said and earlier else None


def earlier_values_kept(transcript: Transcript) -> float | None:
    """Share of the things said to be a number, in this answer and an earlier one, that are said to be the same."""
    said = values(transcript.last.answer)
    kept = []
    for turn in transcript.turns[:-1]:
        earlier = values(turn.answer)
        kept += [bool(said[subject] & earlier[subject]) for subject in said.keys() & earlier.keys()]
    return sum(kept) / len(kept) if kept else None


def ordering_consistent(transcript: Transcript) -> float | None:
    """1 - comparisons that others turn round / comparisons"""
    said = comparisons(transcript.last.answer)
    if len(said) < 2:
        return None
    known = closure(said)
    return 1.0 - sum((scale, less, more) in known for scale, more, less in said) / len(said)


def ordering_follows(transcript: Transcript) -> float | None:
    """Of the comparisons that the question decides, the share that agrees with it."""
    turn = transcript.last
    said, given = comparisons(turn.answer), comparisons(turn.question.text)
    if not said or not given:
        return None
    known = closure(given)
    decided = [pair in known for pair in said if pair in known or (pair[0], pair[2], pair[1]) in known]
    return sum(decided) / len(decided) if decided else None


def inequalities_hold(transcript: Transcript) -> float | None:
    stated = inequalities(transcript.last.answer)
    return sum(stated) / len(stated) if stated else None


def properties_hold(transcript: Transcript) -> float | None:
    """Share of the claims such as "7 is odd", "9 is prime" and "12 is divisible by 5" that are true."""
    stated = [_is_true(match) for match in _PROPERTY.finditer(transcript.last.answer[:2000])]
    return sum(stated) / len(stated) if stated else None


def _is_true(match: re.Match[str]) -> bool:
    number = int(match["number"])
    if match["even"] or match["odd"]:
        holds = number % 2 == (match["odd"] is not None)
    elif match["prime"]:
        holds = _is_prime(number)
    else:
        holds = number % int(match["divisor"]) == 0
    return holds != bool(match["not"])


def _is_prime(number: int) -> bool:
    return number > 1 and all(number % divisor for divisor in range(2, isqrt(number) + 1))


def polarity_agrees(transcript: Transcript) -> float | None:
    """0 for "yes" before a denial, and for "no" before a mere echo that affirms; else 1."""
    first = words(re.split(r"[.!?;\n]", transcript.last.answer[:300].strip(), maxsplit=1)[0])
    if len(first) < 2 or first[0] not in _YES | _NO:
        return None
    denied = bool(_NEGATIONS.intersection(first[1:]))
    if first[0] in _YES:
        return float(not denied)
    return float(denied or len(first) - 1 > MAX_ECHO or not {"is", "ist", "est", "es", "does", "can"} & set(first))


def negation_flips(transcript: Transcript) -> float | None:
    """Of the earlier questions that this one negates, the share with the opposite yes or no."""
    last = transcript.last
    said = _yes_or_no(last.answer)
    asked = words(last.question.text)
    flipped = []
    for turn in transcript.turns[:-1]:
        before = _yes_or_no(turn.answer)
        if said is None or before is None or not _negates(words(turn.question.text), asked):
            continue
        flipped.append(said != before)
    return sum(flipped) / len(flipped) if flipped else None


def _yes_or_no(answer: str) -> bool | None:
    first = frozenset(words(answer)[:1])
    return True if first & _YES else False if first & _NO else None


def _negates(a: tuple[str, ...], b: tuple[str, ...]) -> bool:
    """Is one the other with a negation more?"""
    left, right = ([word for word in said if word not in _NEGATIONS] for said in (a, b))
    return left == right and (len(a) - len(b)) % 2 == 1


def _rome(answer: str, earlier: Transcript | None = None) -> Transcript:
    return example("Tell me about Rome.", answer, earlier=earlier)


_HEIGHTS = "Anna is taller than Ben. Ben is taller than Carl. Compare Anna and Carl."

DIMENSIONS = (
    Dimension(
        "logic.no_contradiction",
        "logic",
        "Nothing is both affirmed and denied.",
        no_contradiction,
        passes=_rome("Rome is old. Rome is not small."),
        fails=_rome("Rome is old. Rome is not old."),
    ),
    Dimension(
        "logic.one_value_each",
        "logic",
        "What is said to be a number is said to be one number only.",
        one_value_each,
        passes=_rome("The number of hills is 7."),
        fails=_rome("The number of hills is 7. The number of hills is 9."),
    ),
    Dimension(
        "logic.premises_kept",
        "logic",
        "The answer denies nothing that the question states.",
        premises_kept,
        passes=example("Anna is tall. Tell me about her.", "Anna is tall, and she runs."),
        fails=example("Anna is tall. Tell me about her.", "Anna is not tall, and she runs."),
    ),
    Dimension(
        "logic.earlier_claims_kept",
        "logic",
        "The answer denies nothing that an earlier answer claimed.",
        earlier_claims_kept,
        passes=_rome("Rome is old.", earlier=_rome("Rome is old.")),
        fails=_rome("Rome is not old.", earlier=_rome("Rome is old.")),
    ),
    Dimension(
        "logic.earlier_values_kept",
        "logic",
        "What is said to be a number is the number that it was in an earlier answer.",
        earlier_values_kept,
        passes=_rome("The number of hills is 7.", earlier=_rome("The number of hills is 7.")),
        fails=_rome("The number of hills is 9.", earlier=_rome("The number of hills is 7.")),
    ),
    Dimension(
        "logic.ordering_consistent",
        "logic",
        "Comparisons do not run in a circle.",
        ordering_consistent,
        passes=_rome("Rome is older than Paris. Paris is older than Oslo."),
        fails=_rome("Rome is older than Paris. Paris is older than Rome."),
    ),
    Dimension(
        "logic.ordering_follows",
        "logic",
        "Comparisons follow from those that the question states.",
        ordering_follows,
        passes=example(_HEIGHTS, "Anna is taller than Carl."),
        fails=example(_HEIGHTS, "Carl is taller than Anna."),
    ),
    Dimension(
        "logic.inequalities_hold",
        "logic",
        "Share of the inequalities between numbers that are true.",
        inequalities_hold,
        passes=example("Which is more, 3 or 5?", "3 < 5"),
        fails=example("Which is more, 3 or 5?", "3 > 5"),
    ),
    Dimension(
        "logic.properties_hold",
        "logic",
        "Share of what is said of whole numbers (even, odd, prime, divisible) that is true.",
        properties_hold,
        passes=example("What about 7?", "7 is odd and 7 is prime."),
        fails=example("What about 7?", "7 is even and 7 is prime."),
    ),
    Dimension(
        "logic.polarity_agrees",
        "logic",
        "Yes is not followed by a denial, nor no by an affirmation.",
        polarity_agrees,
        passes=example("Is Rome in Italy?", "Yes, it is."),
        fails=example("Is Rome in Italy?", "Yes, it is not."),
    ),
    Dimension(
        "logic.negation_flips",
        "logic",
        "The same question with a negation gets the opposite answer.",
        negation_flips,
        passes=example("Is 7 not odd?", "No.", earlier=example("Is 7 odd?", "Yes.")),
        fails=example("Is 7 not odd?", "Yes.", earlier=example("Is 7 odd?", "Yes.")),
    ),
)
