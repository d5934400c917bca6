"""The project's tokenizer: any text comes back, the same texts give the same files, AutoTokenizer loads them."""

from pathlib import Path

import pytest
from transformers import AutoTokenizer

from models.tokenizer import (
    MIN_VOCAB_SIZE,
    SPECIAL_TOKENS,
    ModelError,
    load_tokenizer,
    tokens_that_end,
    train_tokenizer,
)

TEXTS = [
    "the cat sat on the mat",
    "the dog and the cat",
    "2024 2024 2024 2024 2024",
    "Größe, naïve, 中文字符, русский текст",
] * 3
STORIES = Path(__file__).parents[3] / "shared/models/stories260K-hd32"


@pytest.fixture(scope="module")
def tokenizer():
    return train_tokenizer(TEXTS, vocab_size=300)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "  two  spaces\n\tand tabs\r\n",
        "a" * 50,
        "日本語とไทยและ العربية",
        "👩‍👩‍👧 e\u0301 \u200d \ufeff",
        "\x00\x01\x7f",
        "<|en d|>",
    ],
)
def test_any_text_comes_back(tokenizer, text):
    ids = tokenizer(text, add_special_tokens=False)["input_ids"]
    assert tokenizer.decode(ids) == text


def test_every_code_point_comes_back(tokenizer):
    text = "".join(chr(c) for c in range(0, 0x11000, 7) if not 0xD800 <= c < 0xE000)
    assert tokenizer.decode(tokenizer(text)["input_ids"]) == text


def test_digits_stand_alone(tokenizer):
    assert tokenizer.tokenize("2024") == ["2", "0", "2", "4"]
    assert len(tokenizer.tokenize("the")) == 1  # and merges were learned


def test_size_and_special_tokens(tokenizer):
    assert len(tokenizer) == 300
    assert tokenizer.convert_tokens_to_ids(list(SPECIAL_TOKENS)) == list(range(6))
    assert (tokenizer.pad_token, tokenizer.eos_token) == ("<|pad|>", "<|end|>")
    assert set(tokenizer.all_special_tokens) == set(SPECIAL_TOKENS)


def test_texts_without_enough_pairs_give_a_smaller_vocabulary():
    assert len(train_tokenizer(["ab"], vocab_size=512)) == MIN_VOCAB_SIZE + 1
    with pytest.raises(ValueError, match=r"model.vocab_size is 261.*262"):
        train_tokenizer(TEXTS, vocab_size=261)


def test_same_texts_give_the_same_bytes(tokenizer, tmp_path):
    tokenizer.save_pretrained(tmp_path / "one")
    train_tokenizer(reversed(TEXTS), vocab_size=300).save_pretrained(tmp_path / "two")
    files = {path.name: path.read_bytes() for path in (tmp_path / "one").iterdir()}
    assert files == {path.name: path.read_bytes() for path in (tmp_path / "two").iterdir()}
    assert set(files) == {"tokenizer.json", "tokenizer_config.json", "chat_template.jinja"}


def test_first_merges_worked_by_hand(tokenizer):
    # "at", "he" and "th" stand in the texts equally often; the pair of lower ids goes first, then "t" meets "he"
    assert tokenizer.convert_ids_to_tokens([6, 262, 263, 264]) == ["!", "at", "he", "the"]


def test_auto_tokenizer_loads_the_folder(tokenizer, tmp_path):
    tokenizer.save_pretrained(tmp_path)
    loaded = AutoTokenizer.from_pretrained(tmp_path)
    assert loaded.get_vocab() == tokenizer.get_vocab()
    assert loaded.all_special_tokens == tokenizer.all_special_tokens
    messages = [
        {"role": "system", "content": "s"},
        {"role": "user", "content": "q"},
        {"role": "assistant", "content": "a"},
    ]
    text = loaded.apply_chat_template(messages, tokenize=False)
    assert text == "<|system|>s<|end|><|user|>q<|end|><|assistant|>a<|end|>"
    assert loaded.apply_chat_template(messages[:2], tokenize=False, add_generation_prompt=True) == (
        "<|system|>s<|end|><|user|>q<|end|><|assistant|>"
    )


def test_errors_name_the_path(tmp_path):
    with pytest.raises(ModelError, match=r"no folder '/nowhere/model'"):
        load_tokenizer("/nowhere/model")
    with pytest.raises(ModelError, match=rf"'{tmp_path}' has no tokenizer_config.json"):
        load_tokenizer(tmp_path)
    (tmp_path / "tokenizer_config.json").write_text("{")
    with pytest.raises(ModelError, match=str(tmp_path)):
        load_tokenizer(tmp_path)
    with pytest.raises(ModelError, match=r"model.name_or_path is empty"):
        load_tokenizer("")


