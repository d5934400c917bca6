"""Is Markdown in an answer well made? Answers without Markdown are not judged."""

import re
from collections.abc import Sequence
from functools import cache, lru_cache
from itertools import pairwise
from statistics import median
from typing import Protocol, cast

from envs.fences import blocks
from envs.prose import bullets, numbered, words
from envs.task import Transcript
from rewards.dimension import Dimension
from rewards.dimensions.example import example
from rewards.reading import MEMORY

MAX_CHARACTERS = 4000  # of an answer that are parsed
MIN_ITEMS = 2
MAX_ITEMS = 12  # a longer list is better divided
MAX_UNEVENNESS = 4.0  # the longest item over the median one

_MARKER = re.compile(r"^ {0,3}([-*+•])[ \t]+\S", re.MULTILINE)
_HEADING = re.compile(r"^(#{1,6})[ \t]+\S.*$", re.MULTILINE)
_TABLE_ROW = re.compile(r"^[ \t]*\|.*\|[ \t]*$", re.MULTILINE)
_LINK = re.compile(r"\[[^\[\]\n]{1,200}\]\(([^()\n]{0,300})(\)?)")
_ADDRESS = re.compile(r"(?:https?://|mailto:|/|#|\.{0,2}/)[^\s]+|[\w-]+\.[\w./-]+")


class Token(Protocol):
    """What is used of markdown-it's tokens."""

    type: str
    tag: str
    content: str

    @property
    def children(self) -> Sequence["Token"] | None: ...


class Parser(Protocol):
    def parse(self, src: str) -> Sequence[Token]: ...


@cache
def parser() -> Parser:
    from markdown_it import MarkdownIt

    return cast(Parser, MarkdownIt("commonmark", {"maxNesting": 20}).enable("table"))


@lru_cache(MEMORY)
def parsed(text: str) -> tuple[Token, ...]:
    """The tokens of a text's blocks."""
    return tuple(parser().parse(text[:MAX_CHARACTERS]))


def fences_closed(transcript: Transcript) -> float | None:
    """Share of the code blocks that are closed."""
    found = blocks(transcript.last.answer)
    return sum(block.is_closed for block in found) / len(found) if found else None


def fences_named(transcript: Transcript) -> float | None:
    """Share of the code blocks that say their language."""
    found = blocks(transcript.last.answer)
    return sum(bool(words(block.language)) for block in found) / len(found) if found else None


def inline_code_closed(transcript: Transcript) -> float | None:
    text = transcript.last.answer
    if "`" not in text:
        return None
    lines = [line.replace("```", "") for line in text.splitlines() if "`" in line.replace("```", "")]
    return sum(line.count("`") % 2 == 0 for line in lines) / len(lines) if lines else None


def emphasis_closed(transcript: Transcript) -> float | None:
    """Share of the paragraphs with ** in which it comes in pairs around something."""
    marked = [part for part in transcript.last.answer.split("\n\n") if "**" in part]
    if not marked:
        return None
    return sum(part.count("**") % 2 == 0 and "****" not in part for part in marked) / len(marked)


def one_bullet_mark(transcript: Transcript) -> float | None:
    """Share of the bullets that have the most frequent mark."""
    marks = _MARKER.findall(transcript.last.answer)
    return max(marks.count(mark) for mark in "-*+•") / len(marks) if len(marks) >= MIN_ITEMS else None


def numbers_in_order(transcript: Transcript) -> float | None:
    """Share of a numbered list's items that count on from the one before; the first is 1."""
    listed = [number for number, _ in numbered(transcript.last.answer)]
    if len(listed) < MIN_ITEMS:
        return None
    return ((listed[0] == 1) + sum(b == a + 1 for a, b in pairwise(listed))) / len(listed)


def _items(text: str) -> list[str]:
    return bullets(text) or [item for _, item in numbered(text)]


def list_length(transcript: Transcript) -> float | None:
    """1 for 2 to 12 items; a half for one; 12 / number for more."""
    number = len(_items(transcript.last.answer))
    return min(1.0, number / MIN_ITEMS, MAX_ITEMS / number) if number else None


def items_alike(transcript: Transcript) -> float | None:
    """How far the items of a list agree: all or none begin with a capital, all or none end in a stop."""
    items = _items(transcript.last.answer)
    if len(items) < MIN_ITEMS:
        return None
    capital = sum(item[0].isupper() for item in items) / len(items)
    stopped = sum(item.rstrip()[-1] in ".;!?。" for item in items) / len(items)
    return (abs(2 * capital - 1) + abs(2 * stopped - 1)) / 2


def items_even(transcript: Transcript) -> float | None:
    """1 up to 4 times the median length for the longest item, then falling."""
    lengths = [len(item) for item in _items(transcript.last.answer)]
    return min(1.0, MAX_UNEVENNESS * median(lengths) / max(lengths)) if len(lengths) > MIN_ITEMS else None


def items_differ(transcript: Transcript) -> float | None:
    items = [item.strip(" .;").casefold() for item in _items(transcript.last.answer)]
    return len(set(items)) / len(items) if len(items) >= MIN_ITEMS else None


def table_made(transcript: Transcript) -> float | None:
    """Share of the lines between | that a parser takes for rows of a table."""
    text = transcript.last.answer
    rows = _TABLE_ROW.findall(text[:MAX_CHARACTERS])
    if not rows:
        return None
    made = sum(token.type == "tr_open" for token in parsed(text))
    return min(1.0, (made + sum(token.type == "table_open" for token in parsed(text))) / len(rows))


