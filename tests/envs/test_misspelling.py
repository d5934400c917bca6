import pytest
from rapidfuzz.distance import OSA

from envs.misspelling import QWERTY, QWERTZ, misspell, neighbours

TEXT = "Please reserve something comfortable yesterday"


def test_neighbours_on_the_keyboard() -> None:
    assert set(neighbours("s", QWERTY)) == set("adwezx")
    assert "z" in neighbours("t", QWERTZ)
    assert "z" not in neighbours("t", QWERTY)
    assert neighbours("é", QWERTY) == ""


def test_a_misspelt_word_is_one_slip_away() -> None:
    for seed in range(300):
        for word, written in zip(TEXT.split(), misspell(TEXT, 1.0, (), "en", seed).split(), strict=True):
            assert OSA.distance(word, written) == 1
            assert word[0] == written[0]


def test_the_rate_and_the_key_decide() -> None:
    assert misspell(TEXT, 0.0, (), "en", 1) == TEXT
    assert misspell(TEXT, 0.5, (), "en", 1) == misspell(TEXT, 0.5, (), "en", 1)
    words = [word for seed in range(200) for word in misspell(TEXT, 0.3, (), "en", seed).split()]
    share = sum(word not in TEXT.split() for word in words) / len(words)
    assert 0.25 < share < 0.35


@pytest.mark.parametrize(
    "text",
    [
        "the cat sat",  # short words
        "lookup(comfortable) calc(3*4)",  # calls
        "order66 under_score 123456",  # codes
        "请告诉我今天的天气怎么样",  # no alphabet
        "กรุณาจองโต๊ะ",
    ],
)
def test_what_stays_as_it_is(text: str) -> None:
    assert all(misspell(text, 1.0, (), "en", seed) == text for seed in range(50))


def test_kept_words_stay() -> None:
    for seed in range(50):
        assert "Something" in misspell("Something comfortable", 1.0, {"something"}, "en", seed)


def test_a_script_has_its_own_keyboard() -> None:
    written = {misspell("пожалуйста", 1.0, (), "ru", seed) for seed in range(100)}
    assert len(written) > 10
    assert all(set(word) <= set("абвгдежзийклмнопрстуфхцчшщъыьэюя") for word in written)
