"""From a configuration to the objects of a run: what an actor builds when it starts, and a test builds in memory."""

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path

import torch
from torch import nn

from envs.calls import ToolName, announcement, demonstrate, markers
from envs.mix import MixLine, evaluation_tasks
from models.chat import ChatFormat, chat_format
from models.device import DevicePlan, plan_device
from models.engine import Engine, EngineSettings
from models.lora import adapter_disabled, apply_lora
from models.modules import EngineModules
from models.opponent import OpponentEngine
from models.policy import load_policy, random_policy, save_model_folder, set_gradient_checkpointing
from models.presets import build_config
from models.reward_model import PreTrainedModel, load_reward_model, start_reward_model, with_head
from models.sampler import Sampler, SamplerSettings
from models.simulated import Profile, SimulatedEngine, SimulationSettings, read_profile
from models.tokenizer import load_tokenizer, train_tokenizer
from models.value import apply_lora_to_value, load_value
from rl.calls import CallRules
from rl.config import Config, OptimizerConfig, RolloutConfig
from rl.ppo import PPOLearner, Reference
from rl.reward_learner import RewardLearner
from rl.rollout import Budget, RolloutWorker
from rl.selfplay import make_tasks, proposal_line
from rl.stage_config import PretrainConfig, RewardModelConfig, SFTConfig, StageConfig
from rl.stage_data import start_texts
from rl.suites.config import EvaluationConfig
from rl.suites.table import evaluation_library
from rl.supervised import SupervisedLearner
from rl.tasks import build_tasks

NUM_TOKENIZER_DIALOGS = 2000


def build_device_plan(config: StageConfig | EvaluationConfig, num_gpus: int, *, has_learner: bool = True) -> DevicePlan:
    """`has_learner`: whether what runs there trains. Raises DeviceError."""
    if isinstance(config, EvaluationConfig):
        return plan_device(
            num_gpus,
            dtype=config.model.dtype,
            num_ranks=0,
            num_rollout_workers=config.rollout.num_rollout_workers,
            kv_cache_gib=config.rollout.kv_cache_gib,
            num_engine_threads=config.rollout.num_threads,
            tensor_parallel_size=config.rollout.tensor_parallel_size,
        )
    if not isinstance(config, Config):
        return plan_device(
            num_gpus,
            dtype=config.model.dtype,
            num_ranks=config.learner.num_ranks,
            num_rollout_workers=0,
            kv_cache_gib=0.0,
            compile_ops=config.learner.compile_ops,
        )
    rollout, learner = config.rollout, config.learner
    return plan_device(
        num_gpus,
        dtype=config.model.dtype,
        num_ranks=learner.num_ranks if has_learner else 0,
        num_rollout_workers=rollout.num_rollout_workers,
        kv_cache_gib=rollout.kv_cache_gib,
        num_engine_threads=rollout.num_threads,
        num_engines=2 if config.has_opponents else 1,
        tensor_parallel_size=rollout.tensor_parallel_size,
        weight_transfer=rollout.weight_transfer,
        lora_rank=config.model.lora_rank,
        compile_ops=learner.compile_ops,
    )


def prepare_model(config: StageConfig, folder: Path) -> None:
    """Write the model that training starts from as a Hugging Face folder: random weights with a tokenizer trained on
    the run's own scenarios, or a pretrained one; with the head of a reward model where one is to be trained. An
    existing folder is left as it is, so that a resumed run has it.

    Raises:
        models.tokenizer.ModelError: the preset is unknown, or the named model cannot be loaded.
    """
    if folder.exists():
        return
    model_config, seed = config.model, config.run.seed
    if model_config.name_or_path:
        tokenizer = load_tokenizer(model_config.name_or_path)
        model = _pretrained(config, tokenizer.pad_token_id or 0)
    else:
        tokenizer = train_tokenizer(
            _dialog_texts(config) if isinstance(config, Config) else start_texts(config),
            vocab_size=model_config.vocab_size,
            all_bytes=model_config.all_bytes,
            number_tokens=model_config.number_tokens,
            word_tokens=model_config.word_tokens,
            markers=markers(_tools(config)),
        )
        shape = build_config(
            model_config.preset,
            vocab_size=len(tokenizer),
            pad_token_id=tokenizer.pad_token_id,
            eos_token_id=tokenizer.eos_token_id,
            max_length=model_config.max_length,
            init_std=model_config.init_std,
        )
        model = random_policy(shape, seed=seed, dtype=model_dtype(config))
        if isinstance(config, RewardModelConfig):
            model = with_head(model, seed=seed + 1, pad_token_id=tokenizer.pad_token_id)
    unfinished = folder.with_name(f".{folder.name}.saving")
    shutil.rmtree(unfinished, ignore_errors=True)
    save_model_folder(model, tokenizer, unfinished)
    unfinished.rename(folder)


