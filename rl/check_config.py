"""What must agree across the fields of a `Config`: everything that the type of no single field can see."""

from collections.abc import Iterator
from pathlib import Path

from rewards.dimensions.reward_model import MODEL_REWARD
from rl.config import Config, PPOConfig, RewardsConfig

GROUP_ESTIMATORS = ("grpo", "rloo", "dr_grpo")
NO_GAP = 100.0  # nats of `rollout.max_logprob_gap` that no two log-probs differ by


def check(config: Config) -> Iterator[tuple[str, str]]:
    """Yields each dotted field whose value cannot be, and what is wrong with it."""
    run, model, rollout, ppo, learner = config.run, config.model, config.rollout, config.ppo, config.learner
    num_trajectories = rollout.rollout_batch_size * rollout.n_samples_per_prompt

    if not model.name_or_path and not model.preset:
        yield "model.name_or_path", "must be a Hugging Face folder or hub id, for example model.name_or_path=FOLDER"
    if model.word_tokens and model.all_bytes:
        yield "model.all_bytes", "must be false: the words of model.word_tokens cannot spell every text"
    if model.word_tokens and model.number_tokens:
        yield "model.number_tokens", "must be false: model.word_tokens makes numbers tokens too"
    if model.lora_rank > 0 and not model.name_or_path:
        yield "model.lora_rank", "LoRA would freeze random weights; must be 0, or set model.name_or_path"
    if rollout.num_modules > 0 and model.lora_rank == 0:
        yield "rollout.num_modules", "must be 0: model.lora_rank = 0 leaves an engine no room for modules"
    for name, length in (("max_prompt", rollout.max_prompt_length), ("max_response", rollout.max_response_length)):
        if length >= model.max_length:
            cause = f"question and answer share model.max_length = {model.max_length}, so it must be below that"
            yield f"rollout.{name}_length", cause
    autoscale = rollout.autoscale
    if autoscale.enabled and not autoscale.min <= rollout.num_rollout_workers <= autoscale.max:
        cause = f"must be from rollout.autoscale.min = {autoscale.min} to rollout.autoscale.max = {autoscale.max}"
        yield "rollout.num_rollout_workers", cause
    if rollout.late_share > 0 and (rollout.max_staleness == 0 or config.selfplay.enabled):
        cause = "late dialogs are an update older, so rollout.max_staleness must be above 0"
        yield "rollout.late_share", f"{cause}, and selfplay.enabled false, where all are waited for to pay proposers"
    if len(set(rollout.tools)) < len(rollout.tools):
        yield "rollout.tools", "names a tool twice"
    if ppo.micro_batch_tokens < model.max_length:
        yield "ppo.micro_batch_tokens", f"must hold a dialog of model.max_length = {model.max_length} tokens"
    if ppo.mini_batch_size > num_trajectories:
        cause = "rollout.rollout_batch_size x rollout.n_samples_per_prompt"
        yield "ppo.mini_batch_size", f"an iteration has only {num_trajectories} trajectories ({cause})"
    if ppo.mini_batch_size < learner.num_ranks:
        yield "ppo.mini_batch_size", f"must be at least learner.num_ranks = {learner.num_ranks}"
    if ppo.advantage_estimator in GROUP_ESTIMATORS and rollout.n_samples_per_prompt < 2:
        cause = f"ppo.advantage_estimator = {ppo.advantage_estimator} compares the samples of a prompt"
        yield "rollout.n_samples_per_prompt", f"{cause}, so it must be at least 2"
    if ppo.advantage_estimator != "gae" and ppo.critic_warmup > 0:
        yield "ppo.critic_warmup", "must be 0: only ppo.advantage_estimator = gae has a critic"
    if ppo.advantage_combine == "per_dimension":
        if ppo.advantage_estimator not in GROUP_ESTIMATORS:
            cause = f"must be scalar with ppo.advantage_estimator = {ppo.advantage_estimator}"
            yield "ppo.advantage_combine", f"{cause}: only {', '.join(GROUP_ESTIMATORS)} compare within a group"
        if ppo.kl_in == "reward" and ppo.kl_coef > 0:
            yield "ppo.kl_in", "must be loss: ppo.advantage_combine = per_dimension has no scalar to pay it from"
    for name, transform in config.rewards.transforms.items():
        if transform.low >= transform.high:
            yield "rewards.transforms", f"{name}: low must be below high"
    yield from _check_reward_model(config.rewards)
    if ppo.skip_zero_advantages and ppo.advantage_estimator == "gae":
        yield (
            "ppo.skip_zero_advantages",
            "must be false: the critic of ppo.advantage_estimator = gae learns from all",
        )
    if ppo.skip_zero_advantages and ppo.target_kl is not None:
        yield "ppo.target_kl", "must be unset: with ppo.skip_zero_advantages nobody looks at the KL of what is left out"
    if ppo.critic_warmup >= run.num_iterations:
        yield "ppo.critic_warmup", f"must be below run.num_iterations = {run.num_iterations}"
    if ppo.kl_target is not None and ppo.kl_coef == 0:
        yield "ppo.kl_target", "its controller scales ppo.kl_coef, which must then be above 0"
    if ppo.kl_in == "loss" and ppo.kl_estimator == "k1" and ppo.kl_coef > 0:
        yield "ppo.kl_estimator", "has no gradient on average in ppo.kl_in = loss; use k3 or k2"
    if config.curriculum.success_low >= config.curriculum.success_high > 0:
        yield "curriculum.success_low", f"must be below success_high = {config.curriculum.success_high:g}"
    if config.selfplay.enabled:
        yield from _check_selfplay(config)
    if config.selfplay.enabled or rollout.model_users:
        yield from _check_roles(ppo)
    yield from _check_opponents(config)
    if rollout.engine == "simulated":
        yield from _check_simulation(config)
    load = config.tasks.arrival.load
    if load.burst_seconds > load.period_seconds and load.bursts_per_period > 0:
        yield "tasks.arrival.load.burst_seconds", f"must be at most period_seconds = {load.period_seconds:g}"
    if not any(config.rewards.weights.values()):
        yield "rewards.weights", "there is nothing to learn; give a dimension a weight other than 0"
    for name, optimizer in (("actor", config.actor), ("critic", config.critic)):
        if not all(0.0 <= beta < 1.0 for beta in optimizer.adam_betas):
            yield f"{name}.adam_betas", "both must be at least 0 and below 1"


