import numpy as np
import pytest

from envs.task import Question, Task, Turn
from rl.batch import pack, usable
from rl.trajectory import EpisodeRequest, Score, Scored, Trajectory, failed


def scored(mask: str, turn_ends: list[int], rewards: list[float], *, group=0, status="ok", **who) -> Scored:
    """A dialog drawn as text: "q" a token of the user, "A" one of the policy."""
    actions = np.array([c == "A" for c in mask])
    positions = np.arange(len(mask))
    trajectory = Trajectory(
        request=EpisodeRequest(Task("s", "en", 0, 1), iteration=0, group=group, sample=0, run_seed=0, **who),
        tokens=(positions + 10).astype(np.int32),
        action_mask=actions,
        logprobs=np.where(actions, -positions / 10, 0).astype(np.float32),
        versions=np.where(actions, positions, -1).astype(np.int32),
        turns=tuple(Turn(Question("?"), "!", "stop", 1) for _ in turn_ends),
        turn_ends=np.array(turn_ends, np.int32),
        status=status,
        worker="w",
        seconds=0.0,
    )
    scalar = np.array(rewards, np.float32)
    return Scored(trajectory, Score(np.zeros((len(rewards), 0), np.float32), scalar, scalar))


def test_layout_by_hand():
    batch = pack(
        [scored("qAAqqAq", [2, 5], [1.0, 0.5], group=3), scored("qA", [1], [2.0], status="truncated")], reward_clip=10
    )
    np.testing.assert_array_equal(batch.tokens, [[10, 11, 12, 13, 14, 15, 16], [10, 11, 0, 0, 0, 0, 0]])
    np.testing.assert_array_equal(batch.action_mask, [[0, 1, 1, 0, 0, 1, 0], [0, 1, 0, 0, 0, 0, 0]])
    np.testing.assert_array_equal(batch.turn_index, [[-1, 0, 0, -1, -1, 1, -1], [-1, 0, -1, -1, -1, -1, -1]])
    np.testing.assert_array_equal(batch.rewards, [[0, 0, 1, 0, 0, 0.5, 0], [0, 2, 0, 0, 0, 0, 0]])
    np.testing.assert_allclose(batch.sampler_logprobs[0], [0, -0.1, -0.2, 0, 0, -0.5, 0])
    np.testing.assert_array_equal(batch.lengths, [7, 2])
    np.testing.assert_array_equal(batch.truncated, [False, True])
    np.testing.assert_array_equal(batch.groups, [0, 1])
    np.testing.assert_array_equal(batch.versions, [[-1, 1, 2, -1, -1, 5, -1], [-1, 1, -1, -1, -1, -1, -1]])
    np.testing.assert_array_equal(batch.oldest_versions, [1, 1])
    assert batch.num_action_tokens == 4 and len(batch) == 2


def test_what_older_weights_wrote_becomes_context():
    batch = pack([scored("qAAqqAq", [2, 5], [1.0, 0.5]), scored("qA", [1], [2.0])], reward_clip=10).without_older(2)
    np.testing.assert_array_equal(batch.action_mask, [[0, 0, 1, 0, 0, 1, 0], [0, 0, 0, 0, 0, 0, 0]])
    np.testing.assert_array_equal(batch.rewards, [[0, 0, 1, 0, 0, 0.5, 0], [0, 2, 0, 0, 0, 0, 0]])


def test_rewards_are_clipped():
    batch = pack([scored("qAqA", [1, 3], [50.0, -50.0])], reward_clip=10)
    np.testing.assert_array_equal(batch.rewards, [[0, 10, 0, -10]])


def test_empty_turn_keeps_its_number_and_pays_nobody():
    batch = pack([scored("qAqqA", [1, -1, 4], [1.0, 7.0, 2.0])], reward_clip=10)
    np.testing.assert_array_equal(batch.rewards, [[0, 1, 0, 0, 2]])
    np.testing.assert_array_equal(batch.turn_index, [[-1, 0, -1, -1, 2]])


def test_row_without_any_action_is_laid_out():
    batch = pack([scored("qq", [-1], [3.0]), scored("qA", [1], [1.0])], reward_clip=10)
    np.testing.assert_array_equal(batch.rewards, [[0, 0], [0, 1]])
    np.testing.assert_array_equal(batch.turn_index, [[-1, -1], [-1, 0]])


def test_neither_failed_nor_stale_nor_unscored_rows_become_data():
    good, stale = scored("qA", [1], [1.0], group=5), scored("qA", [1], [9.0], status="stale")
    broken = Scored(failed(good.trajectory.request, error="boom", worker="w"), None)
    assert pack([stale, broken, good], reward_clip=10).rewards.tolist() == [[0, 1]]
    with pytest.raises(ValueError, match="no usable trajectory"):
        pack([stale, broken], reward_clip=10)


def test_groups_count_up_and_hold_one_role_each():
    dialogs = [(7, "assistant"), (7, "user"), (2, "assistant"), (7, "assistant"), (2, "user"), (7, "user")]
    rows = [scored("qA", [1], [1.0], group=group, role=role) for group, role in dialogs]
    assert pack(rows, reward_clip=10).groups.tolist() == [0, 1, 2, 0, 3, 1]


def test_words_of_an_opponent_train_nobody():
    own, other = (scored("qA", [1], [1.0], role="user", opponent=folder) for folder in ("", "step-40"))
    assistant = scored("qA", [1], [1.0], opponent="step-40")
    assert usable([own, other, assistant]) == [own, assistant]
