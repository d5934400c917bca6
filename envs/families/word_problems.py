"""Small stories with numbers in them, and a follow-up that changes one number."""

from dataclasses import dataclass

from envs.chance import pick
from envs.families.arithmetic import calculate
from envs.families.drawn import drawn
from envs.families.word_problem_phrasings import NAMES, STORIES
from envs.family import Family
from envs.task import Question

LARGEST = (6, 12, 40)  # number in a story, by level


@dataclass(frozen=True, slots=True)
class Story:
    """What a story does with its numbers `a` and `b`; `a` is a multiple of `b` where it is divided."""

    name: str
    description: str
    operator: str

    def draw(self, language: str, level: int, number: int) -> tuple[Question, ...]:
        wordings, follow_up = STORIES[self.name][language]
        b = pick(range(2, LARGEST[level] + 1), self.name, number, "b")
        a = pick(range(2, LARGEST[level] + 1), self.name, number, "a") * (b if self.operator == "/" else 1)
        if self.name == "giving" and a <= b:
            a += b  # nobody gives more than they have
        who, other = (pick(NAMES[half::2], self.name, number, half) for half in (0, 1))
        text = pick(wordings[: 1 if level == 0 else None], self.name, number).format(a=a, b=b, who=who, other=other)
        questions = [self._ask(text, a, b)]
        for step in range(level):
            a += b * pick(range(1, 6), self.name, number, step, "more")
            questions.append(self._ask(follow_up.format(a=a), a, b))
        return tuple(questions)

    def _ask(self, text: str, a: int, b: int) -> Question:
        result = calculate(self.operator, a, b)
        return Question(text, str(result), "integer", calculation=f"{a}{self.operator}{b}")


TOLD = (
    Story("shopping", "The price of several things.", "*"),
    Story("gifts", "How many there are after a gift.", "+"),
    Story("giving", "How many are left after some were given away.", "-"),
    Story("sharing", "Fair shares.", "/"),
    Story("ages", "Ages that differ by some years.", "+"),
    Story("rates", "Distance from speed and time.", "*"),
)

SCENARIOS = tuple(
    Family(
        story.name,
        "math",
        story.description,
        drawn(story.draw, len(LARGEST)),
        tuple(STORIES[story.name]),
    )
    for story in TOLD
)
