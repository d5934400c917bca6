import json
import textwrap
from dataclasses import asdict
from pathlib import Path

import pytest

import envs.library
from envs.library import BUILT_IN, Library, ScenarioError, build_library
from envs.task import Question, Task, Transcript, Turn
from envs.user_file import UserFileError
from envs.users import SimulatedUser

VALID = """
from envs.task import Question
from envs.users import SimulatedUser

class Echo:
    '''Says a word; the policy repeats it.

    More about it.
    '''

    name, domain, languages, num_levels = "echo", "copying", ("en",), 2

    def size(self, language, level):
        return 2

    def dialog(self, task):
        word = ("yes", "no")[task.seed % 2]
        return SimulatedUser([Question(f"Say {word}.", word)])

    def verify(self, transcript):
        return float(transcript.last.answer == transcript.last.question.answer)

SCENARIOS = [Echo()]
"""


SILENT = """
class Silent:
    def __init__(self, questions): ...

    def open(self):
        return "Say yes."
"""


def write(folder: Path, text: str, name: str = "mine.py") -> str:
    file = folder / name
    file.write_text(text)
    return str(file)


def test_names_of_the_built_in_scenarios_differ() -> None:
    assert len({scenario.name for scenario in BUILT_IN}) == len(BUILT_IN)


def test_a_scenario_from_a_file_is_found_and_plays(tmp_path: Path) -> None:
    library = build_library([write(tmp_path, VALID)])
    task = Task("echo", "en", 1, 3)
    scenario = library.find("echo")
    question = scenario.dialog(task).open()
    assert library.opening(task) == question.text == "Say no."
    assert scenario.verify(Transcript(task, (Turn(question, "no", "stop", 2),))) == 1


def test_a_scenario_that_cannot_open_is_named_with_the_line(tmp_path: Path) -> None:
    text = VALID.replace('word = ("yes", "no")[task.seed % 2]', 'word = {}["yes"]')
    library = build_library([write(tmp_path, text)])
    with pytest.raises(ScenarioError) as caught:
        library.opening(Task("echo", "en", 1, 3))
    assert str(caught.value) == "echo/en/1/3 cannot be asked: KeyError: 'yes' (mine.py, line 17)"


class Unjudged:
    name, domain, languages, num_levels = "unjudged", "test", ("en",), 1

    def size(self, language: str, level: int) -> int:
        return 1

    def dialog(self, task: Task) -> SimulatedUser:
        return SimulatedUser([Question("Say yes.", "yes"), Question("And now no.", "no")])

    def verify(self, transcript: Transcript) -> float:
        if len(transcript.turns) == 2:
            raise LookupError(f"nobody to judge {transcript.last.answer!r}")
        return 1.0


def test_a_rehearsal_finds_what_cannot_be_judged() -> None:
    library = Library((Unjudged(), *BUILT_IN))
    library.rehearse(Task("arithmetic-dialog", "en", 0, 3), max_turns=5)
    library.rehearse(Task("unjudged", "en", 0, 0), max_turns=1)
    with pytest.raises(ScenarioError, match=r"unjudged/en/0/0 cannot be judged: LookupError: nobody to judge 'no' \("):
        library.rehearse(Task("unjudged", "en", 0, 0), max_turns=5)


def test_a_question_of_unknown_kind_is_refused(tmp_path: Path) -> None:
    text = VALID.replace(", word)]", ", word, kind='riddle')]")
    library = build_library([write(tmp_path, text)])
    with pytest.raises(ScenarioError, match=r"echo/en/1/3 asks a question of unknown kind 'riddle'; known: integer, "):
        library.rehearse(Task("echo", "en", 1, 3), max_turns=1)


@pytest.mark.parametrize(
    ("old", "new", "cause"),
    [
        (", word)]", ", 5)]", "asks a question with 5 where a text is due: Question"),
        ("return SimulatedUser(", "return Silent(", "asks 'Say yes.', which is no envs.task.Question"),
    ],
)
def test_what_is_no_question_of_texts_is_refused(tmp_path: Path, old: str, new: str, cause: str) -> None:
    assert old in VALID
    library = build_library([write(tmp_path, SILENT + VALID.replace(old, new))])
    with pytest.raises(ScenarioError, match=rf"echo/en/1/3 {cause}"):
        library.opening(Task("echo", "en", 1, 3))


