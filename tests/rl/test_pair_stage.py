"""The loop on pairs: killed and resumed, measured, reported; and data that no reward model can be made of."""

import asyncio
import hashlib
import json
from pathlib import Path

import numpy as np
import pytest

from models.chat import chat_format
from models.tokenizer import train_tokenizer
from rl.documents import Documents, write_documents
from rl.metrics import read_metrics
from rl.pair_data import pair_texts, prepare_pairs
from rl.pair_report import describe, write_pair_report
from rl.pair_stage import Judged, PairStage, read_judged, write_judged
from rl.pairs import PairBatch, Pairs, tokenise_pairs
from rl.preferences import Preference
from rl.records import Records
from rl.rows import DataFileError
from rl.stage_config import RewardModelConfig
from rl.supervised_loop import SupervisedSummary, SupervisedTrainer
from tests.rl.test_supervised_loop import FakeLearner, KilledError


class FakePairLearner(FakeLearner):
    """Its score of a dialog is how long it is."""

    async def learn(self, batch: PairBatch, *, step: int) -> dict[str, float]:
        if step == self._dies_at:
            raise KilledError
        self.state = hashlib.sha256(f"{self.state} {step} ".encode() + batch.tokens.tobytes()).hexdigest()
        return {"train/loss": 1.0 / (1 + step), "train/accuracy": 0.5}

    async def judge(self, batch: PairBatch) -> np.ndarray:
        return batch.lengths.astype(np.float32)


CONFIG = RewardModelConfig.model_validate(
    {
        "run": {"num_iterations": 10, "name": "pairs"},
        "pairwise": {"batch_pairs": 4, "eval_every": 4},
        "checkpoint": {"every": 3, "keep": 1},
    }
)


def pairs(folder: Path) -> Pairs:
    """Forty pairs; in two of three the better answer is longer."""
    tokenizer = train_tokenizer([""], vocab_size=262)
    better = [Preference(((f"{n}?", "yes"),), ((f"{n}?", "y" if n % 3 else "yes no"),), "made") for n in range(40)]
    if not folder.exists():
        chat = chat_format(tokenizer)
        tokenised = tokenise_pairs(better, chat, max_tokens=32, held_out_fraction=0.3, skip=lambda _: None)
        write_documents(tokenised, folder)
    return Pairs(Documents.open(folder), seed=1, batch_pairs=4, eval_pairs=100, pad_token_id=0)


def train(run_dir: Path, learner: FakeLearner) -> SupervisedSummary:
    run_dir.mkdir(exist_ok=True)
    records = Records(run_dir, CONFIG, (), {"model": "fake"}, [].append)
    try:
        stage = PairStage(pairs(run_dir / "data"), run_dir)
        return asyncio.run(SupervisedTrainer(CONFIG, stage, learner, records).train())
    finally:
        records.close()


@pytest.mark.parametrize("step", [2, 5, 9])
def test_killed_and_resumed_it_ends_with_the_same_weights(step: int, tmp_path: Path) -> None:
    whole = train(tmp_path / "whole", FakePairLearner())
    with pytest.raises(KilledError):
        train(tmp_path / "cut", FakePairLearner(dies_at=step))
    assert train(tmp_path / "cut", FakePairLearner()) == whole
    assert (whole.kind, whole.step) == ("reward_model", 10)


def test_it_measures_when_due_and_reports(tmp_path: Path) -> None:
    summary = train(tmp_path / "run", FakePairLearner())
    measured = [line for line in read_metrics(tmp_path / "run") if "eval/accuracy" in line.values]
    assert [line.step for line in measured] == [3, 7, 9]
    judged = read_judged(tmp_path / "run")
    right = float((judged.lengths[:, 0] > judged.lengths[:, 1]).mean())  # what a judge of lengths gets right
    assert 0.4 < right < 0.9
    assert measured[-1].values["eval/accuracy"] == measured[-1].values["eval/accuracy/made"] == pytest.approx(right)
    write_pair_report(tmp_path / "run", summary)
    machine = json.loads((tmp_path / "run" / "report.json").read_bytes())
    assert machine["pairs"]["accuracy"] == pytest.approx(right)
    page = (tmp_path / "run" / "report.md").read_text()
    assert "# pairs (reward_model)" in page
    assert f"held-out pair accuracy: **{right:.1%}**" in page
    assert "| longer |" in page and "| 100.0% |" in page
    assert (tmp_path / "run" / "reward_model.png").read_bytes().startswith(b"\x89PNG")


def test_length_bias_by_hand(tmp_path: Path) -> None:
    """A judge of lengths alone: right where the better answer is longer, wrong where it is shorter."""
    lengths = np.array([[5, 2], [6, 1], [2, 4], [3, 3]])
    write_judged(tmp_path, Judged(lengths.astype(np.float32), lengths, ("a", "a", "b", "b")))
    found = describe(read_judged(tmp_path))
    assert found["accuracy"] == pytest.approx((1 + 1 + 0 + 0.5) / 4)
    assert found["length_correlation"] == pytest.approx(1.0)
    assert found["by_chosen_length"] == {
        "shorter": {"num_pairs": 1, "accuracy": 0.0},
        "equal": {"num_pairs": 1, "accuracy": 0.5},
        "longer": {"num_pairs": 2, "accuracy": 1.0},
    }
    assert found["by_source"]["b"] == {"num_pairs": 2, "accuracy": 0.25}


def from_file(path: Path, **preferences: object) -> RewardModelConfig:
    files = [{"path": str(path), "prompt_column": "prompt"}]
    return RewardModelConfig.model_validate({"preferences": {"files": files, **preferences}})


def prepare(config: RewardModelConfig, folder: Path) -> Documents:
    return prepare_pairs(config, folder, train_tokenizer([""], vocab_size=262), [].append)


def test_pairs_from_a_file_alone(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    rows = [{"prompt": f"{n}?", "chosen": "yes", "rejected": "no"} for n in range(40)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    documents = prepare(from_file(path), tmp_path / "data")
    assert len(documents.lengths) == 2 * 40
    assert set(pair_texts(from_file(path))) == {"yes", "no", *(f"{n}?" for n in range(40))}


@pytest.mark.parametrize(
    ("rows", "cause"),
    [
        ([], "0 broken rows skipped"),
        ([{"prompt": "a", "chosen": "b", "rejected": "b"}] * 3, r"3 broken rows skipped: .*a\.jsonl:1: 'chosen' and"),
    ],
)
def test_nothing_to_learn_is_one_clear_error(rows: list[dict[str, str]], cause: str, tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    with pytest.raises(DataFileError, match=rf"there are 0 pairs of different answers to train on .*\({cause}"):
        prepare(from_file(path), tmp_path / "data")


def test_more_broken_rows_than_allowed_is_an_error_at_its_line(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"prompt": "a", "chosen": "b", "rejected": "c"}\n{"prompt": \n')
    with pytest.raises(DataFileError, match=r"a\.jsonl:2: not JSON .*preferences.max_broken_rows = 0 rows are broken"):
        prepare(from_file(path, max_broken_rows=0), tmp_path / "data")
