"""Pre-training and supervised fine-tuning, on the same learner actors as PPO, with no other actors around them."""

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
from rl.documents import Data
from rl.files import RunLock
from rl.records import Records
from rl.stage_config import PretrainConfig, SFTConfig
from rl.stage_data import build_mixture, prepare_documents
from rl.supervised_loop import SupervisedSummary, SupervisedTrainer
from rl.supervised_report import write_supervised_report


def train_supervised(config: PretrainConfig | SFTConfig, *, resume: bool, address: str | None) -> int:
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
        tokenizer = load_tokenizer(model_folder)
        documents = prepare_documents(config, run_dir / "data", tokenizer, say)
        data = build_mixture(config, documents, pad_token_id=tokenizer.pad_token_id or 0)
        size = weight_bytes(model_folder)
        keep_config(config, run_dir, supervised_memory_budget(config, size))
        records = Records(run_dir, config, (), _identity(config), say)
        num_cpus = max(os.cpu_count() or 1, config.learner.num_ranks * config.learner.num_threads)
        with training_session(records, num_cpus=num_cpus, num_weight_bytes=size, address=address):
            summary = asyncio.run(_run(config, plan, model_folder, data, records))
        write_supervised_report(run_dir, summary)
    return 0


async def _run(
    config: PretrainConfig | SFTConfig, plan: DevicePlan, model_folder: Path, data: Data, records: Records
) -> SupervisedSummary:
    learner = start_learner(config, plan, model_folder)
    try:
        await learner.join()
        return await SupervisedTrainer(config, data, learner, records).train()
    finally:
        learner.stop()


def _identity(config: PretrainConfig | SFTConfig) -> dict[str, str | int]:
    """What a checkpoint must agree in to be loaded."""
    model, learner = config.model, config.learner
    return {
        "model": model.name_or_path or model.preset,
        "vocab_size": model.vocab_size,
        "lora_rank": model.lora_rank,
        "num_ranks": learner.num_ranks,
        "zero_stage": learner.zero_stage,
    }
