"""The other suites on a policy made of functions, and what becomes of what they find."""

import asyncio
import json
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from envs.task import Question
from rl.suites.config import SuitesConfig
from rl.suites.contamination import contamination
from rl.suites.gsm8k import gsm8k
from rl.suites.ifeval import follows
from rl.suites.instruct import instruct
from rl.suites.knowledge import Knowledge
from rl.suites.pages import print_results
from rl.suites.policies import Policy, PolicyError, evaluation_config
from rl.suites.results import SuiteResult, read_answers, read_results, summarize, write_result
from rl.suites.scenarios import context, math
from rl.suites.speed import latency, memory, percentiles
from rl.suites.suite import Examination, Row, Suite, SuiteError
from rl.suites.table import SUITES, build_suites
from tests.rl.suites.subjects import Speaker, right

SMALL = SuitesConfig(names=("math",), limit=24, num_resamples=100)


def examine(suite: Suite, subject: Speaker) -> Examination:
    return asyncio.run(suite.examine(subject))


def result(suite: Suite, found: Examination) -> SuiteResult:
    return summarize(
        suite,
        found,
        contamination=None,
        policy="abc",
        seconds=1.0,
        seed=0,
        num_resamples=100,
        settings={"suites.limit": "24"},
    )


@pytest.mark.parametrize("make", [math, context])
def test_who_says_what_is_right_has_every_point(make: type) -> None:
    suite = make(SMALL)
    perfect, hopeless = (result(suite, examine(suite, subject)).value for subject in (Speaker(right), Speaker()))
    assert (perfect.value, hopeless.value) == ((0.0, 1.0) if suite.lower_is_better else (1.0, 0.0))


def test_context_asks_only_for_what_was_told_before() -> None:
    """Who says "ok" to everything has told nothing back."""
    found = examine(context(SMALL), Speaker(lambda question, sample: "ok"))
    assert {row.score for row in found.rows} == {1.0}


def test_knowledge_counts_the_likeliest_answer() -> None:
    suite = Knowledge(SMALL)
    shortest = examine(suite, Speaker(likes=lambda prompt, answer: -len(answer)))
    assert len(shortest.rows) == 24
    for row in shortest.rows:
        options = [part.rpartition(" ")[0] for part in row.detail.partition("ln p: ")[2].split(", ")]
        assert row.due in row.detail
        assert row.score == float(row.answer == row.due)
        assert len(options) >= 4
    again = examine(suite, Speaker(likes=lambda prompt, answer: -len(answer)))
    assert again == shortest


def test_knowledge_shows_no_answer_in_its_examples() -> None:
    seen: list[str] = []
    examine(Knowledge(SMALL), Speaker(likes=lambda prompt, answer: seen.append(prompt) or 0.0))  # type: ignore[func-returns-value]
    assert all(prompt.count("<|user|>") == 6 for prompt in seen)


def test_gsm8k_draws_and_counts_majorities(tmp_path: Path) -> None:
    (tmp_path / "gsm8k").mkdir()
    rows = [{"question": f"What is {n}+1?", "answer": f"It is {n}+1.\n#### {n + 1}"} for n in range(3)]
    (tmp_path / "gsm8k" / "test.jsonl").write_text("\n".join(map(json.dumps, rows)) + '\n{"question": "no"}\n')
    suite = gsm8k(SMALL.model_copy(update={"data": str(tmp_path), "num_samples": 4}))

    def says(question: Question, sample: int) -> str:
        """Greedy: always 1. Drawn: 2 in three of four answers."""
        return "1" if sample == 0 else "#### 2" if sample < 4 else "I give up"

    found = examine(suite, Speaker(says))
    summary = result(suite, found)
    assert found.skipped == {"broken rows": 1}
    assert {name: round(value.value, 6) for name, value in summary.metrics.items()} == {
        "accuracy": round(1 / 3, 6),
        "pass@1": 0.25,  # one problem of three, three answers of four
        "pass@2": round(1 / 3, 6),
        "pass@4": round(1 / 3, 6),
        "maj@4": round(1 / 3, 6),
    }


