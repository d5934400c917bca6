"""A rater made of arithmetic, whose likes are known: what feedback does to a biased reward can be measured with it."""

import math
from dataclasses import dataclass

from envs.chance import uniform
from rl.rating_pairs import parting_turn
from rl.ratings import Rating
from rl.store import Record


@dataclass(frozen=True, slots=True)
class SimulatedRater:
    """Likes right answers (`correct` for each) and, per token, `per_token` of length; chooses with the chance of
    Bradley and Terry, sigmoid(liking of one - liking of the other). The same rater says the same of the same pair.
    """

    name: str = "simulated"
    correct: float = 4.0
    per_token: float = -0.25

    def likes(self, record: Record, turn: int) -> float:
        assert record.scored.score is not None
        success = float(record.scored.score.success[turn])
        return self.correct * success + self.per_token * record.trajectory.turns[turn].num_tokens

    def compare(self, first: Record, second: Record) -> Rating:
        turn = parting_turn(first, second)
        assert turn is not None, "the same words"
        chance = 1.0 / (1.0 + math.exp(self.likes(second, turn) - self.likes(first, turn)))
        ids = (first.trajectory.request.id, second.trajectory.request.id)
        return Rating(self.name, "pair", *ids, value=1 if uniform(self.name, *ids) < chance else -1)
