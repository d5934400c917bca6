"""Dialogs to imitate: scenarios answered by their own demonstrations, and files of people's dialogs.

Only what the assistant says is learnt; the rest of a dialog is its context. An opening question that is held out of
PPO (`tasks.held_out_fraction`) is shown by no scenario here either, so that later evaluations stay honest.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from envs.calls import OUTPUT, announcement, demonstrate
from envs.chance import uniform
from envs.library import Library
from envs.mix import MixLine, draw
from models.chat import ChatFormat
from rl.documents import Tokenised
from rl.rows import Broken, find_files, read_rows
from rl.stage_config import DemonstrationsConfig, DialogFileConfig


@dataclass(frozen=True, slots=True)
class Demonstration:
    """A written dialog: turns of (question, answer), after a system text if there is one."""

    turns: tuple[tuple[str, str], ...]
    language: str
    system: str | None = None
    level: int = 0


def from_scenarios(
    library: Library, mix: Sequence[MixLine], demonstrations: DemonstrationsConfig, *, seed: int, fraction: float
) -> Iterator[Demonstration]:
    """`num_dialogs` dialogs of the mixture. One is cut before the first question that names no answer, and left out
    where that is its first. `fraction`: share of opening questions that are never asked.

    In `tool_share` of them the assistant has `tools`, is told so as in a rollout, and calls them where a calculation is
    due. The rest shows how to do without: what a policy without tools is measured by later.
    """
    for index in range(demonstrations.num_dialogs):
        task = draw(library, mix, seed, 0, index, fraction)
        has_tools = uniform("has tools", seed, index) < demonstrations.tool_share
        tools = demonstrations.tools if has_tools else ()
        turns: list[tuple[str, str]] = []
        for question in library.questions(task, max_turns=demonstrations.max_turns):
            if not question.demonstration:
                break
            turns.append((question.text, demonstrate(question, tools)))
        if turns:
            system = announcement(tools) if tools else None
            yield Demonstration(tuple(turns), task.language, system, level=task.level)


def from_files(files: Iterable[DialogFileConfig], broken: Broken) -> Iterator[Demonstration]:
    """The dialogs of all files. Raises DataFileError."""
    for file in files:
        columns = [name.partition(".")[0] for name in _columns(file)]
        for path in find_files(file.path):
            for row in read_rows(path, columns, broken):
                try:
                    yield _from_messages(file, row.values) if file.messages_column else _from_pair(file, row.values)
                except ValueError as error:
                    broken.skip(row.place, str(error))


def tokenise_dialogs(
    demonstrations: Iterable[Demonstration],
    chat: ChatFormat,
    *,
    max_tokens: int,
    held_out_fraction: float,
    has_tools: bool = False,
) -> Iterator[Tokenised]:
    """In the chat format, with its action mask. Turns that do not fit into `max_tokens` are left away from the end.
    `has_tools`: outputs of tools stand in the answers, in files too, and are no actions.
    """
    outputs = OUTPUT if has_tools else None
    for demonstration in demonstrations:
        turns = demonstration.turns
        tokens, mask = chat.render(turns, demonstration.system, outputs)
        while len(tokens) > max_tokens and len(turns) > 1:
            turns = turns[:-1]
            tokens, mask = chat.render(turns, demonstration.system, outputs)
        if len(tokens) <= max_tokens:
            written = [OUTPUT.sub("", answer) if has_tools else answer for _, answer in turns]
            yield Tokenised(
                np.array(tokens, np.int32),
                np.array(mask),
                sum(len(text.encode()) for text in written),
                demonstration.language,
                uniform("held-out dialog", demonstration.turns[0][0]) < held_out_fraction,
                demonstration.level,
            )


def _columns(file: DialogFileConfig) -> list[str]:
    pair = (file.question_column, file.input_column, file.answer_column)
    said = (file.messages_column,) if file.messages_column else pair
    return [name for name in (*said, file.language_column, file.level_column) if name]


def _from_pair(file: DialogFileConfig, values: Mapping[str, object]) -> Demonstration:
    question, answer = _text(values, file.question_column), _text(values, file.answer_column)
    more = _value(values, file.input_column) if file.input_column else ""
    if isinstance(more, str) and more.strip():
        question = f"{question}\n\n{more}"
    return Demonstration(((question, answer),), _language(file, values), level=_level(file, values))


def _from_messages(file: DialogFileConfig, values: Mapping[str, object]) -> Demonstration:
    """Raises ValueError unless user and assistant take turns, after a system text or none."""
    messages = _value(values, file.messages_column)
    if not isinstance(messages, list) or not all(isinstance(message, dict) for message in messages):
        raise ValueError(f"{file.messages_column!r} is not a list of messages with role and content")
    system = _text(messages[0], "content") if messages and messages[0].get("role") == "system" else None
    said = messages if system is None else messages[1:]
    roles = [message.get("role") for message in said]
    if not said or roles != ["user", "assistant"] * (len(said) // 2):
        raise ValueError(f"{file.messages_column!r}: roles must be user and assistant in turn, not {roles}")
    texts = [_text(message, "content") for message in said]
    turns = tuple(zip(texts[::2], texts[1::2], strict=True))
    return Demonstration(turns, _language(file, values), system, _level(file, values))


def _language(file: DialogFileConfig, values: Mapping[str, object]) -> str:
    return _text(values, file.language_column) if file.language_column else file.language


def _level(file: DialogFileConfig, values: Mapping[str, object]) -> int:
    level = _value(values, file.level_column) if file.level_column else file.level
    if not isinstance(level, int) or isinstance(level, bool) or level < 0:
        raise ValueError(f"{file.level_column!r} is {level!r}, no level: 0, 1, 2, ...")
    return level


def _text(values: Mapping[str, object], name: str) -> str:
    text = _value(values, name)
    if not isinstance(text, str) or not text.strip():
        raise ValueError(f"{name!r} is missing or empty")
    return text


def _value(values: Mapping[str, object], name: str) -> object:
    """What is at a dotted name, such as "instances.0.output"; None where there is no such place."""
    place: object = values
    for part in name.split("."):
        if isinstance(place, Mapping):
            place = place.get(part)
        elif isinstance(place, list) and part.isdecimal() and int(part) < len(place):
            place = place[int(part)]
        else:
            return None
    return place
