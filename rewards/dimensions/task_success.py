"""Did the answer do what was asked? The scenario's own verdict as a dimension, for those that pay for it.

`rewards.score.Scorer` puts the verdict of its own scenarios here, a user's among them; alone, the dimension knows the
library's.
"""

from functools import cache

from envs.library import Library, ScenarioError
from envs.task import Question, Task, Transcript, Turn
from rewards.dimension import Dimension

_SUM = Task("arithmetic", "en", 0, 0)


@cache
def _library() -> Library:
    return Library()


def success(transcript: Transcript) -> float | None:
    try:
        scenario = _library().find(transcript.task.scenario)
    except ScenarioError:
        return None
    return scenario.verify(transcript)


def _answered(answer: str) -> Transcript:
    return Transcript(_SUM, (Turn(Question("0+0=?", "0", "integer"), answer, "stop", num_tokens=2),))


DIMENSIONS = (
    Dimension(
        "task.success",
        "task",
        "The scenario's own verdict: the answer does what was asked, in the form that was asked for.",
        success,
        passes=_answered("0"),
        fails=_answered("1"),
    ),
)
