"""The words that every floor uses: what is asked (`Task`, `Question`), and what was said (`Turn`, `Transcript`).

They are plain frozen data, so a task can be drawn on one machine, talked through on another and judged on a third.
"""

import hashlib
from dataclasses import dataclass, field
from typing import Literal, Protocol, get_args, runtime_checkable

FinishReason = Literal["stop", "length"]
Kind = Literal[  # what sort of answer a question is due; `envs/verdicts.py` compares
    "integer",  # a whole number in its usual digits, and nothing else
    "number",  # a number; the last one that is said counts
    "choice",  # one of a few letters, words or names, and nothing else; case and punctuation around it do not count
    "mention",  # a word of the constraint "one_of", in a sentence or alone, and no word of "none_of"
    "text",  # words; case, spaces and punctuation do not count. Without a right answer: what meets the constraints
    "exact",  # a text to the letter; only the width of its spaces does not count
    "sequence",  # items in their order, with spaces or commas between
    "list",  # items in any order, with commas between
    "slots",  # values in their places, with commas between
    "json",  # a value in JSON, however it is set
    "code",  # a Python program, or what fills a gap in one; see `envs/program.py`
    "expression",  # a formula with a given value
    "condition",  # a formula that is true for given numbers
    "call",  # a call of a tool, see `envs/tools.py`
    "amount",  # a number between the constraints "at_least" and "at_most"
    "formula",  # a calculation of one's own
    "procedure",  # how something is done, in free words
    "reply",  # what one says back in small talk
]
KINDS: tuple[str, ...] = get_args(Kind)
ERROR = "error: "  # what the output of a call that failed begins with


@dataclass(frozen=True, slots=True)
class Task:
    """One dialog to hold. The fields determine it entirely: same fields, same dialog, on any machine.

    Example: `Task("arithmetic", language="en", level=0, seed=17)`

    Attributes:
        given: what somebody else has put into the task, such as a calculation that the policy itself has proposed.
    """

    scenario: str
    language: str
    level: int
    seed: int
    given: str = ""

    @property
    def id(self) -> str:
        given = f"/{stable_hash(self.given):x}" if self.given else ""
        return f"{self.scenario}/{self.language}/{self.level}/{self.seed:x}{given}"


@dataclass(frozen=True, slots=True)
class Constraint:
    """A demand on the form or content of an answer that a program can check.

    Example: `Constraint("max_words", 20)`, `Constraint("mentions", "Anna")`
    """

    name: str
    value: str | int = ""


@dataclass(frozen=True, slots=True)
class Question:
    """What the user says in one turn, and how an answer to it is known to be right.

    Attributes:
        answer: the one right answer, which a verifier may compare with; None: there is no single one.
        kind: what sort of answer is due.
        oracle: where there is no single right answer, one that succeeds.
        constraints: what the question demands of any answer.
        calculation: an expression whose value is the answer, for those who may use a calculator; see `envs/calls.py`.
    """

    text: str
    answer: str | None = None
    kind: Kind = "text"
    oracle: str | None = None
    constraints: tuple[Constraint, ...] = ()
    calculation: str = ""

    @property
    def demonstration(self) -> str:
        """An answer that succeeds; empty where the question names none."""
        return self.answer if self.answer is not None else self.oracle or ""


@dataclass(frozen=True, slots=True)
class ToolUse:
    """A call that the policy wrote within an answer, and what it read of it before it went on; see `envs/calls.py`.

    Example: `str(ToolUse("calc", "12*3", "36")) == "<calc>12*3</calc><out>36</out>"`

    Attributes:
        output: the result, or `ERROR` and why there is none.
        position: where in the answer it stood, in characters.
    """

    tool: str
    call: str
    output: str
    position: int = 0

    @property
    def is_error(self) -> bool:
        return self.output.startswith(ERROR)

    def __str__(self) -> str:
        return f"<{self.tool}>{self.call}</{self.tool}><out>{self.output}</out>"


