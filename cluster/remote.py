"""Commands on jobs in a cluster and on runs under way: submit, jobs, logs, status, stop, scale.

With `--address` they talk to a cluster's dashboard; without, to a run directory that this machine sees, and then
nothing of weight is imported.
"""

import argparse
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

FindRun = Callable[[str], Path]


def submit(arguments: argparse.Namespace, _: FindRun) -> int:
    from cluster.jobs import connect, print_logs, submit_run

    job = submit_run(arguments.recipe, arguments.overrides, address=arguments.address, resume=arguments.resume)
    print(f"submitted as job {job}", flush=True)
    return print_logs(connect(arguments.address), job, follow=True) if arguments.follow else 0


def jobs(arguments: argparse.Namespace, _: FindRun) -> int:
    from cluster.jobs import connect, describe_jobs

    print(describe_jobs(connect(arguments.address)))
    return 0


def logs(arguments: argparse.Namespace, _: FindRun) -> int:
    from cluster.jobs import connect, print_logs

    return print_logs(connect(arguments.address), arguments.run, follow=arguments.follow)


def status(arguments: argparse.Namespace, find_run: FindRun) -> int:
    if arguments.address is None:
        from cluster.ask import describe

        print(describe(find_run(arguments.run)))
        return 0
    from cluster.jobs import connect, describe_job, is_running, run_beside, run_of

    client = connect(arguments.address)
    print(describe_job(client, arguments.run), flush=True)
    if not is_running(client, arguments.run):
        return 0
    return run_beside(client, arguments.run, ["status", run_of(client, arguments.run)])


def stop(arguments: argparse.Namespace, find_run: FindRun) -> int:
    if arguments.address is None:
        from cluster.ask import stop as stop_run

        print(stop_run(find_run(arguments.run)))
        return 0
    from cluster.jobs import connect, stop_job

    print(stop_job(connect(arguments.address), arguments.run))
    return 0


def scale(arguments: argparse.Namespace, find_run: FindRun) -> int:
    if arguments.address is None:
        from cluster.ask import scale as scale_run

        done, text = scale_run(find_run(arguments.run), rollout=arguments.rollout, reward=arguments.reward)
        print(f"{'scaled' if done else 'refused'}: {text}", file=sys.stdout if done else sys.stderr)
        return 0 if done else 2
    from cluster.jobs import connect, run_beside, run_of

    client = connect(arguments.address)
    sizes = {"--rollout": arguments.rollout, "--reward": arguments.reward}
    asked = [text for name, size in sizes.items() if size is not None for text in (name, str(size))]
    return run_beside(client, arguments.run, ["scale", run_of(client, arguments.run), *asked])


COMMANDS: Mapping[str, Callable[[argparse.Namespace, FindRun], int]] = {
    "submit": submit,
    "jobs": jobs,
    "logs": logs,
    "status": status,
    "stop": stop,
    "scale": scale,
}
