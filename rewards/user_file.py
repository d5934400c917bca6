"""Reward dimensions from one Python file of the user's own, which defines `DIMENSIONS = [Dimension(...), ...]`.

They are checked while loading, before any training: a dimension that cannot tell its own two examples apart is refused.
"""

import math
from typing import get_args

from envs.task import Transcript
from envs.user_file import UserFileError, line_of, load_list
from rewards.dimension import Cost, Dimension
from rewards.score import RewardError, judge


def load_dimensions(path: str) -> tuple[Dimension, ...]:
    """The dimensions of one file. Whatever is wrong with it is a `UserFileError` with file, line and cause."""
    dimensions: list[Dimension] = []
    for index, value in enumerate(load_list(path, "DIMENSIONS")):
        if not isinstance(value, Dimension):
            raise _error(
                path, f"DIMENSIONS[{index}] is a {type(value).__name__}; it must be a rewards.dimension.Dimension"
            )
        problem = find_problem(value)
        if problem:
            raise _error(path, f"DIMENSIONS[{index}], {value.name!r}: {problem}")
        if any(value.name == other.name for other in dimensions):
            raise _error(path, f"DIMENSIONS[{index}]: the name {value.name!r} is there twice")
        dimensions.append(value)
    return tuple(dimensions)


def find_problem(dimension: Dimension) -> str | None:
    """What keeps a dimension from being used, or None: wrong fields first, then its examples."""
    if not isinstance(dimension.name, str) or not dimension.name.strip():
        return "the name must be a word or two, such as 'style.polite'"
    if not callable(dimension.score):
        return "score must be a function of a transcript"
    if not (isinstance(dimension.family, str) and isinstance(dimension.description, str)):
        return "family and description must be text"
    if not isinstance(dimension.languages, tuple) or dimension.cost not in get_args(Cost):
        return f"languages must be a tuple, and cost one of {', '.join(get_args(Cost))}"
    low, high = dimension.low, dimension.high
    if not (isinstance(low, int | float) and isinstance(high, int | float) and -math.inf < low < high < math.inf):
        return f"the range [{low}, {high}] must be two finite numbers, low below high"
    for field, transcript in (("passes", dimension.passes), ("fails", dimension.fails)):
        if not isinstance(transcript, Transcript) or not transcript.turns:
            return f"{field} must be a transcript of at least one turn"
    try:
        passed, failed = judge(dimension, dimension.passes), judge(dimension, dimension.fails)
    except RewardError as error:
        return f"an example fails to score: {error.cause}"
    if not failed < passed:
        return f"passes scores {passed} and fails scores {failed}; passes must score higher (nan: it abstained)"
    return None


def _error(path: str, cause: str) -> UserFileError:
    return UserFileError(path, line_of(path, "DIMENSIONS"), cause)