def table_cells(transcript: Transcript) -> float | None:
    """Share of the rows of a table that have as many cells as the first."""
    cells = [row.count("|") for row in _TABLE_ROW.findall(transcript.last.answer)]
    return sum(count == cells[0] for count in cells[1:]) / (len(cells) - 1) if len(cells) > 1 else None


def heading_levels(transcript: Transcript) -> float | None:
    """Share of the headings that are at most one level below the one before."""
    levels = [len(marks) for marks in _HEADING.findall(transcript.last.answer)]
    return sum(b <= a + 1 for a, b in pairwise(levels)) / (len(levels) - 1) if len(levels) > 1 else None


def headings_have_text(transcript: Transcript) -> float | None:
    """Share of the headings under which something is said before the next of the same or a higher level."""
    text = transcript.last.answer
    tokens = parsed(text) if _HEADING.search(text) else ()
    places = [index for index, token in enumerate(tokens) if token.type == "heading_close"]
    if not places:
        return None
    filled = 0
    for place in places:
        follows = tokens[place + 1] if place + 1 < len(tokens) else None
        filled += follows is not None and (follows.type != "heading_open" or follows.tag > tokens[place].tag)
    return filled / len(places)


def links_complete(transcript: Transcript) -> float | None:
    links = _LINK.findall(transcript.last.answer)
    if not links:
        return None
    return sum(bool(closed) and _ADDRESS.fullmatch(address) is not None for address, closed in links) / len(links)


def _cities(answer: str) -> Transcript:
    return example("Name some cities of Italy.", answer)


DIMENSIONS = (
    Dimension(
        "structure.fences_closed",
        "structure",
        "Every code block that is opened is closed.",
        fences_closed,
        passes=_cities("```\nRome\n```"),
        fails=_cities("```\nRome"),
    ),
    Dimension(
        "structure.fences_named",
        "structure",
        "Share of the code blocks that name their language.",
        fences_named,
        passes=_cities("```json\n[]\n```"),
        fails=_cities("```\n[]\n```"),
    ),
    Dimension(
        "structure.inline_code_closed",
        "structure",
        "Share of the lines with inline code in which every mark has its partner.",
        inline_code_closed,
        passes=_cities("Call `cities()`."),
        fails=_cities("Call `cities()."),
    ),
    Dimension(
        "structure.emphasis_closed",
        "structure",
        "Share of the paragraphs with bold text in which every mark has its partner.",
        emphasis_closed,
        passes=_cities("It is **Rome**."),
        fails=_cities("It is **Rome."),
    ),
    Dimension(
        "structure.one_bullet_mark",
        "structure",
        "A list keeps to one kind of bullet.",
        one_bullet_mark,
        passes=_cities("- Rome\n- Milan"),
        fails=_cities("- Rome\n* Milan"),
    ),
    Dimension(
        "structure.numbers_in_order",
        "structure",
        "A numbered list counts 1, 2, 3.",
        numbers_in_order,
        passes=_cities("1. Rome\n2. Milan"),
        fails=_cities("1. Rome\n1. Milan"),
    ),
    Dimension(
        "structure.list_length",
        "structure",
        "A list has more than one item and not too many.",
        list_length,
        passes=_cities("- Rome\n- Milan"),
        fails=_cities("- Rome"),
    ),
    Dimension(
        "structure.items_alike",
        "structure",
        "The items of a list begin and end alike.",
        items_alike,
        passes=_cities("- Rome\n- Milan"),
        fails=_cities("- Rome.\n- milan"),
    ),
    Dimension(
        "structure.items_even",
        "structure",
        "No item of a list is far longer than the others.",
        items_even,
        passes=_cities("- Rome\n- Milan\n- Turin"),
        fails=_cities("- Rome\n- Milan\n- Turin, which lies in the north, on the river Po, not far from the Alps"),
    ),
    Dimension(
        "structure.items_differ",
        "structure",
        "Share of the items of a list that are not listed before.",
        items_differ,
        passes=_cities("- Rome\n- Milan"),
        fails=_cities("- Rome\n- Rome"),
    ),
    Dimension(
        "structure.table_made",
        "structure",
        "Lines with cells make a table, with a line below the header.",
        table_made,
        passes=_cities("| City |\n|---|\n| Rome |"),
        fails=_cities("| City |\n| Rome |"),
        cost="moderate",
    ),
    Dimension(
        "structure.table_cells",
        "structure",
        "Share of a table's rows that have as many cells as the first.",
        table_cells,
        passes=_cities("| City | River |\n|---|---|\n| Rome | Tiber |"),
        fails=_cities("| City | River |\n|---|---|\n| Rome |"),
    ),
    Dimension(
        "structure.heading_levels",
        "structure",
        "Headings go down one level at a time.",
        heading_levels,
        passes=_cities("# Italy\n## Rome"),
        fails=_cities("# Italy\n#### Rome"),
    ),
    Dimension(
        "structure.headings_have_text",
        "structure",
        "Share of the headings that something is said under.",
        headings_have_text,
        passes=_cities("# Rome\nThe capital."),
        fails=_cities("# Rome\n# Milan"),
        cost="moderate",
    ),
    Dimension(
        "structure.links_complete",
        "structure",
        "Share of the links that have an address and end.",
        links_complete,
        passes=_cities("See [Rome](https://rome.example)."),
        fails=_cities("See [Rome]()."),
    ),
)
