"""Does the answer do what the question demands? One dimension per demand that `envs/constraints.py` can check.

Each speaks where a question carries its constraint and abstains elsewhere. A demand that is met in part earns a part.
"""

from collections.abc import Callable
from typing import NamedTuple

from envs.constraints import CHECKS, degree, holds
from envs.task import Constraint, Transcript
from rewards.dimension import Dimension
from rewards.dimensions.example import example


class Demand(NamedTuple):
    """What a row of the table below says. `right` and `wrong` are answers where the constraint's value is `value`."""

    name: str
    description: str
    value: str | int
    right: str
    wrong: str


_SCHEMA = '{"type": "object", "required": ["name"]}'

DEMANDS = (
    Demand("max_words", "The answer has no more words than allowed.", 3, "In Italy.", "It is somewhere in Italy."),
    Demand("min_words", "The answer has as many words as asked for.", 4, "It is in Italy.", "Italy."),
    Demand("num_words", "The answer has exactly the number of words asked for.", 2, "In Italy.", "It is in Italy."),
    Demand("max_characters", "The answer has no more characters than allowed.", 9, "In Italy.", "It is in Italy."),
    Demand("max_word_length", "No word has more letters than allowed.", 5, "In Italy.", "In Northern Italy."),
    Demand("max_sentences", "The answer has no more sentences than allowed.", 1, "In Italy.", "In Italy. South."),
    Demand("num_sentences", "The answer has exactly the number of sentences asked for.", 2, "Italy. Yes.", "Italy."),
    Demand("num_paragraphs", "Blank lines divide the answer into the paragraphs asked for.", 2, "A.\n\nB.", "A. B."),
    Demand("num_bullets", "The answer has exactly the number of bullets asked for.", 2, "- Rome\n- Paris", "- Rome"),
    Demand("num_numbered", "A numbered list counts up to the number asked for.", 2, "1. Rome\n2. Paris", "1. Rome"),
    Demand("num_items", "The answer names as many things as asked for.", 2, "Rome, Paris", "Rome, Paris, Oslo"),
    Demand("mentions", "The words that must occur do.", "Italy", "In Italy.", "In France."),
    Demand("avoids", "The words that must not occur do not.", "Italy", "In Europe.", "In Italy."),
    Demand("times", "A word occurs exactly as often as asked for.", "2 Rome", "Rome, always Rome.", "Rome."),
    Demand("starts_with", "The answer begins as asked for.", "Dear", "Dear Anna", "Hello Anna"),
    Demand("ends_with", "The answer ends as asked for.", "Bye!", "It is in Italy. Bye!", "It is in Italy."),
    Demand("all_lower", "All letters are small where that is asked for.", "", "in italy", "In Italy"),
    Demand("all_upper", "All letters are capitals where that is asked for.", "", "IN ITALY", "In Italy"),
    Demand("capital_words", "As many words as asked for are in capitals.", 1, "In ITALY", "In Italy"),
    Demand("no_commas", "There is no comma where none is allowed.", "", "Italy and Spain", "Italy, Spain"),
    Demand("no_digits", "There is no digit where none is allowed.", "", "Two cities", "2 cities"),
    Demand("without_letter", "A forbidden letter does not occur.", "e", "In Italy", "In France or Greece"),
    Demand("initials", "The first letters of the words spell what is asked for.", "it", "In Turin", "Near Rome"),
    Demand("sorted_words", "The words are in alphabetical order where that is asked for.", "", "ant bee", "bee ant"),
    Demand("distinct_words", "No word occurs twice where that is asked for.", "", "In Italy", "In Italy in Rome"),
    Demand("json", "The answer is a JSON object or array and nothing else.", "", '{"city": "Rome"}', "city: Rome"),
    Demand(
        "json_keys", "A JSON object has exactly the keys asked for.", "city", '{"city": "Rome"}', '{"town": "Rome"}'
    ),
    Demand("json_schema", "The answer is JSON that fits the schema given.", _SCHEMA, '{"name": "Anna"}', '{"age": 7}'),
    Demand("title", "The answer has a title in double angle brackets.", "", "<<Rome>>\nIn Italy.", "Rome. In Italy."),
    Demand("placeholders", "Places to fill in are left in square brackets.", 1, "Dear [name]", "Dear name"),
    Demand("highlights", "Words are set off by asterisks as often as asked for.", 1, "In *Italy*.", "In Italy."),
    Demand("repeats", "The answer first repeats what it was to repeat.", "Where?", "Where? In Italy.", "In Italy."),
    Demand("language", "The answer is in the language asked for.", "de", "Das ist in Italien.", "It is in Italy."),
    Demand(
        "postscript", "The answer closes with a postscript.", "", "In Italy.\nP.S. Go there.", "In Italy. Go there."
    ),
    Demand("quoted", "The whole answer stands in quotation marks.", "", '"In Italy."', "In Italy."),
    Demand("num_versions", "The answer gives as many versions as asked for.", 2, "Rome\n******\nItaly", "Rome"),
    Demand("options", "The answer is one of those that the question allows.", "yes|no", "yes", "perhaps"),
    Demand("one_line", "The answer is one line where that is asked for.", "", "In Italy.", "In\nItaly."),
    Demand("is_question", "The answer is a question where one is asked for.", "", "In Italy?", "In Italy."),
    Demand("fenced", "The answer stands in a code block where that is asked for.", "", "```\nRome\n```", "Rome"),
)


def followed(name: str) -> Callable[[Transcript], float | None]:
    """The mean degree to which the question's constraints of this name are met."""

    def score(transcript: Transcript) -> float | None:
        turn = transcript.last
        degrees = [
            degree(constraint, turn.answer) for constraint in turn.question.constraints if constraint.name == name
        ]
        return sum(degrees) / len(degrees) if degrees else None

    return score


def share_followed(transcript: Transcript) -> float | None:
    """Of several demands, the share that is met wholly."""
    demands = _several(transcript)
    return sum(holds(demand, transcript.last.answer) for demand in demands) / len(demands) if demands else None


def weakest(transcript: Transcript) -> float | None:
    """Of several demands, the degree of the one that is met least."""
    demands = _several(transcript)
    return min(degree(demand, transcript.last.answer) for demand in demands) if demands else None


def _several(transcript: Transcript) -> list[Constraint]:
    """The demands that can be checked here, if there are two or more. Scenarios know further names of their own."""
    demands = [constraint for constraint in transcript.last.question.constraints if constraint.name in CHECKS]
    return demands if len(demands) > 1 else []


def _demanded(answer: str, *constraints: Constraint) -> Transcript:
    return example("Write about Rome.", answer, constraints=constraints)


_TWO = (Constraint("max_words", 3), Constraint("mentions", "Italy"))

DIMENSIONS = (
    *(
        Dimension(
            f"instruction.{demand.name}",
            "instruction",
            demand.description,
            followed(demand.name),
            passes=_demanded(demand.right, Constraint(demand.name, demand.value)),
            fails=_demanded(demand.wrong, Constraint(demand.name, demand.value)),
        )
        for demand in DEMANDS
    ),
    Dimension(
        "instruction.share_followed",
        "instruction",
        "Of several demands at once, the share that the answer meets wholly.",
        share_followed,
        passes=_demanded("In Italy.", *_TWO),
        fails=_demanded("In Europe.", *_TWO),
    ),
    Dimension(
        "instruction.weakest",
        "instruction",
        "Of several demands at once, how far the one that is met least is met.",
        weakest,
        passes=_demanded("It is in Italy.", *_TWO),
        fails=_demanded("It is in Europe, I think.", *_TWO),
    ),
)
