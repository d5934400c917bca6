"""What a run asks and how it judges, from its configuration. Without torch, so that reward workers stay small."""

from envs.library import Library, build_library
from envs.mix import MixLine, check_mix
from rewards.resolve import resolve
from rewards.score import Scorer
from rl.config import Config


def build_tasks(config: Config) -> tuple[Library, tuple[MixLine, ...]]:
    """The scenarios of a run and their mixture, checked against each other."""
    library = build_library(config.tasks.files, config.tasks.questions)
    mix = tuple(MixLine(m.scenario, m.weight, m.languages, m.levels) for m in config.tasks.mix)
    check_mix(library, mix)
    return library, mix


def build_scorer(config: Config) -> Scorer:
    library, _ = build_tasks(config)
    dimensions = resolve(config.rewards.weights, config.rewards.monitor, config.rewards.files)
    return Scorer(dimensions, config.rewards.weights, {s.name: s for s in library.scenarios})
