"""What a run asks and how it judges, from its configuration. Without torch, so that reward workers stay small."""

from envs.library import Library, build_library
from envs.mix import MixLine, check_mix
from envs.task import Task
from rewards.resolve import resolve
from rewards.score import Scorer
from rewards.signal import Gate, Signal, Transform, build_signal
from rl.config import Config, RewardsConfig


def build_tasks(config: Config) -> tuple[Library, tuple[MixLine, ...]]:
    """The scenarios of a run and their mixture, checked against each other."""
    library = build_library(config.tasks.files, config.tasks.questions)
    mix = tuple(MixLine(m.scenario, m.weight, m.languages, m.levels) for m in config.tasks.mix)
    check_mix(library, mix)
    return library, mix


def rehearse(config: Config) -> None:
    """Hold one dialog of every level and language that the run asks, without a policy. Raises `ScenarioError` where
    one cannot be asked or judged on this machine, such as programs without a sandbox.
    """
    library, mix = build_tasks(config)
    for line in mix:
        for language in line.languages or library.find(line.scenario).languages:
            for level in line.levels:
                library.rehearse(Task(line.scenario, language, level, 0), max_turns=config.rollout.max_turns)


def build_scorer(config: Config) -> Scorer:
    library, _ = build_tasks(config)
    dimensions = resolve(config.rewards.weights, config.rewards.monitor, config.rewards.files)
    return Scorer(dimensions, {s.name: s for s in library.scenarios})


def signal_of(rewards: RewardsConfig) -> Signal:
    """How the dimensions of a run become its reward."""
    return build_signal(
        resolve(rewards.weights, rewards.monitor, rewards.files),
        rewards.weights,
        {name: Transform(t.kind, t.low, t.high, t.exponent) for name, t in rewards.transforms.items()},
        [Gate(gate.when, gate.cap, gate.below, gate.at) for gate in rewards.gates],
        normalize=rewards.normalize == "running",
    )
