"""The reference corpus: real dialogs and prose, each also broken in some fifteen ways, built by code.

Real are every dimension's own examples, what the scenario library demonstrates, and short conversations in many
languages (chatterbot-corpus). The dimensions are measured on it together: all must say something, and no two the same.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import chatterbot_corpus
import yaml

from envs.chance import pick
from envs.library import BUILT_IN
from envs.task import Question, Task, Transcript, Turn
from rewards.dimensions.example import example
from rewards.table import TABLE

NUM_SEEDS = 2
TURNS_A_LANGUAGE = 8
LANGUAGES = {"english": "en", "german": "de", "french": "fr", "spanish": "es", "russian": "ru", "japanese": "ja"}
LANGUAGES |= {"italian": "it", "portuguese": "pt", "turkish": "tr", "hindi": "hi", "chinese": "zh"}
PROSE = (
    "Rome lies on the banks of the Tiber, some twenty kilometres from the sea. It grew from a few villages on seven "
    "hills into the capital of an empire, and later of Italy. Who would have thought that it doesn't look old?",
    "Boil water in a large pot and add a pinch of salt. Put the eggs in with a spoon, then wait for eight minutes! "
    "I think that you'll like them. On Monday, try an omelette instead:\n\n- 3 eggs\n- a cup of milk\n- some butter",
)


def _last(text: str, marks: str) -> str:
    return "".join(letter for letter in text if letter not in marks)


BREAKS: dict[str, Callable[[str], str]] = {
    "truncated": lambda text: text[: len(text) * 2 // 3],
    "looped": lambda text: f"{text[:40]} " * 5,
    "shuffled": lambda text: " ".join(sorted(text.split(), key=lambda word: pick(range(1000), word, "order"))),
    "foreign": lambda text: (
        f"{text} Das ist leider etwas anderes, als ich erwartet habe, und es gefällt mir gar nicht."
    ),
    "capitals": str.upper,
    "small": str.lower,
    "typos": lambda text: text.replace("e", "r").replace("an", "na"),
    "leet": lambda text: text.replace("e", "3").replace("o", "0"),
    "unmarked": lambda text: _last(text, ".,!?;:'’¿¡。、"),
    "off by one": lambda text: "".join(str((int(sign) + 1) % 10) if "0" <= sign <= "9" else sign for sign in text),
    "other number": lambda text: "".join(f"{sign}00" if "0" <= sign <= "9" else sign for sign in text),
    "minus": lambda text: f"-{text}",
    "unclosed": lambda text: f'({text} [ {{"a": "“',
    "rude": lambda text: f"{text} You stupid idiot!!! Sorry, sorry, sorry.",
    "leaking": lambda text: f"{text} Write to bob@mail.example.org or call +44 161 496 0123.",
    "contradictory": lambda text: f"{text} No, that is wrong. It is not so.",
    "padded": lambda text: f"Certainly! Great question, um, basically, {text}   \n\n\n",
    "noise": lambda text: "".join(pick("abcxyz #0é", text, place) for place in range(min(len(text), 60))),
    "empty": lambda text: "",
}


def build_corpus() -> list[Transcript]:
    """All real dialogs, then each as it reads with its last answer broken in every way."""
    whole = [transcript for dimension in TABLE for transcript in (dimension.passes, dimension.fails)]
    real = [*_demonstrations(), *_conversations(), *(example("Tell me more.", text) for text in PROSE)]
    return [*whole, *real, *(broken(transcript, name) for transcript in real for name in BREAKS)]


def broken(transcript: Transcript, name: str) -> Transcript:
    answer = BREAKS[name](transcript.last.answer)
    turn = replace(transcript.last, answer=answer, num_tokens=len(answer) // 4 + 1)
    if name == "truncated":
        turn = replace(turn, finish="length")
    return replace(transcript, turns=(*transcript.turns[:-1], turn))


def _demonstrations() -> Iterator[Transcript]:
    """The first dialogs of every scenario, each at another level and in another of its languages."""
    for scenario in BUILT_IN:
        for seed in range(NUM_SEEDS):
            language = scenario.languages[seed % len(scenario.languages)]
            task = Task(scenario.name, language, seed % scenario.num_levels, seed)
            dialog, turns = scenario.dialog(task), list[Turn]()
            question: Question | None = dialog.open()
            while question is not None and len(turns) < 3:
                turns.append(Turn(question, question.demonstration, "stop", num_tokens=8))
                question = dialog.reply(question.demonstration)
            yield Transcript(task, tuple(turns))


def _conversations() -> Iterator[Transcript]:
    data = Path(chatterbot_corpus.__file__).parent / "data"
    for name, language in LANGUAGES.items():
        file = sorted((data / name).glob("conversations.yml")) or sorted((data / name).glob("*.yml"))
        rounds = yaml.safe_load(file[0].read_text(encoding="utf-8"))["conversations"]
        for said in sorted(rounds, key=lambda parts: -len(str(parts[-1])))[:TURNS_A_LANGUAGE]:
            yield example(str(said[0]), str(said[-1]), language=language)
