"""The whole configuration of a run as typed sections. Names and defaults are the field's usual ones."""

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, NonNegativeFloat, NonNegativeInt, PositiveFloat, PositiveInt

from envs.calls import ToolName
from rl.places import is_url, join, working_folder

Fraction = Field(ge=0.0, le=1.0)


class Section(BaseModel):
    """Unknown keys are an error, values never change after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class RunConfig(Section):
    name: str = Field("", pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$|^$", description="empty: the recipe's name")
    seed: NonNegativeInt = 42
    folder: str = Field("runs", description="run directories live in here; or a URL, such as s3://bucket/runs")
    cache: str = Field("runs", description="where a run works whose folder is a URL; on several nodes one that all see")
    num_iterations: PositiveInt = 100
    wandb_project: str = Field("", description="empty: no Weights & Biases")
    watchdog_seconds: NonNegativeFloat = Field(
        1800.0, description="without progress, after which there is a report, and twice which the run ends; 0: never"
    )

    @property
    def directory(self) -> Path:
        """Where the run works."""
        return working_folder(self.folder, self.cache) / self.name

    @property
    def place(self) -> str:
        """Where the run can be found: its directory, or a URL that is a mirror of it."""
        return join(self.folder, self.name) if is_url(self.folder) else str(self.directory)

    def is_due(self, step: int, every: int) -> bool:
        """Whether something is that happens at every so many updates (0: never), and at the last one."""
        return step == self.num_iterations or (every > 0 and step % every == 0)


class ModelConfig(Section):
    name_or_path: str = Field("", description="a Hugging Face folder or hub id; empty: random weights from `preset`")
    preset: str = "r1-zero-6l-tiny"
    vocab_size: PositiveInt = Field(512, description="of the tokenizer that the project trains; presets only")
    all_bytes: bool = Field(True, description="false: tokens only for bytes of the run's own dialogs; presets only")
    number_tokens: bool = Field(
        False, description="true: pieces of words as ever, and whole numbers may be tokens too; presets only"
    )
    word_tokens: bool = Field(
        False, description="true: whole words, numbers and marks of the run's dialogs, no pieces; presets only"
    )
    init_std: PositiveFloat = Field(0.02, description="standard deviation of random weights; presets only")
    dtype: Literal["float32", "bfloat16"] = "float32"
    max_length: PositiveInt = Field(256, description="tokens of a whole dialog")
    lora_rank: NonNegativeInt = Field(0, description="0: all weights train")
    lora_alpha: PositiveFloat = 16.0
    lora_target_modules: tuple[str, ...] = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")


class ScenarioMix(Section):
    """One line of the task mixture."""

    scenario: str = Field(description="a name; or 'domain:NAME' or '*', all that no other line names more closely")
    weight: PositiveFloat = 1.0
    languages: tuple[str, ...] = Field((), description="empty: all that the scenario speaks")
    levels: tuple[NonNegativeInt, ...] = Field((0,), min_length=1)


class LoadConfig(Section):
    """When queries arrive, for benchmarks of throughput; see `envs.load.Load`."""

    requests_per_second: PositiveFloat = 1.0
    period_seconds: PositiveFloat = Field(86_400.0, description="of the rhythm")
    amplitude: float = Field(0.0, ge=0.0, le=1.0, description="how far the rate swings about its mean")
    peak_seconds: NonNegativeFloat = Field(0.0, description="when in the period the rate is highest")
    bursts_per_period: NonNegativeInt = 0
    burst_seconds: PositiveFloat = Field(60.0, description="at most a period")
    burst_factor: float = Field(1.0, ge=1.0, description="what the rate is multiplied by in a burst")


class ArrivalConfig(Section):
    """Who asks next, fitted to a log by `zero2one scenarios fit`; see `envs.arrival.Arrival`."""

    enabled: bool = Field(False, description="false: every dialog for itself, lines by their weights")
    zipf_exponent: NonNegativeFloat = Field(
        0.0, description="over the lines of a domain, in their order; 0: as weighed"
    )
    domains: dict[str, PositiveFloat] = Field({}, description="domain -> weight; empty: what its lines weigh")
    languages: dict[str, PositiveFloat] = Field({}, description="language -> weight; empty: all of a line's alike")
    mean_session_length: float = Field(1.0, ge=1.0, description="dialogs")
    topic_stickiness: float = Field(0.0, ge=0.0, le=1.0, description="probability of the user's favourite topic")
    returning_share: float = Field(0.0, ge=0.0, le=1.0, description="share of sessions by users who return")
    num_users: PositiveInt = Field(1000, description="who return")
    user_zipf_exponent: NonNegativeFloat = Field(1.0, description="over these users")
    load: LoadConfig = LoadConfig()


class TasksConfig(Section):
    mix: tuple[ScenarioMix, ...] = Field(min_length=1)
    files: tuple[str, ...] = Field((), description="Python files that define scenarios of the user's own")
    questions: str = Field("", description="JSONL, CSV or Parquet file behind the scenario `questions`")
    held_out_fraction: float = Field(0.1, ge=0.0, lt=1.0, description="share of opening questions never trained on")
    arrival: ArrivalConfig = ArrivalConfig()


class AutoscaleConfig(Section):
    """Rollout workers that come and go by the learner's waiting time; see `cluster/autoscale.py`."""

    enabled: bool = Field(False, description="false: num_rollout_workers, until `zero2one scale` says otherwise")
    min: PositiveInt = 1
    max: PositiveInt = 8
    wait_share: float = Field(0.5, gt=0.0, lt=1.0, description="of an iteration that the learner may wait for dialogs")
    patience: PositiveInt = Field(3, description="iterations in a row that must ask for a change")
    nodes: bool = Field(False, description="true: the cluster's autoscaler brings missing nodes, so workers wait")


