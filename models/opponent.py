"""A second engine in a rollout worker's process, for saved policies: earlier ones of this run, or any other model of
the same tokenizer. It holds one at a time, loaded and verified as the learner's weights are.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from transformers import AutoConfig, PreTrainedModel

from models.policy import load_policy
from models.publish import publish_plain
from models.sampler import Sampler, SamplerSettings
from models.tokenizer import ModelError
from models.weights import Manifest

VERSION = -1  # of the weights: none of the policy that trains


class OpponentEngine:
    """The second engine. Example: `sampler = OpponentEngine(settings, torch.float32)("opponents/step-40")`

    `settings` are those of the first engine. What they say of adapters and NCCL does not hold here: an opponent's
    weights are whole, and come from a folder.
    """

    def __init__(self, settings: SamplerSettings, dtype: torch.dtype) -> None:
        self._settings = replace(
            settings, lora_rank=0, num_modules=0, lora_target_modules=(), weight_transfer="object_store"
        )
        self._dtype = dtype
        self._sampler: Sampler | None = None
        self._shapes: list[tuple[str, tuple[int, ...]]] = []
        self._folder = ""

    def __call__(self, folder: str) -> Sampler:
        """The sampler, serving the policy in `folder`; nothing may be running on it for another one.

        Raises:
            ModelError: there is no such policy, or it has another vocabulary than the policy that trains, or another
                shape than the opponents before it.
            WeightSyncError: the engine does not hold what the folder does.
        """
        if self._sampler is not None and folder == self._folder:
            return self._sampler
        policy = load_opponent(folder, self._dtype)
        self._check(folder, policy)
        if self._sampler is None:
            self._sampler = Sampler(replace(self._settings, model_folder=folder))
        self._folder = ""
        self._sampler.load(*publish_opponent(policy, max_length=self._settings.max_length))
        self._folder = folder
        return self._sampler

    def _check(self, folder: str, policy: PreTrainedModel) -> None:
        own = AutoConfig.from_pretrained(self._settings.model_folder, trust_remote_code=False)
        sizes = [config.get_text_config().vocab_size for config in (policy.config, own)]
        if sizes[0] != sizes[1]:
            raise ModelError(f"{folder} has {sizes[0]} tokens and the policy {sizes[1]}: they must share a tokenizer")
        shapes = [(name, tuple(parameter.shape)) for name, parameter in policy.named_parameters()]
        if self._sampler is not None and shapes != self._shapes:
            # an engine for it would need the place of this one, and vLLM takes the first engine down with the second
            raise ModelError(f"{folder} differs in shape from the opponents before it: use models of one shape")
        self._shapes = shapes


def load_opponent(folder: str, dtype: torch.dtype) -> PreTrainedModel:
    """The policy in a folder of `models.publish.write_policy`. Raises ModelError."""
    if not Path(folder).is_dir():  # or its name would be looked up on the internet
        raise ModelError(f"there is no folder {folder}")
    return load_policy(folder, dtype=dtype)


def publish_opponent(
    policy: PreTrainedModel, *, max_length: int, version: int = VERSION
) -> tuple[Manifest, list[np.ndarray]]:
    return publish_plain(policy, version=version, max_length=max_length)
