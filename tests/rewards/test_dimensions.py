"""What holds for every dimension of the table."""

import math
import time

import pytest

from envs.sandbox import NoSandbox, find_sandbox
from envs.task import Transcript
from rewards.dimension import Dimension
from rewards.dimensions import code_run
from rewards.dimensions.example import example
from rewards.score import judge
from rewards.table import TABLE, by_name, rows

NASTY = (
    "",
    " \n\t ",
    "a" * 10_000,
    "1" * 10_000,
    "word " * 2_000,
    "1+1=" * 2_500,
    "(" * 10_000,
    "😀👩‍👩‍👧‍👦🏳️‍🌈" * 5,
    "שלום עולם, מה שלומך היום? הכול בסדר גמור",
    "‮abc‬ مرحبا بالعالم كيف حالك اليوم يا صديقي",
    "\x00\x01\x1b[31m\x7f\x85",
    "\x00",
    "\ud800 lone surrogate, in a text that is long enough to be identified",
    "\ufffd" * 40,
    "e\u0301" * 50 + "\u200b\u200d\ufeff",
    "1e999",
    "-1e999",
    "nan",
    "inf",
    "0x10",
    "-0",
    "--7",
    "٤٢",
    "²",
    "3/0",
    "1/0 = 0",
    "9" * 400 + " = " + "9" * 400 + " * 2",
    "\\boxed{" * 50,
    "#### ",
    "ǅ" * 30,
)
QUESTIONS = (("3 + 4 = ?", "7", "integer"), ("Half of 5?", "2.5", "number"), ("?", "b", "choice"), ("", None, "text"))

dimensions = pytest.mark.parametrize("dimension", TABLE, ids=lambda dimension: dimension.name)


def nasty_transcripts() -> list[Transcript]:
    transcripts = []
    for text in NASTY:
        for question, expected, kind in QUESTIONS:
            first = example(question, text, expected=expected, kind=kind, finish="length", num_tokens=10_000)
            transcripts += [first, example(question, text, expected=expected, kind=kind, language="ja", earlier=first)]
            transcripts.append(example(text, "7", expected=expected, kind=kind, language="xx", num_tokens=0))
    return transcripts


@dimensions
def test_example_that_passes_scores_higher(dimension: Dimension) -> None:
    if dimension in code_run.DIMENSIONS and isinstance(found := find_sandbox(), NoSandbox):
        pytest.skip(f"no sandbox here: {found.reason}")
    assert judge(dimension, dimension.passes) > judge(dimension, dimension.fails)


@dimensions
def test_any_text_is_scored_within_range_and_the_same_again(dimension: Dimension) -> None:
    for transcript in nasty_transcripts():
        value = judge(dimension, transcript)  # raises outside the range
        again = judge(dimension, transcript)
        assert value == again or (math.isnan(value) and math.isnan(again)), transcript.last


@dimensions
def test_examples_use_the_whole_sentence_form(dimension: Dimension) -> None:
    assert dimension.name.startswith(dimension.family + ".")
    assert dimension.description.endswith(".")


def test_names_are_unique() -> None:
    assert len(by_name()) == len(TABLE) >= 25


def test_rows_mirror_the_table() -> None:
    listing = rows()
    assert [row.name for row in listing] == [dimension.name for dimension in TABLE]
    assert (listing[0].name, listing[0].low, listing[0].high, listing[0].cost) == ("termination.ended", 0, 1, "cheap")


def test_no_dimension_costs_far_more_than_its_class_says() -> None:
    bounds = {"cheap": 1e-4, "moderate": 1e-3}  # seconds for a turn of 60 words
    texts = [f"In {year} the old town near the river was still small, and few people came. " * 4 for year in range(5)]
    for dimension in TABLE:
        if dimension.cost == "expensive":
            continue
        judge(dimension, dimension.passes)  # loads its tables
        seconds = []
        for text in texts:
            start = time.process_time()
            judge(dimension, example("Tell me about it.", text))
            seconds.append(time.process_time() - start)
        assert min(seconds) < 20 * bounds[dimension.cost], dimension.name  # a busy machine takes a few times longer