class ToolCallsConfig(Section):
    """Limits on the calls of `rollout.tools`; see `rl.calls.CallRules`."""

    max_calls: PositiveInt = Field(4, description="in a turn")
    max_output_tokens: PositiveInt = Field(64, description="a longer result becomes an error")
    timeout_seconds: PositiveFloat = Field(2.0, description="of processor time, for a call")


class SimulationConfig(Section):
    """The engine of `rollout.engine = simulated`; see `models/simulated.py`."""

    profile: str = Field("", description="JSON of tests/benchmarks/fit_profile.py; empty: r1_zero on a CPU")
    time_scale: NonNegativeFloat = Field(0.0, description="seconds that pass for one of the profile; 0: no time at all")


class RolloutConfig(Section):
    engine: Literal["vllm", "simulated"] = Field("vllm", description="simulated: no model speaks, to test the rest")
    simulation: SimulationConfig = SimulationConfig()
    num_rollout_workers: PositiveInt = 1
    autoscale: AutoscaleConfig = AutoscaleConfig()
    rollout_batch_size: PositiveInt = Field(64, description="prompts per iteration")
    n_samples_per_prompt: PositiveInt = 8
    temperature: PositiveFloat = 1.0
    top_p: float = Field(1.0, gt=0.0, le=1.0)
    top_k: int = Field(-1, ge=-1)
    max_prompt_length: PositiveInt = Field(512, description="tokens of an opening question with its template")
    max_response_length: PositiveInt = Field(512, description="tokens of one turn, outputs of tools left out")
    max_turns: PositiveInt = 8
    model_users: bool = Field(
        False, description="true: a model plays the users, in training, where a scenario can be played"
    )
    user_model: str = Field("", description="folder of the model that plays them; empty: the policy plays both sides")
    tools: tuple[ToolName, ...] = Field((), description="that the policy may call within an answer")
    tool_calls: ToolCallsConfig = ToolCallsConfig()
    episode_timeout_seconds: PositiveFloat = 300.0
    max_worker_losses: PositiveInt = Field(3, description="workers that go down with a dialog alone before it fails")
    max_staleness: NonNegativeInt = Field(0, description="updates that a batch may lag behind; 0: synchronous")
    late_share: float = Field(
        0.0,
        ge=0.0,
        lt=1.0,
        description="of the prompts, the slowest, that need not hold up a batch and train in the next",
    )
    max_num_seqs: PositiveInt = Field(256, description="sequences that one engine runs at once")
    num_threads: PositiveInt = Field(1, description="CPU threads of one engine")
    num_modules: NonNegativeInt = Field(0, description="modules that an engine can hold, of model.lora_rank at most")
    kv_cache_gib: PositiveFloat = 0.5
    tensor_parallel_size: PositiveInt = 1
    max_logprob_gap: PositiveFloat = Field(1e-2, description="sampler/learner gap above which the run stops")
    weight_transfer: Literal["object_store", "nccl"] = "object_store"


class TransformConfig(Section):
    """What the values of a dimension become before they are weighed; see `rewards.signal.Transform`."""

    kind: Literal["center", "log1p", "sigmoid", "clip", "power"]
    low: float = Field(0.0, description="of clip")
    high: float = Field(1.0, description="of clip")
    exponent: PositiveFloat = Field(1.0, description="of power")


class GateConfig(Section):
    """Where `when` is below `below`, each dimension of `cap` brings `at` to the reward, at most."""

    when: str = Field(description="a dimension with a weight or monitored, or 'success'")
    below: float = 0.5
    cap: tuple[str, ...] = Field(min_length=1, description="dimensions, or whole families such as 'style'")
    at: float = 0.0


