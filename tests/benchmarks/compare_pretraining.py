"""Held-out bits per byte of a finished pre-training stage against a 3-gram model of the same training documents.

    .venv/bin/python tests/benchmarks/compare_pretraining.py runs/r1/stages/pretrain

The corpus of the acceptance run is made by `sentences.py`, next to this file.

One line of JSON: in how many languages the network is better, and both figures for each language.
"""

import json
import sys
from pathlib import Path

from harness import report
from trigram import Trigram

from models.tokenizer import load_tokenizer
from rl.documents import Documents
from rl.load_config import parse, read_recipe
from rl.stage_config import PretrainConfig


def measure(stage: Path) -> dict[str, object]:
    config, _ = parse(PretrainConfig, read_recipe(stage / "config.yaml"), lambda _: ())
    assert config is not None
    network = json.loads((stage / "report.json").read_bytes())["bits_per_byte"]
    documents = Documents.open(stage / "data")
    vocab_size = len(load_tokenizer(stage / "policy"))
    baseline = {name: bits_per_byte(documents, group, vocab_size, config) for group, name in enumerate(documents.names)}
    better = [name for name, bits in network.items() if bits < baseline[name]]
    return {
        "stage": str(stage),
        "languages": len(network),
        "better_in": len(better),
        "network": network,
        "trigram": {name: baseline[name] for name in network},
    }


def bits_per_byte(documents: Documents, group: int, vocab_size: int, config: PretrainConfig) -> float:
    """Of the 3-gram model, on the held-out documents that the stage was measured on."""

    def ids(number: int) -> list[int]:
        return documents.ids[documents.offsets[number] : documents.offsets[number + 1]].tolist()

    model = Trigram(map(ids, documents.chosen(group, held_out=False)), vocab_size)
    members = documents.measured(group, config.supervised.eval_tokens)
    if not len(members):
        return float("nan")
    return sum(model.bits(ids(number)) for number in members) / int(documents.num_bytes[members].sum())


if __name__ == "__main__":
    report("pretraining", lambda: measure(Path(sys.argv[1])))
