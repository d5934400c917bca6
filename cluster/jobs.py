"""Runs as jobs of a Ray cluster, from any machine that reaches its dashboard: submit, list, read, stop.

A job's driver is `zero2one train --address auto` inside the cluster, started again where it dies (`cluster/driver.py`).
To stop is Ray's own polite signal to both, which a run takes as it takes Ctrl-C; Ray kills only what has not ended an
hour later.
"""

import asyncio
import os
import re
import shlex
import tempfile
import time
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

from ray._private.authentication.authentication_token_setup import maybe_enable_token_auth_if_token_available
from ray.dashboard.modules.job.pydantic_models import JobDetails
from ray.exceptions import AuthenticationError
from ray.job_submission import JobStatus, JobSubmissionClient

from cluster.package import own_files, pack, require_shared
from cluster.tokens import require_closed
from rl.config import Config
from rl.load_config import RECIPES, find_recipe, load_config
from rl.load_pipeline import is_pipeline, load_pipeline
from rl.stage_config import StageConfig
from rl.tasks import build_scorer, signal_of

STOP_SECONDS = 3600  # for an update and a checkpoint
JOB_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
POLL_SECONDS = 0.5
RAY_PREAMBLE = re.compile(r"\A.* -- Runtime env is setting up\.\n(?:Running entrypoint for job .*\n)?")
HEADER = ("JOB", "STATE", "STARTED", "RUN DIRECTORY")


class JobError(ValueError):
    """A job or a cluster that is not there, or not as it is named."""


def connect(address: str | None) -> JobSubmissionClient:
    """The dashboard at `address`, or at RAY_API_SERVER_ADDRESS. Raises JobError and `cluster.tokens.SecurityError`."""
    address = address or os.environ.get("RAY_API_SERVER_ADDRESS", "")
    if not address.startswith(("http://", "https://")):
        raise JobError(
            f"--address {address or '(none)'}: must be the cluster's dashboard, such as http://127.0.0.1:8265; or set "
            "RAY_API_SERVER_ADDRESS"
        )
    try:
        require_closed(address)
        maybe_enable_token_auth_if_token_available(warn_if_disabled=False)
        return JobSubmissionClient(address)
    except (ConnectionError, OSError, RuntimeError, AuthenticationError) as error:
        raise JobError(f"--address {address}: {str(error).splitlines()[0]}") from error


def submit_run(recipe: str, overrides: Sequence[str], *, address: str | None, resume: bool) -> str:
    """Check the recipe, send the code, start the job. Returns its id; nothing is sent where something is wrong."""
    name, folder, place, configs = _resolve(recipe, overrides)
    for config in configs:
        require_shared(config, place)
        _check_meaning(config)
    own = own_files(configs)
    path = find_recipe(recipe)
    if path.parent != RECIPES:
        own[path.name] = path
        recipe = path.name
    package = pack(own)
    client = connect(address)
    print(package.describe())
    command = ["train", recipe, *overrides, "--address", "auto", *(["--resume"] if resume else [])]
    job = f"{name}-{datetime.now(UTC):%Y%m%d-%H%M%S}"
    with tempfile.TemporaryDirectory(prefix="zero2one-") as code:
        package.write(Path(code))
        # the project's metadata, which `doctor` and the preflight compare with, is that of the image
        environment = {"working_dir": code, "env_vars": {"RAY_JOB_STOP_WAIT_TIME_S": str(STOP_SECONDS)}}
        client.submit_job(
            entrypoint=_entrypoint("driver", [str(folder), *command]),
            submission_id=job,
            runtime_env=environment,
            metadata={"run": place, "zero2one": metadata.version("zero2one")},
        )
    return job


def describe_jobs(client: JobSubmissionClient) -> str:
    """Id, state, start and run directory of our jobs, the newest first."""
    ours = [job for job in client.list_jobs() if (job.metadata or {}).get("zero2one")]
    ours.sort(key=lambda job: -(job.start_time or 0))
    rows = [(job.submission_id or "", job.status.value, _time(job), _run_of(job)) for job in ours]
    return "\n".join(f"{job:40}  {state:9}  {start:23}  {run}" for job, state, start, run in [HEADER, *rows])


