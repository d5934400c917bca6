"""Tokenised pairs on disk, and which of them a training step compares: a function of (seed, step).

A pair lies in `rl.documents` as two documents side by side, the better one first; the mask marks the last answer.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from envs.chance import uniform
from models.chat import ChatFormat
from rl.documents import Documents, Tokenised
from rl.preferences import Dialog, Preference


@dataclass(frozen=True, slots=True)
class PairBatch:
    """P pairs, the better dialog in column 0, the worse in column 1.

    Attributes:
        tokens: [P, 2, T] int32, padded on the right; the last token of a dialog is where its score is read.
        lengths: [P, 2] tokens of each dialog.
    """

    tokens: np.ndarray
    lengths: np.ndarray

    def __len__(self) -> int:
        return len(self.tokens)

    @property
    def num_tokens(self) -> int:
        return int(self.lengths.sum())


@dataclass(frozen=True, slots=True)
class HeldOut:
    """The pairs of an evaluation: `answer_lengths` [P, 2] tokens of the last answers, `sources` [P]."""

    batch: PairBatch
    answer_lengths: np.ndarray
    sources: tuple[str, ...]


def tokenise_pairs(
    preferences: Iterable[Preference],
    chat: ChatFormat,
    *,
    max_tokens: int,
    held_out_fraction: float,
    skip: Callable[[str], None],
) -> Iterator[Tokenised]:
    """In the chat format; of a longer dialog its newest `max_tokens`. What is held out goes by the first question.

    `skip` is told of a pair whose two dialogs are the same tokens.
    """
    for preference in preferences:
        dialogs = [
            _tokenise(dialog, chat, preference.system, max_tokens)
            for dialog in (preference.chosen, preference.rejected)
        ]
        if np.array_equal(dialogs[0][0], dialogs[1][0]):
            skip(f"{preference.source}: two answers that are the same to the tokenizer: {preference.chosen[-1][1]!r}")
            continue
        held_out = uniform("held-out dialog", preference.chosen[0][0]) < held_out_fraction
        for tokens, mask in dialogs:
            yield Tokenised(tokens, mask, 0, preference.source, held_out)


class Pairs:
    """Batches of pairs, every pair once per pass, in an order drawn from the seed."""

    def __init__(
        self,
        documents: Documents,
        *,
        seed: int,
        batch_pairs: int,
        eval_pairs: int,
        pad_token_id: int,
        train_fraction: float = 1.0,
    ) -> None:
        self._documents, self._seed, self._batch_pairs = documents, seed, batch_pairs
        self._pad = pad_token_id
        held_out = documents.held_out[::2]
        trained, measured = np.flatnonzero(~held_out), np.flatnonzero(held_out)
        self.num_trained = max(1, round(train_fraction * len(trained)))
        self._trained = np.random.default_rng([seed, 0]).permutation(trained)[: self.num_trained]
        self._measured = np.sort(np.random.default_rng(0).permutation(measured)[:eval_pairs])  # the same for all seeds

    def batch(self, step: int) -> PairBatch:
        """The pairs of the given step."""
        places = range(step * self._batch_pairs, (step + 1) * self._batch_pairs)
        return self._read([self._at(place) for place in places])

    def held_out(self) -> HeldOut:
        documents, numbers = self._documents, self._measured
        answers = [[int(self._document(number, side)[1].sum()) for side in (0, 1)] for number in numbers]
        sources = tuple(documents.names[documents.groups[2 * number]] for number in numbers)
        return HeldOut(self._read(numbers), np.array(answers, np.int64).reshape(-1, 2), sources)

    def _at(self, place: int) -> int:
        """The pair at a place in the whole of training."""
        turn_of_pass, index = divmod(place, len(self._trained))
        order = np.random.default_rng([self._seed, 1, turn_of_pass]).permutation(len(self._trained))
        return int(self._trained[order[index]])

    def _document(self, number: int, side: int) -> tuple[np.ndarray, np.ndarray]:
        start, end = self._documents.offsets[2 * number + side : 2 * number + side + 2]
        return np.asarray(self._documents.ids[start:end]), np.asarray(self._documents.loss_mask[start:end])

    def _read(self, numbers: Iterable[int]) -> PairBatch:
        dialogs = [[self._document(number, side)[0] for side in (0, 1)] for number in numbers]
        lengths = np.array([[len(dialog) for dialog in pair] for pair in dialogs], np.int64).reshape(-1, 2)
        tokens = np.full((len(dialogs), 2, int(lengths.max(initial=1))), self._pad, np.int32)
        for row, pair in enumerate(dialogs):
            for side, dialog in enumerate(pair):
                tokens[row, side, : len(dialog)] = dialog
        return PairBatch(tokens, lengths)


def _tokenise(dialog: Dialog, chat: ChatFormat, system: str | None, max_tokens: int) -> tuple[np.ndarray, np.ndarray]:
    """Ids, and which of them are the last answer."""
    tokens, mask = chat.render(dialog, system)
    start = next((place + 1 for place in range(len(mask) - 1, -1, -1) if not mask[place]), 0)
    last = np.arange(len(tokens)) >= start
    return np.array(tokens[-max_tokens:], np.int32), last[-max_tokens:]
