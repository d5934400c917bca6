"""What end-to-end tests share: one undisturbed run, with which the others are compared."""

import pytest

from tests.e2e.runs import Finished, train

FOUR = "run.num_iterations=4"


@pytest.fixture(scope="session")
def smoke(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    """Four iterations of the smoke recipe, with GAE and a critic, on one worker of each role."""
    return train(tmp_path_factory.mktemp("smoke"), FOUR)
