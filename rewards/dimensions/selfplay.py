"""What came of a dialog for others: what the roles of self-play are paid for.

Whoever puts a task together is judged by what the solvers made of it, whoever plays the user by what the assistant
made of it. Both are known when those have been judged (`envs.task.Outcome`); before that, and for everybody else,
these abstain. The outcome is that of the whole dialog, so each of its turns gets the same score.
"""

from collections.abc import Callable
from dataclasses import replace

from envs.task import Outcome, Transcript
from rewards.dimension import Dimension
from rewards.dimensions.example import example


def valid_task(outcome: Outcome) -> float | None:
    return float(outcome.valid) if outcome.proposed else None


def new_task(outcome: Outcome) -> float | None:
    return float(outcome.new) if outcome.proposed and outcome.valid else None


def learnable(outcome: Outcome) -> float | None:
    """4 p (1 - p), p the solvers' success: the variance of a success, in units of the largest one.

    A group of solvers learns from what differs between them, so this is what a task is worth to them: the learnability
    p (1 - p) of Rutherford et al. 2024 (2408.15099) and Tzannetos et al. 2023 (2304.12877).
    """
    p = _success_of_task(outcome)
    return None if p is None else 4.0 * p * (1.0 - p)


def hard(outcome: Outcome) -> float | None:
    """1 - p where some solver succeeds, else 0 (Absolute Zero, Zhao et al. 2025, 2505.03335)."""
    p = _success_of_task(outcome)
    return None if p is None else float(p > 0.0) * (1.0 - p)


def solved_by_some(outcome: Outcome) -> float | None:
    p = _success_of_task(outcome)
    return None if p is None else float(p > 0.0)


def user_understood(outcome: Outcome) -> float | None:
    return None if outcome.proposed else outcome.success


def _success_of_task(outcome: Outcome) -> float | None:
    """The solvers' success; 0 where there was nothing new to solve; None where nobody has tried."""
    if not outcome.proposed:
        return None
    return outcome.success if outcome.valid and outcome.new else 0.0


def _of_outcome(measure: Callable[[Outcome], float | None]) -> Callable[[Transcript], float | None]:
    def score(transcript: Transcript) -> float | None:
        return None if transcript.outcome is None else measure(transcript.outcome)

    return score


def _proposal(answer: str, outcome: Outcome) -> Transcript:
    return replace(example("Write a calculation, up to 9.", answer, kind="formula"), outcome=outcome)


def _request(outcome: Outcome) -> Transcript:
    return replace(example("You want to know what 3+4 is. Ask.", "What is 3 plus 4?"), outcome=outcome)


DIMENSIONS = tuple(
    Dimension(f"selfplay.{name}", "selfplay", description, _of_outcome(measure), passes=passes, fails=fails)
    for name, description, measure, passes, fails in (
        (
            "valid_task",
            "What was proposed is a task that a verifier can check.",
            valid_task,
            _proposal("3+4", Outcome(proposed=True)),
            _proposal("3+", Outcome(valid=False, new=False, proposed=True)),
        ),
        (
            "new_task",
            "The valid task has not been proposed lately, and is not one that evaluation asks.",
            new_task,
            _proposal("3+4", Outcome(proposed=True)),
            _proposal("3+4", Outcome(new=False, proposed=True)),
        ),
        (
            "learnable",
            "Half of the solvers succeed at the new task; 0 where all do or none does.",
            learnable,
            _proposal("3+4", Outcome(success=0.5, proposed=True)),
            _proposal("3+4", Outcome(success=1.0, proposed=True)),
        ),
        (
            "hard",
            "Few of the solvers succeed at the new task, but not none.",
            hard,
            _proposal("3+4", Outcome(success=0.25, proposed=True)),
            _proposal("3+4", Outcome(success=1.0, proposed=True)),
        ),
        (
            "solved_by_some",
            "The new task can be solved: somebody does.",
            solved_by_some,
            _proposal("3+4", Outcome(success=0.25, proposed=True)),
            _proposal("3+4", Outcome(success=0.0, proposed=True)),
        ),
        (
            "user_understood",
            "The assistant succeeds with what the user's player says to it.",
            user_understood,
            _request(Outcome(success=1.0)),
            _request(Outcome(success=0.0)),
        ),
    )
)