class RewardServiceConfig(Section):
    """The reward model behind the dimension `model.reward`, and the workers that ask it."""

    name_or_path: str = Field("", description="folder, as a stage of kind reward_model makes it; empty: none")
    num_workers: PositiveInt = 1
    num_threads: PositiveInt = Field(1, description="CPU threads of one worker")
    num_gpus: NonNegativeFloat = Field(0.0, description="of one worker; 0: on the CPU")
    dtype: Literal["float32", "bfloat16"] = "float32"
    max_length: NonNegativeInt = Field(0, description="newest tokens of a dialog that it reads; 0: all that it can")
    micro_batch_tokens: PositiveInt = Field(8192, description="padded tokens per forward pass")


class RewardsConfig(Section):
    num_reward_workers: PositiveInt = 1
    weights: dict[str, float] = Field(min_length=1, description="dimension name -> weight in the scalar reward")
    transforms: dict[str, TransformConfig] = Field({}, description="dimension name -> transform; none: as it is")
    normalize: Literal["none", "running"] = Field("none", description="running: in standard deviations from the mean")
    gates: tuple[GateConfig, ...] = ()
    monitor: tuple[str, ...] = Field((), description="dimensions recorded with no weight; 'all': every other one")
    files: tuple[str, ...] = Field((), description="Python files that define dimensions of the user's own")
    model: RewardServiceConfig = RewardServiceConfig()
    reward_clip: PositiveFloat = 10.0
    timeout_seconds: PositiveFloat = Field(60.0, description="for a call of at most 32 dialogs")
    max_retries: NonNegativeInt = 1
    on_error: Literal["stop", "exclude"] = Field(
        "stop", description="exclude: a dialog that cannot be judged is failed"
    )


class PPOConfig(Section):
    advantage_estimator: Literal["gae", "grpo", "rloo", "reinforce++", "dr_grpo"] = "gae"
    advantage_combine: Literal["scalar", "per_dimension"] = Field(
        "scalar", description="per_dimension: compared within the group dimension by dimension, then weighted"
    )
    policy_loss: Literal["ppo", "dual_clip", "gspo", "cispo"] = "ppo"
    loss_agg_mode: Literal["token-mean", "seq-mean-token-mean", "seq-mean-token-sum"] = "token-mean"
    ppo_epochs: PositiveInt = 1
    mini_batch_size: PositiveInt = Field(256, description="trajectories per optimiser step")
    micro_batch_tokens: PositiveInt = Field(8192, description="padded tokens per forward pass, per rank")
    clip_ratio: PositiveFloat = 0.2
    clip_ratio_low: PositiveFloat | None = Field(None, description="None: clip_ratio")
    clip_ratio_high: PositiveFloat | None = Field(None, description="None: clip_ratio")
    clip_ratio_c: float = Field(3.0, gt=1.0, description="dual clip, for negative advantages only")
    value_clip: PositiveFloat = 0.5
    gamma: float = Field(1.0, ge=0.0, le=1.0, description="per token, for gae")
    lam: float = Field(0.95, ge=0.0, le=1.0)
    turn_gamma: float = Field(1.0, ge=0.0, le=1.0, description="per turn: how much of later turns' reward counts")
    whiten_advantages: bool = True
    negative_advantage_scale: NonNegativeFloat = Field(1.0, description="factor on negative advantages; 0 drops them")
    skip_zero_advantages: bool = Field(
        False,
        description="keep dialogs without any advantage out of the update, entropy and KL included",
    )
    kl_coef: NonNegativeFloat = 0.0
    kl_estimator: Literal["k1", "k2", "k3"] = "k1"
    kl_in: Literal["reward", "loss"] = "reward"
    kl_target: PositiveFloat | None = Field(None, description="set: adaptive controller on kl_coef")
    kl_horizon: PositiveInt = 10_000
    entropy_coef: NonNegativeFloat = 0.0
    entropy_coef_final: NonNegativeFloat | None = Field(None, description="set: from entropy_coef to this, linearly")
    entropy_decay_start: float = Field(0.0, ge=0.0, lt=1.0, description="share of the run before that decay begins")
    tis_threshold: NonNegativeFloat = Field(2.0, description="truncated importance correction; 0: off")
    target_kl: PositiveFloat | None = Field(None, description="stop the epochs of an iteration above this")
    critic_warmup: NonNegativeInt = Field(0, description="iterations in which only the critic learns")
    max_nonfinite_steps: PositiveInt = Field(3, description="skipped steps in a row before the run stops")


class OptimizerConfig(Section):
    lr: PositiveFloat = 1e-6
    adam_betas: tuple[float, float] = (0.9, 0.95)
    adam_eps: PositiveFloat = 1e-8
    weight_decay: NonNegativeFloat = 0.0
    max_grad_norm: PositiveFloat = 1.0
    lr_scheduler: Literal["constant", "linear", "cosine"] = "cosine"
    lr_warmup_ratio: float = Field(0.03, ge=0.0, lt=1.0)
    lr_decay_start: float = Field(0.0, ge=0.0, lt=1.0, description="share of the run at full rate before the decay")
    lr_min_ratio: float = Field(0.1, ge=0.0, le=1.0)


