"""Tokens per second of our rollout worker, against vLLM's own `LLM.generate` on the same weights, prompts and lengths.

Two rivals: `ratio` compares with `generate` under our sampling parameters (a seed for every request, log-probs), and
`ratio_plain` with its bare minimum: no seeds, no log-probs, no text. Both engines live in this process, on one thread.
"""

import json
import tempfile
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from harness import ONE_TURN, RESPONSE_LENGTH, cpu_plan, in_turn, median_wall, report, restart_with, speed
from harness import small_config as configure

from envs.library import Library, build_library
from envs.task import Task
from models.chat import ChatFormat, chat_format
from models.policy import load_policy
from models.sampler import Sampler, SamplerSettings
from models.tokenizer import load_tokenizer
from models.weights import Manifest, Probe, pack_weights
from rl.build import prepare_model
from rl.config import Config
from rl.rollout import Budget, RolloutWorker
from rl.trajectory import EpisodeRequest

REPETITIONS = 5


def measure() -> dict[str, object]:
    config = configure()
    with tempfile.TemporaryDirectory(prefix="zero2one-bench-") as temporary:
        folder = Path(temporary) / "model"
        prepare_model(config, folder)
        _forget_end_token(folder)
        chat, library = chat_format(load_tokenizer(folder)), build_library([str(ONE_TURN)])
        ours, bare = _build_worker(config, folder, chat, library), _build_bare(config, folder)
        prompt = chat.open(library.opening(Task("one-turn", "en", 0, 0)))
        figures: dict[str, object] = {"response_length": RESPONSE_LENGTH, "repetitions": REPETITIONS}
        for count in (64, 256):
            rivals = {
                "ours": partial(_talk, ours, count),
                "same": partial(_generate, bare, prompt, count, plain=False),
                "plain": partial(_generate, bare, prompt, count, plain=True),
            }
            seconds = in_turn(rivals, repetitions=REPETITIONS)
            suffix = "" if count == 64 else f"_{count}"
            figures |= speed(seconds["ours"], seconds["same"], suffix)
            figures |= speed(seconds["ours"], seconds["plain"], f"_plain{suffix}")
            figures[f"tokens_per_second{suffix}"] = count * RESPONSE_LENGTH / median_wall(seconds["ours"])
    return figures


def _forget_end_token(folder: Path) -> None:
    """vLLM also stops at the end token that it reads here, whatever a request says."""
    for path in (folder / "config.json", folder / "generation_config.json"):
        path.write_text(json.dumps(json.loads(path.read_text()) | {"eos_token_id": None}))


def _build_worker(config: Config, folder: Path, chat: ChatFormat, library: Library) -> RolloutWorker:
    rollout, model = config.rollout, config.model
    settings = SamplerSettings(
        model_folder=str(folder),
        max_length=model.max_length,
        max_num_seqs=rollout.max_num_seqs,
        temperature=rollout.temperature,
        top_p=rollout.top_p,
        top_k=rollout.top_k,
        stop_token_ids=(),  # every answer runs to the limit
        engine_args=cpu_plan(config).engine_args,
    )
    budget = Budget(
        max_prompt_length=rollout.max_prompt_length,
        max_response_length=rollout.max_response_length,
        max_length=model.max_length,
        max_turns=1,
        timeout_seconds=rollout.episode_timeout_seconds,
    )
    worker = RolloutWorker(Sampler(settings), chat, library, budget, name="bench")
    worker.load(*published(folder))
    return worker


def published(folder: Path) -> tuple[Manifest, list[np.ndarray]]:
    """The weights of `folder` as the learner would send them; nobody asks here what it thinks of them."""
    tokens = np.zeros((1, 8), np.int32)
    probe = Probe(tokens, np.zeros(tokens.shape, np.float32), tolerance=float("inf"))
    return pack_weights(load_policy(folder).named_parameters(), version=0, kind="full", probe=probe)


def _talk(worker: RolloutWorker, count: int) -> None:
    """Hold `count` dialogs, eight to a group."""
    tasks = [Task("one-turn", "en", 0, seed) for seed in range(count)]
    worker.admit([EpisodeRequest(task, 0, *divmod(index, 8), run_seed=1) for index, task in enumerate(tasks)])
    num_tokens = 0
    while worker.num_unfinished:
        num_tokens += sum(trajectory.num_action_tokens for trajectory in worker.advance(max_seconds=0.2))
    assert num_tokens == count * RESPONSE_LENGTH, num_tokens


def _build_bare(config: Config, folder: Path) -> Any:
    from vllm import LLM

    return LLM(
        model=str(folder),
        skip_tokenizer_init=True,
        max_model_len=config.model.max_length,
        max_num_seqs=config.rollout.max_num_seqs,
        max_num_batched_tokens=8192,
        enable_chunked_prefill=False,  # with it, seeds crash vLLM on CPUs when a prompt is cut
        logprobs_mode="processed_logprobs",
        **cpu_plan(config).engine_args,
    )


def _generate(llm: Any, prompt: list[int], count: int, *, plain: bool) -> None:
    from vllm import SamplingParams

    common = {"temperature": 1.0, "max_tokens": RESPONSE_LENGTH, "ignore_eos": True, "detokenize": False}
    ours = [{} if plain else {"seed": seed, "logprobs": 0, "flat_logprobs": True} for seed in range(count)]
    outputs = llm.generate(
        [{"prompt_token_ids": prompt}] * count, [SamplingParams(**common, **extra) for extra in ours], use_tqdm=False
    )
    num_tokens = sum(len(output.outputs[0].token_ids) for output in outputs)
    assert num_tokens == count * RESPONSE_LENGTH, num_tokens


if __name__ == "__main__":
    restart_with(cpu_plan(configure()).engine_env)
    report("rollout", measure)
