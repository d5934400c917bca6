"""The service desk, worked by hand."""

import re

import pytest

from envs.families.service_desk import orders, quote
from envs.task import Task


@pytest.mark.parametrize("level", [0, 1, 2])
def test_the_state_of_an_order_is_the_last_one_said(level: int) -> None:
    for seed in range(60):
        states: dict[str, str] = {}
        for question in orders(Task("service-order", "en", level, seed), [0, 1, 1]):
            states |= dict(re.findall(r"(\d): (\w+)", question.text))
            news = dict(re.findall(r"order (\d) is now (\w+)", question.text))
            assert all(states[n] != state for n, state in news.items())
            states |= news
            asked = re.findall(r"order (\d)\?|How is order (\d)", question.text)[-1]
            assert question.answer == states[asked[0] or asked[1]]


@pytest.mark.parametrize("level", [0, 1, 2])
def test_a_purchase_costs_all_that_was_said_so_far(level: int) -> None:
    for seed in range(60):
        prices: dict[str, int] = {}
        total = 0
        for question in quote(Task("service-quote", "de", level, seed), [2, 4, 1]):
            prices |= {item: int(price) for item, price in re.findall(r"(\w+): (\d+)", question.text)}
            total += sum(int(n) * prices[item] for n, item in re.findall(r"(\d+) × (\w+)", question.text))
            assert question.answer == str(total)
        assert sorted(prices.values()) == [3, 5]
