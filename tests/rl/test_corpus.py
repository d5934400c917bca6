"""A corpus without repeats, with a part that nobody trains on, whatever the files and the seed."""

import json
from pathlib import Path

import numpy as np
import pytest

from envs.languages import CODES
from envs.library import BUILT_IN, Library
from envs.mix import is_held_out as is_held_out_question
from rl.corpus import Counts, Document, is_held_out, read_sources, tokenise, without_repeats
from rl.embedded_corpus import embedded_corpus
from rl.near_duplicates import Seen, normalise, shingles, signature
from rl.rows import Broken, DataFileError
from rl.stage_config import CorpusConfig, SourceConfig

STORY = "Once upon a time there was a little dog who lived in a small house by the sea with an old man and his cat"


def bytes_of(texts: list[str]) -> list[list[int]]:
    return [list(text.encode()) for text in texts]


def text_of(ids: list[int]) -> str:
    return bytes(ids).decode(errors="ignore")


def distinct(texts: list[str], threshold: float) -> list[str]:
    documents = without_repeats((Document(text, "en") for text in texts), threshold, Counts())
    return [document.text for document in documents]


# -- near duplicates ------------------------------------------------------------------------------------------------


def test_equal_minima_estimate_the_similarity_of_shingle_sets() -> None:
    words = [f"w{number}" for number in range(400)]
    first, second = " ".join(words[:300]), " ".join(words[100:])
    sets = shingles(first), shingles(second)
    exact = len(sets[0] & sets[1]) / len(sets[0] | sets[1])
    assert exact == pytest.approx(0.5, abs=0.01)
    assert (signature(first) == signature(second)).mean() == pytest.approx(exact, abs=0.2)  # 3 standard deviations


def test_a_text_with_one_other_word_is_a_near_duplicate() -> None:
    long = " ".join(f"{STORY} {number}" for number in range(5))
    changed = long.replace("old man", "young man", 1)
    assert distinct([long, changed, "Something else."], 0.8) == [long, "Something else."]
    assert distinct([long, changed], 0.0) == [long, changed]


def test_case_width_and_white_space_make_no_difference() -> None:
    assert distinct([STORY, STORY.upper(), f"  {STORY}\n"], 0.0) == [STORY]
    assert normalise("Ａ\u00a0 b") == "a b"


def test_short_and_different_questions_stay() -> None:
    questions = [f"{a} + {b} = ?\n{a + b}" for a in range(10, 20) for b in range(10)]
    assert len(distinct(questions, 0.8)) == len(questions)


def test_empty_and_repeated_documents_are_counted() -> None:
    counts = Counts()
    assert len(list(without_repeats([Document(t, "en") for t in ("a", " ", "a", "")], 0.8, counts))) == 1
    assert (counts.num_read, counts.num_empty, counts.num_repeated) == (4, 2, 1)


def test_what_was_seen_needs_no_text_to_be_kept() -> None:
    seen = Seen(0.8)
    assert seen.add("") and not seen.add("")


# -- files ----------------------------------------------------------------------------------------------------------


def test_languages_come_from_the_recipe_or_a_column(tmp_path: Path) -> None:
    rows = [{"text": "hallo", "lang": "de"}, {"text": "hello", "lang": None}, {"text": 7, "lang": "de"}]
    (tmp_path / "a.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "b.txt").write_text("bonjour\n\nsalut\n")
    corpus = CorpusConfig(
        sources=(
            SourceConfig(path=f"{tmp_path}/a.jsonl", language_column="lang"),
            SourceConfig(path=f"{tmp_path}/*.txt", language="fr"),
        )
    )
    broken = Broken(1, "corpus.max_broken_rows")
    found = [(document.text, document.language) for document in read_sources(corpus, broken)]
    assert found == [("hallo", "de"), ("hello", "und"), ("bonjour", "fr"), ("salut", "fr")]
    assert broken.examples == [f"{tmp_path}/a.jsonl:3: 'text' is int, not text"]
    with pytest.raises(DataFileError, match=r"a\.jsonl:3: 'text' is int, not text; more than corpus"):
        list(read_sources(corpus, Broken(0, "corpus.max_broken_rows")))


# -- tokens ---------------------------------------------------------------------------------------------------------


def test_a_document_stands_between_two_ends() -> None:
    [document] = tokenise([Document("abc", "en")], bytes_of, text_of, end=0, max_tokens=4, held_out_fraction=0.0)
    np.testing.assert_array_equal(document.ids, [0, 97, 98, 99, 0])  # longer than a row: training cuts it there
    np.testing.assert_array_equal(document.loss_mask, [False, True, True, True, True])
    assert (document.num_bytes, document.group, document.held_out) == (3, "en", False)


def test_a_held_out_document_is_cut_to_a_row_and_its_bytes_with_it() -> None:
    [document] = tokenise([Document("abcdef", "en")], bytes_of, text_of, end=0, max_tokens=4, held_out_fraction=1.0)
    np.testing.assert_array_equal(document.ids, [0, 97, 98, 99])
    assert document.num_bytes == 3


def test_the_held_out_share_is_a_matter_of_the_text_alone() -> None:
    texts = [f"document {number}" for number in range(5000)]
    held_out = {text for text in texts if is_held_out(text, 0.1)}
    assert 0.08 < len(held_out) / len(texts) < 0.12
    assert all(is_held_out(text.upper(), 0.1) for text in held_out)
    assert {text for text in texts if is_held_out(text, 0.05)} < held_out


# -- the corpus that comes along ------------------------------------------------------------------------------------


def test_the_embedded_corpus_speaks_every_language_and_is_a_function_of_the_seed() -> None:
    first, again, other = (list(embedded_corpus(seed, num_dialogs=5, held_out_questions=0.1)) for seed in (1, 1, 2))
    assert first == again != other
    assert [document.language for document in first if document.language == "th"] == ["th"] * 6
    assert {document.language for document in first} == set(CODES)
    assert all(document.text.strip() for document in first)


def test_the_embedded_corpus_asks_no_held_out_question() -> None:
    texts = [document.text for document in embedded_corpus(1, num_dialogs=5, held_out_questions=0.5)]
    assert not any(is_held_out_question(text, 0.5) for text in (text.partition("\n")[0] for text in texts[:5]))
    assert len(Library(BUILT_IN).scenarios) > 50