def build_learner(
    config: StageConfig, folder: Path, plan: DevicePlan, *, rank: int
) -> PPOLearner | SupervisedLearner | RewardLearner:
    """The learner of one rank, as its configuration says; the process group must exist."""
    if isinstance(config, Config):
        return build_ppo_learner(config, folder, plan, rank=rank)
    if isinstance(config, RewardModelConfig):
        return build_reward_learner(config, folder, plan, rank=rank)
    return build_supervised_learner(config, folder, plan, rank=rank)


def build_supervised_learner(
    config: PretrainConfig | SFTConfig, folder: Path, plan: DevicePlan, *, rank: int
) -> SupervisedLearner:
    engine = Engine(_trained_policy(config, folder), plan.device, _engine_settings(config, config.optimizer, plan))
    return SupervisedLearner(config, engine, rank=rank, device=plan.device)


def build_reward_learner(config: RewardModelConfig, folder: Path, plan: DevicePlan, *, rank: int) -> RewardLearner:
    network = load_reward_model(folder, dtype=model_dtype(config))
    set_gradient_checkpointing(network.body, config.learner.gradient_checkpointing)
    engine = Engine(network, plan.device, _engine_settings(config, config.optimizer, plan))
    return RewardLearner(config, engine, rank=rank, device=plan.device)


def build_ppo_learner(config: Config, folder: Path, plan: DevicePlan, *, rank: int) -> PPOLearner:
    """Actor, critic and reference of one rank."""
    actor = Engine(_trained_policy(config, folder), plan.device, _engine_settings(config, config.actor, plan))
    reference: Reference | None = None
    if config.ppo.kl_coef > 0 and config.model.lora_rank:
        reference = lambda: _without_adapter(actor)  # noqa: E731
    elif config.ppo.kl_coef > 0:
        frozen: nn.Module = load_policy(folder, dtype=model_dtype(config)).requires_grad_(False)
        frozen.to(plan.device)
        reference = lambda: contextlib.nullcontext(frozen)  # noqa: E731
    critic = None
    if config.ppo.advantage_estimator == "gae":
        critic = Engine(_trained_value(config, folder), plan.device, _engine_settings(config, config.critic, plan))
    return PPOLearner(config, actor=actor, critic=critic, reference=reference, rank=rank, device=plan.device)


def build_rollout_worker(
    config: Config | EvaluationConfig, folder: Path, plan: DevicePlan, *, name: str
) -> RolloutWorker:
    """A worker with its own engine, which serves once it has been given weights. A second one, for opponents, is built
    when the first opponent is asked for.
    """
    library = build_tasks(config)[0] if isinstance(config, Config) else evaluation_library()
    chat = chat_format(load_tokenizer(folder))
    rollout, model = config.rollout, config.model
    budget = dialog_budget(config)
    calls = CallRules(
        tools=rollout.tools,
        max_calls=rollout.tool_calls.max_calls,
        max_output_tokens=rollout.tool_calls.max_output_tokens,
        timeout_seconds=rollout.tool_calls.timeout_seconds,
    )
    if rollout.engine == "simulated":
        return RolloutWorker(simulated_engine(rollout, chat), chat, library, budget, name=name, calls=calls)
    settings = SamplerSettings(
        model_folder=str(folder),
        max_length=model.max_length,
        max_num_seqs=rollout.max_num_seqs,
        temperature=rollout.temperature,
        top_p=rollout.top_p,
        top_k=rollout.top_k,
        stop_token_ids=chat.stop_token_ids,
        engine_args=plan.engine_args,
        lora_rank=model.lora_rank,
        lora_alpha=model.lora_alpha,
        lora_target_modules=model.lora_target_modules,
        num_modules=rollout.num_modules,
        weight_transfer=plan.weight_transfer,
    )
    sampler = Sampler(settings)
    return RolloutWorker(
        sampler,
        chat,
        library,
        budget,
        name=name,
        opponents=OpponentEngine(settings, model_dtype(config)),
        model_users=rollout.model_users,
        modules=EngineModules(sampler) if rollout.num_modules else None,
        calls=calls,
    )


