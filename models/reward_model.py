"""A reward model: a decoder whose scalar head says, at the end of an answer, how good the dialog is up to there.

On disk it is what transformers calls a sequence classifier of one label (`score.weight` on top of the decoder), so
reward models of others load here, and ours load elsewhere. In training it is `models.value.ValueModel`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn
from transformers import AutoConfig, AutoModelForSequenceClassification, PreTrainedModel

from models.chat import ChatFormat, chat_format
from models.engine import Engine
from models.policy import load_policy, load_pretrained
from models.publish import write_model_folder
from models.tokenizer import ModelError, load_tokenizer, require_folder
from models.value import ValueModel, new_head
from models.weights import Probe, describe_weights

HEAD = "score"  # what transformers calls it
# Rows come in lengths of whole buckets: the kernels of a CPU then add up in one order, however many rows go together,
# so the score of a dialog is the same to the bit in any company. See the test.
BUCKET = 32

Dialog = Sequence[tuple[str, str]]  # turns of (question, answer)


def is_reward_model(name_or_path: str | Path) -> bool:
    """Whether this is a sequence classifier, and no language model. Raises ModelError where it cannot be read."""
    require_folder(name_or_path, "config.json")
    try:
        config = AutoConfig.from_pretrained(name_or_path, trust_remote_code=False)
    except (OSError, ValueError, KeyError) as error:
        raise ModelError(f"cannot read the config of {str(name_or_path)!r}: {error}") from error
    return any(name.endswith("ForSequenceClassification") for name in config.architectures or ())


def start_reward_model(
    name_or_path: str | Path, *, seed: int, pad_token_id: int, dtype: torch.dtype = torch.float32
) -> PreTrainedModel:
    """What training starts from, ready to be saved: a reward model as it is, or a language model with a new head.

    Raises ModelError.
    """
    if is_reward_model(name_or_path):
        return load_classifier(name_or_path, dtype=dtype)
    return with_head(load_policy(name_or_path, dtype=dtype), seed=seed, pad_token_id=pad_token_id)


def with_head(policy: PreTrainedModel, *, seed: int, pad_token_id: int) -> PreTrainedModel:
    """The body of a language model, with a new head in place of its output layer. Raises ModelError."""
    config = policy.config
    config.num_labels, config.pad_token_id = 1, pad_token_id
    try:
        with torch.device("meta"):
            classifier = AutoModelForSequenceClassification.from_config(config, dtype=policy.dtype)
    except ValueError as error:
        raise ModelError(f"a model of type {config.model_type!r} has no form with a score: {error}") from error
    if not isinstance(getattr(classifier, HEAD, None), nn.Linear):
        raise ModelError(f"{type(classifier).__name__} has no linear layer {HEAD!r}; start from a decoder")
    setattr(classifier, classifier.base_model_prefix, policy.base_model)
    setattr(classifier, HEAD, new_head(policy.base_model, seed=seed, bias=False))
    return classifier


def load_classifier(name_or_path: str | Path, *, dtype: torch.dtype = torch.float32) -> PreTrainedModel:
    """A saved reward model. Raises ModelError where it is something else."""
    if not is_reward_model(name_or_path):
        raise ModelError(f"{str(name_or_path)!r} is no reward model: its config names no ...ForSequenceClassification")
    classifier = load_pretrained(AutoModelForSequenceClassification, name_or_path, dtype=dtype)
    head = getattr(classifier, HEAD, None)
    if not isinstance(head, nn.Linear) or head.out_features != 1:
        raise ModelError(f"{str(name_or_path)!r} gives no single score: it must have a layer {HEAD!r} of one output")
    return classifier


def load_reward_model(name_or_path: str | Path, *, dtype: torch.dtype = torch.float32) -> ValueModel:
    """A saved reward model as the network that trains. Raises ModelError."""
    classifier = load_classifier(name_or_path, dtype=dtype)
    return ValueModel(classifier.base_model, getattr(classifier, HEAD))


def reward_weights(engine: Engine) -> Iterator[tuple[str, torch.Tensor]]:
    """All weights under the names of the sequence classifier. All ranks must iterate together."""
    module = engine.module
    assert isinstance(module, ValueModel)
    for name, tensor in engine.full_weights():
        part, _, rest = name.partition(".")
        yield f"{HEAD if part == 'head' else module.body.base_model_prefix}.{rest}", tensor


def fingerprint(engine: Engine, *, version: int) -> str:
    """SHA-256 of all weights; all ranks together."""
    nothing = np.zeros((0, 0), np.int32)
    probe = Probe(nothing, nothing.astype(np.float32), 0.0)
    return describe_weights(reward_weights(engine), version=version, kind="full", probe=probe).sha256


def write_reward_model(engine: Engine, template: Path, folder: Path, *, rank: int) -> None:
    """The reward model as a Hugging Face folder: weights of `engine`, all else of `template`. All ranks together."""
    tensors = dict(reward_weights(engine))
    if not rank:
        write_model_folder(tensors, template, folder)


@dataclass(frozen=True, slots=True)
class _Stretch:
    """Tokens to read, and the places (turn, position) at which to look."""

    dialog: int
    tokens: Sequence[int]
    places: tuple[tuple[int, int], ...]


class RewardModel:
    """A reward model that judges; it learns nothing.

    Example: `RewardModel(folder).score([[("3 + 4 = ?", "7")]])[0]` is an array of one score.

    Args:
        max_length: tokens that it reads at once, at most. Of a longer dialog it reads the newest.
        micro_batch_tokens: padded tokens per forward pass.
    """

    def __init__(
        self,
        folder: str | Path,
        *,
        max_length: int = 0,
        micro_batch_tokens: int = 8192,
        device: str = "cpu",
        dtype: torch.dtype = torch.float32,
    ) -> None:
        self._model = load_reward_model(folder, dtype=dtype).eval().to(device)
        self._chat = chat_format(load_tokenizer(folder))
        reach = int(self._model.body.config.get_text_config().max_position_embeddings)
        self._reach, self._max_length = reach, min(max_length or reach, reach)
        self._budget, self._device = micro_batch_tokens, device

    @torch.no_grad()
    def score(self, dialogs: Sequence[Dialog]) -> list[np.ndarray]:
        """[N] float32 for each dialog of N turns: column n is the score of the dialog up to answer n.

        An answer that was cut off is read as one that ended: the model judges the words alone.
        """
        scores = [np.full(len(dialog), np.nan, np.float32) for dialog in dialogs]
        stretches = [part for index, dialog in enumerate(dialogs) for part in self._stretches(index, dialog)]
        for batch in self._batches(stretches):
            values = self._forward([part.tokens for part in batch])
            for row, part in enumerate(batch):
                for turn, position in part.places:
                    scores[part.dialog][turn] = values[row, position]
        return scores

    def _stretches(self, index: int, dialog: Dialog) -> Iterator[_Stretch]:
        """One for all turns that end within `max_length`, and one for each that ends later."""
        tokens, ends = render(self._chat, dialog)
        early = tuple((turn, end) for turn, end in enumerate(ends) if end < self._max_length)
        if early:
            yield _Stretch(index, tokens[: early[-1][1] + 1], early)
        for turn, end in enumerate(ends[len(early) :], start=len(early)):
            yield _Stretch(index, tokens[end + 1 - self._max_length : end + 1], ((turn, self._max_length - 1),))

    def _batches(self, stretches: Sequence[_Stretch]) -> Iterator[list[_Stretch]]:
        """Stretches of one bucket of lengths together, within the budget."""
        by_bucket: dict[int, list[_Stretch]] = {}
        for stretch in stretches:
            by_bucket.setdefault(self._bucket(len(stretch.tokens)), []).append(stretch)
        for length, members in by_bucket.items():
            size = max(1, self._budget // length)
            for start in range(0, len(members), size):
                yield members[start : start + size]

    def _forward(self, rows: Sequence[Sequence[int]]) -> np.ndarray:
        tokens = torch.zeros((len(rows), self._bucket(len(rows[0]))), dtype=torch.long)
        for row, ids in enumerate(rows):
            tokens[row, : len(ids)] = torch.tensor(ids)
        return self._model(tokens.to(self._device)).cpu().numpy()

    def _bucket(self, length: int) -> int:
        return min(-(-length // BUCKET) * BUCKET, self._reach)


def render(chat: ChatFormat, dialog: Dialog, system: str | None = None) -> tuple[list[int], list[int]]:
    """Ids of a dialog, and the position of the last token of each answer, where its score is read."""
    tokens, mask = chat.render(dialog, system)
    ends = [place for place, inside in enumerate(mask) if inside and not any(mask[place + 1 : place + 2])]
    return tokens, ends
