"""The table of all dimensions, in the order in which `zero2one rewards` lists them."""

from dataclasses import dataclass

from rewards.dimension import Cost, Dimension
from rewards.dimensions import (
    answer,
    arithmetic,
    code_run,
    context,
    format,
    language,
    length,
    repetition,
    structure,
    style,
    termination,
    text,
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
    *code_run.DIMENSIONS,
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
