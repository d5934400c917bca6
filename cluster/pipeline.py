"""`zero2one train` for a recipe of stages: one after the other, each as the run that it would be alone."""

from cluster.local import train
from cluster.run_directory import say
from cluster.supervised import train_supervised
from rl.config import Config
from rl.files import RunLock
from rl.metrics import FILE
from rl.module_stage import route
from rl.pipeline import Pipeline, Stage, begin, complete, decide, inputs_of
from rl.pipeline_report import write_pipeline_report


def train_pipeline(pipeline: Pipeline, *, resume: bool, address: str | None) -> int:
    """Run what is due of the stages. Returns the exit code; an error of a stage is noted with the stage's name."""
    pipeline.folder.mkdir(parents=True, exist_ok=True)
    with RunLock(pipeline.folder):
        for number, stage in enumerate(pipeline.stages, start=1):
            try:
                _advance(pipeline, stage, f"stage {number}/{len(pipeline.stages)}, {stage.name}", resume, address)
            except Exception as error:
                error.add_note(f"stage {stage.name}")
                raise
        if pipeline.router is not None:
            route(pipeline.modules, pipeline.router, say)
        write_pipeline_report(pipeline)
    say(f"done: see {pipeline.folder}/report.md")
    return 0


def _advance(pipeline: Pipeline, stage: Stage, title: str, resume: bool, address: str | None) -> None:
    inputs = inputs_of(pipeline, stage)
    decision = decide(pipeline, stage, inputs, resume=resume)
    say(f"{title}: {decision.action}, for {decision.reason}")
    if decision.action == "skip":
        return
    if decision.action == "run":
        begin(pipeline, stage, inputs)
    config = pipeline.started(stage)
    started = (pipeline.directory(stage.name) / FILE).exists()  # else it was interrupted before its first step
    if isinstance(config, Config):
        train(config, resume=started, address=address)
    else:
        train_supervised(config, resume=started, address=address)
    complete(pipeline, stage)
