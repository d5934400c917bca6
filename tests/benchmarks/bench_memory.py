"""Peak memory of every role in a run of the default recipe, in MiB of resident memory of one process."""

from harness import report
from real_run import RECIPE_OVERRIDES, RECIPE_RUN, last_run

MIB = 2**20


def measure() -> dict[str, object]:
    run = last_run(RECIPE_RUN, RECIPE_OVERRIDES)
    peaks = run.report["peak_rss_bytes"]
    num_processes = {"rollout": run.report["num_rollout_workers"]}
    total = sum(peak * num_processes.get(role, 1) for role, peak in peaks.items())
    return {
        **{f"{role}_mib": round(peak / MIB) for role, peak in peaks.items()},
        "total_mib": round(total / MIB),
        "num_rollout_workers": run.report["num_rollout_workers"],
    }


if __name__ == "__main__":
    report("memory", measure)
