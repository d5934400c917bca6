"""A sweep with real training: its runs are those of `zero2one train`, one after the other in one process."""

import json
from pathlib import Path

import pytest

from tests.e2e.conftest import FOUR
from tests.e2e.runs import SMOKE, TIMEOUT_SECONDS, Finished, command

pytestmark = [pytest.mark.e2e, pytest.mark.slow]


def test_a_run_of_a_sweep_is_the_run_that_train_makes(smoke: Finished, tmp_path: Path) -> None:
    variants = ("--variant", "hot", "rollout.temperature=2.0", "--variant", "plain")
    arguments = ("sweep", SMOKE, f"run.folder={tmp_path}", FOUR, "--seeds", "42", *variants)
    done = command(*arguments, timeout_seconds=TIMEOUT_SECONDS)
    assert done.returncode == 0, done.stderr
    hot, plain = (
        json.loads((tmp_path / f"{SMOKE}-{name}-seed42" / "report.json").read_bytes()) for name in ("hot", "plain")
    )
    assert plain["final_weights_sha256"] == smoke.report()["final_weights_sha256"] != hot["final_weights_sha256"]
    found = json.loads((tmp_path / "compare-hot-plain" / "compare.json").read_bytes())
    assert [label["costs"]["tokens"]["total"]["median"] for label in found["labels"]] == [
        hot["tokens_generated"],
        plain["tokens_generated"],
    ]
    again = command(*arguments)
    assert again.returncode == 0, again.stderr
    assert again.stdout.count(", finished: ") == 2