def test_dialogs_that_failed_are_skipped_and_counted() -> None:
    suite = math(SMALL)
    subject = Speaker(right, refuses=(0, 1, 2))
    summary = result(suite, examine(suite, subject))
    assert summary.skipped == {"the opening question has too many tokens": 3}
    assert (summary.num_items, summary.value.value) == (21, 1.0)
    with pytest.raises(SuiteError, match="no item could be asked: 24 the opening question"):
        result(suite, examine(suite, Speaker(right, refuses=tuple(range(24)))))


def test_results_come_back_as_they_were_written(tmp_path: Path) -> None:
    suite = math(SMALL)
    found = examine(suite, Speaker(right))
    summary = result(suite, found)
    write_result(tmp_path, summary, found.rows)
    assert read_results(tmp_path) == {"math": summary}
    assert read_answers(tmp_path, "math") == list(found.rows)
    (tmp_path / "math.json").write_text("{}")
    with pytest.raises(SuiteError, match=r"math.json: damaged"):
        read_results(tmp_path)


def test_speed_by_hand() -> None:
    times = [[1.0, 1.5, 2.5], [3.0, 3.5, 4.0]]
    assert percentiles(times, 1) == pytest.approx(
        {
            "first token p50 at 1, seconds": 2.0,
            "first token p95 at 1, seconds": 2.9,
            "per token p50 at 1, seconds": 0.5,
            "per token p95 at 1, seconds": 0.925,
        }
    )
    found = examine(latency(SMALL), Speaker())
    assert found.extras["first token p50 at 16, seconds"] == 8.0
    assert result(latency(SMALL), found).value.value == 0.5
    assert examine(memory(SMALL), Speaker()).extras["KV-cache, tokens"] == 4096


def test_contamination_by_hand() -> None:
    long = "one two three four five six seven eight nine ten eleven twelve thirteen"
    rows = [
        Row("seen", "g", 0, "What is  IT?", "", "", 1.0),
        Row("overlap", "g", 0, f"Say {long} now", "", "", 1.0),
        Row("clean", "g", 0, f"Say {long.replace('seven', '7')} now", "", "", 0.0),
    ]
    found = contamination(rows, ["what is it?", f"again: {long}"])
    assert (found.num_texts, found.clean) == (2, ("clean",))
    assert (found.seen_share, found.overlap_share) == pytest.approx((1 / 3, 1 / 3))
    assert contamination(rows, []).clean == ()


def test_what_was_not_compared_is_said() -> None:
    suite = math(SMALL)
    unchecked = result(suite, examine(suite, Speaker(right)))
    checked = replace(unchecked, contamination=contamination([], ["what is it?"]))
    console = Console(record=True, width=250)
    print_results([unchecked, checked, result(memory(SMALL), examine(memory(SMALL), Speaker()))], console)
    lines = [line for line in console.export_text().splitlines() if "compared" in line]
    assert lines == [
        "math: not compared with what the policy was trained on: there are no PPO dialogs of it",
        "math: 0.0% of the items were asked in training word for word, 0.0% share a long run of words with it "
        "(1 questions of its PPO dialogs; what the model had been shown before was not compared)",
    ]


