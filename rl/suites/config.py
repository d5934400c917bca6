"""What an evaluation is run with, as typed sections like those of `rl/config.py`."""

from pydantic import Field, NonNegativeFloat, NonNegativeInt, PositiveInt

from rl.config import ModelConfig, RolloutConfig, Section

# room for the prompts of five-shot MMLU, but for the longest; a model of fewer positions keeps to those
MAX_LENGTH = 3072


class SuitesConfig(Section):
    names: tuple[str, ...] = Field((), description="in the order in which they run")
    data: str = Field("", description="folder with one for each benchmark that is read from files")
    limit: PositiveInt = Field(200, description="items of a suite, at most; a seeded draw where there are more")
    num_samples: NonNegativeInt = Field(0, description="answers drawn per item beside the greedy one: pass@k, maj@k")
    seed: NonNegativeInt = 0
    num_shots: NonNegativeInt = Field(5, description="examples before a multiple-choice question, where they fit")
    max_skipped_rows: NonNegativeInt = Field(
        20, description="rows of a file that cannot be used, before it is an error"
    )
    num_resamples: PositiveInt = Field(1000, description="of the bootstrap behind each interval")
    latency_tokens: PositiveInt = Field(32, description="that each timed request writes")
    watchdog_seconds: NonNegativeFloat = Field(
        1800.0, description="without an answer, after which there is a report, and twice which it ends; 0: never"
    )


class EvaluationConfig(Section):
    """`model.name_or_path` is the folder of the policy; `rollout` is of the workers that it answers through."""

    model: ModelConfig
    rollout: RolloutConfig = RolloutConfig()
    suites: SuitesConfig = SuitesConfig()