def find_job(client: JobSubmissionClient, job: str) -> JobDetails:
    if not JOB_ID.fullmatch(job):
        raise JobError(f"{job!r} is no id of a job; `zero2one jobs` lists them")
    try:
        return client.get_job_info(job)
    except RuntimeError as error:
        raise JobError(f"no job {job}; `zero2one jobs` lists them") from error


def print_logs(client: JobSubmissionClient, job: str, *, follow: bool) -> int:
    """What the job has printed, and with `follow` what it prints until it ends. Returns 1 if it has failed."""
    find_job(client, job)
    if follow:
        asyncio.run(_tail(client, job))
    else:
        print(client.get_job_logs(job), end="")
    return int(client.get_job_status(job) == JobStatus.FAILED)


def describe_job(client: JobSubmissionClient, job: str) -> str:
    info = find_job(client, job)
    lines = [f"job {job}: {info.status.value}", f"started: {_time(info)}", f"run directory: {_run_of(info)}"]
    if info.status == JobStatus.FAILED and info.message:
        lines += ["its last lines:", *info.message.rstrip().splitlines()[-5:]]
    return "\n".join(lines)


def stop_job(client: JobSubmissionClient, job: str) -> str:
    if find_job(client, job).status.is_terminal():
        return f"job {job} has ended already: {client.get_job_status(job).value}"
    client.stop_job(job)
    return f"job {job} will stop after its update and a checkpoint; `zero2one logs {job} --follow` shows when"


def run_beside(client: JobSubmissionClient, job: str, arguments: Iterable[str]) -> int:
    """Run a short command of `zero2one` on the run of a job, inside the cluster, and print what it prints.

    Returns its exit code. Raises JobError where the job is not running.
    """
    info = find_job(client, job)
    if info.status != JobStatus.RUNNING:
        raise JobError(f"job {job} is not running: {info.status.value}")
    helper = client.submit_job(
        entrypoint=_entrypoint("cli", arguments),
        submission_id=f"{job}-ask-{time.time_ns():x}",
        runtime_env={"working_dir": (info.runtime_env or {})["working_dir"]},  # the same code
    )
    while not (status := client.get_job_status(helper)).is_terminal():
        time.sleep(POLL_SECONDS)
    print(own_words(client.get_job_logs(helper)), end="")
    code = client.get_job_info(helper).driver_exit_code
    client.delete_job(helper)
    return 0 if status == JobStatus.SUCCEEDED else code or 1


def own_words(log: str) -> str:
    """What a job has printed, without what Ray says before its entrypoint runs."""
    return RAY_PREAMBLE.sub("", log)


def is_running(client: JobSubmissionClient, job: str) -> bool:
    return find_job(client, job).status == JobStatus.RUNNING


def run_of(client: JobSubmissionClient, job: str) -> str:
    return _run_of(find_job(client, job))


def _resolve(recipe: str, overrides: Sequence[str]) -> tuple[str, Path, str, list[StageConfig]]:
    """Name, working folder, place and configurations of a run or a pipeline."""
    if is_pipeline(recipe):
        pipeline = load_pipeline(recipe, overrides)
        return pipeline.name, pipeline.folder, pipeline.place, [stage.config for stage in pipeline.stages]
    config = load_config(recipe, overrides)
    return config.run.name, config.run.directory, config.run.place, [config]


def _check_meaning(config: StageConfig) -> None:
    """Scenarios and dimensions exist, as far as that can be told from here."""
    if isinstance(config, Config) and not (config.tasks.questions and Path(config.tasks.questions).is_absolute()):
        build_scorer(config)
        signal_of(config.rewards)


def _entrypoint(module: str, arguments: Iterable[str]) -> str:
    """`exec`, so that signals for the job reach Python and no shell."""
    return f"exec python3 -m cluster.{module} {shlex.join(arguments)}"


async def _tail(client: JobSubmissionClient, job: str) -> None:
    async for text in client.tail_job_logs(job):
        print(text, end="", flush=True)


def _time(job: JobDetails) -> str:
    return f"{datetime.fromtimestamp(job.start_time / 1000, UTC):%Y-%m-%d %H:%M:%S} UTC" if job.start_time else "-"


def _run_of(job: JobDetails) -> str:
    return (job.metadata or {}).get("run", "")
