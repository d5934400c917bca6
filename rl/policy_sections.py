"""What a comparison of policies says, as tables: benchmarks, costs, rewards, architecture, and answers."""

from collections.abc import Sequence
from dataclasses import asdict

from rl.compare_policies import Benchmark, Contender, PolicyComparison, SampleAnswers, SolvedCost
from rl.recommend import Measured
from rl.sections import Section
from rl.suites.pages import number

MAX_ANSWER = 300  # characters that are shown


def policy_sections(compared: PolicyComparison) -> list[Section]:
    """Those that have something to say."""
    labels = [one.label for one in compared.contenders]
    header = ("", *labels)
    sections = [
        Section("Benchmarks (interval, ratio to the first)", header, _benchmarks(compared.benchmarks)),
        Section("Cost per solved item", header, _costs(compared.costs)),
        Section("Reward dimensions that train, late in training", header, _rewards(compared.contenders)),
        Section("Architecture", header, _architectures(compared.contenders)),
    ]
    return [section for section in sections if section.rows]


def answer_section(compared: PolicyComparison) -> Section:
    """For pages: too wide for a terminal."""
    labels = [one.label for one in compared.contenders]
    return Section("Answers side by side", ("suite", "question", "due", *labels), _answers(compared.samples))


def json_policies(compared: PolicyComparison) -> dict[str, object]:
    return {
        "recommendation": list(compared.recommendation),
        "warnings": list(compared.warnings),
        "benchmarks": [asdict(row) for row in compared.benchmarks],
        "cost_per_solved": [asdict(cost) for cost in compared.costs],
        "policies": [
            {
                "label": one.label,
                "weights": [str(policy.weights) for policy in one.policies],
                "architecture": asdict(one.architecture),
                "rewards": dict(one.rewards),
            }
            for one in compared.contenders
        ],
        "samples": [asdict(sample) for sample in compared.samples],
    }


def _benchmarks(rows: Sequence[Benchmark]) -> tuple[tuple[str, ...], ...]:
    return tuple(
        (f"{row.suite}: {row.metric}", *(_cell(cell, ratio) for cell, ratio in zip(row.cells, row.ratios, strict=True)))
        for row in rows
    )


def _cell(cell: Measured | None, ratio: float | None) -> str:
    if cell is None:
        return ""
    spread = "" if cell.low == cell.high else f" ({number(cell.low)} to {number(cell.high)})"
    return f"{number(cell.value)}{spread}{'' if ratio is None else f', x {ratio:.2f}'}"


def _costs(costs: Sequence[SolvedCost]) -> tuple[tuple[str, ...], ...]:
    return tuple(
        (f"{cost.suite}: {unit}", *("none solved" if value is None else number(value) for value in values))
        for cost in costs
        for unit, values in (("tokens", cost.tokens), ("seconds", cost.seconds))
    )


def _rewards(contenders: Sequence[Contender]) -> tuple[tuple[str, ...], ...]:
    names = dict.fromkeys(name for one in contenders for name in one.rewards)
    return tuple(
        (name, *(number(one.rewards[name]) if name in one.rewards else "" for one in contenders)) for name in names
    )


def _architectures(contenders: Sequence[Contender]) -> tuple[tuple[str, ...], ...]:
    shapes = [one.architecture for one in contenders]
    return (
        ("kind", *(shape.kind for shape in shapes)),
        ("layers", *(str(shape.layers) for shape in shapes)),
        ("width", *(str(shape.width) for shape in shapes)),
        ("heads", *(str(shape.heads) for shape in shapes)),
        ("KV heads", *(str(shape.kv_heads) for shape in shapes)),
        ("activation", *(shape.activation for shape in shapes)),
        ("vocabulary", *(f"{shape.vocabulary:,}" for shape in shapes)),
        ("parameters", *(f"{shape.parameters:,}" for shape in shapes)),
    )


def _answers(samples: Sequence[SampleAnswers]) -> tuple[tuple[str, ...], ...]:
    return tuple(
        (
            sample.suite,
            _short(sample.question),
            _short(sample.due),
            *(f"{_short(answer)} [{score:.2g}]" for answer, score in zip(sample.answers, sample.scores, strict=True)),
        )
        for sample in samples
    )


def _short(text: str) -> str:
    return text if len(text) <= MAX_ANSWER else f"{text[:MAX_ANSWER]}..."
