"""Pairs that people have judged, from their files: Parquet, or JSONL with an object per line (also `.jsonl.gz`).

Three layouts, told apart by the columns that the recipe names:

    chosen, rejected                    whole dialogs, "\\n\\nHuman: ... \\n\\nAssistant: ..." (hh-rlhf, 2204.05862)
    prompt, chosen, rejected            a question, or such a dialog up to a question, and two answers
    messages, chosen, rejected          a list of {role, content} up to a question, and two answers (human ratings)

Other columns, such as `language` and `rater`, may be there and are not read.
"""

import re
from collections.abc import Iterable, Iterator, Mapping

from rl.preferences import Dialog, Preference
from rl.rows import Broken, find_files, read_rows
from rl.stage_config import PairFileConfig

_SPEAKER = re.compile(r"(?:^|\n\n)(Human|Assistant):[ \t]*")


def from_files(files: Iterable[PairFileConfig], broken: Broken) -> Iterator[Preference]:
    """The pairs of all files. A row whose two dialogs are the same is broken. Raises DataFileError."""
    for file in files:
        context = file.messages_column or file.prompt_column
        columns = [name for name in (context, file.chosen_column, file.rejected_column) if name]
        for path in find_files(file.path):
            for row in read_rows(path, columns, broken):
                try:
                    yield _preference(file, row.values, path.name)
                except ValueError as error:
                    broken.skip(row.place, str(error))


def _preference(file: PairFileConfig, values: Mapping[str, object], source: str) -> Preference:
    """Raises ValueError that says what is wrong with the row."""
    chosen, rejected = _text(values, file.chosen_column), _text(values, file.rejected_column)
    if chosen == rejected:
        raise ValueError(f"{file.chosen_column!r} and {file.rejected_column!r} are the same")
    if file.messages_column:
        system, earlier, question = _messages(values, file.messages_column)
    elif file.prompt_column:
        system, (earlier, question) = None, _prompt(_text(values, file.prompt_column), file.prompt_column)
    else:
        return Preference(_whole(chosen, file.chosen_column), _whole(rejected, file.rejected_column), source)
    return Preference((*earlier, (question, chosen)), (*earlier, (question, rejected)), source, system)


def _whole(text: str, column: str) -> Dialog:
    """A dialog that ends with an answer."""
    said = _speeches(text, column)
    if not said or len(said) % 2:
        raise ValueError(f"{column!r} must end with what the Assistant says")
    return tuple(zip(said[::2], said[1::2], strict=True))


def _prompt(text: str, column: str) -> tuple[Dialog, str]:
    """The turns before a question, and the question."""
    if not _SPEAKER.match(text):
        return (), text
    said = _speeches(text.removesuffix("\n\nAssistant:"), column)
    if len(said) % 2 == 0:
        raise ValueError(f"{column!r} must end with what the Human says")
    return tuple(zip(said[:-1:2], said[1:-1:2], strict=True)), said[-1]


def _speeches(text: str, column: str) -> list[str]:
    """What Human and Assistant say in turn."""
    before, *parts = _SPEAKER.split(text)
    speakers, said = parts[::2], [part.strip() for part in parts[1::2]]
    if before.strip() or speakers != [("Human", "Assistant")[i % 2] for i in range(len(speakers))]:
        raise ValueError(f"{column!r}: Human and Assistant must speak in turn, the Human first")
    if not all(said):
        raise ValueError(f"{column!r}: somebody says nothing")
    return said


def _messages(values: Mapping[str, object], column: str) -> tuple[str | None, Dialog, str]:
    """System text or None, the turns before a question, and the question."""
    messages = values.get(column)
    if not isinstance(messages, list) or not all(isinstance(message, Mapping) for message in messages):
        raise ValueError(f"{column!r} is not a list of messages with role and content")
    said = [(message.get("role"), _text(message, "content")) for message in messages]
    system = said.pop(0)[1] if said and said[0][0] == "system" else None
    roles = [role for role, _ in said]
    if roles != [("user", "assistant")[i % 2] for i in range(len(roles))] or len(roles) % 2 == 0:
        raise ValueError(f"{column!r}: roles must be user and assistant in turn, a user last, not {roles}")
    texts = [text for _, text in said]
    return system, tuple(zip(texts[:-1:2], texts[1:-1:2], strict=True)), texts[-1]


def _text(values: Mapping[str, object], name: str) -> str:
    text = values.get(name)
    if not isinstance(text, str) or not text.strip():
        raise ValueError(f"{name!r} is missing or empty")
    return text