@pytest.mark.skipif(not STORIES.is_dir(), reason=f"no {STORIES}")
def test_a_foreign_tokenizer_loads():
    tokenizer = load_tokenizer(STORIES)
    assert len(tokenizer) == 512
    assert tokenizer.chat_template is None


@pytest.mark.parametrize(("number_tokens", "tokens"), [(False, ["1", "7", "-", "4", "=?"]), (True, ["17", "-4", "=?"])])
def test_whole_numbers_may_become_tokens(number_tokens: bool, tokens: list[str]) -> None:
    texts = ["17-4=?", "What is 17 minus 4?", "-4", "Und 17?"] * 2
    tokenizer = train_tokenizer(texts, vocab_size=512, all_bytes=False, number_tokens=number_tokens)
    assert tokenizer.tokenize("17-4=?") == tokens
    for text in texts:
        assert tokenizer.decode(tokenizer(text)["input_ids"]) == text


def test_bytes_that_no_text_has_get_no_token() -> None:
    tokenizer = train_tokenizer(["3+4=?", "7", "12"], vocab_size=512, all_bytes=False)
    assert len(tokenizer) < 25
    assert tokenizer.decode(tokenizer("4+1=?")["input_ids"]) == "4+1=?"
    assert tokenizer.unk_token_id in tokenizer("x")["input_ids"]


def test_whole_words_may_be_all_there_is() -> None:
    texts = ["Was ist größer: 6 oder 12?", "12", "größer", "12-4=?"]
    tokenizer = train_tokenizer(texts, vocab_size=512, all_bytes=False, word_tokens=True)
    words = {"Was ", "ist ", "größer", ": ", " ", "6", "oder ", "12", "?", "-4", "=?"}
    decoded = {tokenizer.decode(token) for token in range(len(SPECIAL_TOKENS) + 1, len(tokenizer))}
    assert decoded == words
    for text in texts:
        assert tokenizer.decode(tokenizer(text)["input_ids"]) == text
    assert tokenizer("groß")["input_ids"] == [tokenizer.unk_token_id]
    assert tokenizer.backend_tokenizer.to_str() == (
        train_tokenizer(texts[::-1], vocab_size=512, all_bytes=False, word_tokens=True).backend_tokenizer.to_str()
    )


def test_of_too_many_words_the_most_frequent_are_kept() -> None:
    tokenizer = train_tokenizer(["a", "b", "b", "c", "c", "c"], vocab_size=9, all_bytes=False, word_tokens=True)
    assert [tokenizer.decode(token) for token in range(7, len(tokenizer))] == ["c", "b"]


def test_words_cannot_spell_every_text() -> None:
    with pytest.raises(ModelError, match=r"model\.word_tokens.*model\.all_bytes"):
        train_tokenizer(TEXTS, vocab_size=512, word_tokens=True)


MARKS = ("<calc>", "</calc>", "<out>", "</out>")


@pytest.mark.parametrize(("all_bytes", "vocab_size"), [(True, 300), (False, 40)])
def test_marks_are_one_token_each_and_remain_text(all_bytes: bool, vocab_size: int) -> None:
    tokenizer = train_tokenizer(["12+3=?"] * 9, vocab_size=vocab_size, all_bytes=all_bytes, markers=MARKS)
    ids = tokenizer("12<calc>12+3</calc><out>15</out>15")["input_ids"]
    marks = [tokenizer.convert_tokens_to_ids(mark) for mark in MARKS]
    assert [i for i in ids if i in marks] == marks
    assert "<calc>12+3</calc><out>" in tokenizer.decode(ids, skip_special_tokens=True)
    assert len(tokenizer) <= vocab_size


def test_marks_need_room_in_the_vocabulary() -> None:
    with pytest.raises(ModelError, match="the 4 marks of tools leave 258 tokens"):
        train_tokenizer(["a"], vocab_size=262, markers=MARKS)


@pytest.mark.parametrize("markers", [(), MARKS])
def test_every_way_to_close_a_mark_ends_in_one_of_the_tokens(markers: tuple[str, ...]) -> None:
    """All splits of the mark, and what a merged token has behind it."""
    texts = ["</calc>\n1", "c>x </ca lc> > >= </calc>", "b>=c", "</calc></out>"] * 50
    tokenizer = train_tokenizer(texts, vocab_size=320, markers=markers)
    mark, texts = "</calc>", [tokenizer.decode([index]) for index in range(len(tokenizer))]
    wanted = {i for i, text in enumerate(texts) if any(mark in mark[:cut] + text for cut in range(len(mark)))}
    assert set(tokens_that_end(tokenizer, [mark])) == wanted
    assert tokenizer("1</calc>")["input_ids"][-1] in wanted
    assert tokenizer.convert_tokens_to_ids("c") not in wanted
    assert len(wanted) > 1
