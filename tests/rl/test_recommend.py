"""Advice for hand-made numbers."""

import pytest

from rl.recommend import Evidence, Measured, decided, recommend


def measured(value: float, spread: float = 0.02, *, items: int = 500, runs: int = 3, lower: bool = False) -> Measured:
    return Measured(value, value - spread, value + spread, items, runs, lower)


def evidence(label: str, ratio: float | None = None, parameters: int = 0, **benchmarks: Measured) -> Evidence:
    return Evidence(label, benchmarks, ratio, parameters)


def test_only_intervals_apart_decide() -> None:
    assert decided(measured(0.5), measured(0.55)) == 1
    assert decided(measured(0.5), measured(0.53)) == 0
    assert decided(measured(0.5), measured(0.4)) == -1
    assert decided(measured(0.5, lower=True), measured(0.4, lower=True)) == 1


def test_better_in_something_and_worse_in_nothing() -> None:
    zero = evidence("zero", 1.0, 100, math=measured(0.2), error=measured(0.5, lower=True), code=measured(0.3))
    one = evidence("r1", 0.4, 100, math=measured(0.4), error=measured(0.2, lower=True), code=measured(0.31))
    assert recommend([zero, one]) == [
        "Prefer r1 to zero: better in math (0.2 -> 0.4, x 2.00) and error (0.5 -> 0.2, x 0.40); no difference is shown "
        "in code (0.3 -> 0.31, x 1.03); it takes 0.40 x the updates to the target."
    ]


def test_the_baseline_is_enough_where_the_other_is_worse() -> None:
    lines = recommend([evidence("zero", math=measured(0.4)), evidence("r1", math=measured(0.2))])
    assert lines == ["zero is enough: r1 is better in nothing and worse in math (0.4 -> 0.2, x 0.50)."]


def test_it_depends() -> None:
    zero = evidence("zero", None, 100, math=measured(0.4), code=measured(0.0, 0.0))
    [line] = recommend([zero, evidence("r1", None, 400, math=measured(0.2), code=measured(0.1))])
    assert line == (
        "It depends on what counts: r1 is better than zero in code (0 -> 0.1), and worse in math (0.4 -> 0.2, x 0.50); "
        "has 4.00 x the parameters."
    )


def test_nothing_decided_is_no_reason() -> None:
    [line] = recommend([evidence("zero", math=measured(0.4)), evidence("r1", math=measured(0.41))])
    assert line.startswith("Nothing measured separates r1 from zero (math")
    assert line.endswith("so quality is no reason to leave zero.")


@pytest.mark.parametrize(
    ("items", "runs", "words"),
    [(40, 3, ["fewer than 100 items in math"]), (500, 1, ["fewer than 3 seeds of zero and r1"]), (500, 3, [])],
)
def test_thin_evidence_is_said(items: int, runs: int, words: list[str]) -> None:
    numbers = measured(0.4, items=items, runs=runs)
    _, *caveats = recommend([evidence("zero", math=numbers), evidence("r1", math=numbers)])
    assert len(caveats) == len(words)
    assert all(word in line and line.startswith("Thin evidence") for word, line in zip(words, caveats, strict=True))


def test_nothing_in_common_and_nothing_to_choose() -> None:
    [line] = recommend([evidence("zero", math=measured(0.4)), evidence("r1", code=measured(0.4))])
    assert line == "r1 and zero share no benchmark: evaluate both with the same suites first."
    assert recommend([evidence("zero")]) == ["There is nothing to choose between: name a second run or model."]
