"""Numbers worked by hand."""

import pytest

from envs.library import Library
from envs.task import Task
from rl.evaluate import evaluation_requests, summarize
from rl.results import EvalResult
from rl.trajectory import Scored
from tests.envs.arrivals import Topic
from tests.rl.builders import lost, request, scored, trajectory
from tests.rl.fakes import Scripted

SUMS, CAPITALS = Scripted(name="sums"), Scripted(("Capital number {seed}?",), name="capitals")
LIBRARY = Library((SUMS, CAPITALS))


def task(scenario: str, seed: int) -> Task:
    return Task(scenario, "en", 0, seed)


def dialog(asked: Task, *success: float) -> Scored:
    """A dialog of so many turns; the builder's success is 1 where the scalar is above 0."""
    return scored(trajectory(request(20, task=asked, purpose="eval"), ["7"] * len(success)), success)


def test_requests_are_greedy_dialogs_of_this_step() -> None:
    first, second = evaluation_requests([task("sums", 1), task("sums", 2)], step=20, run_seed=42)
    assert (first.id, second.id) == ("eval-20-0-0", "eval-20-1-0")
    assert (first.purpose, first.iteration, first.run_seed, second.task.seed) == ("eval", 20, 42, 2)


def test_accuracies_by_hand() -> None:
    dialogs = [
        dialog(task("sums", 1), 1, 0, 0),  # unseen
        dialog(task("sums", 2), 1, 1),
        dialog(task("capitals", 1), 0),  # unseen
        dialog(task("capitals", 2), 1),
        dialog(task("capitals", 102), 0),  # asks what number 2 asks
        lost(request(20, task=task("sums", 3), purpose="eval")),
    ]
    seen = {"What is 2 + 1?", "Capital number 2?", "What is 3 + 1?"}
    assert summarize(dialogs, LIBRARY, step=20, seen=seen) == EvalResult(
        step=20,
        accuracy=pytest.approx(4 / 8),
        first_turn=pytest.approx(3 / 5),
        follow_up=pytest.approx(1 / 3),
        unseen=pytest.approx(1 / 4),
        seen_share=pytest.approx(2 / 4),  # four different openings were judged
        by_scenario={"capitals": pytest.approx(1 / 3), "sums": pytest.approx(3 / 5)},
        num_dialogs=5,
        by_domain={SUMS.domain: pytest.approx(4 / 8)},
        by_language={"en": pytest.approx(4 / 8)},
    )


def test_languages_and_domains_are_told_apart() -> None:
    library = Library((SUMS, Topic("riddles", "logic")))
    asked = [Task("sums", "en", 0, 1), Task("riddles", "de", 0, 1), Task("riddles", "en", 0, 2)]
    result = summarize(
        [dialog(task, right) for task, right in zip(asked, (1, 1, 0), strict=True)], library, step=0, seen=()
    )
    assert result.by_language == {"de": 1.0, "en": 0.5}
    assert result.by_domain == {"logic": 0.5, SUMS.domain: 1.0}


def test_what_there_is_none_of_is_none() -> None:
    result = summarize([dialog(task("sums", 2), 1)], LIBRARY, step=0, seen={"What is 2 + 1?"})
    assert (result.unseen, result.seen_share, result.follow_up) == (None, 1.0, None)
    assert summarize([dialog(task("sums", 2), 1)], LIBRARY, step=0, seen=()).seen_share == 0.0


def test_an_evaluation_in_which_every_dialog_failed_says_so() -> None:
    with pytest.raises(RuntimeError, match="evaluation at step 20: every dialog failed; `zero2one show RUN --status"):
        summarize([lost()], LIBRARY, step=20, seen=())
