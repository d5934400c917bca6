import csv
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from envs.questions import DataError, questions_family, read_questions
from envs.task import FinishReason, Question, Task, Transcript, Turn

GSM8K = Path(__file__).parents[3] / "shared" / "data" / "gsm8k"
ROWS = [
    {"question": "3 boxes of 6 eggs: how many?", "answer": "3*6=<<3*6=18>>18\n#### 18"},
    {"question": "Half of $2,160?", "answer": "$1,080."},
    {"question": "Combien fait 1/2 + 2 ?", "answer": "2.50", "language": "fr"},
]
GOLDS = [("18", "en"), ("1080", "en"), ("2.5", "fr")]


def write(folder: Path, ending: str, rows: list[dict[str, str]] = ROWS) -> str:
    file = folder / f"questions{ending}"
    columns = ["question", "answer", "language"]
    match ending:
        case ".jsonl":
            file.write_text("".join(json.dumps(row) + "\n" for row in rows))
        case ".csv":
            with file.open("w", newline="") as lines:
                writer = csv.DictWriter(lines, columns, restval="")
                writer.writeheader()
                writer.writerows(rows)
        case ".parquet":
            pq.write_table(pa.Table.from_pylist([{name: row.get(name) for name in columns} for row in rows]), file)
    return str(file)


def write_text(folder: Path, name: str, text: str | bytes) -> str:
    file = folder / name
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return str(file)


@pytest.mark.parametrize("ending", [".jsonl", ".csv", ".parquet"])
def test_all_formats_read_the_same(tmp_path: Path, ending: str) -> None:
    rows = read_questions(write(tmp_path, ending))
    assert [row.question for row in rows] == [row["question"] for row in ROWS]
    assert [(row.answer, row.language) for row in rows] == GOLDS


def test_each_language_has_its_own_questions(tmp_path: Path) -> None:
    scenario = questions_family(write(tmp_path, ".jsonl"))
    assert scenario.languages == ("en", "fr")
    assert [scenario.size(language, 0) for language in scenario.languages] == [2, 1]
    assert scenario.dialog(Task("questions", "en", 0, 3)).open() == Question("Half of $2,160?", "1080", "number")
    assert scenario.dialog(Task("questions", "fr", 0, 3)).open().answer == "2.5"


@pytest.mark.parametrize(
    ("answer", "finish", "success"),
    [
        ("1080", "stop", 1),
        ("Half of 2160 is $1,080.00.", "stop", 1),
        (r"\boxed{1080}, not 7", "stop", 1),
        ("#### 1080\n7", "stop", 1),
        ("1080", "length", 0),
        ("108", "stop", 0),
        ("-1080", "stop", 0),
        ("I do not know", "stop", 0),
        ("1080? No, 1081", "stop", 0),
    ],
)
def test_the_final_number_is_judged(tmp_path: Path, answer: str, finish: FinishReason, success: float) -> None:
    scenario = questions_family(write(tmp_path, ".jsonl"))
    turn = Turn(Question("Half of $2,160?", "1080", "number"), answer, finish, num_tokens=9)
    assert scenario.verify(Transcript(Task("questions", "en", 0, 1), (turn,))) == success


@pytest.mark.parametrize("answer", [18, 18.0, "18", 1.8e1])
def test_a_number_may_be_a_number(tmp_path: Path, answer: object) -> None:
    row = json.dumps({"question": "3*6?", "answer": answer})
    assert read_questions(write_text(tmp_path, "a.jsonl", row))[0].answer == "18"


def test_very_large_floats_keep_their_size(tmp_path: Path) -> None:
    rows = read_questions(write_text(tmp_path, "a.jsonl", '{"question": "?", "answer": 1e20}'))
    assert rows[0].answer == "1" + "0" * 20


GOOD = '{"question": "3*6?", "answer": "18"}\n'


