"""What a reward model learns from: from its configuration to tokenised pairs in the directory of its stage."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from models.chat import chat_format
from rewards.resolve import resolve
from rewards.score import Scorer
from rl.documents import Documents, write_documents
from rl.pairs import Pairs, tokenise_pairs
from rl.preference_files import from_files
from rl.preference_runs import from_runs
from rl.preferences import Grader, Preference, from_scenarios
from rl.rows import Broken, DataFileError
from rl.stage_config import RewardModelConfig
from rl.tasks import mixture_of

if TYPE_CHECKING:
    from models.tokenizer import PreTrainedTokenizerBase as Tokenizer

LIMIT = "preferences.max_broken_rows"


def pair_texts(config: RewardModelConfig) -> Iterator[str]:
    """All that is said in the pairs, for a tokenizer to learn from. Raises DataFileError."""
    for preference in _preferences(config, Broken(config.preferences.max_broken_rows, LIMIT)):
        for dialog in (preference.chosen, preference.rejected):
            for turn in dialog:
                yield from turn


def prepare_pairs(
    config: RewardModelConfig, folder: Path, tokenizer: "Tokenizer", say: Callable[[str], None]
) -> Documents:
    """The stage's pairs in `folder`, written unless they are there already. Raises DataFileError, also where there is
    nothing to learn or nothing to measure.
    """
    preferences = config.preferences
    broken = Broken(preferences.max_broken_rows, LIMIT)
    alike: list[str] = []
    if not folder.exists():
        pairs = tokenise_pairs(
            _preferences(config, broken),
            chat_format(tokenizer),
            max_tokens=config.model.max_length,
            held_out_fraction=preferences.held_out_fraction,
            skip=alike.append,
        )
        write_documents(pairs, folder)
        say(f"pairs: {_left_out(alike, broken)}")
    documents = Documents.open(folder)
    held_out = int(documents.held_out[::2].sum())
    trained = len(documents.held_out) // 2 - held_out
    if not trained or not held_out:
        raise DataFileError(
            f"there are {trained:,} pairs of different answers to train on and {held_out:,} held out, and both are "
            "needed; give more pairs (preferences.num_pairs, files or runs), or change preferences.held_out_fraction "
            f"({_left_out(alike, broken)})"
        )
    say(f"pairs: {trained:,} to train on, {held_out:,} held out")
    return documents


def build_pairs(config: RewardModelConfig, documents: Documents, *, pad_token_id: int) -> Pairs:
    return Pairs(
        documents,
        seed=config.run.seed,
        batch_pairs=config.pairwise.batch_pairs,
        eval_pairs=config.pairwise.eval_pairs,
        pad_token_id=pad_token_id,
        train_fraction=config.preferences.train_fraction,
    )


def _preferences(config: RewardModelConfig, broken: Broken) -> Iterator[Preference]:
    preferences = config.preferences
    if config.tasks is not None and preferences.num_pairs:
        library, mix = mixture_of(config.tasks)
        scorer = Scorer(resolve(preferences.weights), {scenario.name: scenario for scenario in library.scenarios})
        yield from from_scenarios(
            library,
            mix,
            Grader(scorer, preferences.weights),
            num_pairs=preferences.num_pairs,
            max_turns=preferences.max_turns,
            min_margin=preferences.min_margin,
            seed=config.run.seed,
            fraction=config.tasks.held_out_fraction,
        )
    yield from from_runs(preferences.runs)
    yield from from_files(preferences.files, broken)


def _left_out(alike: list[str], broken: Broken) -> str:
    also = f"; {len(alike):,} more left out, such as {alike[0]}" if alike else ""
    return f"{broken}{also}"
