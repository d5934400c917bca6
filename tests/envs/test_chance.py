from collections import Counter

from envs.chance import digits, draw, pick, scatter, uniform


def test_a_key_gives_one_choice_and_many_keys_give_all() -> None:
    assert pick("abc", 7, "letter") == pick("abc", 7, "letter")
    counts = Counter(pick("abc", seed, "letter") for seed in range(3000))
    assert set(counts) == set("abc")
    assert min(counts.values()) > 900  # 1000 expected, standard deviation 26


def test_uniform_fills_the_unit_interval() -> None:
    values = [uniform(seed) for seed in range(3000)]
    assert 0 <= min(values) < 0.01
    assert 0.99 < max(values) < 1
    assert abs(sum(values) / len(values) - 0.5) < 0.03


def test_drawn_ones_differ_and_each_is_equally_likely() -> None:
    drawn = [tuple(draw("abcd", 2, seed)) for seed in range(3600)]
    counts = Counter(drawn)
    assert len(counts) == 12
    assert all(first != second for first, second in counts)
    assert min(counts.values()) > 230  # 300 expected, standard deviation 17


def test_digits_and_scattering_miss_no_number() -> None:
    assert digits(23, 4, 3, 2) == [3, 2, 1]
    assert len({tuple(digits(number, 4, 3, 2)) for number in range(24)}) == 24
    assert sorted(scatter(index, 24) for index in range(24)) == list(range(24))
