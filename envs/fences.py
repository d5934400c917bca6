"""Code blocks in a text, between lines of three backticks, as Markdown has them: the one reading of them."""

import re
from dataclasses import dataclass

_BLOCK = re.compile(r"(?<!`)`{3,}+([^\n`]*+)\n(.*?)(`{3,}+|\Z)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Block:
    """A code block. `language` is what its first line names, in lower case; an open one ends with the text."""

    language: str
    code: str
    is_closed: bool


def blocks(text: str) -> list[Block]:
    """In their order; a block may begin anywhere in a line.

    Example: `blocks("So:\\n```python\\nx = 1\\n```")` is `[Block("python", "x = 1\\n", True)]`
    """
    if "```" not in text:
        return []
    return [Block(_first_word(info), code, bool(end)) for info, code, end in _BLOCK.findall(text)]


def sole_block(text: str) -> Block | None:
    """The block that is the whole text but for white space around it; None where there is more, or it is open."""
    body = text.strip()
    found = _BLOCK.match(body)
    if found is None or not found[3] or found.end() != len(body):
        return None
    return Block(_first_word(found[1]), found[2], True)


def without_blocks(text: str) -> str:
    return _BLOCK.sub("", text) if "```" in text else text


def _first_word(info: str) -> str:
    return info.strip().partition(" ")[0].lower()
