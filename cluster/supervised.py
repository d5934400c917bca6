"""Pre-training and supervised fine-tuning, on the same learner actors as PPO, with no other actors around them."""

import asyncio
import os
import shutil
import signal
from pathlib import Path

import psutil

from cluster.learner import start_learner
from cluster.memory import describe, object_store_bytes, require_memory, supervised_memory_budget, weight_bytes
from cluster.run_directory import first_error, open_run_directory, say
from cluster.session import ray_session
from models.device import DevicePlan, detect_num_gpus
from models.policy import disable_progress_bars
from models.tokenizer import load_tokenizer
from rl.build import build_device_plan, prepare_model
from rl.documents import Data
from rl.files import RunLock
from rl.load_config import save_config
from rl.records import Records
from rl.stage_config import PretrainConfig, SFTConfig
from rl.stage_data import build_mixture, prepare_documents
from rl.supervised_loop import SupervisedSummary, SupervisedTrainer
from rl.supervised_report import write_supervised_report


def train_supervised(config: PretrainConfig | SFTConfig, *, resume: bool, address: str | None) -> int:
    """Run a stage from start to report. Returns the exit code; see `cluster/cli.py` for the errors."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    disable_progress_bars()
    plan = build_device_plan(config, detect_num_gpus())
    os.environ.setdefault("DS_ACCELERATOR", plan.device)
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
        budget = supervised_memory_budget(config.learner, weight_bytes(model_folder))
        require_memory(budget, psutil.virtual_memory().available)
        save_config(config, run_dir / "config.yaml")
        say(f"run directory {run_dir}; memory budget in GiB: {describe(budget)}")
        records = Records(run_dir, config, (), _identity(config), say)
        try:
            with ray_session(
                num_cpus=max(os.cpu_count() or 1, config.learner.num_ranks * config.learner.num_threads),
                object_store_bytes=object_store_bytes(weight_bytes(model_folder)),
                logs=run_dir / "logs",
                address=address,
            ):
                summary = asyncio.run(_run(config, plan, model_folder, data, records))
        except BaseExceptionGroup as group:
            raise first_error(group) from group
        finally:
            records.close()
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
        "num_ranks": learner.num_ranks,
        "zero_stage": learner.zero_stage,
    }
