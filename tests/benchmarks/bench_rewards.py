"""Reward vectors per second of one reward worker, which has one core: answers judged in every dimension, and in those
of the default recipe only; and what each dimension costs on the questions and answers of the scenarios.

The figures go by CPU time. Of these, every round judges new texts, since one that was read before costs less. Of
the dimensions that share a reading, such as a parse, the first in the table bears its cost.
"""

import statistics
import time
from functools import partial
from itertools import cycle

from harness import in_turn, report

from envs.library import BUILT_IN
from envs.mix import evaluation_tasks
from envs.task import Question, Task, Transcript, Turn
from rewards.dimension import Dimension
from rewards.reading import words
from rewards.score import Scorer, judge
from rewards.table import TABLE
from rl.config import Config
from rl.load_config import load_config
from rl.tasks import build_scorer, build_tasks

# From what a policy without training writes to what one with training does.
ANSWERS = ("7", "The answer is 12.", "x" * 40, "", "I add 3 and 4, so it is 7.\n\n- first 3\n- then 4\n\n**7**")
NUM_DIALOGS = 100
REPETITIONS = 5
TURNS_A_SCENARIO = 4  # and other ones in each repetition
QUESTIONS_A_TURN = 5
NUM_SLOWEST = 20


def measure() -> dict[str, object]:
    default, every = load_config("r1_zero"), load_config("r1_zero", ["rewards.monitor=[all]"])
    dialogs = _held_dialogs(default)
    num_vectors = sum(len(dialog.turns) for dialog in dialogs)
    scorers = {"": build_scorer(every), "_default": build_scorer(default)}
    seconds = in_turn(
        {suffix: partial(_judge, scorer, dialogs) for suffix, scorer in scorers.items()}, repetitions=REPETITIONS
    )
    figures: dict[str, object] = {"num_vectors": num_vectors, "repetitions": REPETITIONS}
    for suffix, scorer in scorers.items():
        median = statistics.median(second.cpu for second in seconds[suffix])
        figures |= {f"vectors_per_second{suffix}": num_vectors / median, f"num_dimensions{suffix}": len(scorer.names)}
    return figures | _costs(tuple(dimension for dimension in TABLE if dimension.cost != "expensive"))


def _costs(dimensions: tuple[Dimension, ...]) -> dict[str, object]:
    """Turns per second in these dimensions, and the milliseconds that each and each family takes for a turn."""
    rounds = []
    for repetition in range(REPETITIONS + 1):
        turns = turns_of_scenarios(repetition)
        rounds.append([1e3 * _seconds(dimension, turns) / len(turns) for dimension in dimensions])
    medians = [statistics.median(each) for each in zip(*rounds[1:], strict=True)]  # the first loads dictionaries
    names: dict[str, float] = {}
    families: dict[str, float] = {}
    for dimension, cost in zip(dimensions, medians, strict=True):
        names[dimension.name] = round(cost, 4)
        families[dimension.family] = round(families.get(dimension.family, 0.0) + cost, 4)
    return {
        "num_turns": len(turns),
        "words_per_turn": statistics.fmean(len(words(turn.last.answer)) for turn in turns),
        "num_dimensions_not_expensive": len(dimensions),
        "turns_per_second_not_expensive": 1e3 / statistics.median(map(sum, rounds[1:])),
        "slowest_ms": dict(sorted(names.items(), key=_cost)[:NUM_SLOWEST]),
        "family_ms": dict(sorted(families.items(), key=_cost)),
    }


def _cost(named: tuple[str, float]) -> float:
    return -named[1]


def _seconds(dimension: Dimension, turns: list[Transcript]) -> float:
    start = time.process_time()
    for turn in turns:
        judge(dimension, turn)
    return time.process_time() - start


def turns_of_scenarios(repetition: int) -> list[Transcript]:
    """Turns in every scenario, at its levels and in the first of its languages by turns, about as long as prose: each
    answer tells several questions and what is right to answer to them.
    """
    turns = []
    for scenario in BUILT_IN:
        for place in range(TURNS_A_SCENARIO):
            language = scenario.languages[place % len(scenario.languages)]
            first_seed = (repetition * TURNS_A_SCENARIO + place) * QUESTIONS_A_TURN
            tasks = [
                Task(scenario.name, language, seed % scenario.num_levels, seed)
                for seed in range(first_seed, first_seed + QUESTIONS_A_TURN)
            ]
            questions: list[Question] = [scenario.dialog(task).open() for task in tasks]
            told = " ".join(f"{question.text} {question.demonstration}" for question in questions)
            turns.append(Transcript(tasks[0], (Turn(questions[0], told, "stop", num_tokens=8),)))
    return turns


def _held_dialogs(config: Config) -> list[Transcript]:
    library, mix = build_tasks(config)
    answers, dialogs = cycle(ANSWERS), []
    for task in evaluation_tasks(library, mix, NUM_DIALOGS):
        dialog, turns = library.find(task.scenario).dialog(task), []
        question = dialog.open()
        while question is not None and len(turns) < config.rollout.max_turns:
            turns.append(Turn(question, next(answers), "stop", num_tokens=8))
            question = dialog.reply(turns[-1].answer)
        dialogs.append(Transcript(task, tuple(turns)))
    return dialogs


def _judge(scorer: Scorer, dialogs: list[Transcript]) -> None:
    for dialog in dialogs:
        scorer.score(dialog)


if __name__ == "__main__":
    report("rewards", measure)
