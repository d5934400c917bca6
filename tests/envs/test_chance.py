from collections import Counter

from envs.chance import pick, uniform


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
