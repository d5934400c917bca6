"""What a run asks and how it judges, from its configuration. Without torch, so that reward workers stay small."""

from envs.arrival import Arrival, shape
from envs.library import Library, ScenarioError, build_library
from envs.load import Load
from envs.mix import MixLine, check_mix, expand
from envs.task import Played, Task
from rewards.resolve import resolve
from rewards.score import Scorer
from rewards.signal import Gate, Signal, Transform, build_signal
from rl.config import Config, RewardsConfig, TasksConfig
from rl.curriculum import Curriculum
from rl.selfplay import make_tasks, proposal_line, proposing


def build_tasks(config: Config) -> tuple[Library, tuple[MixLine, ...]]:
    """The scenarios of a run and their mixture, checked against each other, a line for each scenario."""
    library, mix = mixture_of(config.tasks)
    if config.rollout.model_users and not any(isinstance(library.find(line.scenario), Played) for line in mix):
        known = ", ".join(scenario.name for scenario in library.scenarios if isinstance(scenario, Played))
        raise ScenarioError(
            f"rollout.model_users: no scenario of tasks.mix can be played by a model; these can: {known}"
        )
    Curriculum.start(config.curriculum, mix)
    if config.selfplay.enabled:
        check_mix(library, [proposal_line(config)])
        proposing(library, config.selfplay.scenario)
    arrival = build_arrival(config)
    return library, mix if arrival is None else shape(library, mix, arrival)


def mixture_of(tasks: TasksConfig) -> tuple[Library, tuple[MixLine, ...]]:
    """The scenarios and their mixture alone, whoever asks and however the mixture may change."""
    library = build_library(tasks.files, tasks.questions)
    mix = expand(library, [MixLine(m.scenario, m.weight, m.languages, m.levels) for m in tasks.mix])
    check_mix(library, mix)
    return library, mix


def build_arrival(config: Config) -> Arrival | None:
    """Who asks next; None where every dialog is for itself."""
    arrival = config.tasks.arrival
    if not arrival.enabled:
        return None
    return Arrival(
        zipf_exponent=arrival.zipf_exponent,
        domains=arrival.domains,
        languages=arrival.languages,
        mean_session_length=arrival.mean_session_length,
        topic_stickiness=arrival.topic_stickiness,
        returning_share=arrival.returning_share,
        num_users=arrival.num_users,
        user_zipf_exponent=arrival.user_zipf_exponent,
    )


def build_load(config: Config) -> Load:
    """When queries arrive, where somebody measures that."""
    load = config.tasks.arrival.load
    return Load(
        requests_per_second=load.requests_per_second,
        period_seconds=load.period_seconds,
        amplitude=load.amplitude,
        peak_seconds=load.peak_seconds,
        bursts_per_period=load.bursts_per_period,
        burst_seconds=load.burst_seconds,
        burst_factor=load.burst_factor,
    )


def rehearse(config: Config) -> None:
    """Hold one dialog of every level and language that the run asks, without a policy. Raises `ScenarioError` where
    one cannot be asked or judged on this machine, such as programs without a sandbox.
    """
    library, mix = build_tasks(config)
    for line in mix:
        for language in line.languages or library.find(line.scenario).languages:
            for level in line.levels:
                task = Task(line.scenario, language, level, 0)
                library.rehearse(task, max_turns=config.rollout.max_turns)
                if config.rollout.model_users:
                    library.rehearse_user(task, max_turns=config.rollout.max_turns)
    if config.selfplay.enabled:
        make_tasks(
            library,
            proposal_line(config),
            max_turns=config.rollout.max_turns,
            timeout_seconds=config.rollout.episode_timeout_seconds,
        )


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