def dialog_budget(config: Config | EvaluationConfig) -> Budget:
    rollout = config.rollout
    return Budget(
        max_prompt_length=rollout.max_prompt_length,
        max_response_length=rollout.max_response_length,
        max_length=config.model.max_length,
        max_turns=rollout.max_turns,
        timeout_seconds=rollout.episode_timeout_seconds,
    )


def simulated_engine(rollout: RolloutConfig, chat: ChatFormat) -> SimulatedEngine:
    """The engine of `rollout.engine = simulated`."""
    profile, stops = rollout.simulation.profile, chat.stop_token_ids
    return SimulatedEngine(
        SimulationSettings(
            profile=read_profile(Path(profile)) if profile else Profile(),
            tokens=tuple(token for token in range(len(chat.tokenizer)) if token not in stops),
            stop_token_ids=stops,
            max_num_seqs=rollout.max_num_seqs,
            time_scale=rollout.simulation.time_scale,
        )
    )


def _trained_policy(config: StageConfig, folder: Path) -> nn.Module:
    """The policy in `folder`, and beside it an adapter to train, where the configuration asks for one."""
    policy, model = load_policy(folder, dtype=model_dtype(config)), config.model
    set_gradient_checkpointing(policy, config.learner.gradient_checkpointing)
    if not model.lora_rank:
        return policy
    targets = model.lora_target_modules
    return apply_lora(
        policy, rank=model.lora_rank, alpha=model.lora_alpha, target_modules=targets, seed=config.run.seed
    )


def _trained_value(config: Config, folder: Path) -> nn.Module:
    """A critic on the body of the policy in `folder`, which has an adapter too where the policy has."""
    seed, model = config.run.seed + 1, config.model
    value = load_value(folder, seed=seed, dtype=model_dtype(config))
    if not model.lora_rank:
        return value
    targets = model.lora_target_modules
    return apply_lora_to_value(value, rank=model.lora_rank, alpha=model.lora_alpha, target_modules=targets, seed=seed)


def _pretrained(config: StageConfig, pad_token_id: int) -> PreTrainedModel:
    name, dtype = config.model.name_or_path, model_dtype(config)
    if isinstance(config, RewardModelConfig):
        return start_reward_model(name, seed=config.run.seed + 1, pad_token_id=pad_token_id, dtype=dtype)
    return load_policy(name, dtype=dtype)


@contextlib.contextmanager
def _without_adapter(actor: Engine) -> Iterator[nn.Module]:
    with adapter_disabled(actor.module):  # type: ignore[arg-type]
        yield actor.module


def _engine_settings(config: StageConfig, optimizer: OptimizerConfig, plan: DevicePlan) -> EngineSettings:
    return EngineSettings(
        zero_stage=config.learner.zero_stage,
        lr=optimizer.lr,
        adam_betas=optimizer.adam_betas,
        adam_eps=optimizer.adam_eps,
        weight_decay=optimizer.weight_decay,
        max_grad_norm=optimizer.max_grad_norm,
        bfloat16=plan.dtype == "bfloat16",
        torch_adam=plan.torch_adam,
    )


def model_dtype(config: StageConfig | EvaluationConfig) -> torch.dtype:
    return torch.bfloat16 if config.model.dtype == "bfloat16" else torch.float32


def _tools(config: StageConfig) -> tuple[ToolName, ...]:
    """That the policy of this stage calls."""
    match config:
        case Config():
            return config.rollout.tools
        case SFTConfig():
            return config.demonstrations.tools
        case _:
            return ()


def _dialog_texts(config: Config) -> Iterator[str]:
    """What is said in dialogs that go right, held-out openings too; the same for every seed, so that seeds share a
    vocabulary.
    """
    library, mix = build_tasks(config)
    tasks = evaluation_tasks(library, mix, NUM_TOKENIZER_DIALOGS)
    if config.selfplay.enabled:  # and in those that the policy makes for itself
        line = proposal_line(config)
        made = make_tasks(
            library,
            line,
            max_turns=config.rollout.max_turns,
            timeout_seconds=config.rollout.episode_timeout_seconds,
        )
        lines = [line, *(MixLine(task.scenario, 1.0, (task.language,), (task.level,)) for task in made)]
        tasks += evaluation_tasks(library, lines, NUM_TOKENIZER_DIALOGS)
    if config.rollout.tools:
        yield announcement(config.rollout.tools)
    for task in tasks:
        for question in library.questions(task, max_turns=config.rollout.max_turns):
            yield question.text
            yield demonstrate(question, config.rollout.tools)
        if config.rollout.model_users:
            for question in library.user_questions(task, max_turns=config.rollout.max_turns):
                yield question.text
                yield question.demonstration