def test_the_questions_of_a_right_dialog() -> None:
    library, task = Library(), Task("arithmetic-dialog", "en", 0, 3)
    questions = library.questions(task, max_turns=5)
    assert [question.text for question in questions[:1]] == [library.opening(task)]
    assert len(questions) == 2
    assert library.questions(task, max_turns=1) == questions[:1]


def test_the_example_in_the_docstring_works(tmp_path: Path) -> None:
    text = textwrap.dedent((envs.library.__doc__ or "").partition("the file:\n")[2])
    library = build_library([write(tmp_path, text)])
    assert library.opening(Task("capitals", "en", 0, 1)) == "What is the capital of Japan?"


def test_the_listing_is_plain_data(tmp_path: Path) -> None:
    questions = write(tmp_path, '{"question": "3*6?", "answer": "18", "language": "de"}', "questions.jsonl")
    listing = {info.name: info for info in build_library([write(tmp_path, VALID)], questions).listing()}
    assert asdict(listing["echo"]) == {
        "name": "echo",
        "domain": "copying",
        "languages": ("en",),
        "num_levels": 2,
        "description": "Says a word; the policy repeats it.",
    }
    assert listing["questions"].languages == ("de",)
    assert all(info.description for info in listing.values())
    json.dumps([asdict(info) for info in listing.values()])


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(ScenarioError, match="unknown scenario 'arithmetics'; did you mean arithmetic"):
        Library().find("arithmetics")


def test_questions_without_a_file_says_what_to_set() -> None:
    with pytest.raises(ScenarioError, match=r"set tasks\.questions"):
        Library().find("questions")


def test_a_name_can_be_taken_once(tmp_path: Path) -> None:
    path = write(tmp_path, VALID.replace('"echo"', '"arithmetic"'))
    with pytest.raises(ScenarioError, match=r"mine\.py: the name 'arithmetic' is taken"):
        build_library([path])


@pytest.mark.parametrize(
    ("old", "new", "cause"),
    [
        ("[Echo()]", "[Echo]", r"is a class, not an object: write Echo\(\)"),
        ("[Echo()]", "[3]", "has no 'name'"),
        ("def verify", "def check", "has no 'verify'"),
        ("def dialog(self, task)", "def dialog(self)", r"needs a method dialog\(task\)"),
        ("def size(self, language, level)", "def size(self, level)", r"needs a method size\(language, level\)"),
        ('("en",)', '"en"', "needs a tuple of language codes"),
        ('("en",)', "()", "needs a tuple of language codes"),
        ('("en",), 2', '("en",), 0', "needs a whole number of at least 1 as 'num_levels'"),
        ('"echo", ', '"", ', "needs texts as 'name' and 'domain'"),
    ],
)
def test_a_wrong_shape_names_file_line_and_cause(tmp_path: Path, old: str, new: str, cause: str) -> None:
    assert old in VALID
    path = write(tmp_path, VALID.replace(old, new))
    line = VALID.splitlines().index("SCENARIOS = [Echo()]") + 1
    with pytest.raises(UserFileError, match=rf"mine\.py:{line}: SCENARIOS\[0\] {cause}"):
        build_library([path])


@pytest.mark.parametrize(
    ("role", "cause"),
    [
        ("def played(self, task): ...", r"needs a method verify_user\(transcript\)"),
        ("def verify_user(self, transcript): ...", r"needs a method played\(task\)"),
        ("def proposed(self): ...", r"needs a method proposed\(transcript\)"),
    ],
)
def test_a_role_that_is_half_there_is_refused(tmp_path: Path, role: str, cause: str) -> None:
    path = write(tmp_path, VALID.replace("SCENARIOS", f"    {role}\n\nSCENARIOS"))
    with pytest.raises(UserFileError, match=rf"SCENARIOS\[0\] {cause}"):
        build_library([path])
