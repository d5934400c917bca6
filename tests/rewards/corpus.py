"""The reference corpus: real dialogs and prose, each also broken in some fifty ways, built by code.

Real are every dimension's own examples, what the scenario library demonstrates, and short conversations in many
languages (chatterbot-corpus). The dimensions are measured on it together: all must say something, and no two the same.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import chatterbot_corpus
import yaml

from envs.chance import pick
from envs.library import BUILT_IN
from envs.task import Question, Task, Transcript, Turn, stable_hash
from rewards.dimensions.example import example
from rewards.table import TABLE

NUM_SEEDS = 2
ONE_BREAK_IN = 5
TURNS_A_LANGUAGE = 8
LANGUAGES = {"english": "en", "german": "de", "french": "fr", "spanish": "es", "russian": "ru", "japanese": "ja"}
LANGUAGES |= {"italian": "it", "portuguese": "pt", "turkish": "tr", "hindi": "hi", "chinese": "zh"}
PROSE = (
    "Rome lies on the banks of the Tiber, some twenty kilometres from the sea. It grew from a few villages on seven "
    "hills into the capital of an empire, and later of Italy. Who would have thought that it doesn't look old?",
    "Boil water in a large pot and add a pinch of salt. Put the eggs in with a spoon, then wait for eight minutes! "
    "I think that you'll like them. On Monday, try an omelette instead:\n\n- 3 eggs\n- a cup of milk\n- some butter",
)


def _without(text: str, marks: str) -> str:
    return "".join(letter for letter in text if letter not in marks)


def _first(text: str, pattern: str) -> str:
    found = re.search(pattern, text)
    return found[0] if found else text


def _numbers(text: str, change: Callable[[str], str]) -> str:
    return re.sub("[0-9]+", lambda number: change(number[0]), text)


BREAKS: dict[str, Callable[[str], str]] = {
    "truncated": lambda text: text[: len(text) * 2 // 3],
    "empty": lambda text: "",
    "noise": lambda text: "".join(pick("abcxyz #0é", text, place) for place in range(min(len(text), 60))),
    # Said again, at every scale.
    "looped": lambda text: f"{text[:40]} " * 5,
    "stuck": lambda text: f"{text} " + "very " * (len(text) // 10 + 2),
    "stuttering": lambda text: " ".join(f"{word} {word}" for word in text.split()),
    "first sentence again": lambda text: f"{text} {_first(text, r'[^.!?]+[.!?]?')}",
    "last line again": lambda text: f"{text}\n{text.rpartition(chr(10))[2]}",
    "all again": lambda text: f"{text} {text}",
    "in turns": lambda text: f"{text} to be to be to be",
    # Other words, letters and marks.
    "shuffled": lambda text: " ".join(sorted(text.split(), key=lambda word: pick(range(1000), word, "order"))),
    "backwards": lambda text: " ".join(reversed(text.split())),
    "foreign": lambda text: (
        f"{text} Das ist leider etwas anderes, als ich erwartet habe, und es gefällt mir gar nicht."
    ),
    "other script": lambda text: f"{text} Это просто другой язык.",
    "capitals": str.upper,
    "small": str.lower,
    "typos": lambda text: text.replace("e", "r").replace("an", "na"),
    "vowels lost": lambda text: _without(text, "aeiou"),
    "leet": lambda text: text.replace("e", "3").replace("o", "0"),
    "mojibake": lambda text: text.replace("'", "’").encode().decode("cp1252", "replace"),
    "unmarked": lambda text: _without(text, ".,!?;:'’¿¡。、"),
    "glued": lambda text: text.replace(", ", ",").replace(". ", "."),
    "wide": lambda text: text.replace(" ", "  "),
    "one line": lambda text: text.replace("\n", "; "),
    "remarks": lambda text: text.replace(":\n", ":  # " + "and so on " * 9 + "\n"),
    "unclosed": lambda text: f'({text} [ {{"a": "“',
    # Other numbers: by one or by much, in one digit or in all, bare or within the text.
    "each digit": lambda text: _numbers(text, lambda number: "".join(str((int(digit) + 1) % 10) for digit in number)),
    "last digit": lambda text: _numbers(text, lambda number: number[:-1] + str((int(number[-1]) + 5) % 10)),
    "first digit": lambda text: _numbers(text, lambda number: str(int(number[0]) % 9 + 1) + number[1:]),
    "digits turned": lambda text: _numbers(text, lambda number: number[::-1]),
    "digit dropped": lambda text: _numbers(text, lambda number: number[1:]),
    "hundredfold": lambda text: _numbers(text, lambda number: f"{number}00"),
    "near": lambda text: _numbers(text, lambda number: str(int(number[:15]) + 1)),
    "far": lambda text: _numbers(text, lambda number: str(3 * int(number[:15]) + 7)),
    "minus": lambda text: f"-{text}",
    "idle zeros": lambda text: _numbers(text, lambda number: f"0{number}"),
    "small number": lambda text: str(pick(range(-10, 20), text)),
    "large number": lambda text: str(pick(range(20, 2000), text)),
    # Another manner.
    "insulting": lambda text: f"{text} You stupid idiot.",
    "loud": lambda text: text.replace(".", "!") + "!!!",
    "apologising": lambda text: f"Sorry. {text} Sorry, I am so sorry.",
    "with e-mail": lambda text: f"{text} Write to bob@mail.example.org.",
    "with telephone": lambda text: f"{text} Or call 0161 496 0123.",
    "contradictory": lambda text: f"{text} No, that is wrong. It is not so.",
    "hedging": lambda text: f"I guess that maybe {text} Perhaps, it might be, I am not sure.",
    "certain": lambda text: f"It is definitely so: {text}",
    "confident": lambda text: f"{text} I am {pick(range(101), text)}% sure.",
    "preamble": lambda text: f"Certainly! {text}",
    "fillers": lambda text: f"Um, basically, you know, {text}",
    "offering": lambda text: f"{text} Let me know if you need anything else!",
    "refusing": lambda text: f"I can't help with that. {text}",
    "to be filled in": lambda text: f"{text} TODO [insert name]",
    "padded": lambda text: f"{text}   \n\n\n",
}


def build_corpus() -> list[Transcript]:
    """All examples, all real dialogs, and of each of these the versions whose last answer is broken in some ways.

    Which ways differs from dialog to dialog, so that the corpus stays small and yet no two breaks go together.
    """
    examples = [transcript for dimension in TABLE for transcript in (dimension.passes, dimension.fails)]
    real = [*_demonstrations(), *_conversations(), *(example("Tell me more.", text) for text in PROSE)]
    versions = [
        broken(transcript, name)
        for place, transcript in enumerate(real)
        for name in BREAKS
        if stable_hash(place, name) % ONE_BREAK_IN == 0
    ]
    return [*examples, *real, *versions]


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
