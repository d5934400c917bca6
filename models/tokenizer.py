"""Tokenizers: the project's own byte-level BPE, trained on the texts of a run, and anybody's from Hugging Face.

Ours has no normaliser. With all 256 bytes in its alphabet, every text comes back as it went in, in any language.
A policy that starts from random weights has every token to try, though, so a run may keep to the bytes that its own
dialogs are made of. Digits stand alone, for arithmetic is hopeless to learn when "17" and "170" are unrelated symbols;
where all numbers are small, a run may make each a token, so that an answer is one choice. For the same reason a run of
few different words may make each of them one, and nothing else.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import AutoTokenizer, PreTrainedTokenizerBase, PreTrainedTokenizerFast

PAD, END, UNKNOWN = "<|pad|>", "<|end|>", "<|unknown|>"
SPECIAL_TOKENS = (PAD, "<|system|>", "<|user|>", "<|assistant|>", "<|tool|>", END)
NUMBER_OR_WORD = r"-?\d+| ?\p{L}+| ?[^\s\p{L}\d]+|\s+"  # nothing is merged across the ends of one
WORD = r"-?\d+|\p{L}+ ?|[^\s\p{L}\d]+ ?|\s+"  # the space behind: the last word of a question is what an answer is
MIN_VOCAB_SIZE = 256 + len(SPECIAL_TOKENS)

CHAT_TEMPLATE = (
    "{% for message in messages %}"
    "{{ '<|' + message['role'] + '|>' + message['content'] + '<|end|>' }}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}"
)


class ModelError(ValueError):
    """A model or tokenizer that cannot be loaded, and why."""


def train_tokenizer(
    texts: Iterable[str],
    *,
    vocab_size: int,
    all_bytes: bool = True,
    number_tokens: bool = False,
    word_tokens: bool = False,
    markers: Sequence[str] = (),
) -> PreTrainedTokenizerFast:
    """A tokenizer of at most `vocab_size` tokens; a function of `texts`, to the byte.

    Without `all_bytes`, only bytes that occur in `texts` get a token, and any other reads as `<|unknown|>`.
    With `number_tokens`, a whole number may become one token, as a word may; with its minus sign, unless that stands
    right behind other punctuation.
    With `word_tokens`, tokens are the most frequent words, numbers and marks of `texts`, each with the space behind it,
    and any other reads as `<|unknown|>`.
    Each of `markers` is a token, wherever it stands, and text like any other: `<calc>` around a call of a tool.
    It is smaller where the texts hold too few different pairs to merge: give the model `len(tokenizer)` rows.
    Save it with `save_pretrained`; `AutoTokenizer` loads the folder.
    Raises ModelError where both all bytes and words alone are asked for, and for all bytes below `MIN_VOCAB_SIZE`.
    """
    if all_bytes and word_tokens:
        raise ModelError("model.word_tokens: words cannot spell every text; set model.all_bytes to false")
    if all_bytes and vocab_size < MIN_VOCAB_SIZE:
        raise ModelError(f"model.vocab_size is {vocab_size}: 256 bytes and special tokens need {MIN_VOCAB_SIZE}")
    vocab_size -= len(markers)
    if vocab_size < (MIN_VOCAB_SIZE if all_bytes else len(SPECIAL_TOKENS) + 1):
        raise ModelError(f"model.vocab_size: the {len(markers)} marks of tools leave {vocab_size} tokens for the rest")
    special_tokens = [*SPECIAL_TOKENS] if all_bytes else [*SPECIAL_TOKENS, UNKNOWN]
    unknown = None if all_bytes else UNKNOWN
    trainer: trainers.WordLevelTrainer | trainers.BpeTrainer
    if word_tokens:
        tokenizer = Tokenizer(models.WordLevel(unk_token=UNKNOWN))
        trainer = trainers.WordLevelTrainer(vocab_size=vocab_size, special_tokens=special_tokens, show_progress=False)
    else:
        tokenizer = Tokenizer(models.BPE(unk_token=unknown))
        trainer = trainers.BpeTrainer(
            vocab_size=vocab_size,
            special_tokens=special_tokens,
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet() if all_bytes else [],
            show_progress=False,
        )
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(_cut(number_tokens=number_tokens, word_tokens=word_tokens))
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.add_tokens([AddedToken(marker, special=False, normalized=False) for marker in markers])
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token=PAD,
        eos_token=END,
        unk_token=unknown,
        additional_special_tokens=[token for token in SPECIAL_TOKENS if token not in (PAD, END)],
        clean_up_tokenization_spaces=False,
        chat_template=CHAT_TEMPLATE,
    )


def _cut(*, number_tokens: bool, word_tokens: bool) -> list[pre_tokenizers.PreTokenizer]:
    """Where a text is cut before anything is counted, and its bytes written as letters."""
    if number_tokens or word_tokens:
        return [
            pre_tokenizers.Split(Regex(WORD if word_tokens else NUMBER_OR_WORD), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    return [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]


def load_tokenizer(name_or_path: str | Path) -> PreTrainedTokenizerBase:
    """The tokenizer of a Hugging Face folder or hub id. Raises ModelError."""
    require_folder(name_or_path, "tokenizer_config.json")
    try:
        return AutoTokenizer.from_pretrained(name_or_path, trust_remote_code=False)
    except (OSError, ValueError, KeyError) as error:
        raise ModelError(f"cannot load a tokenizer from {str(name_or_path)!r}: {error}") from error


def encode_texts(tokenizer: PreTrainedTokenizerBase, texts: Sequence[str]) -> list[list[int]]:
    """Ids of each text as it stands, many at once; no special tokens are added, and none is read out of a text."""
    if not texts:
        return []
    return tokenizer(list(texts), add_special_tokens=False, split_special_tokens=True)["input_ids"]


def tokens_that_end(tokenizer: PreTrainedTokenizerBase, marks: Sequence[str]) -> tuple[int, ...]:
    """Ids of all tokens that may be the last one of a mark, whatever tokens it begins with: no other token completes
    one. Some of them are ends of other things too (a lone ">"), so whoever stops at them has to look.
    """
    texts = tokenizer.batch_decode([[index] for index in range(len(tokenizer))], clean_up_tokenization_spaces=False)
    ends = tuple(mark[start:] for mark in marks for start in range(len(mark)))
    special = set(tokenizer.all_special_ids)
    found = (i for i, text in enumerate(texts) if text.startswith(ends) or any(mark in text for mark in marks))
    return tuple(index for index in found if index not in special)


def plain_ids(tokenizer: PreTrainedTokenizerBase, text: str) -> list[int]:
    """Ids of a text that is no dialog, after the start token if the tokenizer adds one."""
    bos = tokenizer.bos_token_id
    start = [bos] if bos is not None and tokenizer("")["input_ids"][:1] == [bos] else []
    return start + encode_texts(tokenizer, [text])[0]


def decode_ids(tokenizer: PreTrainedTokenizerBase, ids: Sequence[int]) -> str:
    """The text of `ids`, to the byte."""
    return str(tokenizer.decode(list(ids), clean_up_tokenization_spaces=False))


def require_folder(name_or_path: str | Path, *patterns: str) -> None:
    """Check that a local model folder exists and has a file of each pattern; a hub id (`owner/name`) passes.

    Raises ModelError naming the path and what is expected there, before transformers takes a path for a hub id.
    """
    text, folder = str(name_or_path), Path(name_or_path)
    if not text:
        raise ModelError("model.name_or_path is empty: give a Hugging Face folder or hub id")
    if not folder.is_dir():
        if folder.is_absolute() or text.startswith((".", "~")) or text.count("/") > 1:
            raise ModelError(
                f"no folder {text!r}: expected a Hugging Face model folder, or a hub id such as owner/name"
            )
        return
    for pattern in patterns:
        if not any(folder.glob(pattern)):
            raise ModelError(f"{text!r} has no {pattern}: expected a Hugging Face model folder")
