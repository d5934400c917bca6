"""The data sets of reasoning-gym as scenarios: made by its generators, judged by its own scorers.

Its partial credit is not taken over: it also gives some to noise. Only a full score counts as success.

Source: Stojanovski et al. 2025, "Reasoning Gym", arXiv:2505.24760
"""

import ast
import re
import sys
from dataclasses import dataclass
from decimal import localcontext
from functools import cache, lru_cache
from importlib.util import find_spec
from types import ModuleType
from typing import Any, cast

from envs.adapters.reasoning_gym_table import DATA_SETS, DataSet
from envs.formulas import FormulaError, parse
from envs.task import Dialog, Question, Task, Transcript
from envs.users import SimulatedUser

NUM_LISTED = 50  # items, among which level 0 finds its openings
MAX_EXPONENT = 20  # in an answer that the scorer expands

_WORDS = re.compile(r"[\w\s-]*", re.ASCII)

Item = dict[str, Any]


@dataclass(frozen=True, slots=True)
class ReasoningGym:
    """A data set of reasoning-gym; its curriculum gives the levels."""

    data_set: DataSet
    languages: tuple[str, ...] = ("en",)

    @property
    def name(self) -> str:
        return f"reasoning-gym/{self.data_set.name}"

    @property
    def domain(self) -> str:
        return self.data_set.domain

    @property
    def description(self) -> str:
        return f"Reasoning Gym: {self.data_set.name.replace('_', ' ')}."

    @property
    def num_levels(self) -> int:
        return len(self.data_set.levels)

    def size(self, language: str, level: int) -> int | None:
        return len(_openings(self.data_set)) if level == 0 else None

    def dialog(self, task: Task) -> Dialog:
        item = self._item(task)
        return SimulatedUser([Question(item["question"], item["answer"], "text", oracle=_oracle(self.data_set, item))])

    def verify(self, transcript: Transcript) -> float:
        turn = transcript.last
        answer = turn.answer.strip()
        longest = 2 * len(turn.question.demonstration) + 1000  # what is longer is noise, and slow to score
        if turn.finish != "stop" or len(answer) > longest or not _may_read(self.data_set, answer):
            return 0.0
        library = _library(self.data_set.name, self.data_set.levels[transcript.task.level], self.data_set.num_items)
        try:
            with localcontext():
                return float(library.score_answer(answer=answer, entry=self._item(transcript.task)) == 1.0)
        except Exception:  # a scorer raises whatever its parser does on noise: it could not read the answer
            return 0.0

    def _item(self, task: Task) -> Item:
        if task.level == 0:
            openings = _openings(self.data_set)
            return _item(self.data_set, 0, openings[task.seed % len(openings)])
        return _item(self.data_set, task.level, task.seed % self.data_set.num_items)


SCENARIOS = tuple(ReasoningGym(data_set) for data_set in DATA_SETS)


@lru_cache(1024)
def _item(data_set: DataSet, level: int, index: int) -> Item:
    library = _library(data_set.name, data_set.levels[level], data_set.num_items)
    with localcontext():  # some set the precision of decimals for all that comes after
        return cast(Item, library[index])


@lru_cache(256)
def _openings(data_set: DataSet) -> tuple[int, ...]:
    """Of the first items of level 0, those that ask what none before them asks."""
    first: dict[str, int] = {}
    for index in range(NUM_LISTED):
        first.setdefault(_item(data_set, 0, index)["question"], index)
    return tuple(first.values())


@lru_cache(128)
def _library(name: str, level: int, num_items: int) -> Any:
    """The library's own data set at a level of its curriculum. The same items on any machine."""
    factory = _import_factory()
    if not factory.has_curriculum(name):
        return factory.create_dataset(name, seed=0, size=num_items)
    curriculum = factory.create_curriculum(name)
    curriculum.set_global_level(level)
    data_set_class, _ = factory.DATASETS[name]
    return data_set_class(config=curriculum.generate_configuration({"seed": 0, "size": num_items}))


@cache
def _import_factory() -> Any:
    """The library's factory. Where pycosat is absent, a module takes its place that raises when it is used.

    pycosat is an extension to compile, and the library imports it at the start, for one data set (left out here).
    """
    absent = "pycosat" not in sys.modules and find_spec("pycosat") is None
    if absent:
        sys.modules["pycosat"] = _Absent("pycosat")
    try:
        from reasoning_gym import factory
    finally:
        if absent:
            del sys.modules["pycosat"]
    return factory


class _Absent(ModuleType):
    """A module that is not installed: it can be imported, not used."""

    def __getattr__(self, name: str) -> Any:
        raise ImportError(f"{self.__name__}.{name}: {self.__name__} is not installed")


def _oracle(data_set: DataSet, item: Item) -> str | None:
    """A right answer where the item names none: the example in its metadata, with a mapping written as JSON."""
    import json

    if not data_set.example:
        return None
    example = item["metadata"][data_set.example]
    return example if isinstance(example, str) else json.dumps(example)


def _may_read(data_set: DataSet, answer: str) -> bool:
    """Whether the scorer may see the answer: always, unless it would run it."""
    match data_set.reads:
        case "text":
            return True
        case "words":
            return _WORDS.fullmatch(answer) is not None
        case "formula":
            return _is_formula(answer)


def _is_formula(text: str) -> bool:
    """Whole numbers and one-letter names under + - * / and small fixed powers: nothing to call, nothing to explode."""
    try:
        nodes = list(ast.walk(parse(text)))
    except FormulaError:
        return False
    return all(map(_is_harmless, nodes)) and len({node.id for node in nodes if isinstance(node, ast.Name)}) <= 2


def _is_harmless(node: ast.AST) -> bool:
    match node:
        case ast.BinOp(left=ast.Name() | ast.Constant(), op=ast.Pow(), right=ast.Constant(value=int() as exponent)):
            return exponent <= MAX_EXPONENT
        case ast.BinOp(op=ast.Add() | ast.Sub() | ast.Mult() | ast.Div()):
            return True
        case ast.Constant(value=value):
            return type(value) is int
        case ast.Name(id=name):
            return len(name) == 1
    return isinstance(node, ast.UnaryOp | ast.USub | ast.operator | ast.expr_context)
