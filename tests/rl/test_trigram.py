"""The baseline that pre-training is compared with is a distribution, and the one that its definition gives."""

import pytest

from tests.benchmarks.trigram import Trigram

DOCUMENTS = ([0, 1, 2, 1, 0], [0, 1, 3, 0])


@pytest.mark.parametrize("context", [(), (1,), (0, 1), (3, 3), (9,)])
def test_probabilities_add_up_to_one(context: tuple[int, ...]) -> None:
    model = Trigram(DOCUMENTS, vocab_size=5)
    assert sum(model.probability(context, token) for token in range(5)) == pytest.approx(1.0)


def test_by_hand() -> None:
    """7 tokens are predicted: 1 three times, 0 twice, 2 and 3 once; after 0 comes 1, twice."""
    model = Trigram(DOCUMENTS, vocab_size=5)
    unigram = (3 + 4 * 0.2) / (7 + 4)
    bigram = (2 + 1 * unigram) / (2 + 1)
    assert model.probability((), 1) == pytest.approx(unigram)
    assert model.probability((0,), 1) == pytest.approx(bigram)
    assert model.probability((4, 0), 1) == pytest.approx(bigram)  # a context that nobody has seen


def test_bits_are_those_of_all_tokens_but_the_first() -> None:
    model = Trigram([], vocab_size=4)
    assert model.bits([0, 1, 2]) == pytest.approx(4.0)