@pytest.mark.parametrize(
    ("name", "text", "place", "cause"),
    [
        ("a.jsonl", GOOD + "\n{oops\n", "a.jsonl:3", "not JSON"),
        ("a.jsonl", GOOD + "[1]\n", "a.jsonl:2", "JSON list"),
        ("a.jsonl", "9" * 5000, "a.jsonl:1", "not JSON"),
        (
            "a.jsonl",
            GOOD + '{"prompt": "3*6?", "answer": "18"}',
            "a.jsonl:2",
            "'question' missing.*has: prompt, answer",
        ),
        ("a.jsonl", '{"question": " ", "answer": ""}', "a.jsonl:1", "'question' and 'answer' missing or empty"),
        ("a.jsonl", '{"question": "3*6?", "answer": "many"}', "a.jsonl:1", "holds no number: 'many'"),
        ("a.jsonl", '{"question": "3*6?", "answer": NaN}', "a.jsonl:1", "it must be a decimal number"),
        ("a.jsonl", '{"question": "3*6?", "answer": "1/3"}', "a.jsonl:1", "1/3 is not a decimal number"),
        ("a.jsonl", '{"question": "3*6?", "answer": true}', "a.jsonl:1", "not bool"),
        ("a.jsonl", '{"question": 3, "answer": "18"}', "a.jsonl:1", "must be text"),
        ("a.jsonl", "", "a.jsonl", "holds no questions"),
        ("a.jsonl", b'{"question": "\xff"}', "a.jsonl", "not UTF-8"),
        ("a.csv", "", "a.csv:1", "no column 'question' and 'answer'.*has: none"),
        ("a.csv", "question,answer\n", "a.csv", "holds no questions"),
        ("a.csv", "question,solution\n3*6?,18\n", "a.csv:1", "no column 'answer'.*has: question, solution"),
        ("a.csv", 'question,answer\n"3*6,\n is?",18\n3 boxes, 6 eggs?,18\n', "a.csv:4", "3 fields under 2 columns"),
        ("a.csv", 'question,answer\n3*6?,18\n"3*7?,21\n', "a.csv:3", "not CSV"),
        ("a.csv", b"question,answer\n3*6\xff?,18\n", "a.csv", "not UTF-8"),
        ("a.parquet", "PAR?", "a.parquet", "not Parquet"),
        ("a.txt", GOOD, "a.txt", "allowed are .jsonl, .csv and .parquet"),
    ],
)
def test_errors_name_file_line_and_cause(tmp_path: Path, name: str, text: str | bytes, place: str, cause: str) -> None:
    path = write_text(tmp_path, name, text)
    with pytest.raises(DataError, match=f"{tmp_path}/{place}: .*{cause}"):
        read_questions(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"none\.csv: no such file"):
        read_questions(str(tmp_path / "none.csv"))


def test_errors_in_parquet_name_the_row(tmp_path: Path) -> None:
    path = write(tmp_path, ".parquet", [ROWS[0], {"question": "3*6?"}])
    with pytest.raises(DataError, match=r"questions\.parquet, row 2: 'answer' missing"):
        read_questions(path)


def test_a_parquet_file_without_the_columns_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "a.parquet"
    pq.write_table(pa.table({"prompt": ["3*6?"], "answer": ["18"]}), file)
    with pytest.raises(DataError, match=r"no column 'question'.*has: prompt, answer"):
        read_questions(str(file))


@pytest.mark.skipif(not GSM8K.is_dir(), reason=f"the GSM8K files are not in {GSM8K}")
def test_gsm8k_reads_as_its_own_answers_say() -> None:
    scenario = questions_family(str(GSM8K / "test.jsonl"))
    lines = [json.loads(line) for line in (GSM8K / "test.jsonl").read_text().splitlines()]
    assert scenario.size("en", 0) == len(lines) == 1319
    for row, line in zip(read_questions(str(GSM8K / "test.jsonl")), lines, strict=True):
        assert row.answer == line["answer"].rpartition("####")[2].strip().replace(",", "")
        turn = Turn(Question(row.question, row.answer, "number"), line["answer"], "stop", num_tokens=99)
        assert scenario.verify(Transcript(Task("questions", "en", 0, 0), (turn,))) == 1
