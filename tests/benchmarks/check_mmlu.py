"""Are the choice log-probs of `zero2one eval --suite mmlu` those of the model itself? Recomputed without our code.

    check_mmlu.py MODEL_FOLDER MMLU_FOLDER EVAL_FOLDER [NUM_QUESTIONS]

Reads what the evaluation stored, builds the prompts of Hendrycks et al. from the CSV files again, and runs a plain
float32 forward pass of transformers for each. Ends with 1 where a log-prob differs by more than 1e-3, or a choice does.
"""

import csv
import re
import sys
from pathlib import Path

import pyarrow.parquet as pq
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

TOLERANCE = 1e-3


def prompt(mmlu: Path, subject: str, line: int, num_shots: int) -> str:
    def shown(row: list[str], answer: str) -> str:
        question, *choices, _ = row
        return "\n".join([question, *(f"{x}. {c}" for x, c in zip("ABCD", choices, strict=True)), f"Answer:{answer}"])

    with (mmlu / "dev" / f"{subject}_dev.csv").open(newline="", encoding="utf-8") as file:
        shots = [shown(row, f" {row[-1]}\n\n") for row in csv.reader(file)][:num_shots]
    with (mmlu / "test" / f"{subject}_test.csv").open(newline="", encoding="utf-8") as file:
        reader = csv.reader(file)
        start = 1
        rows = {}
        for cells in reader:
            rows[start], start = cells, reader.line_num + 1
    topic = subject.replace("_", " ")
    head = f"The following are multiple choice questions (with answers) about {topic}.\n\n"
    return head + "".join(shots) + shown(rows[line], "")


def behind(model: torch.nn.Module, whole: list[int], shared: int) -> torch.Tensor:
    """ln p of the tokens from place `shared` on, given those before."""
    logprobs = torch.log_softmax(model(torch.tensor([whole])).logits[0, shared - 1 : -1], -1)
    return logprobs.gather(-1, torch.tensor(whole[shared:])[:, None]).sum()


@torch.no_grad()
def main(model_folder: str, mmlu: str, evaluation: str, num_questions: int = 200) -> int:
    tokenizer = AutoTokenizer.from_pretrained(model_folder)
    model = AutoModelForCausalLM.from_pretrained(model_folder, dtype=torch.float32).eval()
    rows = pq.read_table(Path(evaluation) / "mmlu.parquet").to_pylist()[:num_questions]
    worst, different, right = 0.0, 0, 0
    for row in rows:
        subject, _, line = row["item"].partition("/")
        num_shots = int(row["detail"].split(" ")[0])
        stored = torch.tensor([float(x) for x in re.findall(r"[ABCD] (-?[\d.]+)", row["detail"])])
        text = prompt(Path(mmlu), subject, int(line), num_shots)
        start = tokenizer("")["input_ids"]
        wholes = [start + tokenizer(f"{text} {x}", add_special_tokens=False)["input_ids"] for x in "ABCD"]
        shared = next(place for place, ids in enumerate(zip(*wholes, strict=False)) if len(set(ids)) > 1)
        own = torch.stack([behind(model, whole, shared) for whole in wholes])
        worst = max(worst, float((own - stored).abs().max()))
        best = "ABCD"[int(own.argmax())]
        different += best != row["answer"]
        right += best == row["due"]
    print(
        f"{len(rows)} questions: largest log-prob difference {worst:.2g}, {different} other choices, "
        f"accuracy {right / len(rows):.4f} against {sum(row['score'] for row in rows) / len(rows):.4f}"
    )
    return int(worst > TOLERANCE or different > 0)


if __name__ == "__main__":
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    sys.exit(main(*sys.argv[1:4], *map(int, sys.argv[4:5])))
