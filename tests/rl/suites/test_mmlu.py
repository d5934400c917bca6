"""MMLU: the prompt to the letter, scoring, and what becomes of rows and prompts that cannot be used."""

import asyncio
from pathlib import Path

import pytest

from rl.rows import DataFileError
from rl.suites.config import SuitesConfig
from rl.suites.mmlu import Mmlu, mmlu, prompt_of
from rl.suites.suite import Examination, SuiteError
from tests.rl.suites.subjects import Speaker

DEV = 'What is 1+1?,1,2,3,4,B\n"Which, of\nthese?",a,"b, c",d,e,A\n'
TEST = "What is 2+2?,4,5,6,7,A\nWhat is 3+3?,4,5,6,7,C\n"


def write(folder: Path, test: str = TEST, dev: str = DEV, subject: str = "high_school_sums") -> None:
    for split, text in (("dev", dev), ("test", test)):
        path = folder / "mmlu" / split / f"{subject}_{split}.csv"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def load(folder: Path, **settings: int) -> Mmlu:
    return mmlu(SuitesConfig(names=("mmlu",), data=str(folder), **settings))  # type: ignore[arg-type]


def examine(suite: Mmlu, subject: Speaker) -> Examination:
    return asyncio.run(suite.examine(subject))


def test_the_prompt_is_that_of_the_reference_code(tmp_path: Path) -> None:
    write(tmp_path)
    suite = load(tmp_path)
    problem = suite.problems[0]
    assert prompt_of(problem, suite.examples[problem.subject]) == (
        "The following are multiple choice questions (with answers) about high school sums.\n\n"
        "What is 1+1?\nA. 1\nB. 2\nC. 3\nD. 4\nAnswer: B\n\n"
        "Which, of\nthese?\nA. a\nB. b, c\nC. d\nD. e\nAnswer: A\n\n"
        "What is 2+2?\nA. 4\nB. 5\nC. 6\nD. 7\nAnswer:"
    )


def test_the_likeliest_letter_counts(tmp_path: Path) -> None:
    write(tmp_path)
    found = examine(load(tmp_path), Speaker(likes=lambda prompt, letter: 1.0 if letter.strip() == "C" else 0.0))
    assert [(row.item, row.answer, row.due, row.score) for row in found.rows] == [
        ("high_school_sums/1", "C", "A", 0.0),
        ("high_school_sums/2", "C", "C", 1.0),
    ]
    assert found.rows[0].detail == "2 examples; ln p: A 0.000000, B 0.000000, C 1.000000, D 0.000000"


def test_examples_give_way_before_the_question_does(tmp_path: Path) -> None:
    write(tmp_path)
    suite, subject = load(tmp_path), Speaker()
    lengths = [
        len(
            subject.chat.tokenizer(prompt_of(suite.problems[0], suite.examples["high_school_sums"][:n]) + " A")[
                "input_ids"
            ]
        )
        for n in (0, 1, 2)
    ]
    subject.max_length = lengths[1] + 1
    assert [row.detail[:10] for row in examine(suite, subject).rows] == ["1 examples"] * 2
    subject.max_length = lengths[0]
    found = examine(suite, subject)
    assert found.rows == ()
    assert found.skipped == {f"longer than the policy's {lengths[0]} tokens": 2}


def test_a_limit_draws_the_same_for_the_same_seed(tmp_path: Path) -> None:
    write(tmp_path, "".join(f"What is {n}+0?,1,2,3,4,A\n" for n in range(40)))
    drawn = [tuple(p.item for p in load(tmp_path, limit=10, seed=seed).problems) for seed in (1, 1, 2)]
    assert len(set(drawn[0])) == 10
    assert drawn[0] == drawn[1] != drawn[2]


def test_broken_rows_are_counted_up_to_a_limit(tmp_path: Path) -> None:
    write(tmp_path, TEST + "too,few,B\nWhat?,1,2,3,4,E\n")
    assert load(tmp_path, max_skipped_rows=2).num_broken == 2
    with pytest.raises(
        DataFileError, match=r"high_school_sums_test.csv:4: the answer is 'E'.* suites.max_skipped_rows"
    ):
        load(tmp_path, max_skipped_rows=1)


@pytest.mark.parametrize(
    ("test", "message"),
    [
        ('What?,"1,2,3,4,A\n', r"_test.csv:1: not CSV"),
        ("", "no question in"),
        ("W\udcff?,1,2,3,4,A\n", ":1: not UTF-8"),
    ],
)
def test_files_that_cannot_be_read(tmp_path: Path, test: str, message: str) -> None:
    write(tmp_path, "")
    (tmp_path / "mmlu" / "test" / "high_school_sums_test.csv").write_bytes(test.encode(errors="surrogateescape"))
    with pytest.raises((DataFileError, SuiteError), match=message):
        load(tmp_path)


def test_without_the_folder(tmp_path: Path) -> None:
    with pytest.raises(SuiteError, match="needs --data FOLDER, and in it mmlu/dev/SUBJECT_dev"):
        load(tmp_path)
    with pytest.raises(SuiteError, match="no such folder"):
        load(tmp_path / "nowhere")
