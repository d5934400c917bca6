"""The stages beside PPO (pre-training, supervised fine-tuning, reward model), as sections like those of `rl/config.py`.

`run.num_iterations` counts optimiser steps here.
"""

from typing import ClassVar, Literal

from pydantic import Field, NonNegativeFloat, NonNegativeInt, PositiveInt

from envs.calls import ToolName
from rl.config import (
    CheckpointConfig,
    Config,
    LearnerConfig,
    ModelConfig,
    OptimizerConfig,
    PPOConfig,
    RewardsConfig,
    RolloutConfig,
    RunConfig,
    Section,
    TasksConfig,
)


class SourceConfig(Section):
    """Files of texts: Parquet, JSONL (a JSON object per line), or plain text."""

    path: str = Field(min_length=1, description="a file, or a pattern such as data/*.jsonl")
    column: str = Field("text", description="of the text; not for plain text")
    language: str = Field("", description="of all texts in it; empty: what `language_column` says, or unknown")
    language_column: str = ""
    encoding: str = Field("utf-8", description="of JSONL and plain text")
    separator: str = Field("", description="plain text: the line between two documents; empty: an empty line")


class CorpusConfig(Section):
    """What is read in pre-training; see `rl.corpus`."""

    sources: tuple[SourceConfig, ...] = Field((), description="empty: the embedded corpus")
    embedded_dialogs: PositiveInt = Field(500, description="of the embedded corpus, per language")
    held_out_questions: float = Field(
        0.1, ge=0.0, lt=1.0, description="of the embedded corpus; at least tasks.held_out_fraction of later stages"
    )
    temperature: float = Field(
        3.0, ge=1.0, description="T in p ~ n^(1/T) over languages of n tokens; 1: as they are, 3.3: XLM-R (1911.02116)"
    )
    near_duplicates: float = Field(
        0.8, ge=0.0, le=1.0, description="share of common shingles from which one goes; 0: equal ones only"
    )
    held_out_fraction: float = Field(0.02, ge=0.0, lt=1.0, description="share of documents never trained on")
    max_broken_rows: NonNegativeInt = Field(100, description="rows that cannot be used, before it is an error")


class DialogFileConfig(Section):
    """A file of written dialogs: Parquet, or JSONL with an object per line. A column may lead into what it holds:
    `instances.0.output` is the `output` of the first of its `instances`.
    """

    path: str = Field(min_length=1, description="a file, or a pattern")
    question_column: str = "question"
    input_column: str = Field("", description="of more text that belongs to the question")
    answer_column: str = "answer"
    messages_column: str = Field("", description="of a list of {role, content}, in place of the columns above")
    language: str = Field("en", description="of all dialogs; what `language_column` says comes first")
    language_column: str = ""
    level: NonNegativeInt = Field(0, description="of all dialogs, for the curriculum")
    level_column: str = ""


class RejectionConfig(Section):
    """Dialogs of the model that the stage starts from, the best of several by reward; see `rl.rejection`."""

    num_tasks: NonNegativeInt = Field(0, description="drawn from tasks.mix; 0: no dialogs of its own")
    samples_per_task: PositiveInt = 8
    keep: PositiveInt = Field(1, description="dialogs per task, at most: the best by mean reward of a turn")
    min_reward: float | None = Field(None, description="mean reward of a turn below which none is kept; None: any")
    min_success: float = Field(0.0, ge=0.0, le=1.0, description="mean success of a turn below which none is kept")


class DemonstrationsConfig(Section):
    """What is imitated in supervised fine-tuning; see `rl.demonstrations`."""

    num_dialogs: NonNegativeInt = Field(2000, description="drawn from tasks.mix, answered by its own demonstrations")
    max_turns: PositiveInt = 8
    files: tuple[DialogFileConfig, ...] = ()
    rejection: RejectionConfig = RejectionConfig()
    tools: tuple[ToolName, ...] = Field((), description="that are called where a question names a calculation")
    tool_share: float = Field(1.0, ge=0.0, le=1.0, description="of the drawn dialogs in which these tools are at hand")
    held_out_fraction: float = Field(0.05, ge=0.0, lt=1.0, description="share of dialogs never trained on")
    max_broken_rows: NonNegativeInt = 100


class PacingConfig(Section):
    """Easy documents first; see `rl.pacing`."""

    enabled: bool = Field(False, description="false: all levels alike from the first step on")
    by: Literal["level", "length"] = Field("level", description="of the task or file, or bands of document length")
    num_bands: PositiveInt = Field(4, description="with by: length, bands of equal numbers of tokens")
    start_levels: PositiveInt = Field(1, description="lowest levels that are open at the first step")
    full_at: float = Field(0.5, gt=0.0, le=1.0, description="share of the steps after which every level is open")


class PairFileConfig(Section):
    """A file of pairs, see `rl.preference_files`. Human ratings have `messages_column: messages`."""

    path: str = Field(min_length=1, description="a file, or a pattern")
    chosen_column: str = "chosen"
    rejected_column: str = "rejected"
    prompt_column: str = Field("", description="of the question; empty: chosen and rejected are whole dialogs")
    messages_column: str = Field("", description="of a list of {role, content} that ends with the question, instead")


class PairRunConfig(Section):
    """A run of PPO whose stored answers are compared, see `rl.preference_runs`."""

    run: str = Field(min_length=1, description="its run directory")
    weights: dict[str, float] = Field({}, description="dimension -> weight; empty: the reward that trained the policy")
    first: NonNegativeInt = Field(0, description="iteration from which on")
    last: NonNegativeInt | None = None
    per_question: PositiveInt = Field(2, description="pairs from the answers to one question in one iteration, at most")
    min_margin: NonNegativeFloat = Field(0.1, description="by which the better answer is better, at least")
    num_pairs: PositiveInt = Field(10_000, description="at most")