def _check_reward_model(rewards: RewardsConfig) -> Iterator[tuple[str, str]]:
    is_asked = MODEL_REWARD in (*rewards.weights, *rewards.monitor)
    if is_asked and not rewards.model.name_or_path:
        cause = f"{MODEL_REWARD} is what a reward model says: give its folder (in a stage: reward_from)"
        yield "rewards.model.name_or_path", cause
    if rewards.model.name_or_path and not is_asked:
        yield "rewards.model.name_or_path", f"nobody asks it: give {MODEL_REWARD} a weight, or monitor it"
    if MODEL_REWARD in rewards.transforms and rewards.transforms[MODEL_REWARD].kind == "center":
        yield "rewards.transforms", f"{MODEL_REWARD}: has no range of its own to center; use sigmoid, or normalize"


def _check_selfplay(config: Config) -> Iterator[tuple[str, str]]:
    selfplay = config.selfplay
    room = int(selfplay.share * config.rollout.rollout_batch_size)
    if selfplay.num_proposals > room:
        cause = f"selfplay.share leaves room for {room} of the iteration's prompts"
        yield "selfplay.num_proposals", f"{cause}, and a task that nobody tries says nothing about its proposer"


def _check_roles(ppo: PPOConfig) -> Iterator[tuple[str, str]]:
    """Where the policy has other roles than the assistant's."""
    cause = "with selfplay.enabled or rollout.model_users"
    if ppo.advantage_estimator == "reinforce++":
        yield "ppo.advantage_estimator", f"whitens over all dialogs, whatever their role; {cause} use another one"
    if ppo.advantage_combine == "per_dimension":
        yield "ppo.advantage_combine", f"must be scalar {cause}: the baselines of the roles are"


def _check_opponents(config: Config) -> Iterator[tuple[str, str]]:
    selfplay, rollout = config.selfplay, config.rollout
    if selfplay.past_share > 0 and not config.keeps_past_policies:
        yield "selfplay.past_share", "past policies say what proposers (selfplay.enabled) or rollout.model_users say"
    if config.keeps_past_policies and selfplay.pool_size == 0:
        yield "selfplay.pool_size", "selfplay.past_share needs past policies, at least 1"
    if config.keeps_past_policies and config.model.lora_rank > 0:
        yield "selfplay.past_share", "must be 0: the policies of the pool run without an adapter (model.lora_rank)"
    if rollout.user_model and not rollout.model_users:
        yield "rollout.user_model", "plays no user without rollout.model_users = true"
    if rollout.user_model and selfplay.past_share > 0:
        yield "rollout.user_model", "must be empty with selfplay.past_share: a worker has one second engine"
    if rollout.user_model and not Path(rollout.user_model, "config.json").is_file():
        yield "rollout.user_model", "must be a Hugging Face folder with the tokenizer of the policy"


def _check_simulation(config: Config) -> Iterator[tuple[str, str]]:
    rollout = config.rollout
    if rollout.max_logprob_gap < NO_GAP:
        cause = "whose log-probs are those of no policy, this check would stop the run"
        yield "rollout.max_logprob_gap", f"must be at least {NO_GAP:g}: with rollout.engine = simulated, {cause}"
    if rollout.num_modules > 0:
        yield "rollout.num_modules", "must be 0: rollout.engine = simulated has no model to add modules to"
    if config.has_opponents:
        yield "rollout.engine", "has no model for opponents: past policies and rollout.user_model need vllm"
    if rollout.weight_transfer == "nccl":
        yield "rollout.weight_transfer", "must be object_store: rollout.engine = simulated has no GPU"
