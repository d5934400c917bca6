"""Pairs of dialogs of which one is better: from scenarios here; from files and runs in the modules beside this one.

An opening question that is held out of PPO (`tasks.held_out_fraction`) is in no pair from a scenario, so that later
evaluations stay honest.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from envs.chance import pick
from envs.library import Library
from envs.mix import MixLine, draw
from envs.task import Question, Transcript, Turn, stable_hash
from rewards.score import Scorer
from rl.corruption import CORRUPTIONS

MAX_ATTEMPTS = 8  # to make an answer that is worse

Dialog = tuple[tuple[str, str], ...]  # turns of (question, answer)


@dataclass(frozen=True, slots=True)
class Preference:
    """Two dialogs; the last answer of `chosen` is the better one. `source` says where the pair is from, for reports.

    Example: `Preference(chosen=(("3+4=?", "7"),), rejected=(("3+4=?", "8"),), source="scenario/changed")`
    """

    chosen: Dialog
    rejected: Dialog
    source: str
    system: str | None = None


@dataclass(frozen=True, slots=True)
class Grader:
    """How good the last answer of a transcript is: a weighted sum of named dimensions."""

    scorer: Scorer
    weights: Mapping[str, float]

    def grade(self, transcript: Transcript) -> float:
        """What abstains counts 0. Raises `rewards.score.RewardError`."""
        values = ((weight, self.scorer.judge_turn(transcript, name)) for name, weight in self.weights.items())
        return sum(weight * value for weight, value in values if value == value)


def from_scenarios(
    library: Library,
    mix: Sequence[MixLine],
    grader: Grader,
    *,
    num_pairs: int,
    max_turns: int,
    min_margin: float,
    seed: int,
    fraction: float,
) -> Iterator[Preference]:
    """A question of the mixture with its own demonstration against a corrupted answer (`rl.corruption`) that the
    grader finds worse by `min_margin`, at least.

    At most `num_pairs`: a dialog whose question names no answer, or for which no worse one is found, gives none.
    `fraction`: share of opening questions that are never asked.
    """
    others: list[str] = []  # answers of the dialogs before: what garbage and wrong answers are made of
    for index in range(num_pairs):
        task = draw(library, mix, seed, 0, index, fraction)
        questions = _answerable(library.questions(task, max_turns=max_turns))
        if not questions:
            continue
        asked = questions[: 1 + stable_hash("pair", seed, index) % len(questions)]
        earlier = tuple(Turn(question, question.demonstration, "stop", 1) for question in asked[:-1])
        pool = others[-200:] or [question.demonstration for question in questions]
        found = _worse(Transcript(task, earlier), asked[-1], pool, grader, min_margin, ("pair", seed, index))
        others += [question.demonstration for question in questions]
        if found is not None:
            answer, kind = found
            before = tuple((turn.question.text, turn.answer) for turn in earlier)
            text = asked[-1].text
            yield Preference((*before, (text, asked[-1].demonstration)), (*before, (text, answer)), f"scenario/{kind}")


def _answerable(questions: Sequence[Question]) -> list[Question]:
    """The questions before the first one that names no answer."""
    end = next((i for i, question in enumerate(questions) if not question.demonstration), len(questions))
    return list(questions[:end])


def _worse(
    earlier: Transcript,
    question: Question,
    others: Sequence[str],
    grader: Grader,
    min_margin: float,
    key: tuple[str | int, ...],
) -> tuple[str, str] | None:
    """An answer that the grader finds worse than the demonstration, and of which kind it is."""

    def grade(answer: str) -> float:
        turn = Turn(question, answer, "stop", num_tokens=1)
        return grader.grade(replace(earlier, turns=(*earlier.turns, turn)))

    best = grade(question.demonstration)
    for attempt in range(MAX_ATTEMPTS):
        kind = pick(tuple(CORRUPTIONS), *key, "kind", attempt)
        answer = CORRUPTIONS[kind](question.demonstration, others, (*key, attempt))
        if answer != question.demonstration and best - grade(answer) >= min_margin:
            return answer, kind
    return None
