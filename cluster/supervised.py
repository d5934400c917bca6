"""All stages beside PPO, on the same learner actors as PPO; with rollout and reward workers around them as long as the
model makes demonstrations of its own.
"""

import asyncio
import shutil
from functools import cache, partial
from pathlib import Path
from typing import Protocol

from cluster.crew import watched
from cluster.learner import LearnerGroup, start_learner
from cluster.local import Actors
from cluster.memory import memory_budget, weight_bytes
from cluster.placement import Placement
from cluster.preflight import find_site
from cluster.run_directory import (
    device_plan,
    graceful_stop,
    identity_of,
    keep_config,
    open_run_directory,
    prepare_process,
    require_complete,
    say,
    training_session,
)
from cluster.witness import Witness
from models.device import DevicePlan
from models.tokenizer import load_tokenizer
from rl.build import prepare_model
from rl.config import Config
from rl.files import RunLock
from rl.interfaces import World
from rl.model_judge import require_reward_model
from rl.pair_data import build_pairs, prepare_pairs
from rl.pair_report import write_pair_report
from rl.pair_stage import PairStage
from rl.records import Records
from rl.rejection import FOLDER, clear, dialog_file, is_sampled, sample_dialogs
from rl.stage_config import RewardModelConfig, SFTConfig, SupervisedStage, sampling_config
from rl.stage_data import build_mixture, check_files, prepare_documents
from rl.supervised_loop import Material, SupervisedSummary, SupervisedTrainer
from rl.supervised_report import write_supervised_report
from rl.tasks import build_scorer, mixture_of, rehearse, signal_of
from rl.texts import Texts


class LoadMaterial(Protocol):
    def __call__(self) -> Material: ...


def train_supervised(config: SupervisedStage, *, resume: bool, address: str | None) -> int:
    """Run a stage from start to report. Returns the exit code; see `cluster/cli.py` for the errors."""
    prepare_process()
    sampling = sampling_config(config) if isinstance(config, SFTConfig) else None
    if sampling is not None:
        rehearse(sampling)
        build_scorer(sampling)
        require_reward_model(sampling.rewards.model)
    acting = sampling or config  # the actors that there will be
    site = find_site(config, address, acting=acting)
    plan = device_plan(acting, site.num_gpus)
    run_dir = open_run_directory(config, resume=resume)
    with RunLock(run_dir):
        model_folder = (run_dir / "model").absolute()
        if not resume:  # left by an earlier, refused attempt; dialogs that were sampled are of this configuration
            for left in ("model", "data"):
                shutil.rmtree(run_dir / left, ignore_errors=True)
        prepare_model(config, model_folder)
        load_material = cache(partial(_material, config, run_dir, model_folder))
        if sampling is None:
            load_material()  # what is wrong with the data is said before anything starts
        elif isinstance(config, SFTConfig):
            check_files(config)
        size = weight_bytes(model_folder)
        placement = site.plan(acting, plan, size)
        keep_config(config, run_dir, placement, memory_budget(acting, size))
        records = Records(run_dir, config, (), identity_of(config), say)
        with training_session(records, site, size):
            summary = asyncio.run(_run(config, sampling, plan, placement, model_folder, load_material, records))
        write = write_pair_report if isinstance(config, RewardModelConfig) else write_supervised_report
        write(run_dir, summary)
    require_complete(config, summary.step)
    return 0


def _material(config: SupervisedStage, run_dir: Path, model_folder: Path) -> Material:
    """What the stage learns from, tokenised in its run directory. Raises `rl.rows.DataFileError`."""
    tokenizer, folder = load_tokenizer(model_folder), run_dir / "data"
    pad_token_id = tokenizer.pad_token_id or 0
    if isinstance(config, RewardModelConfig):
        pairs = prepare_pairs(config, folder, tokenizer, say)
        return PairStage(build_pairs(config, pairs, pad_token_id=pad_token_id), run_dir)
    own_dialogs = [dialog_file(run_dir / FOLDER)] if is_sampled(run_dir / FOLDER) else []
    documents = prepare_documents(config, folder, tokenizer, say, own_dialogs=own_dialogs)
    return Texts(build_mixture(config, documents, pad_token_id=pad_token_id))


async def _run(
    config: SupervisedStage,
    sampling: Config | None,
    plan: DevicePlan,
    placement: Placement,
    model_folder: Path,
    load_material: LoadMaterial,
    records: Records,
) -> SupervisedSummary:
    witness = Witness(records.run_dir)
    learner = start_learner(config, plan, model_folder, placement.bundle("learner"), witness=witness)
    try:
        with graceful_stop(records.control):
            if isinstance(config, SFTConfig) and sampling and not is_sampled(records.run_dir / FOLDER):
                await sample_own_dialogs(config, sampling, plan, placement, model_folder, learner, records, witness)
            else:
                await learner.join()
            return await SupervisedTrainer(config, load_material(), learner, records).train()
    finally:
        learner.stop()


async def sample_own_dialogs(
    config: SFTConfig,
    sampling: Config,
    plan: DevicePlan,
    placement: Placement,
    model_folder: Path,
    learner: LearnerGroup,
    stage: Records,
    witness: Witness,
) -> None:
    """Join the learner, whose weights are those that the stage starts from, and let workers hold dialogs with them."""
    folder = stage.run_dir / FOLDER
    clear(folder)
    actors = Actors.start(sampling, plan, placement, model_folder, stage.control, learner, witness=witness)
    records = Records(folder, sampling, build_scorer(sampling).names, {}, say)
    try:
        library, mix = mixture_of(sampling.tasks)
        await learner.join()
        world = World(actors.rollouts, actors.rewards, learner, actors, actors)
        sampled = sample_dialogs(config, library, mix, signal_of(sampling.rewards), world, records, stage.control)
        await watched(sampled, config.run.watchdog_seconds, actors.signs_of_progress, witness)
    finally:
        records.close()
        actors.stop_workers()
