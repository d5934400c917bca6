"""How near does an answer come to the right one, as a list or a choice? Each measure looks at another part of it."""

from functools import lru_cache

from envs.prose import items
from envs.task import Transcript
from rewards.dimension import Dimension
from rewards.dimensions.example import example
from rewards.dimensions.task_text import compared
from rewards.options import offered
from rewards.reading import MEMORY, bare, words

YES_NO = {"yes", "no", "ja", "nein", "oui", "non", "sí", "si"}


@lru_cache(MEMORY)
def bare_items(text: str) -> tuple[str, ...]:
    return tuple(bare(item) for item in items(text))


def _lists(transcript: Transcript) -> tuple[tuple[str, ...], tuple[str, ...]] | None:
    """The items said and the items due; None where the right answer is no list."""
    pair = compared(transcript)
    if pair is None or ("," not in pair[1] and "\n" not in pair[1]):
        return None
    said, due = map(bare_items, pair)
    return (said, due) if len(due) > 1 else None


def item_overlap(transcript: Transcript) -> float | None:
    """Items in common / items in either list."""
    lists = _lists(transcript)
    if lists is None:
        return None
    said, due = map(set, lists)
    return len(said & due) / len(said | due)


def item_order(transcript: Transcript) -> float | None:
    """Of the pairs of right items that are said, the share in the right order."""
    lists = _lists(transcript)
    if lists is None:
        return None
    said, due = lists
    places = [due.index(item) for item in dict.fromkeys(said) if item in due]
    pairs = [a < b for i, a in enumerate(places) for b in places[i + 1 :]]
    return sum(pairs) / len(pairs) if pairs else 0.0


def item_places(transcript: Transcript) -> float | None:
    """Share of the places of the list that hold the right item."""
    lists = _lists(transcript)
    if lists is None:
        return None
    said, due = lists
    return sum(a == b for a, b in zip(said, due, strict=False)) / max(len(said), len(due))


def num_items(transcript: Transcript) -> float | None:
    """The smaller number of items / the larger."""
    lists = _lists(transcript)
    return None if lists is None else min(map(len, lists)) / max(map(len, lists))


def choice_offered(transcript: Transcript) -> float | None:
    """The answer is one of the options that the question offers."""
    turn = transcript.last
    options = offered(turn.question)
    return float(bare(turn.answer) in options) if options else None


def one_choice(transcript: Transcript) -> float | None:
    """1 / number of options that the answer names; 0 for none."""
    turn = transcript.last
    options = offered(turn.question)
    if not options:
        return None
    said = f" {bare(turn.answer)} "
    named = sum(f" {option} " in said for option in options)
    return 1.0 / named if named else 0.0


def says_yes_or_no(transcript: Transcript) -> float | None:
    """Where the right answer is yes or no, the answer begins with one of them."""
    turn = transcript.last
    if turn.question.answer is None or bare(turn.question.answer) not in YES_NO:
        return None
    return float(bool(YES_NO.intersection(words(turn.answer)[:1])))


def _colours(answer: str) -> Transcript:
    return example("Sort: red, blue, green", answer, expected="blue, green, red")


def _choice(answer: str) -> Transcript:
    return example("Which is a city: Rome, bread?", answer, expected="Rome", kind="choice")


DIMENSIONS = (
    Dimension(
        "task.item_overlap",
        "task",
        "The items listed are those of the right answer, in any order.",
        item_overlap,
        passes=_colours("red, green, blue"),
        fails=_colours("red, black, white"),
    ),
    Dimension(
        "task.item_order",
        "task",
        "The right items among those listed stand in the right order.",
        item_order,
        passes=_colours("blue, red"),
        fails=_colours("red, blue"),
    ),
    Dimension(
        "task.item_places",
        "task",
        "Share of the places of a list that hold the right item.",
        item_places,
        passes=_colours("blue, red, green"),
        fails=_colours("green, red, blue"),
    ),
    Dimension(
        "task.num_items",
        "task",
        "As many items are listed as there are in the right answer.",
        num_items,
        passes=_colours("one, two, three"),
        fails=_colours("blue"),
    ),
    Dimension(
        "task.choice_offered",
        "task",
        "The answer is one of the options that the question offers, right or wrong.",
        choice_offered,
        passes=_choice("bread"),
        fails=_choice("Paris"),
    ),
    Dimension(
        "task.one_choice",
        "task",
        "The answer names exactly one of the options.",
        one_choice,
        passes=_choice("I take bread"),
        fails=_choice("Rome or bread"),
    ),
    Dimension(
        "task.says_yes_or_no",
        "task",
        "A question for yes or no is answered by one of them.",
        says_yes_or_no,
        passes=example("Is Rome in Italy?", "No.", expected="yes"),
        fails=example("Is Rome in Italy?", "Perhaps.", expected="yes"),
    ),
)
