"""Dimensions of structure, protocol and instructions against numbers worked out by hand. None: it abstains."""

import pytest

from envs.constraints import CHECKS
from envs.task import Constraint, Transcript
from rewards.dimensions.example import example
from rewards.table import by_name

DIMENSIONS = by_name()


def text(answer: str, *constraints: Constraint) -> Transcript:
    return example("Tell me about it.", answer, constraints=constraints)


def choice(answer: str) -> Transcript:
    return example("Which one?", answer, expected="b", kind="choice")


CASES = (
    ("structure.fences_closed", text("```\na\n```\n```\nb"), 1 / 2),
    ("structure.fences_closed", text("no code"), None),
    ("structure.fences_named", text("```python\na\n```\n```\nb\n```"), 1 / 2),
    ("structure.inline_code_closed", text("`a`\n`b"), 1 / 2),
    ("structure.inline_code_closed", text("```\na\n```"), None),
    ("structure.emphasis_closed", text("**a**\n\n**b"), 1 / 2),
    ("structure.one_bullet_mark", text("- a\n- b\n* c"), 2 / 3),
    ("structure.one_bullet_mark", text("- a"), None),
    ("structure.numbers_in_order", text("1. a\n2. b\n2. c\n3. d"), 3 / 4),
    ("structure.numbers_in_order", text("2. a\n3. b"), 1 / 2),
    ("structure.list_length", text("\n".join(f"- {i}" for i in range(24))), 1 / 2),
    ("structure.items_alike", text("- A.\n- b"), 0.0),
    ("structure.items_alike", text("- A\n- B"), 1.0),
    ("structure.items_even", text("- a\n- b\n- " + "c" * 8), 1 / 2),
    ("structure.items_differ", text("- a\n- A.\n- b\n- c"), 3 / 4),
    ("structure.table_made", text("| a | b |\n|---|---|\n| 1 | 2 |"), 1.0),
    ("structure.table_made", text("| a | b |\n| 1 | 2 |"), 0.0),
    ("structure.table_cells", text("| a | b |\n|---|---|\n| 1 |\n| 1 | 2 |\n| 1 |"), 1 / 2),
    ("structure.heading_levels", text("# a\n## b\n#### c"), 1 / 2),
    ("structure.headings_have_text", text("# a\n## b\ntext\n## c"), 2 / 3),
    ("structure.links_complete", text("[a](https://a.example) [b](nowhere)"), 1 / 2),
    ("structure.json_valid", text('{"a": 1}'), 1.0),
    ("structure.json_valid", text('```json\n{"a": [1, 2}\n```'), 0.5 * 11 / 12),
    ("structure.json_valid", text("[name], hello"), None),
    ("structure.json_keys_unique", text('{"a": 1, "a": {"b": 2, "c": 3}}'), 3 / 4),
    ("structure.json_keys_unique", text('{"a": '), None),
    ("structure.tags_balanced", text("<b><i>a</b>"), 0.0),
    ("structure.tags_balanced", text("<b>a</b><br>"), 1.0),
    ("structure.tags_balanced", text("1 < 2"), None),
    ("structure.quotes_balanced", text('"a" and "b'), 2 / 3),
    ("structure.quotes_balanced", text("„Guten Tag“, sagte er."), 1.0),
    ("structure.quotes_balanced", text("«Bonjour"), 0.0),
    ("structure.paragraphs_divide", text("a " * 240), 1 / 2),
    ("structure.paragraphs_divide", text("short"), None),
    ("structure.tidy_whitespace", text("a b\nc  d"), 1 / 2),
    ("structure.latex_delimited", text("\\(a\\) and \\(b"), 2 / 3),
    ("structure.latex_delimited", text("\\begin{a}\\begin{b}\\end{b}\\end{a}"), 1.0),
    ("protocol.think_first", text("<think>a</think>b"), 1.0),
    ("protocol.think_first", text("b<think>a</think>"), 2 / 3),
    ("protocol.think_first", text("a</think>"), 0.0),
    ("protocol.think_first", text("b"), None),
    ("protocol.answer_after_thought", text("<think>a"), 0.0),
    ("protocol.one_final_answer", text("The answer is 3. Final answer: 4"), 1 / 2),
    ("protocol.final_answer_last", text("#### 4\nDone."), 1 / 2),
    ("protocol.box_filled", text("\\boxed{3} \\boxed{ } \\boxed{4"), 1 / 3),
    ("protocol.no_preamble", text("Bien sûr ! La voici."), 0.0),
    ("protocol.no_preamble", text("Surely it is."), 1.0),
    ("protocol.no_closing_offer", text("Rom. Sonst noch etwas?"), 0.0),
    ("protocol.no_question_first", text("Tell me about it. It is old."), 0.0),
    ("protocol.no_question_first", text("Tell me about it. Old.", Constraint("repeats", "Tell me about it.")), None),
    ("format.no_loose_ends", text("Dear [your name], TODO"), 1 / 3),
    ("format.no_loose_ends", text("Dear [your name]", Constraint("placeholders", 1)), None),
    ("format.no_escapes", text("a &amp; b \\u00e9"), 1 / 3),
    ("format.no_mojibake", text("cafÃ©"), 1 / 2),
    ("format.no_mojibake", text("cafe"), None),
    ("format.no_invisible", text("a\u200bb\u00e9"), 1 / 2),
    ("format.trimmed", text(" a "), 1 / 3),
    ("format.one_line", choice("b\nc"), 1 / 2),
    ("format.no_markup_in_short", choice("`b`"), 0.0),
    ("format.no_markup_in_short", text("`b`"), None),
    ("instruction.max_words", text("a b c d", Constraint("max_words", 3)), 3 / 4),
    ("instruction.max_words", text("a b c d"), None),
    ("instruction.mentions", text("tea", Constraint("mentions", "tea"), Constraint("mentions", "milk")), 1 / 2),
    ("instruction.share_followed", text("tea", Constraint("mentions", "tea"), Constraint("all_upper")), 1 / 2),
    ("instruction.share_followed", text("tea", Constraint("mentions", "tea")), None),
    ("instruction.share_followed", text("tea", Constraint("mentions", "tea"), Constraint("passes", "f()")), None),
    ("instruction.weakest", text("tea and", Constraint("num_words", 4), Constraint("mentions", "tea")), 1 / 2),
)


@pytest.mark.parametrize(("name", "transcript", "expected"), CASES, ids=[case[0] for case in CASES])
def test_by_hand(name: str, transcript: Transcript, expected: float | None) -> None:
    value = DIMENSIONS[name].score(transcript)
    assert value == (None if expected is None else pytest.approx(expected))


def test_every_demand_has_its_dimension() -> None:
    assert {f"instruction.{name}" for name in CHECKS} <= DIMENSIONS.keys()