class PreferencesConfig(Section):
    """What a reward model learns from; see `rl.preferences`."""

    num_pairs: NonNegativeInt = Field(4000, description="drawn from `tasks`, at most; 0: none")
    max_turns: PositiveInt = 8
    weights: dict[str, float] = Field(
        {"task.success": 1.0}, description="dimension -> weight: what tells the answers of a drawn pair apart"
    )
    min_margin: NonNegativeFloat = Field(0.1, description="by which the better answer is better, at least")
    files: tuple[PairFileConfig, ...] = ()
    runs: tuple[PairRunConfig, ...] = ()
    held_out_fraction: float = Field(0.1, gt=0.0, lt=1.0, description="share of opening questions never trained on")
    train_fraction: float = Field(1.0, gt=0.0, le=1.0, description="share of the others that is trained on")
    max_broken_rows: NonNegativeInt = 100


class StepsConfig(Section):
    """What the steps of all stages have in common."""

    micro_batch_tokens: PositiveInt = Field(8192, description="tokens per forward pass, per rank")
    eval_every: NonNegativeInt = Field(100, description="steps; 0: only at the end")
    max_nonfinite_steps: PositiveInt = Field(3, description="skipped steps in a row before the stage stops")


class SupervisedConfig(StepsConfig):
    batch_rows: PositiveInt = Field(16, description="rows of model.max_length tokens per optimiser step")
    eval_tokens: PositiveInt = Field(4096, description="held-out tokens per language and evaluation, at most")


class PairwiseConfig(StepsConfig):
    batch_pairs: PositiveInt = Field(64, description="pairs per optimiser step")
    eval_pairs: PositiveInt = Field(1000, description="held-out pairs per evaluation, at most")
    center_coef: NonNegativeFloat = Field(0.01, description="of (r_chosen + r_rejected)^2 in the loss; 0: off")


class PretrainConfig(Section):
    """Next-token prediction on texts, from random weights or any model."""

    kind: ClassVar[Literal["pretrain"]] = "pretrain"

    run: RunConfig = RunConfig()
    model: ModelConfig = ModelConfig()
    corpus: CorpusConfig = CorpusConfig()
    curriculum: PacingConfig = PacingConfig()
    supervised: SupervisedConfig = SupervisedConfig()
    optimizer: OptimizerConfig = OptimizerConfig(lr=1e-3)
    learner: LearnerConfig = LearnerConfig()
    checkpoint: CheckpointConfig = CheckpointConfig(every=100)

    @property
    def steps(self) -> StepsConfig:
        return self.supervised


class SFTConfig(Section):
    """Next-token prediction on the answers of dialogs."""

    kind: ClassVar[Literal["sft"]] = "sft"

    run: RunConfig = RunConfig()
    model: ModelConfig = ModelConfig()
    tasks: TasksConfig
    demonstrations: DemonstrationsConfig = DemonstrationsConfig()
    curriculum: PacingConfig = PacingConfig()
    rollout: RolloutConfig = Field(RolloutConfig(), description="how demonstrations.rejection samples")
    rewards: RewardsConfig | None = Field(None, description="by which demonstrations.rejection chooses")
    supervised: SupervisedConfig = SupervisedConfig()
    optimizer: OptimizerConfig = OptimizerConfig(lr=1e-4)
    learner: LearnerConfig = LearnerConfig()
    checkpoint: CheckpointConfig = CheckpointConfig(every=100)

    @property
    def steps(self) -> StepsConfig:
        return self.supervised


class RouterConfig(Section):
    """Who chooses among the modules of a pipeline; see `rl.router`."""

    modules: tuple[str, ...] = Field(min_length=2, description="names of modules; each is for what it was trained on")
    num_dialogs: PositiveInt = Field(1000, description="per module, whose questions it learns from")
    min_confidence: float = Field(0.6, ge=0.0, le=1.0, description="probability below which the base answers")


class RewardModelConfig(Section):
    """A score of dialogs, learnt from which one of two people or programs prefer."""

    kind: ClassVar[Literal["reward_model"]] = "reward_model"

    run: RunConfig = RunConfig()
    model: ModelConfig = ModelConfig()
    tasks: TasksConfig | None = Field(None, description="what pairs are drawn from; none: from files and runs alone")
    preferences: PreferencesConfig = PreferencesConfig()
    pairwise: PairwiseConfig = PairwiseConfig()
    optimizer: OptimizerConfig = OptimizerConfig(lr=1e-5)
    learner: LearnerConfig = LearnerConfig()
    checkpoint: CheckpointConfig = CheckpointConfig(every=100)

    @property
    def steps(self) -> StepsConfig:
        return self.pairwise


SupervisedStage = PretrainConfig | SFTConfig | RewardModelConfig
StageConfig = Config | SupervisedStage


def sampling_config(config: SFTConfig) -> Config | None:
    """The run of which rollout and reward workers are a part; None where nothing is to be sampled.

    There is no PPO in it: of its section, nothing is used.
    """
    rejection = config.demonstrations.rejection
    if not rejection.num_tasks or config.rewards is None:
        return None
    rollout = config.rollout.model_copy(
        update={
            "n_samples_per_prompt": rejection.samples_per_task,
            "weight_transfer": "object_store",
            "model_users": False,  # a user's words are no demonstration of an assistant's
            "user_model": "",
        }
    )
    return Config(
        run=config.run,
        model=config.model,
        tasks=config.tasks,
        rollout=rollout,
        rewards=config.rewards,
        ppo=PPOConfig(advantage_estimator="reinforce++", mini_batch_size=config.learner.num_ranks),
        learner=config.learner,
    )
