"""Pairs on disk and in batches."""

from functools import cache
from pathlib import Path

import numpy as np
import pytest

from models.chat import ChatFormat, chat_format
from models.tokenizer import train_tokenizer
from rl.documents import Documents, write_documents
from rl.pairs import Pairs, tokenise_pairs
from rl.preferences import Preference


@cache
def chat() -> ChatFormat:
    return chat_format(train_tokenizer([""], vocab_size=262))


def preference(number: int, *, worse: str = "no") -> Preference:
    return Preference(((f"q{number}?", "yes"),), ((f"q{number}?", worse),), "even" if number % 2 == 0 else "odd")


def pairs(folder: Path, preferences: list[Preference], *, max_tokens: int = 64, **settings: float) -> Pairs:
    skipped: list[str] = []
    documents = tokenise_pairs(preferences, chat(), max_tokens=max_tokens, held_out_fraction=0.25, skip=skipped.append)
    write_documents(documents, folder)
    return Pairs(
        Documents.open(folder),
        seed=3,
        batch_pairs=4,
        eval_pairs=int(settings.get("eval_pairs", 100)),
        pad_token_id=0,
        train_fraction=settings.get("train_fraction", 1.0),
    )


def openings(found: Pairs, steps: range) -> list[str]:
    """The questions of the pairs of some steps."""
    texts = []
    for step in steps:
        batch = found.batch(step)
        for tokens, lengths in zip(batch.tokens, batch.lengths, strict=True):
            better, worse = (chat().tokenizer.decode(tokens[side, : lengths[side]]) for side in (0, 1))
            assert better.endswith("yes<|end|>") and worse.endswith("no<|end|>")
            assert better.removesuffix("yes<|end|>") == worse.removesuffix("no<|end|>")
            texts.append(better.partition("?")[0].removeprefix("<|user|>"))
    return texts


def test_every_pair_comes_once_per_pass_in_another_order(tmp_path: Path) -> None:
    found = pairs(tmp_path / "data", [preference(n) for n in range(30)])
    n = found.num_trained
    assert 15 < n < 30
    all_of_them = openings(found, range(n))  # n steps of 4: four passes
    passes = [all_of_them[start : start + n] for start in range(0, 4 * n, n)]
    assert all(sorted(members) == sorted(passes[0]) for members in passes)
    assert len(set(passes[0])) == n and passes[0] != passes[1]
    assert openings(found, range(2, 3)) == all_of_them[8:12]  # a function of the step


def test_what_is_held_out_is_never_in_a_batch(tmp_path: Path) -> None:
    found = pairs(tmp_path / "data", [preference(n) for n in range(30)])
    held_out = found.held_out()
    assert len(held_out.batch) == 30 - found.num_trained
    assert held_out.answer_lengths.tolist() == [[4, 3]] * len(held_out.batch)  # letters, and the end
    assert set(held_out.sources) == {"even", "odd"}
    texts = {chat().tokenizer.decode(row[0, 1 : row[0].tolist().index(5)]) for row in held_out.batch.tokens}
    assert not {text.partition("?")[0] for text in texts} & set(openings(found, range(found.num_trained)))


def test_a_share_of_the_pairs_leaves_what_is_held_out_as_it_was(tmp_path: Path) -> None:
    preferences = [preference(n) for n in range(60)]
    whole, part = (pairs(tmp_path / name, preferences, train_fraction=f) for name, f in (("a", 1.0), ("b", 0.25)))
    assert part.num_trained == round(whole.num_trained / 4)
    assert set(openings(part, range(20))) < set(openings(whole, range(20)))
    np.testing.assert_array_equal(part.held_out().batch.tokens, whole.held_out().batch.tokens)


def test_answers_that_are_the_same_to_the_tokenizer_are_left_out() -> None:
    said: list[str] = []
    found = list(
        tokenise_pairs(
            [preference(1, worse="yes"), preference(2)], chat(), max_tokens=64, held_out_fraction=0.0, skip=said.append
        )
    )
    assert len(found) == 2
    assert said == ["odd: two answers that are the same to the tokenizer: 'yes'"]


@pytest.mark.parametrize("max_tokens", [6, 4])
def test_of_a_long_dialog_the_newest_tokens_are_kept(max_tokens: int) -> None:
    whole, cut = (
        next(tokenise_pairs([preference(7)], chat(), max_tokens=size, held_out_fraction=0.0, skip=lambda _: None))
        for size in (64, max_tokens)
    )
    assert cut.ids.tolist() == whole.ids[-max_tokens:].tolist()
    assert int(cut.loss_mask.sum()) == 4
