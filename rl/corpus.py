"""Texts for pre-training: out of files, or the embedded corpus; without what repeats; tokenised, a part held out.

Every step reads and writes one document at a time. What is held out is known by a hash of the document, so it is the
same for every seed and however the files are put together; and since near duplicates go first, no training document is
almost one of them.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice

import numpy as np

from envs.chance import uniform
from rl.documents import Tokenised
from rl.near_duplicates import Seen, normalise
from rl.rows import Broken, find_files, read_plain, read_rows
from rl.stage_config import CorpusConfig, SourceConfig

UNKNOWN_LANGUAGE = "und"  # ISO 639-2 for undetermined
TOKENISED_AT_ONCE = 256
REPLACEMENT = "\ufffd"  # what a decoder makes of a letter that is cut in the middle

Encode = Callable[[list[str]], list[list[int]]]
Decode = Callable[[list[int]], str]


@dataclass(frozen=True, slots=True)
class Document:
    text: str
    language: str
    level: int = 0


@dataclass
class Counts:
    """What became of the documents."""

    num_read: int = 0
    num_empty: int = 0
    num_repeated: int = 0

    def __str__(self) -> str:
        return f"{self.num_read:,} documents read, {self.num_empty:,} empty, {self.num_repeated:,} (nearly) repeated"


def read_sources(corpus: CorpusConfig, broken: Broken) -> Iterator[Document]:
    """The texts of all files, source by source. Raises DataFileError."""
    for source in corpus.sources:
        for path in find_files(source.path):
            if path.suffix in (".parquet", ".jsonl"):
                column = source.column
                columns = [column, source.language_column] if source.language_column else [column]
                rows = read_rows(path, columns, broken, encoding=source.encoding)
            else:
                column = "text"
                rows = read_plain(path, encoding=source.encoding, separator=source.separator)
            for row in rows:
                text = row.values[column]
                if text is None or isinstance(text, str):
                    yield Document(text or "", _language(source, row.values))
                else:
                    broken.skip(row.place, f"{column!r} is {type(text).__name__}, not text")


def without_repeats(documents: Iterable[Document], threshold: float, counts: Counts) -> Iterator[Document]:
    """The documents that are neither empty nor (nearly) an earlier one, see `rl.near_duplicates`."""
    seen = Seen(threshold)
    for document in documents:
        counts.num_read += 1
        if not document.text.strip():
            counts.num_empty += 1
        elif seen.add(document.text):
            yield document
        else:
            counts.num_repeated += 1


def tokenise(
    documents: Iterable[Document],
    encode: Encode,
    decode: Decode,
    *,
    end: int,
    max_tokens: int,
    held_out_fraction: float,
) -> Iterator[Tokenised]:
    """Each document as `end` + its tokens + `end`: the first `end` is what its first token is predicted from.

    One that is held out is cut at `max_tokens`, so that it fits into a row, and its bytes are those of what is left.
    """
    remaining = iter(documents)
    while chunk := list(islice(remaining, TOKENISED_AT_ONCE)):
        for document, ids in zip(chunk, encode([document.text for document in chunk]), strict=True):
            held_out = is_held_out(document.text, held_out_fraction)
            num_bytes = len(document.text.encode())
            whole = [end, *ids, end]
            if held_out and len(whole) > max_tokens:
                whole = whole[:max_tokens]
                num_bytes = len(decode(whole[1:]).rstrip(REPLACEMENT).encode())
            mask = np.ones(len(whole), bool)
            mask[0] = False
            yield Tokenised(np.array(whole, np.int32), mask, num_bytes, document.language, held_out, document.level)


def is_held_out(text: str, fraction: float) -> bool:
    """Whether a document belongs to the share that is never trained on."""
    return uniform("held-out document", normalise(text)) < fraction


def _language(source: SourceConfig, values: Mapping[str, object]) -> str:
    found = source.language or values.get(source.language_column)
    return found if isinstance(found, str) and found else UNKNOWN_LANGUAGE
