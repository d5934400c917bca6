"""Tokens per second of a whole run, from the question to the verified weights of the next version: 4.7 million weights
below the embeddings, 64 responses of up to 64 tokens in an iteration, GRPO without KL, two rollout workers.

For scale: a small critic-free trainer with Hugging Face `generate` reaches 1,450 on the two cores that this was
written on.
"""

from harness import SMALL, report
from real_run import run_recipe


def measure() -> dict[str, object]:
    run = run_recipe("end_to_end", (*SMALL, "run.num_iterations=6"))
    tokens, seconds = run.total("throughput/tokens"), run.total("timing_s/step")
    return {
        "tokens_per_second": tokens / seconds,
        "tokens_per_response": tokens / len(run.lines) / 64,
        **{f"share_{phase}": share for phase, share in run.shares().items()},
        "seconds_per_iteration": seconds / len(run.lines),
        "num_iterations": len(run.lines),
    }


if __name__ == "__main__":
    report("end_to_end", measure)
