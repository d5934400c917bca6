"""The table of all dimensions, in the order in which `zero2one rewards` lists them."""

from dataclasses import dataclass

from rewards.dimension import Cost, Dimension
from rewards.dimensions import (
    answer,
    arithmetic,
    context,
    format,
    grammar,
    language,
    length,
    letters,
    manners,
    privacy,
    punctuation,
    readability,
    repetition,
    spelling,
    structure,
    style,
    surface,
    termination,
    text,
    variety,
)

TABLE: tuple[Dimension, ...] = (
    *termination.DIMENSIONS,
    *format.DIMENSIONS,
    *length.DIMENSIONS,
    *answer.DIMENSIONS,
    *arithmetic.DIMENSIONS,
    *repetition.DIMENSIONS,
    *language.DIMENSIONS,
    *context.DIMENSIONS,
    *structure.DIMENSIONS,
    *style.DIMENSIONS,
    *text.DIMENSIONS,
    *grammar.DIMENSIONS,
    *letters.DIMENSIONS,
    *manners.DIMENSIONS,
    *privacy.DIMENSIONS,
    *punctuation.DIMENSIONS,
    *readability.DIMENSIONS,
    *spelling.DIMENSIONS,
    *surface.DIMENSIONS,
    *variety.DIMENSIONS,
)


def by_name(dimensions: tuple[Dimension, ...] = TABLE) -> dict[str, Dimension]:
    return {dimension.name: dimension for dimension in dimensions}


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the listing: what of a dimension can be printed or written as JSON."""

    name: str
    family: str
    languages: tuple[str, ...]
    low: float
    high: float
    cost: Cost
    description: str


def rows(dimensions: tuple[Dimension, ...] = TABLE) -> list[Row]:
    return [Row(d.name, d.family, d.languages, d.low, d.high, d.cost, d.description) for d in dimensions]
