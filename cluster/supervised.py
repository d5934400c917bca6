"""All stages beside PPO, on the same learner actors as PPO, with no other actors around them."""

import asyncio
import os
import shutil
from pathlib import Path

from cluster.learner import start_learner
from cluster.memory import supervised_memory_budget, weight_bytes
from cluster.run_directory import device_plan, keep_config, open_run_directory, prepare_process, say, training_session
from models.device import DevicePlan
from models.tokenizer import load_tokenizer
from rl.build import prepare_model
from rl.files import RunLock
from rl.pair_data import build_pairs, prepare_pairs
from rl.pair_report import write_pair_report
from rl.pair_stage import PairStage
from rl.records import Records
from rl.stage_config import RewardModelConfig, SupervisedStage
from rl.stage_data import build_mixture, prepare_documents
from rl.supervised_loop import Material, SupervisedSummary, SupervisedTrainer
from rl.supervised_report import write_supervised_report
from rl.texts import Texts


def train_supervised(config: SupervisedStage, *, resume: bool, address: str | None) -> int:
    """Run a stage from start to report. Returns the exit code; see `cluster/cli.py` for the errors."""
    prepare_process()
    plan = device_plan(config)
    run_dir = open_run_directory(config, resume=resume)
    with RunLock(run_dir):
        model_folder = (run_dir / "model").absolute()
        if not resume:  # what an earlier, refused attempt has left is of another configuration
            shutil.rmtree(model_folder, ignore_errors=True)
            shutil.rmtree(run_dir / "data", ignore_errors=True)
        prepare_model(config, model_folder)
        material = _material(config, run_dir, model_folder)
        size = weight_bytes(model_folder)
        keep_config(config, run_dir, supervised_memory_budget(config.learner, size))
        records = Records(run_dir, config, (), _identity(config), say)
        num_cpus = max(os.cpu_count() or 1, config.learner.num_ranks * config.learner.num_threads)
        with training_session(records, num_cpus=num_cpus, num_weight_bytes=size, address=address):
            summary = asyncio.run(_run(config, plan, model_folder, material, records))
        write = write_pair_report if isinstance(config, RewardModelConfig) else write_supervised_report
        write(run_dir, summary)
    return 0


def _material(config: SupervisedStage, run_dir: Path, model_folder: Path) -> Material:
    """What the stage learns from, tokenised in its run directory. Raises `rl.rows.DataFileError`."""
    tokenizer, folder = load_tokenizer(model_folder), run_dir / "data"
    pad_token_id = tokenizer.pad_token_id or 0
    if isinstance(config, RewardModelConfig):
        pairs = prepare_pairs(config, folder, tokenizer, say)
        return PairStage(build_pairs(config, pairs, pad_token_id=pad_token_id), run_dir)
    documents = prepare_documents(config, folder, tokenizer, say)
    return Texts(build_mixture(config, documents, pad_token_id=pad_token_id))


async def _run(
    config: SupervisedStage, plan: DevicePlan, model_folder: Path, material: Material, records: Records
) -> SupervisedSummary:
    learner = start_learner(config, plan, model_folder)
    try:
        await learner.join()
        return await SupervisedTrainer(config, material, learner, records).train()
    finally:
        learner.stop()


def _identity(config: SupervisedStage) -> dict[str, str | int]:
    """What a checkpoint must agree in to be loaded."""
    model, learner = config.model, config.learner
    return {
        "model": model.name_or_path or model.preset,
        "vocab_size": model.vocab_size,
        "num_ranks": learner.num_ranks,
        "zero_stage": learner.zero_stage,
    }
