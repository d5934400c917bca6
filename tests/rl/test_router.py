"""The router: deterministic, sure of what it knows, in doubt of what it does not, and the same after a file."""

from pathlib import Path

import numpy as np
import pytest

from envs.library import build_library
from envs.mix import MixLine
from rl.module_stage import held_out_tasks
from rl.router import NUM_FEATURES, Router, RouterError, features, train_router

TEXTS = {
    "math": ["What is 3 + 4?", "How many apples are left?", "12 minus 5?"],
    "writing": ["In capitals: tea", "Initials: bee tea", "A to Z: sun, tea"],
}


@pytest.fixture(scope="module")
def router() -> Router:
    return train_router(TEXTS, min_confidence=0.6)


def test_features_are_of_unit_length_and_blind_to_digits_and_case() -> None:
    rows = features(["What is 3 + 4?", "what IS 9 + 1?", "In capitals", ""])
    assert rows.shape == (4, NUM_FEATURES)
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1.0, rtol=1e-6)
    assert np.array_equal(rows[0], rows[1])
    assert not np.array_equal(rows[0], rows[2])


def test_probabilities_sum_to_one_and_what_was_learned_is_chosen(router: Router) -> None:
    texts = [text for of_one in TEXTS.values() for text in of_one]
    chances = router.probabilities(texts)
    np.testing.assert_allclose(chances.sum(1), 1.0, rtol=1e-5)
    assert [router.choose(text) for text in texts] == ["math"] * 3 + ["writing"] * 3
    assert router.choose("What is 8 + 9?") == "math"


def test_in_doubt_nobody_is_chosen(router: Router) -> None:
    assert router.choose("zzz qqq xxx") == ""
    assert router.choose("zzz qqq xxx", otherwise="writing") == "writing"


def test_a_module_with_more_questions_is_no_likelier() -> None:
    """The first has nine times as many, and they say nothing."""
    router = train_router({"many": ["same words"] * 9, "few": ["same words"]}, min_confidence=0.6)
    np.testing.assert_allclose(router.probabilities(["same words", "other"]), 0.5, atol=1e-6)


def test_training_is_deterministic_and_a_file_keeps_all(router: Router, tmp_path: Path) -> None:
    paths = [tmp_path / name for name in ("a", "b")]
    router.save(paths[0])
    train_router(TEXTS, min_confidence=0.6).save(paths[1])
    assert paths[0].read_bytes() == paths[1].read_bytes()
    loaded = Router.load(paths[0])
    assert (loaded.names, loaded.min_confidence, loaded.held_out) == (("math", "writing"), 0.6, {})
    assert np.array_equal(loaded.probabilities(["What is 8 + 9?"]), router.probabilities(["What is 8 + 9?"]))


def test_what_is_no_router_is_refused(tmp_path: Path) -> None:
    (tmp_path / "bad").write_bytes(b"not a router at all")
    for name in ("bad", "missing"):
        with pytest.raises(RouterError, match=f"{name} holds no router"):
            Router.load(tmp_path / name)
    with pytest.raises(RouterError, match=r"two modules at least, not of \['math'\]"):
        train_router({"math": TEXTS["math"]}, min_confidence=0.6)


def test_held_out_tasks_are_held_out_and_shared_out_over_the_lines() -> None:
    from envs.mix import is_held_out

    library = build_library()
    mix = [MixLine(name, languages=("en",), levels=(0,)) for name in ("gifts", "write-case")]
    tasks = held_out_tasks(library, mix, 12, 0.2)
    assert len(tasks) == 12
    assert all(is_held_out(library.opening(task), 0.2) for task in tasks)
    assert {task.scenario for task in tasks} == {"gifts", "write-case"}
    assert len(held_out_tasks(library, mix, 12, 0.0)) == 12