@pytest.mark.parametrize(
    ("instruction", "given", "good", "bad"),
    [
        ("punctuation:no_comma", {}, "No comma here", "One, two"),
        ("length_constraints:number_words", {"relation": "at least", "num_words": 3}, "a b c", "a b"),
        ("length_constraints:number_words", {"relation": "less than", "num_words": 3}, "a b", "a b c"),
        ("keywords:frequency", {"relation": "at least", "frequency": 2, "keyword": "cat"}, "Cat cat", "cat"),
        ("keywords:existence", {"keywords": ["cat", "dog"]}, "dog and cat", "cat"),
        ("keywords:forbidden_words", {"forbidden_words": ["cat"]}, "concatenate", "a cat"),
        ("keywords:letter_frequency", {"letter": "x", "let_frequency": 2, "let_relation": "less than"}, "ax", "xx"),
        ("length_constraints:number_paragraphs", {"num_paragraphs": 2}, "a\n***\nb", "a\n\nb"),
        (
            "length_constraints:nth_paragraph_first_word",
            {"num_paragraphs": 2, "nth_paragraph": 2, "first_word": "elm"},
            "a\n\nElm tree",
            "elm\n\na",
        ),
        ("detectable_content:postscript", {"postscript_marker": "P.S."}, "Hi\nP.S. bye", "Hi"),
        ("detectable_format:number_bullet_lists", {"num_bullets": 2}, "* a\n- b", "* a"),
        ("detectable_format:number_highlighted_sections", {"num_highlights": 2}, "*a* and *b*", "*a* and b"),
        ("detectable_format:json_format", {}, '```json\n{"a": 1}\n```', "a: 1"),
        ("detectable_format:title", {}, "<<a title>>", "a title"),
        ("combination:two_responses", {}, "a\n******\nb", "a\n******\na"),
        ("combination:repeat_prompt", {"prompt_to_repeat": "Say it."}, "say it. It", "It"),
        ("startend:end_checker", {"end_phrase": "The end."}, 'So: "the end."', "The end. No"),
        ("startend:quotation", {}, '"quoted"', '"open'),
        ("change_case:english_capital", {}, "LOUD 1", "Loud"),
        ("change_case:english_lowercase", {}, "quiet 1", "Quiet"),
        (
            "detectable_format:multiple_sections",
            {"section_spliter": "Day", "num_sections": 2},
            "Day 1 a Day 2 b",
            "Day",
        ),
    ],
)
def test_instructions(instruction: str, given: dict, good: str, bad: str) -> None:
    assert follows(instruction, given, good)
    assert not follows(instruction, given, bad)
    assert not follows(instruction, given, " ")


def test_ifeval_rows(tmp_path: Path) -> None:
    (tmp_path / "ifeval").mkdir()
    row = {"key": 1, "prompt": "Say hi.", "instruction_id_list": ["punctuation:no_comma", "startend:quotation"]}
    rows = [row | {"kwargs": [{}, {}]}, row | {"kwargs": [{}]}, row | {"instruction_id_list": ["new"], "kwargs": [{}]}]
    (tmp_path / "ifeval" / "a.jsonl").write_text("\n".join(map(json.dumps, rows)))
    suite = instruct(SMALL.model_copy(update={"data": str(tmp_path)}))
    found = examine(suite, Speaker(lambda question, sample: "hi"))
    assert [(r.score, r.detail) for r in found.rows] == [(0.0, "1 of 2 followed, not startend:quotation")]
    assert found.extras == {"instructions followed": 0.5}
    assert found.skipped == {"broken rows": 2}


def test_names_of_suites() -> None:
    assert [suite.name for suite in build_suites(SMALL)] == ["math"]
    with pytest.raises(SuiteError, match="no suite 'mmul'; did you mean mmlu"):
        build_suites(SMALL.model_copy(update={"names": ("mmul",)}))
    with pytest.raises(SuiteError, match="each once"):
        build_suites(SMALL.model_copy(update={"names": ("math", "math")}))
    for name in SUITES.keys() - {"mmlu", "gsm8k", "code"}:
        assert build_suites(SMALL.model_copy(update={"names": (name,)}))[0].name == name


def test_simulated_answers_are_not_evaluated(tmp_path: Path) -> None:
    shape = {"num_attention_heads": 1, "hidden_size": 8, "num_hidden_layers": 1, "vocab_size": 8}
    (tmp_path / "config.json").write_text(json.dumps(shape))
    policy = Policy(tmp_path, tmp_path, is_run=False)
    assert evaluation_config(policy, {}, []).rollout.engine == "vllm"
    with pytest.raises(PolicyError, match=r"rollout\.engine = 'simulated': must be vllm"):
        evaluation_config(policy, {}, ["rollout.engine=simulated"])
