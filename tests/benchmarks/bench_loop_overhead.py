"""What the loop itself costs: the share of wall time in which a run of the default recipe waits for no worker at all,
neither sampling, nor judging, nor learning, nor handing out weights. The start of the run is left out.
"""

from harness import report
from real_run import RECIPE_OVERRIDES, RECIPE_RUN, run_recipe


def measure() -> dict[str, object]:
    run = run_recipe(RECIPE_RUN, RECIPE_OVERRIDES)
    shares = run.shares()
    return {
        "ratio": shares["other"],
        **{f"share_{phase}": share for phase, share in shares.items() if phase != "other"},
        "seconds_per_iteration": run.total("timing_s/step") / len(run.lines),
        "tokens_per_second": run.total("throughput/tokens") / run.total("timing_s/step"),
        "num_iterations": len(run.lines),
    }


if __name__ == "__main__":
    report("loop_overhead", measure)