@dataclass(frozen=True, slots=True)
class Turn:
    """A question and what the policy answered.

    Attributes:
        answer: all that the user hears. Calls, and what came of them, are left out: judges read the answer alone.
        finish: "length" where the answer was cut off by a limit.
        num_tokens: policy tokens, calls and the end token included, outputs of tools not.
    """

    question: Question
    answer: str
    finish: FinishReason
    num_tokens: int
    tool_uses: tuple[ToolUse, ...] = ()

    @property
    def text(self) -> str:
        """The answer with the calls in their places, for people."""
        text = self.answer
        for use in reversed(self.tool_uses):
            text = text[: use.position] + str(use) + text[use.position :]
        return text


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a dialog elsewhere: what the roles of self-play are paid for.

    Attributes:
        valid: whether what was said made a task that a verifier can check.
        new: whether nobody had proposed the same task lately.
        success: mean success of those who then dealt with it, 0 to 1; None where nobody did.
        proposed: whether the dialog was one that puts a task together.
    """

    valid: bool = True
    new: bool = True
    success: float | None = None
    proposed: bool = False


@dataclass(frozen=True, slots=True)
class Transcript:
    """A dialog so far. A judge looks at the last turn, with the earlier ones as its context.

    Attributes:
        outcome: what came of the whole dialog elsewhere; None where that does not matter, or is not known yet.
    """

    task: Task
    turns: tuple[Turn, ...] = field(default=())
    outcome: Outcome | None = None

    @property
    def last(self) -> Turn:
        return self.turns[-1]

    def upto(self, index: int) -> "Transcript":
        """The dialog as it stood after turn `index` (0-based)."""
        return Transcript(self.task, self.turns[: index + 1], self.outcome)


class Dialog(Protocol):
    """The other side of one conversation; single-use."""

    def open(self) -> Question: ...

    def reply(self, answer: str) -> Question | None:
        """The next question, after the policy's answer to the one before; None ends the dialog."""
        ...


class PlayedDialog(Protocol):
    """A conversation whose user is a model too, with a goal that the assistant does not see; single-use.

    The user's player reads `brief` and speaks first. What it says reaches the assistant through `ask`, and the
    assistant's answer reaches the player through `tell`, and so on in turn.
    """

    def brief(self) -> Question:
        """What the user's player is told at the start."""
        ...

    def ask(self, words: str) -> Question | None:
        """The assistant's next question, after these words of the user; None ends the dialog."""
        ...

    def tell(self, answer: str) -> Question | None:
        """What the player reads next, after this answer of the assistant; None ends the dialog."""
        ...


@runtime_checkable
class Played(Protocol):
    """A scenario whose users are played by a model. Its `dialog` is the same conversation with a user who is a program
    and says the right thing; evaluation of the assistant alone and the tokenizer's texts come from there.
    """

    def played(self, task: Task) -> PlayedDialog: ...

    def verify_user(self, transcript: Transcript) -> float:
        """Success of the user's last turn, 0 to 1; the questions of this transcript are what the player read."""
        ...


@runtime_checkable
class Proposing(Protocol):
    """A scenario in which the policy puts a task together for others to solve."""

    def proposed(self, transcript: Transcript) -> Task | None:
        """The task that this dialog has made; None where a verifier could not check it. The same task, however it is
        worded, has the same `given`; its seed is that of the proposing task.
        """
        ...


class Scenario(Protocol):
    """A family of dialogs with difficulty levels `0 .. num_levels - 1`.

    A user's own scenario is any object of this shape, see `envs/library.py`.
    """

    @property
    def name(self) -> str: ...

    @property
    def domain(self) -> str: ...

    @property
    def languages(self) -> tuple[str, ...]: ...

    @property
    def num_levels(self) -> int: ...

    def size(self, language: str, level: int) -> int | None:
        """How many different opening questions there are, if few enough to list.

        Seeds are then read modulo this number: seeds `0 .. size - 1` ask each opening question once.
        """
        ...

    def dialog(self, task: Task) -> Dialog: ...

    def verify(self, transcript: Transcript) -> float:
        """Success of the last turn, 0 to 1: right (1), wrong (0), or part of it."""
        ...


def stable_hash(*parts: str | int) -> int:
    """A 63-bit number from `parts`: equal on every machine and in every process, unlike `hash()`."""
    text = "\x1f".join(str(part) for part in parts)
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big") >> 1
