"""Whether a benchmark's items were met in training: equal opening questions, and long runs of words in common.

What was met is read from the run's trajectory store: everything that users said in training dialogs. What was left
out: texts that earlier stages or somebody else trained on. Of fine-tuning and pre-training a run keeps token ids alone,
in which a question cannot be told from the words of a template around it; the report says what was not compared.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from rl.near_duplicates import normalise
from rl.store import Query, read
from rl.suites.suite import Row

NUM_WORDS = 13  # in a row, that no two texts share by chance: GPT-3's choice (Brown et al. 2020, 2005.14165, C)
_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Contamination:
    """What of the items had been met.

    Attributes:
        num_texts: different questions of training dialogs that were compared with.
        seen_share: of the items, those whose question training has asked word for word.
        overlap_share: of the items, those with `NUM_WORDS` words in a row that training has seen.
        clean: the items with neither, where there are others.
    """

    num_texts: int
    seen_share: float
    overlap_share: float
    clean: tuple[str, ...]


def training_questions(run_dir: Path) -> set[str]:
    """Every question that training dialogs have asked, normalised."""
    dialogs = read(run_dir, Query(purpose="train"))
    return {normalise(turn.question.text) for record in dialogs for turn in record.trajectory.turns}


def contamination(rows: Sequence[Row], trained: Iterable[str]) -> Contamination:
    """`trained`: normalised texts."""
    texts = set(trained)
    runs = {run for text in texts for run in _runs(text)}
    questions = {row.item: normalise(row.question) for row in rows}
    seen = {item for item, question in questions.items() if question in texts}
    overlapping = {item for item, question in questions.items() if any(run in runs for run in _runs(question))}
    met, total = seen | overlapping, max(len(questions), 1)
    return Contamination(
        num_texts=len(texts),
        seen_share=len(seen) / total,
        overlap_share=len(overlapping) / total,
        clean=tuple(item for item in questions if item not in met) if met else (),
    )


def _runs(text: str) -> Iterator[int]:
    """Hashes of all runs of words; none of a shorter text."""
    words = _WORD.findall(text)
    return (hash(tuple(words[start : start + NUM_WORDS])) for start in range(len(words) - NUM_WORDS + 1))
