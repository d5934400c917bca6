"""Ways to make a good answer worse, each a function of a key: what a reward model is shown beside the good one.

They range from what any reader sees (words in no order) to what only one who can do the task sees (a number that is a
little wrong). Everything is made of what answers are made of, so that no letter gives a corrupted one away.
"""

import re
from collections.abc import Callable, Sequence

from envs.chance import pick
from envs.task import stable_hash

Key = tuple[str | int, ...]

MAX_WORDS = 6
_NUMBER = re.compile(r"-?\d+")


def other(answer: str, others: Sequence[str], key: Key) -> str:
    """The right answer to something else."""
    return pick(others, *key, "other")


def changed(answer: str, others: Sequence[str], key: Key) -> str:
    """A number that is a little off; a letter that is another one, where there is no number."""
    numbers = list(_NUMBER.finditer(answer))
    if numbers:
        number = pick(numbers, *key, "which")
        wrong = int(number[0]) + pick([d for d in range(-9, 10) if d], *key, "difference")
        return f"{answer[: number.start()]}{wrong}{answer[number.end() :]}"
    place = stable_hash(*key, "place") % max(len(answer), 1)
    letters = "".join(others) or answer
    return answer[:place] + pick(letters, *key, "letter") + answer[place + 1 :]


def cut(answer: str, others: Sequence[str], key: Key) -> str:
    """Its beginning, or nothing."""
    return answer[: stable_hash(*key, "end") % max(len(answer), 1)].rstrip()


def prolonged(answer: str, others: Sequence[str], key: Key) -> str:
    """The answer, and another one behind it."""
    return f"{answer} {pick([*others, answer], *key, 'more')}"


def jumbled(answer: str, others: Sequence[str], key: Key) -> str:
    """Words of several answers, in no order."""
    words = " ".join(others).split() or [answer]
    return " ".join(pick(words, *key, n) for n in range(1 + stable_hash(*key, "count") % MAX_WORDS))


CORRUPTIONS: dict[str, Callable[[str, Sequence[str], Key], str]] = {
    "other": other,
    "changed": changed,
    "cut": cut,
    "prolonged": prolonged,
    "jumbled": jumbled,
}
