"""Which module of the engine answers a question: the one that is asked for, or the one that a router finds."""

from collections.abc import Sequence
from pathlib import Path

from envs.task import Question
from models.lora import ModuleError
from models.modules import EngineModules
from rl.episode import Side
from rl.router import Router


class ModuleChoice:
    """`modules`: those of the engine, where it takes any."""

    def __init__(self, modules: EngineModules | None) -> None:
        self._modules = modules
        self._router: Router | None = None

    def serve(self, folders: Sequence[str], router: str) -> None:
        """Let the engine have the modules in these folders and no others, and a router choose among them that is in a
        file; "" for none. Raises ModuleError, RouterError.
        """
        if self._modules is not None:
            self._modules.serve([Path(folder) for folder in folders])
        elif folders:
            raise ModuleError("this engine takes no modules; set rollout.num_modules")
        self._router = Router.load(Path(router)) if router else None

    def choose(self, side: Side, question: Question) -> str:
        """The name of the module for a side's next turn; "" for none."""
        request = side.request
        if request.role != "assistant":
            return ""
        if request.routing == "none" or (request.routing == "dialog" and side.turns):
            return side.module or request.module
        assert self._router is not None, "a request asks for a router, and this worker was given none"
        return self._router.choose(question.text, otherwise=side.module)
