"""The table of all dimensions, in the order in which `zero2one rewards` lists them."""

from dataclasses import dataclass

from rewards.dimension import Cost, Dimension
from rewards.dimensions import (
    answer,
    arithmetic,
    calibration,
    code_flow,
    code_run,
    code_sense,
    code_style,
    context,
    context_dialog,
    context_facts,
    format,
    grammar,
    instruction,
    language,
    language_letters,
    length,
    logic_claims,
    logic_steps,
    math_form,
    math_value,
    politeness,
    privacy,
    procedure,
    protocol,
    punctuation,
    quantity,
    readability,
    relevance,
    repetition,
    repetition_variety,
    safety,
    selfplay,
    semantics,
    spelling,
    structure,
    structure_data,
    structure_markdown,
    style,
    task_lists,
    task_success,
    task_text,
    termination,
    text,
    text_surface,
    tools,
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
    *structure_markdown.DIMENSIONS,
    *structure_data.DIMENSIONS,
    *context_facts.DIMENSIONS,
    *context_dialog.DIMENSIONS,
    *logic_steps.DIMENSIONS,
    *logic_claims.DIMENSIONS,
    *math_value.DIMENSIONS,
    *math_form.DIMENSIONS,
    *code_sense.DIMENSIONS,
    *code_flow.DIMENSIONS,
    *code_style.DIMENSIONS,
    *protocol.DIMENSIONS,
    *task_success.DIMENSIONS,
    *task_text.DIMENSIONS,
    *task_lists.DIMENSIONS,
    *style.DIMENSIONS,
    *instruction.DIMENSIONS,
    *text.DIMENSIONS,
    *relevance.DIMENSIONS,
    *semantics.DIMENSIONS,
    *quantity.DIMENSIONS,
    *procedure.DIMENSIONS,
    *grammar.DIMENSIONS,
    *language_letters.DIMENSIONS,
    *politeness.DIMENSIONS,
    *safety.DIMENSIONS,
    *calibration.DIMENSIONS,
    *privacy.DIMENSIONS,
    *punctuation.DIMENSIONS,
    *readability.DIMENSIONS,
    *spelling.DIMENSIONS,
    *text_surface.DIMENSIONS,
    *repetition_variety.DIMENSIONS,
    *code_run.DIMENSIONS,
    *selfplay.DIMENSIONS,
    *tools.DIMENSIONS,
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
