import time

import pytest

from envs.fences import Block, blocks, sole_block, without_blocks


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("x = 1", []),
        ("``` x", []),
        ("So:\n```Python\nx = 1\n```\nDone.", [Block("python", "x = 1\n", True)]),
        ("Here: ```\na\n``` and ```json lines\nb```", [Block("", "a\n", True), Block("json", "b", True)]),
        ("```py\nx = 1", [Block("py", "x = 1", False)]),
        ("````\na\n````", [Block("", "a\n", True)]),
    ],
)
def test_blocks(text: str, found: list[Block]) -> None:
    assert blocks(text) == found


def test_a_sole_block_is_all_there_is() -> None:
    assert sole_block(" ```json\n{}\n```\n") == Block("json", "{}\n", True)
    assert [sole_block(text) for text in ("{}", "```\n{}", "Here:\n```\n{}\n```", "```\na\n```\n```\nb\n```")] == [
        None
    ] * 4


def test_what_is_left_of_a_text_without_blocks() -> None:
    assert without_blocks("So:\n```\nx = 1\n```\nDone.\n```\nx") == "So:\n\nDone.\n"
    assert without_blocks("``` and `x`") == "``` and `x`"


@pytest.mark.parametrize("text", ["`" * 50_000, "```" + " " * 50_000, "```\n" * 20_000, "``` " * 20_000])
def test_noise_is_read_fast(text: str) -> None:
    started = time.process_time()
    blocks(text), sole_block(text), without_blocks(text)
    assert time.process_time() - started < 1
