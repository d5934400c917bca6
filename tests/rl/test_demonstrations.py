"""Dialogs to imitate: only answers are learnt, none is a held-out question, files of several shapes are read."""

import json
from pathlib import Path

import numpy as np
import pytest

from envs.calls import OUTPUT
from envs.library import BUILT_IN, Library
from envs.mix import MixLine, is_held_out
from rl.demonstrations import Demonstration, from_files, from_scenarios, tokenise_dialogs
from rl.rows import Broken, DataFileError
from rl.stage_config import DemonstrationsConfig, DialogFileConfig
from tests.rl.fakes import chat

DATA = Path(__file__).parents[3] / "shared" / "data"


def read(path: Path, limit: int = 0, **how: str) -> list[Demonstration]:
    return list(from_files([DialogFileConfig(path=str(path), **how)], Broken(limit, "demonstrations.max_broken_rows")))


def write(path: Path, *rows: object) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_scenarios_answer_themselves_and_hold_out_what_is_held_out() -> None:
    mix = [MixLine("arithmetic-dialog", 1.0, ("en",), (0,)), MixLine("capital-cities", 1.0, ("de",), (0,))]
    config = DemonstrationsConfig(num_dialogs=60, max_turns=2)
    dialogs = list(from_scenarios(Library(BUILT_IN), mix, config, seed=1, fraction=0.5))
    assert dialogs == list(from_scenarios(Library(BUILT_IN), mix, config, seed=1, fraction=0.5))
    assert {dialog.language for dialog in dialogs} == {"en", "de"}
    assert {len(dialog.turns) for dialog in dialogs if dialog.language == "en"} == {2}
    assert not any(is_held_out(dialog.turns[0][0], 0.5) for dialog in dialogs)
    assert all(answer for dialog in dialogs for _, answer in dialog.turns)


def test_the_mask_covers_the_answers_and_their_ends() -> None:
    dialog = Demonstration((("1 + 2?", "3"), ("plus 3?", "6")), "en")
    [document] = tokenise_dialogs([dialog], chat(), max_tokens=64, held_out_fraction=0.0)
    end = chat().stop_token_ids[0]
    learnt = document.ids[document.loss_mask]
    np.testing.assert_array_equal(learnt, [*chat().answer("3"), *chat().answer("6")])
    assert (learnt == end).sum() == 2
    assert document.num_bytes == 2


def test_what_a_tool_gave_is_read_and_not_learnt() -> None:
    answer = "So <calc>1+2</calc><out>3</out>3"
    dialog = Demonstration((("1 + 2?", answer), ("plus 3?", "6")), "en", "Tools")
    [document] = tokenise_dialogs([dialog], chat(), max_tokens=128, held_out_fraction=0.0, has_tools=True)
    parts = [chat().insert("So <calc>1+2</calc>"), chat().answer("3"), chat().answer("6")]
    np.testing.assert_array_equal(document.ids[document.loss_mask], np.concatenate(parts))
    assert document.num_bytes == len("So <calc>1+2</calc>3") + 1
    start = len(chat().open("1 + 2?", "Tools")) + len(parts[0])
    output = chat().insert("<out>3</out>")
    assert document.ids[start : start + len(output)].tolist() == output
    [plain] = tokenise_dialogs([dialog], chat(), max_tokens=128, held_out_fraction=0.0)
    assert plain.loss_mask.sum() > document.loss_mask.sum()  # without tools `<out>` is a text like any other


def test_a_share_of_the_drawn_dialogs_has_tools_and_calls_them_rightly() -> None:
    mix = [MixLine("arithmetic-dialog", 1.0, ("en",), (4, 5))]
    config = DemonstrationsConfig(num_dialogs=80, max_turns=3, tools=("calculator",), tool_share=0.5)
    dialogs = list(from_scenarios(Library(BUILT_IN), mix, config, seed=1, fraction=0.0))
    plain = DemonstrationsConfig(num_dialogs=80, max_turns=3)
    for dialog, without in zip(
        dialogs, from_scenarios(Library(BUILT_IN), mix, plain, seed=1, fraction=0.0), strict=True
    ):
        for (question, answer), (_, wanted) in zip(dialog.turns, without.turns, strict=True):
            said, output, final = OUTPUT.sub("|", answer).rpartition("|")
            assert final == wanted
            assert bool(output) == bool(dialog.system)
            if output:
                assert answer == f"{said}<out>{wanted}</out>{wanted}", question
    with_tools = [dialog for dialog in dialogs if dialog.system == "Tools: <calc>12*(3+4)</calc><out>84</out>"]
    assert 25 < len(with_tools) < 55
    assert all(dialog.system is None for dialog in dialogs if dialog not in with_tools)


def test_a_dialog_that_is_too_long_loses_its_last_turns_or_goes() -> None:
    short, long = Demonstration((("a", "b"), ("c" * 90, "d")), "en"), Demonstration((("c" * 90, "d"),), "en")
    [document] = tokenise_dialogs([short, long], chat(), max_tokens=64, held_out_fraction=0.0)
    assert "c" not in chat().tokenizer.decode(document.ids.tolist())


def test_questions_with_inputs_and_messages(tmp_path: Path) -> None:
    pairs = write(tmp_path / "a.jsonl", {"q": "Sum?", "x": "1, 2", "a": "3"}, {"q": "Hi", "x": "", "a": "Hello"})
    found = read(pairs, question_column="q", input_column="x", answer_column="a")
    assert [dialog.turns for dialog in found] == [(("Sum?\n\n1, 2", "3"),), (("Hi", "Hello"),)]
    system, user, assistant = ({"role": role, "content": role} for role in ("system", "user", "assistant"))
    messages = write(tmp_path / "b.jsonl", {"m": [system, user, assistant, user, assistant]})
    [dialog] = read(messages, messages_column="m")
    assert dialog == Demonstration((("user", "assistant"),) * 2, "en", "system")


@pytest.mark.parametrize(
    ("messages", "cause"),
    [
        ([], "roles must be user and assistant in turn, not []"),
        ([{"role": "user", "content": "a"}], "roles must be user and assistant in turn, not ['user']"),
        ("text", "is not a list of messages with role and content"),
        ([{"role": "user", "content": "a"}, {"role": "assistant", "content": " "}], "'content' is missing or empty"),
    ],
)
def test_broken_messages_are_named_with_their_line(messages: object, cause: str, tmp_path: Path) -> None:
    good = {"m": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]}
    path = write(tmp_path / "a.jsonl", good, {"m": messages})
    assert len(read(path, limit=1, messages_column="m")) == 1
    with pytest.raises(DataFileError) as caught:
        read(path, messages_column="m")
    assert str(caught.value).startswith(f"{path}:2: ")
    assert cause in str(caught.value)


def test_gsm8k_is_read_as_it_comes() -> None:
    path = DATA / "gsm8k" / "train.jsonl"
    if not path.exists():
        pytest.skip(f"no data in {path}")
    dialogs = read(path)
    assert len(dialogs) == 7473
    assert dialogs[0].turns[0][1].endswith("#### 72")


def test_self_instruct_is_read_as_it_comes() -> None:
    path = DATA / "self_instruct" / "seed_tasks.jsonl"
    if not path.exists():
        pytest.skip(f"no data in {path}")
    columns = {"question_column": "instruction", "input_column": "instances.0.input"}
    dialogs = read(path, answer_column="instances.0.output", **columns)
    assert len(dialogs) == 175
    assert dialogs[0].turns[0][0].startswith("Is there anything I can eat for a breakfast")
    assert dialogs[0].turns[0][1].startswith("Yes, you can have 1 oatmeal banana protein shake")
