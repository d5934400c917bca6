"""The stages before PPO, pre-training and supervised fine-tuning, as typed sections like those of `rl/config.py`.

`run.num_iterations` counts optimiser steps here.
"""

from pydantic import Field, NonNegativeInt, PositiveInt

from rl.config import (
    CheckpointConfig,
    Config,
    LearnerConfig,
    ModelConfig,
    OptimizerConfig,
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
    language: str = "en"


class DemonstrationsConfig(Section):
    """What is imitated in supervised fine-tuning; see `rl.demonstrations`."""

    num_dialogs: NonNegativeInt = Field(2000, description="drawn from tasks.mix, answered by its own demonstrations")
    max_turns: PositiveInt = 8
    files: tuple[DialogFileConfig, ...] = ()
    held_out_fraction: float = Field(0.05, ge=0.0, lt=1.0, description="share of dialogs never trained on")
    max_broken_rows: NonNegativeInt = 100


class SupervisedConfig(Section):
    batch_rows: PositiveInt = Field(16, description="rows of model.max_length tokens per optimiser step")
    micro_batch_tokens: PositiveInt = Field(8192, description="tokens per forward pass, per rank")
    eval_every: NonNegativeInt = Field(100, description="steps; 0: only at the end")
    eval_tokens: PositiveInt = Field(4096, description="held-out tokens per language and evaluation, at most")
    max_nonfinite_steps: PositiveInt = Field(3, description="skipped steps in a row before the stage stops")


class PretrainConfig(Section):
    """Next-token prediction on texts, from random weights or any model."""

    run: RunConfig = RunConfig()
    model: ModelConfig = ModelConfig()
    corpus: CorpusConfig = CorpusConfig()
    supervised: SupervisedConfig = SupervisedConfig()
    optimizer: OptimizerConfig = OptimizerConfig(lr=1e-3)
    learner: LearnerConfig = LearnerConfig()
    checkpoint: CheckpointConfig = CheckpointConfig(every=100)


class SFTConfig(Section):
    """Next-token prediction on the answers of dialogs."""

    run: RunConfig = RunConfig()
    model: ModelConfig = ModelConfig()
    tasks: TasksConfig
    demonstrations: DemonstrationsConfig = DemonstrationsConfig()
    supervised: SupervisedConfig = SupervisedConfig()
    optimizer: OptimizerConfig = OptimizerConfig(lr=1e-4)
    learner: LearnerConfig = LearnerConfig()
    checkpoint: CheckpointConfig = CheckpointConfig(every=100)


class RouterConfig(Section):
    """Who chooses among the modules of a pipeline; see `rl.router`."""

    modules: tuple[str, ...] = Field(min_length=2, description="names of modules; each is for what it was trained on")
    num_dialogs: PositiveInt = Field(1000, description="per module, whose questions it learns from")
    min_confidence: float = Field(0.6, ge=0.0, le=1.0, description="probability below which the base answers")


StageConfig = Config | PretrainConfig | SFTConfig
