"""What a supervised stage learns from: from its configuration to tokenised documents in its directory."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from models.chat import chat_format
from models.tokenizer import decode_ids, encode_texts
from rl.corpus import Counts, Document, read_sources, tokenise, without_repeats
from rl.demonstrations import Demonstration, from_files, from_scenarios, tokenise_dialogs
from rl.documents import Documents, Mixture, Paced, Tokenised, write_documents
from rl.embedded_corpus import embedded_corpus
from rl.pair_data import pair_texts
from rl.rows import Broken, DataFileError
from rl.stage_config import DialogFileConfig, PretrainConfig, RewardModelConfig, SFTConfig, SupervisedStage
from rl.tasks import mixture_of

if TYPE_CHECKING:
    from models.tokenizer import PreTrainedTokenizerBase as Tokenizer

TOKENIZER_CHARACTERS = 1_000_000  # that the tokenizer learns from, per language: enough, and none drowns the others


def start_texts(config: SupervisedStage) -> Iterator[str]:
    """What the tokenizer of a stage that starts from random weights is trained on. Raises DataFileError."""
    used = Counter[str]()
    for text, language in _texts(config):
        if used[language] < TOKENIZER_CHARACTERS:
            used[language] += len(text)
            yield text


def check_files(config: SFTConfig) -> None:
    """Read all dialogs that the user gives, for what is wrong with them. Raises DataFileError."""
    broken = Broken(config.demonstrations.max_broken_rows, "demonstrations.max_broken_rows")
    for _ in from_files(config.demonstrations.files, broken):
        pass


def prepare_documents(
    config: PretrainConfig | SFTConfig,
    folder: Path,
    tokenizer: "Tokenizer",
    say: Callable[[str], None],
    *,
    own_dialogs: Sequence[DialogFileConfig] = (),
) -> Documents:
    """The stage's documents in `folder`, written unless they are there already. Raises DataFileError.

    `own_dialogs`: files of demonstrations that the stage has made itself, see `rl.rejection`.
    """
    if not folder.exists():
        if isinstance(config, PretrainConfig):
            broken = Broken(config.corpus.max_broken_rows, "corpus.max_broken_rows")
            counts = Counts()
            write_documents(_tokenised_texts(config, tokenizer, broken, counts), folder)
            say(f"corpus: {counts}; {broken}")
        else:
            broken = Broken(config.demonstrations.max_broken_rows, "demonstrations.max_broken_rows")
            write_documents(_tokenised_dialogs(config, tokenizer, broken, own_dialogs), folder)
            say(f"demonstrations: {broken}")
    documents = Documents.open(folder)
    if not len(documents.lengths) or documents.held_out.all():
        raise DataFileError("there is no document to train on: all are empty, too long, or held out")
    return documents


def build_mixture(config: PretrainConfig | SFTConfig, documents: Documents, *, pad_token_id: int) -> Mixture:
    """The batches of a stage. Texts are cut to fill the rows, and weighed by language; dialogs stay whole."""
    curriculum, num_steps = config.curriculum, config.run.num_iterations
    paced = Paced(
        start_levels=curriculum.start_levels,
        full_step=round(curriculum.full_at * num_steps),
        num_bands=curriculum.num_bands if curriculum.by == "length" else None,
    )
    return Mixture(
        documents,
        seed=config.run.seed,
        num_steps=num_steps,
        batch_rows=config.supervised.batch_rows,
        row_length=config.model.max_length,
        temperature=config.corpus.temperature if isinstance(config, PretrainConfig) else 1.0,
        split=isinstance(config, PretrainConfig),
        eval_tokens=config.supervised.eval_tokens,
        pad_token_id=pad_token_id,
        paced=paced if curriculum.enabled else None,
    )


def _texts(config: SupervisedStage) -> Iterator[tuple[str, str]]:
    """Texts with their languages, "" where that is not known."""
    if isinstance(config, RewardModelConfig):
        for text in pair_texts(config):
            yield text, ""
        return
    if isinstance(config, PretrainConfig):
        limit = Broken(config.corpus.max_broken_rows, "corpus.max_broken_rows")
        for document in _documents(config, limit):
            yield document.text, document.language
        return
    limit = Broken(config.demonstrations.max_broken_rows, "demonstrations.max_broken_rows")
    for demonstration in _demonstrations(config, limit):
        if demonstration.system:
            yield demonstration.system, demonstration.language
        for turn in demonstration.turns:
            for text in turn:
                yield text, demonstration.language


def _tokenised_texts(
    config: PretrainConfig, tokenizer: "Tokenizer", broken: Broken, counts: Counts
) -> Iterator[Tokenised]:
    corpus = config.corpus
    return tokenise(
        without_repeats(_documents(config, broken), corpus.near_duplicates, counts),
        partial(encode_texts, tokenizer),
        partial(decode_ids, tokenizer),
        end=tokenizer.eos_token_id,
        max_tokens=config.model.max_length,
        held_out_fraction=corpus.held_out_fraction,
    )


def _tokenised_dialogs(
    config: SFTConfig, tokenizer: "Tokenizer", broken: Broken, own_dialogs: Sequence[DialogFileConfig]
) -> Iterator[Tokenised]:
    return tokenise_dialogs(
        _demonstrations(config, broken, own_dialogs),
        chat_format(tokenizer),
        max_tokens=config.model.max_length,
        held_out_fraction=config.demonstrations.held_out_fraction,
        has_tools=bool(config.demonstrations.tools),
    )


def _documents(config: PretrainConfig, broken: Broken) -> Iterator[Document]:
    corpus = config.corpus
    if corpus.sources:
        return read_sources(corpus, broken)
    return embedded_corpus(
        config.run.seed, num_dialogs=corpus.embedded_dialogs, held_out_questions=corpus.held_out_questions
    )


def _demonstrations(
    config: SFTConfig, broken: Broken, own_dialogs: Sequence[DialogFileConfig] = ()
) -> Iterator[Demonstration]:
    library, mix = mixture_of(config.tasks)
    fraction = config.tasks.held_out_fraction
    yield from from_scenarios(library, mix, config.demonstrations, seed=config.run.seed, fraction=fraction)
    yield from from_files((*config.demonstrations.files, *own_dialogs), broken)
