"""A few of the kills of `make chaos`."""

from pathlib import Path
from random import Random

import pytest

from tests.e2e.chaos import ROLES, SIMULATED, Killer, chaos

pytestmark = [pytest.mark.e2e, pytest.mark.slow]


@pytest.mark.timeout(1800)
def test_a_few_random_kills_change_nothing(tmp_path: Path) -> None:
    killer = Killer(Random(7), ROLES, num_left=4)
    chaos(tmp_path, SIMULATED, killer)
    assert killer.kills.total() == 4
