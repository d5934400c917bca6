"""The baseline of pre-training: a 3-gram model over the same tokens, with interpolated Witten-Bell smoothing."""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence


class Trigram:
    """p(w | u, v), smoothed by p(w | v), by p(w), by 1 / V (Chen and Goodman 1999, section 2.6):

        p(w | context) = (count(context, w) + kinds * p(w | shorter context)) / (count(context) + kinds)

    where `kinds` is how many different tokens were seen after the context. `documents` are token ids that begin with
    the token that the first one is predicted from.
    """

    def __init__(self, documents: Iterable[Sequence[int]], vocab_size: int) -> None:
        self._vocab_size = vocab_size
        self._after: dict[tuple[int, ...], Counter[int]] = defaultdict(Counter)
        for ids in documents:
            for place in range(1, len(ids)):
                for order in range(3):
                    if place >= order:
                        self._after[tuple(ids[place - order : place])][ids[place]] += 1
        self._totals = {context: counts.total() for context, counts in self._after.items()}

    def probability(self, context: tuple[int, ...], token: int) -> float:
        """`context`: the one or two tokens before `token`."""
        shorter = self.probability(context[1:], token) if context else 1.0 / self._vocab_size
        if context not in self._totals:
            return shorter
        counts = self._after[context]
        return (counts[token] + len(counts) * shorter) / (self._totals[context] + len(counts))

    def bits(self, ids: Sequence[int]) -> float:
        """Of all tokens of a document but its first."""
        return -sum(
            math.log2(self.probability(tuple(ids[max(0, place - 2) : place]), ids[place]))
            for place in range(1, len(ids))
        )
