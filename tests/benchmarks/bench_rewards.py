"""Reward vectors per second of one reward worker, which has one core: answers judged in every dimension, and in those
of the default recipe only. The figures go by CPU time.
"""

import statistics
from functools import partial
from itertools import cycle

from harness import in_turn, report

from envs.mix import evaluation_tasks
from envs.task import Transcript, Turn
from rewards.score import Scorer
from rl.config import Config
from rl.load_config import load_config
from rl.tasks import build_scorer, build_tasks

# From what a policy without training writes to what one with training does.
ANSWERS = ("7", "The answer is 12.", "x" * 40, "", "I add 3 and 4, so it is 7.\n\n- first 3\n- then 4\n\n**7**")
NUM_DIALOGS = 100
REPETITIONS = 5


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
    return figures


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
