"""Semantic dimensions against numbers worked out by hand. None: it abstains."""

import math

import pytest

from envs.task import Transcript
from rewards.absurd import sense
from rewards.dimensions.example import example
from rewards.table import by_name

DIMENSIONS = by_name()


def said(answer: str, question: str = "?", language: str = "en") -> Transcript:
    return example(question, answer, language=language)


CASES = (
    ("semantics.objects", said("Peel the potatoes. Peel the screws."), 1 / 2),
    ("semantics.objects", said("Die Kartoffeln schälen.", language="de"), 1.0),
    ("semantics.objects", said("Éplucher les clous.", language="fr"), 0.0),
    ("semantics.objects", said("Blorp the fnord."), None),
    ("semantics.objects", said("Peel the screws.", language="it"), None),
    ("semantics.tools", said("Cortar la cebolla con un martillo.", language="es"), 0.0),
    ("semantics.tools", said("Mix the flour with milk."), 1.0),
    ("semantics.places", said("Put the shirts into the oven."), 0.0),
    ("semantics.safe_pairs", said("Never put a fork into the microwave."), 1.0),
    ("semantics.earthly", said("Put it on the moon.", "How far is the moon?"), None),
    ("semantics.no_denial", said("You need a knife. It is red."), 1.0),
    ("quantity.possible", said("Wait -5 minutes."), 0.0),
    ("quantity.possible", said("It is cold."), None),
    ("quantity.percentages", said("Use 60 percent sugar and 60 percent milk."), 0.0),
    ("quantity.list_length", said("In 3 steps:\n1. One.\n2. Two."), 1 / 2),
    ("quantity.dates", said("On 29.02.2023 or 28.02.2023."), 1 / 2),
    ("quantity.unit_fits", said("Preheat the oven to 180 minutes and to 180 degrees."), (0 + 1 / 2) / 2),
    ("quantity.conversions", said("It takes 2 hours (120 minutes)."), 1.0),
    ("relevance.measure", said("It costs 3 kilograms.", "How much does it cost?"), 0.0),
    ("relevance.measure", said("Il pèse 3 kilos.", "Combien pèse le chat ?", "fr"), 1.0),
    ("relevance.subject", said("Wash the car with a sponge.", "How do I boil eggs?"), 0.0),
    ("relevance.time_given", said("Am Montag.", "Wann kommt der Bus?", "de"), 1.0),
    ("procedure.phases", said("Buy eggs. Boil them."), 1.0),
    ("procedure.phases", said("Boil them."), None),
    ("procedure.before", said("Before you dry it, wash it."), 1.0),
    ("procedure.known_order", said("Boil the eggs for 8 minutes.", "How do I boil eggs?"), None),
    ("quantity.known_amounts", said("Boil the eggs for 13 minutes.", "How do I boil eggs?"), 0.0),
    ("quantity.known_amounts", said("Boil the eggs for 12 minutes.", "How do I boil eggs?"), 1.0),
)


@pytest.mark.parametrize(("name", "transcript", "expected"), CASES)
def test_by_hand(name: str, transcript: Transcript, expected: float | None) -> None:
    score = DIMENSIONS[name].score(transcript)
    assert score == (None if expected is None else pytest.approx(expected))


def test_amounts_fall_with_their_distance() -> None:
    plausible = DIMENSIONS["quantity.plausible"].score
    scores = [plausible(said(f"Boil the egg for {minutes} minutes.")) for minutes in (15, 240, 960, 3840)]
    assert scores[1] == pytest.approx(0.8)  # the end of the range, four hours
    assert scores[2] == pytest.approx(0.8 / math.e)  # four times as long
    assert scores == sorted(scores, reverse=True)  # type: ignore[type-var]


def test_the_egg_in_the_microwave() -> None:
    boiled = said("Boil the egg in water for 8 minutes.", "How do I boil an egg?")
    absurd = said("Boil the egg in the microwave for 30 hours.", "How do I boil an egg?")
    assert sense(boiled) > 2 * sense(absurd) > 0