class CriticConfig(OptimizerConfig):
    lr: PositiveFloat = 1e-5


class LearnerConfig(Section):
    num_ranks: PositiveInt = 1
    zero_stage: Literal[0, 1, 2, 3] = 2
    num_threads: PositiveInt = Field(2, description="CPU threads of one rank")
    gradient_checkpointing: bool = Field(False, description="less memory for a third more time")
    compile_ops: bool = Field(False, description="let DeepSpeed build its C++ operators (minutes, once)")
    timeout_seconds: PositiveFloat = 1800.0


class CurriculumConfig(Section):
    enabled: bool = Field(False, description="false: tasks.mix as it stands, all levels of a line alike")
    start: Literal["measured", "lowest"] = Field(
        "measured", description="measured: each line at the level that the first evaluation finds it at"
    )
    success_low: float = Field(0.2, ge=0.0, le=1.0, description="below it, questions get easier")
    success_high: float = Field(0.8, ge=0.0, le=1.0, description="from it on, questions get harder")
    half_life: PositiveInt = Field(400, description="dialogs after which one counts half in an average of success")
    rehearsal: float = Field(0.2, ge=0.0, lt=1.0, description="share of a line for the levels below its frontier")
    floor: float = Field(0.3, gt=0.0, le=1.0, description="least part of its weight that a line without progress keeps")


class SelfPlayConfig(Section):
    """The policy makes some of its own training tasks; see `rl/selfplay.py`."""

    enabled: bool = False
    scenario: str = Field("propose-sum", description="in which the policy puts tasks together")
    languages: tuple[str, ...] = Field((), description="of the proposals; empty: all that the scenario speaks")
    levels: tuple[NonNegativeInt, ...] = Field((0,), min_length=1)
    num_proposals: PositiveInt = Field(16, description="dialogs per iteration that propose a task")
    share: float = Field(0.25, gt=0.0, lt=1.0, description="of the iteration's prompts that proposed tasks may take")
    remember: NonNegativeInt = Field(32, description="newest tasks that count as known when proposed again")
    past_share: float = Field(
        0.0, ge=0.0, lt=1.0, description="of proposals, and of users, whose words a past policy says"
    )
    pool_size: NonNegativeInt = Field(4, description="past policies that are kept")
    snapshot_every: PositiveInt = Field(20, description="iterations after which the policy enters the pool")
    role_half_life: PositiveInt = Field(100, description="dialogs after which one counts half in a role's baseline")


class FeedbackConfig(Section):
    """What people's ratings do to the reward; see `rl/feedback.py`."""

    enabled: bool = Field(True, description="corrections that `ratings fit` writes count from the next iteration on")
    every: NonNegativeInt = Field(0, description="iterations after which the run itself fits new ratings; 0: never")
    min_pairs: PositiveInt = Field(50, description="ordered pairs of answers below which ratings change nothing")
    prior_strength: PositiveFloat = Field(1.0, description="how hard the recipe's weights are to move")


class EvalConfig(Section):
    every: NonNegativeInt = Field(20, description="iterations; 0: only at the start and the end")
    num_tasks: PositiveInt = Field(200, description="held dialogs per evaluation, greedy; finite levels in full order")


class CheckpointConfig(Section):
    every: PositiveInt = Field(20, description="iterations")
    keep: PositiveInt = 2


class Config(Section):
    """A run. YAML recipe plus dotted overrides; saved, resolved, as `config.yaml` in the run directory."""

    run: RunConfig = RunConfig()
    model: ModelConfig = ModelConfig()
    tasks: TasksConfig
    rollout: RolloutConfig = RolloutConfig()
    rewards: RewardsConfig
    ppo: PPOConfig = PPOConfig()
    actor: OptimizerConfig = OptimizerConfig()
    critic: CriticConfig = CriticConfig()
    learner: LearnerConfig = LearnerConfig()
    curriculum: CurriculumConfig = CurriculumConfig()
    selfplay: SelfPlayConfig = SelfPlayConfig()
    feedback: FeedbackConfig = FeedbackConfig()
    eval: EvalConfig = EvalConfig()
    checkpoint: CheckpointConfig = CheckpointConfig()

    @property
    def keeps_past_policies(self) -> bool:
        return self.selfplay.past_share > 0 and (self.selfplay.enabled or self.rollout.model_users)

    @property
    def has_opponents(self) -> bool:
        """Whether rollout workers need a second engine."""
        return self.keeps_past_policies or bool(self.rollout.user_model)
